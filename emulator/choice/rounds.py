"""Rounds of a drawing: how many draws the next one takes, and why the last one was the last.

A round is a pair: the draws that taught an emulator, and its NRMSE on fresh ones.
"""

from __future__ import annotations

import numpy as np

from emulator.choice.curve import LearningCurve

MOST_FACTOR, LEAST_FACTOR = 2.0, 1.3


def _curve(rounds: list[tuple[int, float]]) -> LearningCurve:
    draws, errors = zip(*rounds, strict=True)
    return LearningCurve("the better of two", draws, errors)


def next_draws(rounds: list[tuple[int, float]], error: float, n: int) -> float:
    """How many draws the next emulator learns from: what the power law asks for, within a step that
    can be relied on.
    """
    if len(rounds) < 2:
        return MOST_FACTOR * n
    wanted = 1.05 * _curve(rounds[-3:]).draws_for(error)
    return min(max(wanted, LEAST_FACTOR * n), MOST_FACTOR * n)


def hopeless(rounds: list[tuple[int, float]], error: float, most: int) -> bool:
    """Whether the last rounds say that far more draws would be needed than are allowed."""
    last = rounds[-3:]
    return len(last) == 3 and _curve(last).draws_for(error) > 4 * most


def reason_of(rounds: list[tuple[int, float]], error: float, most: int) -> str:
    """Why the drawing ended, as sentences."""
    n, reached = rounds[-1]
    if reached <= error:
        return f"The error on fresh draws is {reached:.4f}, at most {error:g}."
    start = f"The error on fresh draws is {reached:.4f} with {n} draws, above {error:g}."
    if len(rounds) < 2:
        return f"{start} --n_samples allows no more than {most}."
    curve = _curve(rounds[-3:])
    needed = curve.draws_for(error)
    if not np.isfinite(needed):
        return (
            f"{start} It no longer falls with more draws: these kinds of emulators will not get"
            " there. A larger error, or a narrower prior, may do."
        )
    return (
        f"{start} It falls with the power -{curve.power:.2f} of their number, so that about"
        f" {needed:,.0f} would be needed; --n_samples allows {most}."
    )
