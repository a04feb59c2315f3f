"""The leaderboard: a round trip from results to Markdown and CSV, ranks, marks, and files that do not belong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from emulator.data import DataSet
from emulator.errors import EvaluationError
from emulator.eval import Request, evaluate_checkpoint, results
from emulator.eval.leaderboard import COLUMNS, collect, markdown, write
from emulator.tests.eval.conftest import save_network


@pytest.fixture(scope="module")
def written(trained: Path, data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a network that learnt and of one that did not, one of them further down."""
    folder = tmp_path_factory.mktemp("results")
    raw = save_network(data, tmp_path_factory.mktemp("runs") / "other" / "best.pt", steps=0)
    for path, place in ((trained, "good"), (raw, "deeper/raw")):
        results.write(evaluate_checkpoint(Request(path, data.path, bootstrap=30)), folder / place)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy of the results to write into."""
    return Path(shutil.copytree(written, tmp_path / "results"))


def edit(path: Path, change: Callable[[dict], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_round_trip(folder: Path, trained: Path) -> None:
    table = collect(folder)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 4, "two runs in two worlds, on test alone"
    assert list(table["rank"]) == [1, 2, 1, 2]
    for (_, _), rows in table.groupby(["world", "split"]):
        assert rows["nrmse"].is_monotonic_increasing
    first = table.iloc[0]
    summary = pd.DataFrame(results.read(folder / first["file"])["summary"]).set_index(["world", "split"])
    for column in ("nrmse", "low", "high", "best_trivial_nrmse", "draws"):
        assert first[column] == summary.loc[(first["world"], "test"), column]
    write(table, folder)
    pd.testing.assert_frame_equal(pd.read_csv(folder / "leaderboard.csv"), table, check_dtype=False)
    assert len(collect(folder)) == 4, "its own files do not disturb it"


def test_markdown_holds_commands_intervals_and_marks(folder: Path, trained: Path) -> None:
    table = collect(folder, ("test", "test_extrapolation_slice"))
    table["beats_trivial"] = table["run"] != "other"
    text = markdown(table)
    assert text.count("\n## ") == 5, "two worlds by two splits, and the commands"
    assert text.count("**LOSES** |") == 4
    for command in table["command"].unique():
        assert f"    {command}\n" in text
        assert f"--checkpoint {trained}" in text
    lines = [line for line in text.splitlines() if line.startswith("| ") and "rank" not in line]
    assert len(lines) == len(table)
    assert all(line.count(" | ") == 8 for line in lines)


def test_runs_on_other_data_are_ranked_apart_and_marked(folder: Path) -> None:
    def other(document: dict) -> None:
        document["provenance"]["dataset"].update(fingerprint="f" * 64, trained_on=False)

    edit(folder / "good" / "results.json", other)
    table = collect(folder)
    assert list(table["rank"]) == [1, 1, 1, 1]
    assert "other data than trained on" in markdown(table)


def test_missing_intervals(folder: Path) -> None:
    edit(folder / "good" / "results.json", lambda d: [row.update(low=None, high=None) for row in d["summary"]])
    table = collect(folder)
    assert table["low"].isna().sum() == 2
    assert "n/a to n/a" in markdown(table)


def test_names_cannot_break_the_table(folder: Path) -> None:
    edit(folder / "good" / "results.json", lambda d: d.update(name="a | b\nc"))
    assert r"a \| b c" in markdown(collect(folder))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"accuracy": 1.0}'])
def test_foreign_files_are_named(folder: Path, content: str) -> None:
    (folder / "foreign").mkdir()
    (folder / "foreign" / "results.json").write_text(content)
    with pytest.raises(EvaluationError, match=r"foreign/results\.json"):
        collect(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("summary"),
        lambda d: d.pop("provenance"),
        lambda d: d["provenance"]["checkpoint"].pop("sha256"),
        lambda d: d.update(summary=[1]),
        lambda d: d["summary"][0].update(nrmse=None),
        lambda d: d["summary"][0].update(nrmse="great"),
    ],
)
def test_damaged_results_are_named(folder: Path, change: Callable[[dict], None]) -> None:
    edit(folder / "good" / "results.json", change)
    with pytest.raises(EvaluationError, match=r"good/results\.json is damaged"):
        collect(folder)


@pytest.mark.fast
def test_no_results(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"no results\.json"):
        collect(tmp_path)
    with pytest.raises(EvaluationError, match="is no folder"):
        collect(tmp_path / "none")


def test_no_such_split(folder: Path) -> None:
    with pytest.raises(EvaluationError, match="holds scores on tset"):
        collect(folder, ("tset",))
