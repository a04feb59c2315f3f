"""Regimes of draws, between which responses jump."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Regimes:
    """Regimes of draws: responses jump, in a world that has them, where a draw passes from one to
    another.

    counts: what the number of a regime counts; margin: how the distance to a border is measured,
    with its unit; near: a margin below which a solved draw is near a border; near_estimate: one
    below which a draw is that is not solved, whose margin is an estimate.
    """

    counts: str
    margin: str
    near: float
    near_estimate: float
