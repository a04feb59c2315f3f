"""Recursion of the increments of covariances, for data without gaps from the unconditional
distribution on: an increment has no more rank than there are series, so that a period costs
products of D by O instead of D by D.

    P' - P = W M W',   F = C P C' + error,   K = A P C'

Morf, Sidhu and Kailath (1974, doi:10.1109/TAC.1974.1100576), known as the Chandrasekhar recursions;
Herbst (2015, doi:10.1007/s10614-014-9430-2) for models of this kind. F is a sum of increments:
where it shrinks by many orders of magnitude its digits are lost, and such draws are left to the
recursion of the covariances themselves.

Axes: N draw, D state, O series, T period.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from emulator.solvers.kalman.belief import (
    WINDOW,
    Belief,
    change,
    cholesky,
    densities,
    finish,
    improved,
    inverse_of,
    log_determinant,
)

SHRINKS = 1e5
"""Largest variance of an error of prediction at first, by the smallest later on of a series given
the others, up to which this recursion is used: log-likelihoods of 230 quarters of `sw07` are then
within 1e-7 of those by covariances (measured).
"""


@dataclass(frozen=True)
class _Moving:
    """F (N, O, O), its inverse and log-determinant (N,), K and W (N, D, O), M (N, O, O)."""

    variance: np.ndarray
    inverse: np.ndarray
    log_determinant: np.ndarray
    reach: np.ndarray
    increment: np.ndarray
    weight: np.ndarray

    def of(self, chosen: np.ndarray) -> _Moving:
        """The same for some of the draws."""
        return _Moving(*(getattr(self, field.name)[chosen] for field in fields(self)))


def through(
    belief: Belief, deviations: np.ndarray, answers: np.ndarray, settled: float
) -> np.ndarray:
    """All of the data, deviations (N, T, O) from their level of which none is missing; the belief
    is the unconditional distribution. Writes log-densities into answers (N, T) and returns the
    draws for which they are not to be relied on, as their numbers.
    """
    data = np.ascontiguousarray(deviations.transpose(1, 0, 2))[..., None]
    moving, largest = _start(belief)
    mean = belief.mean
    read = int(np.flatnonzero((belief.onward != 0).any(axis=(0, 1))).max(initial=-1)) + 1
    onward = np.ascontiguousarray(belief.onward[:, :, :read])
    before: _Moving | None = None
    lost = []
    for period in range(len(data)):
        if period % WINDOW == 0:
            smallest = 1 / np.diagonal(moving.inverse, axis1=1, axis2=2).max(axis=1)
            shrunk = ~(largest[belief.rows] < SHRINKS * smallest)
            still = _still(moving, before, settled) & ~shrunk
            lost.append(belief.rows[shrunk])
            if still.any():
                rows = belief.rows[still]
                rest = data[period:, rows]
                done = replace(belief.of(still), mean=mean[still])
                answers[rows, period:] = _finish(done, moving.of(still), rest)
            if (still | shrunk).any():
                on = ~(still | shrunk)
                belief, moving, mean, onward = belief.of(on), moving.of(on), mean[on], onward[on]
            before = moving
        if len(belief.rows) == 0:
            break
        mine = data[period]
        mine = mine if len(mine) == len(belief.rows) else mine[belief.rows]
        errors = mine - belief.loading @ mean
        scaled = moving.inverse @ errors
        squares = (errors.swapaxes(1, 2) @ scaled)[:, 0, 0]
        answers[belief.rows, period] = densities(squares, moving.log_determinant, len(errors[0]))
        mean = onward @ mean[:, :read] + moving.reach @ scaled
        moving = _moved(onward, belief.loading, moving)
    return np.concatenate(lost)


def _start(belief: Belief) -> tuple[_Moving, np.ndarray]:
    """The first period's, and the largest variance of an error of prediction (N,)."""
    loaded = belief.covariance @ belief.seen
    variance = belief.loading @ loaded
    diagonal = np.arange(variance.shape[1])
    variance[:, diagonal, diagonal] += belief.error
    factor = cholesky(variance)
    inverse = inverse_of(factor)
    reach = belief.onward @ loaded
    moving = _Moving(variance, inverse, log_determinant(factor), reach, reach, -inverse)
    return moving, variance[:, diagonal, diagonal].max(axis=1)


def _moved(onward: np.ndarray, loading: np.ndarray, now: _Moving) -> _Moving:
    """The next period's; onward (N, D, R): the columns of A that are not zero."""
    loaded = loading @ now.increment
    back = np.ascontiguousarray((loaded @ now.weight).swapaxes(1, 2))
    moved = onward @ now.increment[:, : onward.shape[2]]
    variance = now.variance + loaded @ back
    factor = cholesky(variance)
    inverse = improved(now.inverse, variance, factor)
    reach = now.reach + moved @ back
    return _Moving(
        variance=variance,
        inverse=inverse,
        log_determinant=log_determinant(factor),
        reach=reach,
        increment=moved - reach @ (inverse @ loaded),
        weight=now.weight + back @ (now.inverse @ back.swapaxes(1, 2)),
    )


def _still(now: _Moving, before: _Moving | None, settled: float) -> np.ndarray:
    """Which draws (N,) predict as they did: covariance of the errors, and how far these reach."""
    if before is None or settled == 0:
        return np.zeros(len(now.variance), dtype=bool)
    moved = np.maximum(change(now.variance, before.variance), change(now.reach, before.reach))
    return moved < settled


def _finish(belief: Belief, moving: _Moving, data: np.ndarray) -> np.ndarray:
    gain = moving.reach @ moving.inverse
    return finish(belief, gain, moving.inverse, moving.log_determinant, data)[1]
