"""What the README shows is true: its code and commands run, its table is the leaderboard's, its
tree is the tree.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.eval.results import PREDICTOR_TITLES
from emulator.eval.tables import number
from emulator.leaderboard.board import collect
from emulator.leaderboard.page import markdown
from emulator.tests.documents import prepare, run_page

pytestmark = pytest.mark.checkout


@pytest.fixture(scope="module")
def root(request):
    return request.config.rootpath


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.mark.fast
def test_it_is_short(readme):
    assert len(readme.splitlines()) < 150


def test_code_and_commands_run_as_written(readme, root, capfd, monkeypatch, tmp_path):
    def command(words):
        done = subprocess.run(
            [Path(sys.executable).parent / "emulator", *words], capture_output=True, text=True
        )
        assert done.returncode == 0, f"{words}\n{done.stderr}"

    prepare(tmp_path, root)
    monkeypatch.chdir(tmp_path)
    run_page(readme, "README.md", command)
    first = float(capfd.readouterr().out.strip("[]\n").split()[0])
    assert first < 0  # a tightening lowers output
    for name in (
        "nk.png",
        "irf.png",
        "irf.csv",
        "compare.png",
        "compare.csv",
        "runs/small/evaluation/report.html",
        "runs/LEADERBOARD.md",
        "exported/model.safetensors",
    ):
        assert (tmp_path / name).stat().st_size > 0


@pytest.fixture(scope="module")
def board(root):
    return collect(root / "results")


@pytest.mark.fast
def test_the_table_is_the_leaderboards(readme, board):
    shown = re.search(r"<!-- leaderboard -->\n(.*?)<!-- /leaderboard -->", readme, flags=re.DOTALL)[
        1
    ]
    rows = [line for line in shown.splitlines() if line.startswith("| `")]
    assert len(rows) >= 3
    for row in rows:
        world, run, score, interval, trivial = (
            cell.strip(" `") for cell in row.strip("|").split("|")
        )
        entries = board.table[(board.table["world"] == world) & (board.table["run"] == run)]
        (entry,) = entries.to_dict(orient="records")
        low, high = (number(entry[f"nrmse_{end}"]) for end in ("low", "high"))
        assert (score, interval) == (number(entry["nrmse"]), f"{low} to {high}"), row
        best = PREDICTOR_TITLES[entry["best_trivial"]]
        assert trivial == f"{best} {number(entry['best_trivial_nrmse'])}", row


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
def test_the_tree_exists_and_links_lead_somewhere(readme, root):
    tree = readme.split("## The house")[1]
    names = re.findall(r"^ {4}(\S+/)", tree, flags=re.MULTILINE)
    inside = re.findall(r"^ {6}((?:\S+ )+) {2,}", tree, flags=re.MULTILINE)
    found = [root / name for name in names] + [
        root / "emulator" / name for group in inside for name in group.split()
    ]
    assert len(found) > 12
    links = [root / link for link in re.findall(r"\]\((?!http)([^)#]+)\)", readme)]
    missing = [path for path in found + links if not path.exists()]
    assert not missing
