"""The page of the leaderboard from made-up results: seeds, targets, claims,
studies, figures.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import matplotlib.image
import pytest
import yaml

from emulator.files import write_text
from emulator.leaderboard import board as boards
from emulator.leaderboard import figures
from emulator.leaderboard.outcomes import the_universal
from emulator.leaderboard.page import markdown
from emulator.leaderboard.targets import FILE
from emulator.tests.leaderboard.made_up import write_result
from emulator.tests.leaderboard.test_outcomes import TARGETS
from emulator.tests.leaderboard.test_studies import ABLATIONS, FEW

STARTS = ("fine-tuned", "from scratch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A universal network of three seeds, a specialist, a pooled baseline."""
    path = tmp_path_factory.mktemp("results")
    for seed in (1, 2, 3):
        write_result(
            path,
            f"universal_{seed}",
            {"nk": 0.002 * seed, "var": 0.01},
            config={"seed": seed},
            trust={},
        )
    write_result(path, "specialist", {"nk": 0.02}, config={"worlds": ["nk"]})
    write_result(path, "pooled", {"nk": 0.16, "var": 0.95}, model="PooledMLPBaseline")
    lines = FEW.splitlines()
    on_data = [f"{lines[0]},data", *(f"{line},0123456789ab" for line in lines[1:])]
    (path / "few_draws.csv").write_text("\n".join(on_data))
    (path / "ablations.csv").write_text(ABLATIONS)
    write_targets(path)
    return path


def write_targets(folder: Path) -> None:
    write_text(folder / FILE, yaml.safe_dump(TARGETS.model_dump(mode="json")))


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return markdown(boards.collect(folder), [folder / "coverage.png"], folder)


def section(page: str, heading: str) -> str:
    return page.split(f"\n## {heading}")[1].split("\n## ")[0]


def cells(page: str, heading: str, first: str) -> dict[str, str]:
    """The first line of a section that begins with a cell, by column of its table."""
    lines = section(page, heading).splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith(f"| {first} |"))
    head = next(k for k in range(at, -1, -1) if lines[k].startswith("|---")) - 1
    columns = [cell.strip() for cell in lines[head].strip("|").split("|")]
    values = [cell.strip() for cell in lines[at].strip("|").split("|")]
    return dict(zip(columns, values, strict=True))


@pytest.mark.fast
def test_a_world_shows_the_universal_network_its_best_rivals_and_the_best_trivial_baseline(
    page: str,
) -> None:
    line = cells(page, "Scores on `test`", "nk")
    assert line["`universal`"].startswith("0.00400 [")
    assert line["`universal`"].endswith("] *seeds*")
    assert line["best of one world"] == "0.0200 [0.0180, 0.0220] `specialist`"
    assert line["best of several"] == "0.160 [0.144, 0.176] `pooled`"
    assert line["best trivial"] == "training mean 0.900"
    loser = cells(page, "Scores on `test`", "var")["best of several"]
    assert loser == "0.950 [0.855, 1.04] **LOSES** `pooled`"


@pytest.mark.fast
def test_every_entry_has_a_line_and_networks_of_one_world_share_one(tmp_path: Path) -> None:
    for world in ("nk", "var"):
        write_result(tmp_path, f"alone_{world}", {world: 0.02}, config={"worlds": [world]})
    write_result(tmp_path, "again", {"nk": 0.03}, config={"worlds": ["nk"], "lr": 1.0})
    write_result(tmp_path, "pooled", {"nk": 0.16, "var": 0.95}, model="PooledMLPBaseline")
    text = section(markdown(boards.collect(tmp_path), [], tmp_path), "Scores on `test`")
    lines = text.split("Every entry")[1].splitlines()
    assert "| one network a world | UniversalEmulator | 0.0200 | 0.0200 |" in lines
    assert "| one network a world | UniversalEmulator | 0.0300 |  |" in lines
    assert "| `pooled` | PooledMLPBaseline | 0.160 | 0.950 **LOSES** |" in lines


@pytest.mark.fast
def test_the_command_of_every_run_is_folded_away(page: str) -> None:
    visible, fold = page.split("<summary>The command behind each result</summary>")
    assert "--checkpoint" not in visible
    assert fold.count("python -m emulator.eval.evaluate --checkpoint runs/") == 5
    assert "universal_2  checkpoint cccccccccccc  commit 0123456789ab-dirty" in fold


@pytest.mark.fast
def test_targets_stand_beside_values(page: str) -> None:
    line = cells(page, "Targets", "NRMSE")
    assert line["nk"] == "0.00400"
    assert line["var"] == "**0.0100**", "missed"
    assert line["hank"] == "n/m"
    assert line["limit"] == "at most 0.002 to 0.02, by world"
    assert "`universal`" in section(page, "Targets")
    assert "Mean gap to the best specialist over worlds: n/m" in section(page, "Targets")


