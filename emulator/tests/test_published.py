"""What `make demo` has just made is what the leaderboard says. Runs after it, in CI: `pytest -m demo`."""

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
    board = (root / "LEADERBOARD.md").read_text(encoding="utf-8").split(f"## {world}, test")[1].split("\n## ")[0]
    (line,) = [text for text in board.splitlines() if "| baseline_mlp |" in text]
    low, high = map(float, re.search(r"\[([\d.]+), ([\d.]+)\]", line).groups())
    assert low <= row["nrmse"] <= high
