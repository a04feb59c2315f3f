"""What `make demo` has just made is what the leaderboard says.

Runs after it, in CI: `pytest -m demo`.
"""

import pytest

from emulator.eval.results import read
from emulator.leaderboard.board import collect
from emulator.leaderboard.targets import read_targets

pytestmark = [pytest.mark.checkout, pytest.mark.demo]


@pytest.mark.parametrize("world", ["nk", "var", "lss"])
def test_demo_scores_as_published_and_beats_every_trivial_predictor(world, pytestconfig):
    root = pytestconfig.rootpath
    results = read(root / "runs" / "baseline_mlp" / "evaluation" / "results.json")
    (row,) = [r for r in results["summary"] if (r["world"], r["split"]) == (world, "test")]
    assert row["beats_trivial"] is True
    assert row["failures"] == 0
    published = published_row(root, "baseline_mlp", world)
    assert published["nrmse_low"] <= row["nrmse"] <= published["nrmse_high"]


@pytest.mark.parametrize("world", ["nk", "var", "lss", "rbc", "sw07", "switching", "zlb"])
def test_the_network_that_ships_answers_fresh_draws_as_well_as_published(world, pytestconfig):
    """Of few hundred draws the 95th percentile of the relative error is steady; the mean NRMSE
    hangs on one or two of them.
    """
    root = pytestconfig.rootpath
    results = read(root / "runs" / "universal_fresh" / "results.json")
    (case,) = [r for r in results["summary"] if (r["world"], r["split"]) == (world, "test")]
    assert case["beats_trivial"] is True
    assert case["failures"] == 0
    (row,) = [
        r
        for r in results["scores"]
        if (r["predictor"], r["world"], r["metric"]) == ("network", world, "relative_error_p95")
    ]
    published = published_row(root, read_targets(root / "results").held, world)
    assert row["value"] < 2 * published["relative_error_p95"] + 1e-5


def published_row(root, run, world):
    """The entry of the leaderboard for a run in a world."""
    table = collect(root / "results").table
    (row,) = table[(table["run"] == run) & (table["world"] == world)].to_dict(orient="records")
    return row
