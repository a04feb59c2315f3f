"""Data sets made again elsewhere: the same draws under another fingerprint."""

import pandas as pd
import pytest

from emulator.leaderboard.same_data import (
    TrivialScores,
    common_names,
    on_same_draws,
    trivial_scores,
)

pytestmark = pytest.mark.fast

HERE, THERE, ELSEWHERE = "a" * 64, "b" * 64, "c" * 64


def result(fingerprint, n=100, split="test", **worlds):
    """What the zero and mean responses scored, the mean a tenth less than zero."""
    return TrivialScores(
        fingerprint,
        {
            (world, split): {
                ("zero", "value"): score,
                ("training_mean", "value"): 0.9 * score,
                ("zero", "n"): float(n),
            }
            for world, score in worlds.items()
        },
    )


def test_a_world_goes_under_the_fingerprint_that_most_results_have():
    names = common_names(
        [result(HERE, nk=1.0), result(THERE, nk=1.0 + 1e-13), result(THERE, nk=1.0 + 1e-13)]
    )
    assert names == {(name, ("nk", "test")): THERE for name in (HERE, THERE)}


def test_only_the_worlds_whose_draws_are_the_same_meet():
    names = common_names([result(HERE, nk=1.0, hank=1.0), result(THERE, nk=1.0, hank=1.0001)])
    assert names[THERE, ("nk", "test")] == HERE
    assert names[THERE, ("hank", "test")] == THERE


def test_splits_stand_for_themselves():
    """Alike on one split, not on the other, which a third result alone was scored on, too."""
    names = common_names(
        [
            result(HERE, nk=1.0),
            result(HERE, nk=1.0),
            result(THERE, nk=1.0),
            result(THERE, split="corner", nk=2.0),
            result(ELSEWHERE, nk=1.0),
            result(ELSEWHERE, split="corner", nk=3.0),
        ]
    )
    assert {names[name, ("nk", "test")] for name in (HERE, THERE, ELSEWHERE)} == {HERE}
    assert names[ELSEWHERE, ("nk", "corner")] != names[THERE, ("nk", "corner")]


@pytest.mark.parametrize(
    "other",
    [
        result(THERE, nk=1.0 + 1e-7),
        result(THERE, n=99, nk=1.0),
        result(THERE, rbc=1.0),
        result(THERE, split="corner", nk=1.0),
        TrivialScores(THERE, {("nk", "test"): {}}),
        TrivialScores(THERE, {("nk", "test"): {("zero", "n"): 100.0}}),
    ],
    ids=[
        "other scores",
        "other numbers of draws",
        "another world",
        "another split",
        "nothing to compare",
        "numbers of draws alone",
    ],
)
def test_what_cannot_be_the_same_stays_apart(other):
    names = common_names([result(HERE, nk=1.0), other])
    assert all(name == fingerprint for (fingerprint, _), name in names.items())


def test_scores_that_are_none_say_nothing():
    cases = [{"world": "nk", "split": "test"}]
    rows = [
        {
            "predictor": name,
            "world": "nk",
            "split": "test",
            "metric": "nrmse",
            "value": value,
            "n": 9,
        }
        for name, value in {"zero": 1.0, "linear_regression": None, "network": 0.1}.items()
    ]
    document = {
        "summary": cases,
        "scores": rows,
        "provenance": {"dataset": {"fingerprint": HERE}},
    }
    assert trivial_scores(document).scores == {
        ("nk", "test"): {("zero", "value"): 1.0, ("zero", "n"): 9.0}
    }


def test_rows_are_compared_world_by_world():
    own = pd.DataFrame({"world": ["nk", "hank"], "split": "test", "data": [HERE, THERE]})
    rows = pd.DataFrame({"world": ["nk", "hank"], "split": "test", "data": [HERE, HERE]})
    assert on_same_draws(rows, own).tolist() == [True, False]
