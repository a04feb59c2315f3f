"""Runs become entries: seeds together, everything else apart, intervals over seeds as Student's t
gives them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from emulator.leaderboard.runs import BASELINE, SPECIALIST, UNIVERSAL, read_runs, role
from emulator.leaderboard.seeds import common_name, entries, over_seeds
from emulator.tests.leaderboard.made_up import write_result

pytestmark = pytest.mark.fast


def test_seeds_of_one_recipe_are_one_entry(tmp_path: Path) -> None:
    values = [0.010, 0.012, 0.017]
    for seed, value in enumerate(values):
        write_result(
            tmp_path, f"u_seed{seed}", {"nk": value, "var": 2 * value}, config={"seed": seed}
        )
    board = entries(read_runs(tmp_path))
    (row,) = board[(board["world"] == "nk") & (board["split"] == "test")].to_dict(orient="records")
    assert (row["run"], row["seeds"], row["interval"]) == ("u", 3, "seeds")
    assert row["nrmse"] == pytest.approx(0.013)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (row["nrmse_low"], row["nrmse_high"]) == pytest.approx((expected.low, expected.high))
    assert row["pooled_nrmse"] == pytest.approx(1.2 * 0.013)
    assert len(board) == 6, "two worlds by three splits"


def test_what_makes_no_number_and_a_start_of_the_own_seed_are_no_other_recipe(
    tmp_path: Path,
) -> None:
    ways = [
        {"seed": 1, "init_from": "runs/first/best.pt", "min_delta": 1e-4},  # the default, said
        {"seed": 2, "init_from": "runs/first_2/best.pt", "in_memory": True},
        {"seed": 3, "init_from": "runs/first_3", "init_worlds": {}},
        {"seed": 4, "init_from": "runs/first_3"},
        {"seed": 5, "init_from": "runs/second_5"},
    ]
    for config in ways:
        write_result(tmp_path, f"u_{config['seed']}", {"nk": 0.01}, config=config)
    board = entries(read_runs(tmp_path))
    test = board[board["split"] == "test"]
    assert sorted(test["seeds"]) == [1, 1, 1, 2]


def test_one_seed_keeps_the_interval_over_draws(tmp_path: Path) -> None:
    write_result(tmp_path, "u", {"nk": 0.01})
    row = entries(read_runs(tmp_path)).iloc[0]
    assert (row["seeds"], row["interval"]) == (1, "draws")
    assert (row["nrmse_low"], row["nrmse_high"]) == pytest.approx((0.009, 0.011))
    assert np.isnan(over_seeds(np.array([1.0]))[1])


@pytest.mark.parametrize(
    "other",
    [
        {"config": {"seed": 2, "lr": 3e-3}},
        {"config": {"seed": 2, "init_from": "runs/other_3"}},
        {"config": {"seed": 2}, "model": "PooledMLPBaseline"},
        {"config": {"seed": 2}, "data": "e" * 64},
        {"config": {"seed": 1}},
        {"config": {"seed": None}},
    ],
    ids=["setting", "start", "model", "data", "same seed", "no seed"],
)
def test_whatever_else_differs_stands_alone(tmp_path: Path, other: dict) -> None:
    write_result(tmp_path, "a", {"nk": 0.01}, config={"seed": 1})
    write_result(tmp_path, "b", {"nk": 0.02}, **other)
    board = entries(read_runs(tmp_path))
    assert sorted(board.loc[board["split"] == "test", "nrmse"]) == [0.01, 0.02]
    assert set(board["seeds"]) == {1}


def test_losses_and_failures_of_any_seed_count(tmp_path: Path) -> None:
    for seed, value in ((1, 0.5), (2, 0.95)):
        write_result(tmp_path, f"u-{seed}", {"nk": value}, config={"seed": seed})
    assert not entries(read_runs(tmp_path))["beats_trivial"].any()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a"], "a"),
        (["u_seed41", "u_seed42"], "u"),
        (["mlp64_1", "mlp64_2"], "mlp64"),
        (["u", "u_s2"], "u"),
        (["left", "right"], "left"),
    ],
)
def test_names(names: list[str], expected: str) -> None:
    assert common_name(names) == expected


def test_roles() -> None:
    assert role("UniversalEmulator", ["nk", "var"]) == UNIVERSAL
    assert role("UniversalEmulator", ["nk"]) == SPECIALIST
    assert role("PerWorldGRUBaseline", ["nk", "var"]) == SPECIALIST
    assert role("PooledMLPBaseline", ["nk", "var"]) == BASELINE
