"""Kalman's recursion, period by period, until covariances have settled.

Axes: N draw, D state, O series, T period.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    joined,
    log_determinant,
    symmetric,
)


@dataclass(frozen=True)
class Prediction:
    """Covariance (N, O, O) of the errors of prediction, its inverse, its log-determinant (N,), and
    C P (N, O, D).
    """

    variance: np.ndarray
    inverse: np.ndarray
    log_determinant: np.ndarray
    reach: np.ndarray

    def of(self, chosen: np.ndarray) -> Prediction:
        """The same for some of the draws."""
        return Prediction(
            self.variance[chosen],
            self.inverse[chosen],
            self.log_determinant[chosen],
            self.reach[chosen],
        )


def through(
    whole: Belief,
    deviations: np.ndarray,
    answers: np.ndarray,
    stretch: tuple[int, int, np.ndarray],
    settled: float,
) -> Belief:
    """Past a stretch of periods in which the same series are there, the numbers of their columns.

    deviations (N, T, O) of the data from their level; writes log-densities into answers (N, T).
    """
    first, last, columns = stretch
    belief = whole.watching(columns)
    data = np.ascontiguousarray(deviations[:, first:last, columns].transpose(1, 0, 2))[..., None]
    finished: list[Belief] = []
    before: Prediction | None = None
    now: Prediction | None = None
    for period in range(first, last):
        if len(columns) == 0:
            belief = belief.later()
            continue
        now = _predict(belief, now)
        if settled > 0 and (period - first) % WINDOW == 0:
            still = _still(now, before, settled)
            if still.any():
                rows = belief.rows[still]
                rest = data[period - first :, rows]
                done, answers[rows, period:last] = _finish(belief.of(still), now.of(still), rest)
                finished.append(done)
                belief, now = belief.of(~still), now.of(~still)
            before = now
        if len(belief.rows) == 0:
            break
        mine = data[period - first]
        mine = mine if len(mine) == len(belief.rows) else mine[belief.rows]
        belief, answers[belief.rows, period] = _updated(belief, now, mine)
    return joined([*finished, belief]).with_series_of(whole)


def _predict(belief: Belief, last: Prediction | None) -> Prediction:
    reach = belief.loading @ belief.covariance
    variance = reach @ belief.seen
    diagonal = np.arange(variance.shape[1])
    variance[:, diagonal, diagonal] += belief.error
    factor = cholesky(variance)
    inverse = inverse_of(factor) if last is None else improved(last.inverse, variance, factor)
    return Prediction(variance, inverse, log_determinant(factor), reach)


def _updated(belief: Belief, now: Prediction, data: np.ndarray) -> tuple[Belief, np.ndarray]:
    """One period on, and the log-densities (N,) of its data (N, O, 1)."""
    errors = data - belief.loading @ belief.mean
    scaled = now.inverse @ errors
    back = np.ascontiguousarray(now.reach.swapaxes(1, 2))
    covariance = belief.covariance - back @ (now.inverse @ now.reach)
    later = replace(
        belief,
        mean=belief.onward @ (belief.mean + back @ scaled),
        covariance=symmetric(belief.onward @ covariance @ belief.back + belief.noise),
    )
    squares = (errors.swapaxes(1, 2) @ scaled)[:, 0, 0]
    return later, densities(squares, now.log_determinant, errors.shape[1])


def _still(now: Prediction, before: Prediction | None, settled: float) -> np.ndarray:
    """Which draws (N,) predict as they did: covariance of the errors, and how far these reach."""
    if before is None:
        return np.zeros(len(now.log_determinant), dtype=bool)
    moved = np.maximum(change(now.variance, before.variance), change(now.reach, before.reach))
    return moved < settled


def _finish(belief: Belief, now: Prediction, data: np.ndarray) -> tuple[Belief, np.ndarray]:
    gain = belief.onward @ (now.reach.swapaxes(1, 2) @ now.inverse)
    return finish(belief, gain, now.inverse, now.log_determinant, data)
