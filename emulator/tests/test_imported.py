"""Draws of somebody else's model, all the way to an answer: imported, trained on, calibrated,
scored, asked.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import emulator
from emulator.data import SPLITS, import_draws
from emulator.errors import ParameterError, UnknownNameError
from emulator.eval import Request, evaluate_checkpoint
from emulator.spec import IRF_AXES
from emulator.tests.data.drawn import NAMES, drawn, imported
from emulator.training import IRFDataset

CONFIG = """
worlds: [mine]
model: PerWorldMLPBaseline
model_options: {hidden_dims: [16]}
epochs: 1
warmup_epochs: 0
batch_size: 16
"""


def test_imported_draws_come_to_an_answer(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    emulate: Callable[..., tuple[int, str, str]],
) -> None:
    monkeypatch.chdir(tmp_path)
    draws = drawn(160)
    draws.irf[::10] = np.nan
    imported(Path("datasets/mine"), draws, units={"sales": "percent"}, frequency="month")
    config = f"dataset: datasets/mine\ncheckpoint_dir: runs/mine\n{CONFIG}"
    Path("mine.yaml").write_text(config)
    of_data = ("--dataset", "datasets/mine")
    for command in (
        ("train", "--config", "mine.yaml"),
        ("calibrate", "--checkpoint", "runs/mine/best.pt", *of_data),
    ):
        code, _, error = emulate(*command)
        assert code == 0, error
    scored = evaluate_checkpoint(Request(Path("runs/mine"), Path("datasets/mine"), bootstrap=0))
    assert set(scored.scores["observable"]) == {*NAMES["observables"], "all"}
    economy = emulator.load("runs/mine")["mine"]
    answer = economy.irf(persistence=0.5)
    assert answer["irf"].shape == (1, 2, 7, 4)
    assert tuple(answer["observable"].values) == NAMES["observables"]
    assert tuple(answer["unit"].values) == ("percent", "unknown", "unknown", "unknown")
    assert answer["horizon"].attrs["units"] == "months after impact"
    assert 0.0 < float(answer["probability_determinate"][0]) < 1.0
    assert np.isfinite(answer["lower"]).all()
    with pytest.raises(ParameterError, match="draws were imported has no solver"):
        economy.irf(persistence=0.5, fallback="exact")
    with pytest.raises(ParameterError, match="imported draws have none"):
        _ = economy.solver
    with pytest.raises(UnknownNameError, match="Unknown world: 'mine'"):
        emulator.world("mine")
    for words in (("irf", "mine"), ("irf", "mine", "--exact"), ("irf", "datasets/mine")):
        code, _, error = emulate(*words)
        assert code == 1
        assert "emulator irf mine --checkpoint runs/mine" in error
        assert "emulator train --dataset datasets/mine --output runs/mine" in error


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    n=st.integers(20, 40),
    sizes=st.tuples(*(st.integers(1, 4) for _ in range(3)), st.integers(2, 5)),
    seed=st.integers(0, 2**32 - 1),
    in_memory=st.booleans(),
)
def test_loaders_serve_imported_draws_as_they_were_given(
    tmp_path_factory: pytest.TempPathFactory,
    n: int,
    sizes: tuple[int, ...],
    seed: int,
    in_memory: bool,
) -> None:
    n_parameters, n_shocks, n_observables, periods = sizes
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(n, n_parameters)).astype(np.float32)
    irf = rng.normal(size=(n, n_shocks, periods, n_observables)).astype(np.float32)
    data = import_draws(
        theta,
        irf,
        parameters=[f"p{k}" for k in range(n_parameters)],
        shocks=[f"s{k}" for k in range(n_shocks)],
        observables=[f"o{k}" for k in range(n_observables)],
        axes=IRF_AXES,
        output=tmp_path_factory.mktemp("drawn") / "mine",
    )
    served = []
    for split in SPLITS:
        loaded = IRFDataset(data, ["mine"], split, in_memory=in_memory)
        rows = data.rows("mine", split)
        for k, row in enumerate(rows):
            sample = loaded[k]
            np.testing.assert_array_equal(np.asarray(sample["theta"]), theta[row])
            np.testing.assert_array_equal(
                np.asarray(sample["irf"]).reshape(irf[row].shape), irf[row]
            )
        served += list(rows)
    assert sorted(served) == list(range(n))
