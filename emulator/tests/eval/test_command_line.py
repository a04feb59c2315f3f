"""The command lines as a person runs them, with every warning an error."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pandas as pd
import pytest

from emulator.data import DataSet
from emulator.errors import EvaluationError
from emulator.eval.command import evaluate
from emulator.tests import commands


def run(module: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return commands.run("-m", module, *arguments, folder=folder, warnings="error")


def test_evaluate_then_leaderboard(trained: Path, data: DataSet, tmp_path: Path) -> None:
    done = run(
        "emulator.eval.evaluate",
        "--checkpoint",
        trained,
        "--dataset",
        data.path,
        "--bootstrap",
        50,
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "beats all" in done.stdout
    assert "scoring" in done.stderr, "progress goes to the error stream"
    folder = tmp_path / "runs" / "small_mlp" / "evaluation"
    figures = {
        "nrmse_by_world.png",
        "nrmse_by_horizon.png",
        "irf_nk.png",
        "irf_lss.png",
        "worst_draws.png",
    }
    tables = {"scores.csv", "horizons.csv", "scales.csv", "masked.csv"}
    expected = {"results.json", "report.html"} | tables | figures
    assert {path.name for path in folder.iterdir()} == expected
    done = run("emulator", "leaderboard", "runs", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    board = pd.read_csv(tmp_path / "runs" / "leaderboard.csv")
    assert set(board["world"]) == {"nk", "lss"}
    page = (tmp_path / "runs" / "LEADERBOARD.md").read_text()
    assert page.startswith("# Leaderboard")
    assert "--bootstrap 50\n" in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--checkpoint": "cut.pt"}, "truncated"),
        ({"--splits": "testt"}, "Did you mean 'test'"),
    ],
)
def test_refusals_end_in_a_message_and_a_code(
    change: dict[str, str], message: str, trained: Path, data: DataSet, tmp_path: Path
) -> None:
    (tmp_path / "cut.pt").write_bytes(trained.read_bytes()[:-1000])
    options = {"--checkpoint": str(trained), "--dataset": str(data.path), **change}
    done = run(
        "emulator.eval.evaluate",
        *[word for pair in options.items() for word in pair],
        folder=tmp_path,
    )
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "NRMSE" not in done.stdout
    assert not (tmp_path / "runs").exists(), "a refusal leaves nothing behind"


def test_python_function_returns_the_table(trained: Path, data: DataSet, tmp_path: Path) -> None:
    scores = evaluate(
        trained, data.path, worlds="lss", splits="test", output=tmp_path / "here", bootstrap=0
    )
    assert set(scores["world"]) == {"lss"}
    assert len(pd.read_csv(tmp_path / "here" / "scores.csv")) == len(scores)


@pytest.mark.fast
def test_output_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(EvaluationError, match="is a file"):
        evaluate(tmp_path / "best.pt", tmp_path, output=tmp_path / "taken")


@pytest.mark.fast
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)  # the tests may run as root
    with pytest.raises(EvaluationError, match="cannot be written"):
        evaluate(tmp_path / "no checkpoint.pt", tmp_path, output=tmp_path / "out")


def test_running_the_module_makes_no_second_copy_of_a_class(tmp_path: Path) -> None:
    """`evaluate.py` as a program must hold no class of its own, and `emulator.eval` import nothing
    before it is asked.
    """
    code = (
        "import runpy, sys, emulator.eval; assert 'emulator.eval.evaluate' not in sys.modules;"
        "names = runpy.run_module('emulator.eval.evaluate', run_name='copy');"
        "assert not [n for n, v in names.items() if isinstance(v, type) and v.__module__ == 'copy']"
    )
    done = commands.run("-c", code, folder=tmp_path, warnings="error")
    assert done.returncode == 0, done.stderr


def test_help_needs_no_pytorch(tmp_path: Path) -> None:
    code = (
        "import sys; from emulator.eval.command import evaluate;"
        "from emulator.leaderboard.command import leaderboard, release;"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)"
    )
    done = commands.run("-c", code, folder=tmp_path, warnings="error", fresh=True)
    assert done.returncode == 0, done.stderr
