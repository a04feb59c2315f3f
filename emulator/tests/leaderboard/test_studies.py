"""Studies: files are read strictly, averages and gains are those of hand, tables say what was not
measured.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from emulator.data import generate_dataset
from emulator.errors import EvaluationError
from emulator.eval import Request, evaluate_checkpoint
from emulator.leaderboard import studies
from emulator.training.config import load_config
from emulator.training.trainer import train

FEW = """world,start,draws,seed,nrmse
hank,fine-tuned,300,1,0.1
hank,fine-tuned,300,2,0.2
hank,from scratch,300,1,0.6
hank,fine-tuned,1000,1,0.05
"""
ABLATIONS = """variant,world,seed,nrmse
full,nk,1,0.01
full,nk,2,0.03
no names,nk,1,0.4
full,var,1,0.002
"""


@pytest.mark.fast
def test_few_draws(tmp_path: Path) -> None:
    (tmp_path / studies.FEW_DRAWS).write_text(FEW)
    study = studies.read_study(tmp_path, studies.FEW_DRAWS)
    assert study is not None
    rows = studies.averaged(study).set_index(["start", "draws"])
    first = rows.loc[("fine-tuned", 300)]
    reach = (
        12.7062 * np.std([0.1, 0.2], ddof=1) / np.sqrt(2)
    )  # Student's t of one degree of freedom
    assert (first["nrmse"], first["low"], first["high"]) == pytest.approx(
        (0.15, 0.15 - reach, 0.15 + reach), rel=1e-4
    )
    assert np.isnan(rows.loc[("from scratch", 300), "low"])
    assert studies.gain(study, "hank", 300) == (pytest.approx(4.0), 1)
    assert studies.gain(study, "hank", 1000) is None
    assert studies.gain(study, "nk", 300) is None
    table = studies.few_draws_table(study).set_index("world")
    assert table.loc["hank", "times better"] == "4.00", "at the number of draws of most trainings"
    assert table.loc["hank", "fine-tuned, 300 draws"].startswith("0.150 [")
    alone = studies.few_draws_table(study[study["draws"] == 1000]).set_index("world")
    assert alone.loc["hank", "from scratch, 1000 draws"] == "not measured"


@pytest.mark.fast
def test_ablations(tmp_path: Path) -> None:
    (tmp_path / studies.ABLATIONS).write_text(ABLATIONS)
    study = studies.read_study(tmp_path, studies.ABLATIONS)
    assert study is not None
    table = studies.ablation_table(study).set_index("variant")
    assert list(table.index) == ["full", "no names"]
    assert table.loc["full", "nk"].startswith("0.0200 [")
    assert table.loc["no names", "var"] == "not measured"


@pytest.mark.fast
def test_worlds_never_seen(tmp_path: Path) -> None:
    (tmp_path / studies.UNSEEN).write_text(
        "world,predictor,seed,nrmse\nnk,mean response,1,0.9\nnk,other,1,0.5\nvar,other,1,0.7\n"
    )
    study = studies.read_study(tmp_path, studies.UNSEEN)
    assert study is not None
    table = studies.unseen_table(study).set_index("world")
    assert list(table.columns) == ["mean response", "other", "seeds"]
    assert table.loc["var", "mean response"] == "not measured"
    assert table.loc["nk", "other"].startswith("0.5")


@pytest.mark.fast
def test_absent_file_is_none(tmp_path: Path) -> None:
    assert studies.read_study(tmp_path, studies.FEW_DRAWS) is None


@pytest.mark.fast
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("start", "begin"), "lacks start"),
        (lambda text: text.replace("0.6", "none"), "line 4 holds no NRMSE"),
        (lambda text: text.replace("0.6", "inf"), "line 4 holds no NRMSE"),
        (lambda text: text.replace("0.6", "-1"), "line 4 holds no NRMSE"),
        (lambda text: text.replace("from scratch", "scratch"), "unknown start 'scratch'"),
        (lambda text: text + "hank,fine-tuned,300,2,0.3\n", "line 6 repeats"),
        (lambda text: "", "cannot be read as CSV"),
    ],
)
@pytest.mark.fast
def test_bad_files_are_refused_by_name(change, message: str, tmp_path: Path) -> None:
    (tmp_path / studies.FEW_DRAWS).write_text(change(FEW))
    with pytest.raises(EvaluationError, match=rf"few_draws\.csv.*{message}"):
        studies.read_study(tmp_path, studies.FEW_DRAWS)


@pytest.mark.checkout
def test_ablations_are_the_universal_configuration_but_for_one_part(
    pytestconfig: pytest.Config,
) -> None:
    path = pytestconfig.rootpath / "benchmarks" / "studies.py"
    script = runpy.run_path(str(path), run_name="studies")
    universal = pytestconfig.rootpath / script["UNIVERSAL"]
    plain = load_config(universal).to_dict()
    assert len(script["VARIANTS"]) > 5
    for name, settings in script["VARIANTS"].items():
        other = load_config(universal, list(settings)).to_dict()
        changed = {key for key in plain if plain[key] != other[key]}
        assert len(changed - {"lr"}) == (name != "reference"), "another optimiser has its own rate"
        options = other["model_options"]
        assert options.items() >= plain["model_options"].items()
        assert len(options) <= len(plain["model_options"]) + 1


@pytest.mark.slow
@pytest.mark.checkout
def test_the_first_run_beats_every_trivial_baseline(
    pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the head of `configs/first_run.yaml` says, on the data that it names."""
    config = load_config(pytestconfig.rootpath / "configs" / "first_run.yaml")
    monkeypatch.chdir(tmp_path)
    generate_dataset(Path(config.dataset), config.worlds, 2000, seed=7, periods=0)
    train(config)
    best = Path(config.checkpoint_dir) / "best.pt"
    evaluation = evaluate_checkpoint(Request(best, Path(config.dataset), bootstrap=0))
    assert len(evaluation.summary) == 9, "three worlds, three splits"
    assert evaluation.summary["beats_trivial"].all()
