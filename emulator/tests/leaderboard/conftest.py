"""The data set and networks of the tests of evaluations, whose results a leaderboard collects."""

from emulator.tests.eval.conftest import _one_thread, data, make_checkpoint, rng, trained

__all__ = ["_one_thread", "data", "make_checkpoint", "rng", "trained"]
