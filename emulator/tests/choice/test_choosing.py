"""The best of many kinds: what is left in the folder, what fails, what resumes, what it costs."""

import dataclasses
import json
import time

import numpy as np
import pytest

import emulator
from emulator.choice import choosing, fitting
from emulator.choice.choosing import choose
from emulator.choice.kinds import KINDS
from emulator.errors import ConfigError, DatasetError, DoubtWarning, TrainingError

QUICK = "linear,quadratic"


def test_the_winner_loads_and_answers_with_band_and_flags(mine, toy, tmp_path):
    choice = choose(mine, tmp_path / "run", "linear,gp_shape", "3s")
    economy = emulator.load(tmp_path / "run")["mine"]
    inside = economy.irf(rho_a=0.5, rho_b=0.4, load=1.0)
    exact = toy.irf(np.array([[0.5, 0.4, 1.0]]), 8)
    np.testing.assert_allclose(inside["irf"].values, exact, atol=0.05)
    assert (inside["lower"] <= inside["upper"]).all()
    assert not bool(inside["flagged"])
    with pytest.warns(DoubtWarning, match="ask the model behind 'mine'"):  # no solver has it
        assert bool(economy.irf(rho_a=5.0, rho_b=0.4, load=1.0)["flagged"])
    assert choice.winner.kind in ("gp_shape", "stack")
    assert choice.winner.test < min(choice.ledger.trivial.values())
    text = (tmp_path / "run" / "CARD.md").read_text()
    assert "coverage of the 90 % band" in text
    assert "nearest neighbour" in text
    assert choice.curve is not None
    assert choice.curve.draws[-1] > choice.curve.draws[0]


def test_networks_train_in_rounds_and_losers_stop(mine, tmp_path, monkeypatch):
    small = {
        name: dataclasses.replace(KINDS[name], least=1, options={**KINDS[name].options, **options})
        for name, options in (
            ("pca_mlp", {"hidden_dims": [8], "components": 4}),
            ("mlp", {"hidden_dims": [8]}),
            ("gru", {"hidden_dim": 4}),
        )
    }
    monkeypatch.setattr(choosing, "KINDS", {**KINDS, **small})
    monkeypatch.setattr("emulator.choice.kinds.KINDS", {**KINDS, **small})
    monkeypatch.setattr(fitting, "STEPS", 5)
    choice = choose(mine, tmp_path / "run", "pca_mlp,mlp,gru", "2s")
    states = {a.kind: a.state for a in choice.ledger.attempts.values()}
    assert sorted(states[name] for name in small) == ["done", "stopped", "stopped"]
    assert emulator.load(tmp_path / "run")["mine"].irf()["irf"].shape == (1, 2, 9, 2)


def test_a_kind_that_raises_is_reported_and_does_not_end_the_run(mine, tmp_path, monkeypatch):
    whole = fitting.fit_regression

    def broken(kind, *rest, **options):
        if kind.name == "linear":
            raise np.linalg.LinAlgError("it did not converge")
        return whole(kind, *rest, **options)

    monkeypatch.setattr(fitting, "fit_regression", broken)
    choice = choose(mine, tmp_path / "run", QUICK, "4s")
    assert choice.ledger.attempts["linear"].state == "failed"
    assert "it did not converge" in (tmp_path / "run" / "CARD.md").read_text()
    assert choice.winner.kind == "quadratic"
    monkeypatch.setattr(fitting, "fit_regression", lambda *_: 1 / 0)
    with pytest.raises(TrainingError, match="ZeroDivisionError"):
        choose(mine, tmp_path / "none", QUICK, "4s")


def test_an_interrupted_choice_goes_on_after_its_last_finished_step(mine, tmp_path, monkeypatch):
    whole = fitting.fit_regression
    fitted = []

    def interrupted(kind, *rest, **options):
        if kind.name == "quadratic" and len(fitted) == 1:
            fitted.append("interrupted")
            raise KeyboardInterrupt
        fitted.append(kind.name)
        return whole(kind, *rest, **options)

    monkeypatch.setattr(fitting, "fit_regression", interrupted)
    with pytest.raises(KeyboardInterrupt):
        choose(mine, tmp_path / "run", QUICK, "6s")
    before = json.loads((tmp_path / "run" / "choice.json").read_text())
    assert before["attempts"]["linear"]["state"] == "done"
    with pytest.raises(ConfigError, match="--resume"):
        choose(mine, tmp_path / "run", QUICK, "6s")
    with pytest.raises(ConfigError, match="another budget"):
        choose(mine, tmp_path / "run", QUICK, "7s", resume=True)
    choice = choose(mine, tmp_path / "run", QUICK, "6s", resume=True)
    assert fitted[:3] == ["linear", "interrupted", "quadratic"]
    assert fitted.count("linear") == 1
    assert choice.ledger.spent > before["spent"]
    assert choice.ledger.finished
    again = choose(mine, tmp_path / "run", "linear", "6s", overwrite=True)
    assert set(again.ledger.attempts) == {"linear"}


def test_the_budget_is_kept(mine, tmp_path):
    began = time.process_time()
    choose(mine, tmp_path / "run", "linear,gp,gp_shape", "2s")
    assert time.process_time() - began < 2 * 2


@pytest.mark.fast
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "gpp"}, "Did you mean 'gp'"),
        ({"kind": ""}, "No kind was named"),
        ({"budget": "10x"}, "such as 90s, 10m or 1h30m"),
        ({"budget": "0s"}, "more than none"),
        ({"budget": -3.0}, "more than none"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(mine, tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        choose(mine, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.fast
def test_a_folder_that_holds_something_else_is_left_alone(mine, tmp_path):
    (tmp_path / "best.pt").write_bytes(b"another run")
    with pytest.raises(ConfigError, match="already holds a run"):
        choose(mine, tmp_path, QUICK, "4s")
    assert (tmp_path / "best.pt").read_bytes() == b"another run"


@pytest.mark.fast
def test_a_split_with_too_few_draws_is_refused(mine, tmp_path, monkeypatch):
    from emulator.data import DataSet

    whole = DataSet.read

    def without_val(self, world, split):
        theta, irf = whole(self, world, split)
        return (theta[:8], irf[:8]) if split == "val" else (theta, irf)

    monkeypatch.setattr(DataSet, "read", without_val)
    with pytest.raises(DatasetError, match="8 draws in the split 'val'"):
        choose(mine, tmp_path / "run", QUICK, "4s")
