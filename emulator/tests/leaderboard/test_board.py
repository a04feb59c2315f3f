"""The page of the leaderboard from made-up results: kinds apart, seeds, bars, claims, studies,
figures.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import matplotlib.image
import pytest

from emulator.leaderboard import bars, figures
from emulator.leaderboard import board as boards
from emulator.leaderboard.page import markdown
from emulator.tests.leaderboard.made_up import write_result
from emulator.tests.leaderboard.test_studies import ABLATIONS, FEW


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A universal network of three seeds, a specialist, a pooled baseline, an exact and a refined
    one.
    """
    path = tmp_path_factory.mktemp("results")
    for seed in (1, 2, 3):
        write_result(
            path,
            f"universal_{seed}",
            {"nk": 0.004 * seed, "var": 0.01},
            config={"seed": seed},
            trust={},
        )
    write_result(path, "specialist", {"nk": 0.02}, config={"worlds": ["nk"]})
    write_result(path, "pooled", {"nk": 0.16, "var": 0.95}, model="PooledMLPBaseline")
    write_result(
        path,
        "rollout",
        {"var": 1e-7},
        config={"worlds": ["var"]},
        kinds={"var": "exact by construction"},
    )
    write_result(path, "polished", {"nk": 1e-6}, config={"worlds": ["nk"]}, kinds={"nk": "refined"})
    (path / "few_draws.csv").write_text(FEW)
    (path / "ablations.csv").write_text(ABLATIONS)
    return path


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return markdown(boards.collect(folder), [folder / "coverage.png"], folder)


def section(page: str, heading: str) -> str:
    return page.split(f"\n## {heading}")[1].split("\n## ")[0]


def cells(page: str, heading: str, run: str) -> dict[str, str]:
    """The line of a run in a section, by column."""
    lines = [line for line in section(page, heading).splitlines() if line.startswith("|")]
    (line,) = [line for line in lines if f"| {run} |" in line]
    head, found = (
        [cell.strip() for cell in text.strip("|").split("|")] for text in (lines[0], line)
    )
    return dict(zip(head, found, strict=True))


@pytest.mark.fast
def test_kinds_never_share_a_column(page: str) -> None:
    assert cells(page, "nk, test", "polished")["refined"].startswith("1.00e-06 [")
    assert cells(page, "nk, test", "polished")["network only"] == ""
    assert cells(page, "var, test", "rollout")["exact by construction"].startswith("1.00e-07 [")
    assert cells(page, "var, test", "rollout")["network only"] == ""
    for run in ("universal", "specialist", "pooled"):
        found = cells(page, "nk, test", run)
        assert found["network only"]
        assert found["exact by construction"] == found["refined"] == ""
    assert cells(page, "nk, test", "universal")["rank"] == "1", "no rank among refined ones"
    assert "rollout" not in section(page, "Other scores, network only")
    assert "polished" in section(page, "Other scores, refined")


@pytest.mark.fast
def test_seeds_share_a_line(page: str) -> None:
    found = cells(page, "nk, test", "universal")
    assert found["seeds"] == "3"
    assert found["network only"].startswith("0.00800 [")
    assert found["network only"].endswith("] *seeds*")
    assert "*seeds*" not in cells(page, "nk, test", "specialist")["network only"]
    assert page.count("checkpoint `") == 7, "the command of every run"
    assert "(universal_2, seed 2)" in page
    assert "**LOSES**" in cells(page, "var, test", "pooled")["verdict"]


@pytest.mark.fast
def test_bars_stand_beside_values(page: str) -> None:
    lines = [line for line in section(page, "Bars").splitlines() if line.startswith("|")]
    by_bar = {
        tuple(cell.strip() for cell in line.strip("|").split("|"))[:2]: line for line in lines
    }
    assert by_bar["NRMSE", "nk"].endswith("| met |")
    assert "**missed: 5 times the bar**" in by_bar["NRMSE", "var"]
    assert by_bar["NRMSE", "hank"].endswith("| **not measured** |")
    assert "`universal`" in section(page, "Bars")


@pytest.mark.fast
def test_claims_studies_and_pictures(page: str) -> None:
    assert "| universal | nk | test | 90.0 %" in section(page, "What networks say of themselves")
    assert "| hank | 300 |" in section(page, "Learning a new world from few draws")
    assert "| no names |" in section(page, "What each part is worth")
    assert "](coverage.png)" in page


@pytest.mark.fast
def test_what_is_absent_is_said(tmp_path: Path) -> None:
    write_result(tmp_path, "pooled", {"nk": 0.16}, model="PooledMLPBaseline")
    files = boards.write(boards.collect(tmp_path), tmp_path)
    page = (tmp_path / "LEADERBOARD.md").read_text()
    assert "every bar is not measured" in section(page, "Bars")
    for heading in (
        "Learning a new world",
        "What each part is worth",
        "What a prediction costs",
        "What networks say of themselves",
    ):
        assert "Not measured" in section(page, heading)
    assert [path.name for path in files] == ["LEADERBOARD.md", "leaderboard.csv"]
    assert "![" not in page


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
    assert figures.draw_all(board.everywhere, board.few_draws) == {
        path.name: path.read_bytes() for path in files[2:]
    }


def test_error_figure_shows_every_rival_and_the_bars(folder: Path) -> None:
    board = boards.collect(folder)
    chosen = bars.the_universal(board.everywhere)
    assert chosen is not None
    (axes,) = figures.error_by_world(board.everywhere, chosen).get_axes()
    heights = sorted(float(value) for c in axes.containers for value in c.lines[0].get_ydata())
    assert heights == pytest.approx([0.008, 0.01, 0.02, 0.16, 0.95]), (
        "neither exact nor refined numbers"
    )
    lines = {float(line.get_ydata()[0]) for line in axes.get_lines() if len(line.get_ydata()) == 2}
    assert lines == {bars.NRMSE["nk"], bars.NRMSE["var"]}
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["nk", "var"]


def test_coverage_figure(folder: Path) -> None:
    board = boards.collect(folder)
    own = board.everywhere[board.everywhere["entry"] == bars.the_universal(board.everywhere)]
    (axes,) = figures.coverage(own).get_axes()
    assert len(axes.containers) == 6, "two worlds by three splits"
    assert all(float(c.lines[0].get_ydata()[0]) == pytest.approx(90.0) for c in axes.containers)