@pytest.mark.fast
def test_targets_say_once_on_how_few_seeds_a_number_rests(tmp_path: Path) -> None:
    write_result(tmp_path, "one", dict.fromkeys(TARGETS.nrmse, 1e-3))
    write_targets(tmp_path)
    study = [f"hank,{start},300,{seed},0.1" for start in STARTS for seed in range(3)]
    (tmp_path / "few_draws.csv").write_text("\n".join(["world,start,draws,seed,nrmse", *study]))
    page = markdown(boards.collect(tmp_path), [], tmp_path)
    assert cells(page, "Targets", "NRMSE (1 of 3 seeds)")["nk"] == "0.00100"
    assert cells(page, "Targets", "fine-tuning over scratch, 300 draws")["var"] == "-"  # not held


@pytest.mark.fast
def test_claims_studies_and_pictures(page: str) -> None:
    claims = cells(page, "What the network claims of itself", "nk")
    assert claims["in band: test, slice, corner"] == "90.0 %, 90.0 %, 90.0 %"
    assert claims["bad draws flagged"] == "50.0 %, 50.0 %, 50.0 %"
    few = cells(page, "A world that the network never saw", "hank")
    assert few["times better"] == "4.00"
    assert "in the figure. On data `0123456789ab`.\n" in section(page, "A world that the network")
    assert "| no names |" in page.split("<summary>What each part of the network is worth")[1]
    assert "](coverage.png)" in page


@pytest.mark.fast
def test_what_is_absent_is_said(tmp_path: Path) -> None:
    write_result(tmp_path, "pooled", {"nk": 0.16}, model="PooledMLPBaseline")
    files = boards.write(boards.collect(tmp_path), tmp_path)
    page = (tmp_path / "LEADERBOARD.md").read_text()
    assert "there is no `targets.yaml` beside these results" in section(page, "Targets")
    for heading in (
        "A world that the network never saw",
        "What a prediction costs",
        "What the network claims of itself",
    ):
        assert "Not measured" in section(page, heading)
    assert [path.name for path in files] == ["LEADERBOARD.md", "leaderboard.csv"]
    assert "![" not in page
    write_targets(tmp_path)
    page = markdown(boards.collect(tmp_path), [], tmp_path)
    assert "Every target is not measured" in section(page, "Targets")


def test_figures_stand_beside_the_page_or_where_asked(folder: Path, tmp_path: Path) -> None:
    board = boards.collect(folder)
    files = boards.write(board, tmp_path, tmp_path / "docs" / "figures")
    assert {path.name for path in files} == {
        "LEADERBOARD.md",
        "leaderboard.csv",
        "error_by_world.png",
        "coverage.png",
        "few_draws.png",
    }
    page = (tmp_path / "LEADERBOARD.md").read_text()
    for path in files[2:]:
        picture = matplotlib.image.imread(BytesIO(path.read_bytes()), format="png")[:, :, :3]
        assert 0.005 < (picture < 0.99).any(axis=2).mean() < 0.6, path.name
        assert f"](docs/figures/{path.name})" in page
    assert figures.draw_all(board.everywhere, board.few_draws, board.targets) == {
        path.name: path.read_bytes() for path in files[2:]
    }


def test_error_figure_shows_every_rival_and_the_targets(folder: Path) -> None:
    board = boards.collect(folder)
    chosen = the_universal(board.everywhere)
    assert chosen is not None
    (axes,) = figures.error_by_world(board.everywhere, chosen, TARGETS).get_axes()
    heights = sorted(float(value) for c in axes.containers for value in c.lines[0].get_ydata())
    assert heights == pytest.approx([0.004, 0.01, 0.02, 0.16, 0.95])
    lines = {float(line.get_ydata()[0]) for line in axes.get_lines() if len(line.get_ydata()) == 2}
    assert lines == {TARGETS.nrmse["nk"], TARGETS.nrmse["var"]}
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["nk", "var"]


def test_coverage_figure(folder: Path) -> None:
    board = boards.collect(folder)
    own = board.everywhere[board.everywhere["entry"] == the_universal(board.everywhere)]
    (axes,) = figures.coverage(own, TARGETS).get_axes()
    assert len(axes.containers) == 6, "two worlds by three splits"
    assert all(float(c.lines[0].get_ydata()[0]) == pytest.approx(90.0) for c in axes.containers)


@pytest.mark.fast
def test_a_part_that_is_closed_exactly_has_a_column_beside_networks_that_learn_all(
    tmp_path: Path,
) -> None:
    write_result(tmp_path, "direct", {"hank": 0.05}, model="PCAMLPBaseline")
    write_result(tmp_path, "structure", {"hank": 0.004}, model="StructureEmulator")
    line = cells(markdown(boards.collect(tmp_path), [], tmp_path), "Scores on `test`", "hank")
    assert line["structure: exact closure"].endswith("`structure`")
    assert line["network only"].endswith("`direct`")
    assert line["best of one world"].endswith("`direct`")
    assert "best of several" not in line  # a column that would be empty
