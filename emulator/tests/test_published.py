"""What `make demo` has just made is what the leaderboard says.

Runs after it, in CI: `pytest -m demo`.
"""

import re

import pytest

from emulator.eval.results import read

pytestmark = [pytest.mark.checkout, pytest.mark.demo]


@pytest.mark.parametrize("world", ["nk", "var", "lss"])
def test_demo_scores_as_published_and_beats_every_trivial_predictor(world, pytestconfig):
    root = pytestconfig.rootpath
    found = read(root / "results" / "baseline_mlp" / "results.json")
    (row,) = [r for r in found["summary"] if (r["world"], r["split"]) == (world, "test")]
    assert row["beats_trivial"] is True
    assert row["failures"] == 0
    boards = [
        part.split("\n## ")[0]
        for part in (
            (root / "LEADERBOARD.md").read_text(encoding="utf-8").split(f"## {world}, test")[1:]
        )
    ]
    (line,) = [
        text for board in boards for text in board.splitlines() if "| baseline_mlp |" in text
    ]
    low, high = map(float, re.search(r"\[([\d.]+), ([\d.]+)\]", line).groups())
    assert low <= row["nrmse"] <= high


@pytest.mark.parametrize("world", ["nk", "var", "lss", "rbc", "sw07", "switching", "zlb"])
def test_the_network_that_ships_answers_fresh_draws_as_well_as_published(world, pytestconfig):
    """Of few hundred draws the 95th percentile of the relative error is steady; the mean NRMSE
    hangs on one or two of them.
    """
    root = pytestconfig.rootpath
    found = read(root / "runs" / "universal_fresh" / "results.json")
    (case,) = [r for r in found["summary"] if (r["world"], r["split"]) == (world, "test")]
    assert case["beats_trivial"] is True
    assert case["failures"] == 0
    (row,) = [
        r
        for r in found["scores"]
        if (r["predictor"], r["world"], r["shock"], r["metric"])
        == ("network", world, "all", "relative_error_p95")
    ]
    (line,) = [
        text
        for text in (root / "LEADERBOARD.md").read_text(encoding="utf-8").splitlines()
        if text.startswith(f"| {world} | test | universal_A |")
    ]
    published = float(re.match(r"([\d.e-]+) %", line.split("|")[-2].strip())[1]) / 100
    assert row["value"] < 2 * published + 1e-5
