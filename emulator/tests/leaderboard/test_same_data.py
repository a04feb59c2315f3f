"""Data sets made again elsewhere: the same draws under another fingerprint."""

import pytest

from emulator.leaderboard.same_data import TrivialScores, common_names

pytestmark = pytest.mark.fast

HERE, THERE = "a" * 64, "b" * 64


def result(fingerprint, n=100, **worlds):
    """What the zero and mean responses scored, the mean a tenth less than zero."""
    return TrivialScores(
        fingerprint,
        {
            world: {
                ("test", "zero", "value"): score,
                ("test", "training_mean", "value"): 0.9 * score,
                ("test", "zero", "n"): float(n),
            }
            for world, score in worlds.items()
        },
    )


def test_a_world_goes_under_the_fingerprint_that_most_results_have():
    names = common_names(
        [result(HERE, nk=1.0), result(THERE, nk=1.0 + 1e-13), result(THERE, nk=1.0 + 1e-13)]
    )
    assert names == {(HERE, "nk"): THERE, (THERE, "nk"): THERE}


def test_only_the_worlds_whose_draws_are_the_same_meet():
    names = common_names([result(HERE, nk=1.0, hank=1.0), result(THERE, nk=1.0, hank=1.0001)])
    assert names[THERE, "nk"] == HERE
    assert names[THERE, "hank"] == THERE


@pytest.mark.parametrize(
    "other",
    [
        result(THERE, nk=1.0 + 1e-7),
        result(THERE, n=99, nk=1.0),
        result(THERE, rbc=1.0),
        TrivialScores(THERE, {"nk": {}}),
    ],
    ids=["other scores", "other numbers of draws", "another world", "nothing to compare"],
)
def test_what_cannot_be_the_same_stays_apart(other):
    names = common_names([result(HERE, nk=1.0), other])
    assert all(name == fingerprint for (fingerprint, _), name in names.items())
