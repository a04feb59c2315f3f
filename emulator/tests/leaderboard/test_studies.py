"""Studies: files are read strictly, averages and gains are those of hand, tables say what was not
measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emulator.errors import EvaluationError
from emulator.leaderboard import studies

pytestmark = pytest.mark.fast

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


def test_ablations(tmp_path: Path) -> None:
    (tmp_path / studies.ABLATIONS).write_text(ABLATIONS)
    study = studies.read_study(tmp_path, studies.ABLATIONS)
    assert study is not None
    table = studies.ablation_table(study).set_index("variant")
    assert list(table.index) == ["full", "no names"]
    assert table.loc["full", "nk"].startswith("0.0200 [")
    assert table.loc["no names", "var"] == "not measured"


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


def test_absent_file_is_none(tmp_path: Path) -> None:
    assert studies.read_study(tmp_path, studies.FEW_DRAWS) is None


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
def test_bad_files_are_refused_by_name(change, message: str, tmp_path: Path) -> None:
    (tmp_path / studies.FEW_DRAWS).write_text(change(FEW))
    with pytest.raises(EvaluationError, match=rf"few_draws\.csv.*{message}"):
        studies.read_study(tmp_path, studies.FEW_DRAWS)
