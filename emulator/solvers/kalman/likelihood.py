"""The Gaussian likelihood of data under linear state spaces, for many parameter draws at once: the
Kalman filter.

    s = A s_1 + B e,   y = level + C s + u,   e and u independent, u with variances of its own

Kalman (1960, doi:10.1115/1.3662552); the likelihood by errors of prediction: Schweppe (1965,
doi:10.1109/TIT.1965.1053737). Durbin and Koopman (2012), Time Series Analysis by State Space
Methods, ch. 4 and 7.

The draws of a block go through the data together, period by period. Where the covariance of the
errors of prediction and their gain have settled, they stay, and what is left of the data costs a
product of a matrix with a vector a period. Entries of the data that are NaN are missing.

Axes: N draw, D state, S shock, O series, T period.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from emulator.errors import ParameterError
from emulator.solvers.kalman import increments, periods
from emulator.solvers.kalman.belief import Belief
from emulator.solvers.kalman.diffuse import begin_diffuse
from emulator.solvers.lyapunov import lyapunov
from emulator.solvers.state_space import StateSpace

Start = Literal["stationary", "diffuse", "wide"]
"""What is known before the first period: the model's own unconditional distribution; the same with
nothing known of the levels of unit roots; or independent states of variance `WIDE`.
"""

WIDE = 10.0
"""Variance of each state under the start "wide", Dynare's `lik_init = 2`."""

SETTLED = 1e-12
"""Change over `WINDOW` periods, relative to the largest entry, below which covariances count as
settled.
"""

BLOCK_ENTRIES = 2**17
"""Entries of a stack of covariances that go through the data together: few enough to stay in the
cache.
"""


@dataclass(frozen=True)
class Observed:
    """What the filter is asked of a batch: state spaces, data (T, O) with NaN where they are
    missing, level (N or 1, T or 1, O), and variances of errors of measurement (N or 1, O).
    """

    space: StateSpace
    data: np.ndarray
    level: np.ndarray
    error: np.ndarray


def log_likelihoods(
    observed: Observed, start: Start = "stationary", settled: float = SETTLED
) -> np.ndarray:
    """Log-density (N, T) of each period's data given those before; zero where all are missing.

    settled: see `SETTLED`; 0 computes every covariance anew. Minus infinity at draws whose matrices
    are not finite, whose errors of prediction have no density, and, with the start "stationary", at
    draws with a root of one or more. Raises `ParameterError` for an unknown start.
    """
    if start not in get_args(Start):
        known = ", ".join(get_args(Start))
        raise ParameterError(f"The start is {start!r}; expected one of {known}.")
    a, b, c = _without_idle_states(observed.space)
    n = len(a)
    answers = np.full((n, len(observed.data)), -np.inf)
    size = max(8, BLOCK_ENTRIES // max(a.shape[1], 1) ** 2)
    finite = np.flatnonzero(np.isfinite(a).all(axis=(1, 2)) & np.isfinite(b).all(axis=(1, 2)))
    for first in range(0, len(finite), size):
        rows = finite[first : first + size]
        level, error = (m[rows] if len(m) == n else m for m in (observed.level, observed.error))
        with np.errstate(all="ignore"):
            answers[rows] = _of_block(
                _belief(StateSpace(a[rows], b[rows], c[rows]), error),
                np.broadcast_to(observed.data - level, (len(rows), *observed.data.shape)),
                start,
                settled,
            )
    return np.where(np.isfinite(answers), answers, -np.inf)


def _without_idle_states(space: StateSpace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The matrices without the states that move neither another state nor the data, those that the
    next period reads first.
    """
    a, b, c = (np.asarray(m, dtype=np.float64) for m in (space.A, space.B, space.C))
    read = (a != 0).any(axis=(0, 1))
    shown = (c != 0).any(axis=(0, 1)) & ~read
    order = np.concatenate([np.flatnonzero(read), np.flatnonzero(shown)])
    if np.array_equal(order, np.arange(a.shape[1])):
        return a, b, c
    return a[:, order][:, :, order], b[:, order], c[:, :, order]


def _belief(space: StateSpace, error: np.ndarray) -> Belief:
    """Before anything is known."""
    n, states, _ = space.A.shape
    noise = space.B @ space.B.swapaxes(1, 2)
    return Belief(
        rows=np.arange(n),
        onward=space.A,
        back=np.ascontiguousarray(space.A.swapaxes(1, 2)),
        shock=space.B,
        noise=noise,
        loading=np.ascontiguousarray(space.C),
        seen=np.ascontiguousarray(space.C.swapaxes(1, 2)),
        error=np.broadcast_to(error, (n, error.shape[1])),
        mean=np.zeros((n, states, 1)),
        covariance=np.broadcast_to(WIDE * np.eye(states), noise.shape),
    )


def _of_block(belief: Belief, deviations: np.ndarray, start: Start, settled: float) -> np.ndarray:
    """`log_likelihoods` of a few draws; deviations (N, T, O) of the data from their level."""
    answers = np.zeros(deviations.shape[:2])
    period = 0
    if start == "diffuse":
        belief, period = begin_diffuse(belief, deviations, answers)
    elif start == "stationary":
        belief = replace(belief, covariance=lyapunov(belief.onward, belief.noise))
        if np.isfinite(deviations).all() and belief.onward.shape[1] > deviations.shape[2]:
            lost = increments.through(belief, deviations, answers, settled)
            if len(lost):
                again = replace(belief.of(lost), rows=np.arange(len(lost)))
                answers[lost] = _by_covariances(
                    again, deviations[lost], np.zeros((len(lost), deviations.shape[1])), 0, settled
                )
            return answers
    return _by_covariances(belief, deviations, answers, period, settled)


def _by_covariances(
    belief: Belief, deviations: np.ndarray, answers: np.ndarray, first: int, settled: float
) -> np.ndarray:
    """The answers (N, T) with those from period `first` on written into them."""
    for stretch in _stretches(deviations[0], first):
        belief = periods.through(belief, deviations, answers, stretch, settled)
    return answers


def _stretches(deviations: np.ndarray, first: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Stretches of periods that miss the same series: first, last + 1, columns that are there."""
    there = np.isfinite(deviations)
    while first < len(there):
        differ = (there[first:] != there[first]).any(axis=1)
        last = first + int(np.argmax(differ)) if differ.any() else len(there)
        yield first, last, np.flatnonzero(there[first])
        first = last
