"""What the README shows is true: its code and commands run, its table is the leaderboard's, its
tree is the tree.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.eval.results import read
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
        "results/small/report.html",
        "results/LEADERBOARD.md",
        "exported/model.safetensors",
    ):
        assert (tmp_path / name).stat().st_size > 0


@pytest.mark.fast
def test_the_table_is_the_leaderboards(readme, root):
    shown = re.search(r"<!-- leaderboard -->\n(.*?)<!-- /leaderboard -->", readme, flags=re.DOTALL)[
        1
    ]
    board = (root / "LEADERBOARD.md").read_text(encoding="utf-8")
    rows = [line for line in shown.splitlines() if line.startswith("| `")]
    assert len(rows) >= 3
    for row in rows:
        world, run, score, interval, trivial = (
            cell.strip(" `") for cell in row.strip("|").split("|")
        )
        sections = [
            part.split("\n## ")[0] for part in board.split(f"## {world}, test")[1:]
        ]  # one a data set
        (line,) = [text for part in sections for text in part.splitlines() if f"| {run} |" in text]
        assert f"| {score} [{interval.replace(' to ', ', ')}]" in line, row
        assert f"| {trivial} |" in line, row


@pytest.mark.fast
def test_the_results_behind_the_leaderboard_are_in_the_repository(root):
    board = (root / "LEADERBOARD.md").read_text(encoding="utf-8")
    found = re.findall(
        r"^`(\S+/results\.json)` .*checkpoint `([0-9a-f]+)`", board, flags=re.MULTILINE
    )
    assert len(found) > 20
    for file, checkpoint in found:
        path = root / "results" / file
        assert path.exists(), file
        if file != "baseline_mlp/results.json":  # `make demo` trains that one anew
            assert read(path)["provenance"]["checkpoint"]["sha256"].startswith(checkpoint), file


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
