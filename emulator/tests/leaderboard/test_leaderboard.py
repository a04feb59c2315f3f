"""The leaderboard: a round trip from results to Markdown and CSV, ranks, marks, and files that do
not belong.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from emulator.data import DataSet
from emulator.errors import EvaluationError
from emulator.eval import Request, evaluate_checkpoint, results
from emulator.eval.tables import number
from emulator.files import SEAL, sealed
from emulator.leaderboard.board import COLUMNS, collect, write
from emulator.leaderboard.page import markdown
from emulator.tests.eval.conftest import save_network
from emulator.tests.leaderboard.made_up import write_result


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
    path.write_text(json.dumps(sealed(document)))


def test_round_trip(folder: Path, trained: Path) -> None:
    board = collect(folder)
    table = board.table
    assert tuple(table.columns) == (*COLUMNS, "left_out")
    assert len(table) == 4, "two runs in two worlds, on test alone"
    assert list(table["rank"]) == [1, 2, 1, 2]
    for (_, _), rows in table.groupby(["world", "split"]):
        assert rows["nrmse"].is_monotonic_increasing
    first = table.iloc[0]
    summary = pd.DataFrame(results.read(folder / first["files"])["summary"]).set_index(
        ["world", "split"]
    )
    named = {
        "nrmse": "nrmse",
        "nrmse_low": "low",
        "nrmse_high": "high",
        "best_trivial_nrmse": "best_trivial_nrmse",
        "draws": "draws",
    }
    for column, name in named.items():
        assert first[column] == summary.loc[(first["world"], "test"), name]
    write(board, folder)
    pd.testing.assert_frame_equal(
        pd.read_csv(folder / "leaderboard.csv"), table[list(COLUMNS)], check_dtype=False
    )
    assert len(collect(folder).table) == 4, "its own files do not disturb it"


def test_markdown_holds_commands_intervals_and_marks(folder: Path, trained: Path) -> None:
    board = collect(folder, ("test", "test_extrapolation_slice"))
    board.table["beats_trivial"] = board.table["run"] != "other"
    text = markdown(board, [], folder)
    sections = [part for part in text.split("\n## ") if "(data `" in part.splitlines()[0]]
    assert len(sections) == 2, "two splits"
    for command in board.runs["command"].unique():
        assert f"  {command}\n" in text
        assert f"--checkpoint {trained}" in text
    for part in sections:
        by_world, every = part.split("Every entry, by mean NRMSE")
        assert "| nk |" in by_world
        assert "| lss |" in by_world
        assert every.count("**LOSES**") == 2, "the raw network, in both worlds"
        rows = board.table[board.table["split"] == part.split("`")[1]]
        best = rows[(rows["world"] == "nk") & (rows["rank"] == 1)].iloc[0]
        interval = f"[{number(best['nrmse_low'])}, {number(best['nrmse_high'])}]"
        assert f"{number(best['nrmse'])} {interval}" in by_world
        for table in (by_world, every):
            lines = [line for line in table.splitlines() if line.startswith("|")]
            assert len({line.count("|") for line in lines}) == 1


def test_runs_on_other_data_are_ranked_apart_and_marked(folder: Path) -> None:
    edit(folder / "good" / "results.json", lambda document: on_other_data(document, 1.01))
    board = collect(folder)
    assert list(board.table["rank"]) == [1, 1, 1, 1]
    assert "other data than trained on" in markdown(board, [], folder)


def test_the_same_draws_under_two_fingerprints_are_ranked_together(folder: Path) -> None:
    """Another processor rounds the last bits of a solution otherwise; trivial predictors tell that
    the draws are the same.
    """
    together = collect(folder).table
    edit(folder / "good" / "results.json", lambda document: on_other_data(document, 1 + 1e-12))
    board = collect(folder)
    assert list(board.table["rank"]) == list(together["rank"]) == [1, 2, 1, 2]
    assert set(board.table["data"]) == set(together["data"])
    assert board.table["trained_on"].all(), "by the name of the data, not by their fingerprint"


def on_other_data(document: dict, factor: float) -> None:
    """Another fingerprint, and scores of the trivial predictors that are larger by a factor."""
    document["provenance"]["dataset"].update(fingerprint="f" * 64, trained_on=False)
    for row in document["scores"]:
        row["value"] *= 1.0 if row["predictor"] == "network" else factor


def test_missing_intervals(folder: Path) -> None:
    edit(
        folder / "good" / "results.json",
        lambda d: [row.update(low=None, high=None) for row in d["scores"]],
    )
    board = collect(folder)
    assert board.table["nrmse_low"].isna().sum() == 2
    assert list(board.table["interval"]).count("none") == 2
    row = board.table[(board.table["interval"] == "none") & (board.table["rank"] == 1)].iloc[0]
    assert f"| {number(row['nrmse'])} `" in markdown(board, [], folder)


def test_names_cannot_break_the_table(folder: Path) -> None:
    edit(folder / "good" / "results.json", lambda d: d.update(name="a | b\nc"))
    assert r"a \| b c" in markdown(collect(folder), [], folder)


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
        lambda d: [row.update(value=None) for row in d["scores"]],
        lambda d: [row.update(value="great") for row in d["scores"]],
        lambda d: d["worlds"].pop("nk"),
        lambda d: d.update(trust=[1]),
        lambda d: d["scores"].clear(),
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


@pytest.mark.fast
def test_a_pipe_in_the_place_of_results_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "results.json")
    with pytest.raises(EvaluationError, match=r"results\.json' is no ordinary file"):
        results.read(tmp_path / "results.json")


@pytest.mark.fast
def test_one_changed_digit_is_refused_with_the_name_of_the_file(tmp_path: Path) -> None:
    path = write_result(tmp_path, "a", {"nk": 0.0123})
    path.write_text(path.read_text().replace("0.0123,", "0.0023,", 1))
    with pytest.raises(EvaluationError, match=r"a/results\.json was altered"):
        collect(tmp_path)


@pytest.mark.fast
def test_results_of_version_2_are_read_as_before(tmp_path: Path) -> None:
    """Every response's scores, a field for what numbers rest on, no checksum."""
    new = collect_of(write_result(tmp_path / "new", "a", {"nk": 0.0123}, trust={}))
    path = write_result(tmp_path / "old", "a", {"nk": 0.0123}, trust={})
    document = json.loads(path.read_text()) | {"format_version": 2}
    del document[SEAL]
    of_world = {"shock": "all", "observable": "all"}
    of_response = {"shock": "monetary", "observable": "rate", "value": 9.0}
    document["scores"] = [
        row | more for row in document["scores"] for more in (of_world, of_response)
    ]
    document["worlds"]["nk"]["kind"] = "network only"
    path.write_text(json.dumps(document))
    pd.testing.assert_frame_equal(collect_of(path), new)


def collect_of(path: Path) -> pd.DataFrame:
    return collect(path.parents[1]).everywhere
