"""What the README shows is true: its code and commands run after a plain installation and print
what it says, its pictures are what they draw, its errors of the network are the leaderboard's.
"""

import re
import sys
import tomllib

import pytest

from emulator.data import card
from emulator.eval.tables import number
from emulator.leaderboard.board import collect
from emulator.leaderboard.page import markdown
from emulator.tests.conftest import PICTURE
from emulator.tests.documents import (
    blocks,
    difference,
    differences,
    pictures,
    prepare,
    run_command,
    run_page,
)

pytestmark = pytest.mark.checkout

OF_EXTRAS = (
    "arviz",
    "distributed",
    "flask",
    "lightgbm",
    "nutpie",
    "onnx",
    "onnxscript",
    "s3fs",
    "sequence_jacobian",
    "sklearn",
    "statsmodels",
    "wandb",
    "waitress",
)
"""Packages that only extras bring."""


@pytest.fixture(scope="module")
def root(request):
    return request.config.rootpath


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def ran(readme, root, tmp_path_factory):
    """Where the README's code and commands ran, without the packages of the extras, and what they
    printed.
    """
    folder = tmp_path_factory.mktemp("readme")
    prepare(folder, root)
    with pytest.MonkeyPatch.context() as patch:
        for package in OF_EXTRAS:
            patch.setitem(sys.modules, package, None)
        patch.setattr(card, "picture", PICTURE)
        patch.chdir(folder)
        return folder, run_page(readme, "README.md", run_command)


@pytest.mark.fast
def test_it_is_short(readme):
    assert len(readme.splitlines()) < 120


@pytest.mark.fast
def test_install_takes_three_lines_and_the_first_code_seven(readme):
    section = readme.split("## Install\n")[1].split("\n## ")[0]
    assert len(re.findall(r"^ {4}\S", section, flags=re.MULTILINE)) <= 3
    assert len(blocks(readme)[0].code.strip().splitlines()) <= 7


def test_code_and_commands_run_after_a_plain_installation_and_print_what_is_shown(readme, ran):
    folder, printed = ran
    assert not differences(readme, printed)
    for name in ("compare.csv", "runs/small/evaluation/report.html", "runs/LEADERBOARD.md"):
        assert (folder / name).stat().st_size > 0


def test_its_pictures_are_those_that_its_code_draws(readme, root, ran):
    drawn = pictures(readme, ran[0])
    assert len(drawn) == 2
    assert all(difference(root / name, path) < 0.02 for name, path in drawn)


def test_its_run_beats_every_trivial_baseline(ran):
    board = collect(ran[0] / "runs")
    scores = board.table
    assert set(scores["world"]) == {"nk", "var", "lss"}
    assert (scores["nrmse"] < scores["best_trivial_nrmse"]).all()


@pytest.fixture(scope="module")
def board(root):
    return collect(root / "results")


@pytest.mark.fast
def test_the_errors_of_its_table_are_the_leaderboards(readme, board):
    ours = board.table[board.table["run"] == board.targets.held].set_index("world")
    rows = re.findall(r"^\| (\[`.*?) \|.*\| (.*?) % \|", readme, flags=re.MULTILINE)
    shown = {world: error for cell, error in rows for world in re.findall(r"\[`(\w+)`\]", cell)}
    assert set(shown) == set(ours.index)
    for world, error in shown.items():
        median = 100 * ours.loc[world, "relative_error_median"]
        if error.startswith("below "):
            assert median < float(error.removeprefix("below ")), world
        else:
            assert error == number(median), world


@pytest.mark.fast
def test_the_errors_of_emulators_of_structure_are_the_leaderboards(readme, board):
    tables = board.table[board.table["trained_on"]]
    runs = tables[tables["split"] == "test"].set_index("run")
    ours = runs.loc[["structure_hank", "structure_hank2"]]
    median, p95 = (100 * ours[f"relative_error_{name}"] for name in ("median", "p95"))
    shown = f"{median.iloc[0]:.2f} and {median.iloc[1]:.2f} %, at the 95th percentile"
    assert f"{shown} {p95.iloc[0]:.1f} and {p95.iloc[1]:.1f} %" in readme


@pytest.mark.fast
def test_the_leaderboard_is_that_of_the_results_in_the_repository(root, board):
    page = (root / "LEADERBOARD.md").read_text(encoding="utf-8")
    images = re.findall(r"^!\[.*\]\((.*)\)$", page, flags=re.MULTILINE)
    assert page == markdown(board, [root / image for image in images], root)
    assert len(board.runs["file"].unique()) > 20


@pytest.mark.fast
def test_the_leaderboard_has_two_screens_and_the_results_less_than_a_megabyte(root):
    page = (root / "LEADERBOARD.md").read_text(encoding="utf-8")
    visible = re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)
    assert len(visible.splitlines()) < 120
    assert len(page.encode()) < 25_000
    tracked = [*root.glob("results/**/results.json"), *root.glob("results/*.csv")]
    assert sum(path.stat().st_size for path in tracked) < 1_000_000


@pytest.mark.fast
def test_links_lead_somewhere(readme, root):
    links = [root / link for link in re.findall(r"\]\((?!http)([^)#]+)\)", readme)]
    assert len(links) > 15
    assert not [path for path in links if not path.exists()]


@pytest.mark.fast
def test_packages_of_extras_are_those_of_the_project(root):
    text = (root / "pyproject.toml").read_text(encoding="utf-8").replace("-", "_")
    named = {"sklearn": "scikit_learn"}
    assert not [name for name in OF_EXTRAS if named.get(name, name) not in text]


@pytest.mark.fast
def test_a_plain_installation_brings_what_netcdf_is_written_with(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split("[<>=[]", package)[0] for package in project["dependencies"]}
    assert {"h5netcdf", "h5py"} <= needed  # h5netcdf leaves the choice of its backend open
