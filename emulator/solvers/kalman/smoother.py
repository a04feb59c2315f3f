"""Shocks and states given all of the data: the disturbance smoother, for many draws at once.

    s = A s_1 + B e,   y = level + C s + u

Forward the filter's errors of prediction v with their covariance F and gain K; backward

    r_1 = C' F^-1 v + (A - K C)' r,     E[e | y] = B' r_1

Koopman (1993, doi:10.1093/biomet/80.1.117); Durbin and Koopman (2012), Time Series Analysis by
State Space Methods, ch. 4.5. The recursion begins with the state before the first period, so that
every path is the state before plus shocks. Where nothing is known of the levels of unit roots, the
filter takes their effects along as further columns, and the levels are estimated by generalised
least squares: de Jong (1991, doi:10.1214/aos/1176348139); given all data the mean is the same as
under a diffuse prior.

Axes: N draw, D state, S shock, O series, T period, U unit root.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from emulator.errors import ParameterError
from emulator.solvers.kalman.belief import cholesky, inverse_of, symmetric
from emulator.solvers.kalman.diffuse import levels_and_rest
from emulator.solvers.kalman.likelihood import WIDE, Observed, Start
from emulator.solvers.lyapunov import lyapunov
from emulator.solvers.state_space import StateSpace

BLOCK_ENTRIES = 2**22
"""Entries of gains that are kept at once: 32 MiB."""


@dataclass(frozen=True)
class Smoothed:
    """Given all of the data: shocks (N, T, S) in standard deviations; states (N, T, D); the state
    before the first period (N, D); and covariance (N, D, D) of the last period's state.

    `first` (N, D): the part of the first period's state that its shocks do not make. NaN where a
    draw has no solution or its data no density.
    """

    shocks: np.ndarray
    states: np.ndarray
    before: np.ndarray
    first: np.ndarray
    last_covariance: np.ndarray


class _Beginning(NamedTuple):
    """State before the first period: finite covariance (N, D, D) and directions (N, D, U) of which
    nothing is known; and covariance (N, D, D) of the first period's state.
    """

    covariance: np.ndarray
    levels: np.ndarray
    of_first: np.ndarray


class _Period(NamedTuple):
    """One period of the filter: columns of the series that are there, C (N, O, D), the inverse of
    F (N, O, O), K (N, D, O), errors of prediction (N, O, 1 + U).
    """

    loading: np.ndarray
    inverse: np.ndarray
    gain: np.ndarray
    errors: np.ndarray


def smooth(observed: Observed, start: Start = "stationary") -> Smoothed:
    """Smoothed shocks and states; see `Observed` and `Start`. Entries of the data that are NaN are
    missing. With the start "wide" the state before the first period is not known: NaN.

    Raises `ParameterError` for an unknown start.
    """
    space = observed.space
    a, b, c = (np.asarray(m, dtype=np.float64) for m in (space.A, space.B, space.C))
    n, states, shocks = b.shape
    periods, series = observed.data.shape
    answer = Smoothed(
        shocks=np.full((n, periods, shocks), np.nan),
        states=np.full((n, periods, states), np.nan),
        before=np.full((n, states), np.nan),
        first=np.full((n, states), np.nan),
        last_covariance=np.full((n, states, states), np.nan),
    )
    size = max(1, BLOCK_ENTRIES // max(1, periods * states * series))
    good = np.flatnonzero(np.isfinite(a).all(axis=(1, 2)) & np.isfinite(b).all(axis=(1, 2)))
    for first in range(0, len(good), size):
        rows = good[first : first + size]
        level, error = (m[rows] if len(m) == n else m for m in (observed.level, observed.error))
        with np.errstate(all="ignore"):
            part = _of_block(
                StateSpace(a[rows], b[rows], c[rows]),
                np.broadcast_to(observed.data - level, (len(rows), periods, series)),
                np.broadcast_to(error, (len(rows), series)),
                start,
            )
        for name in ("shocks", "states", "before", "first", "last_covariance"):
            getattr(answer, name)[rows] = getattr(part, name)
    return answer


def _of_block(
    space: StateSpace, deviations: np.ndarray, error: np.ndarray, start: Start
) -> Smoothed:
    """`smooth` of a few draws; deviations (N, T, O) of the data from their level."""
    beginning = _beginning(space, start)
    mean, covariance, steps = _filtered(space, deviations, error, beginning)
    levels, spread = _levels(steps, beginning.levels.shape[2])
    mean_levels = (beginning.levels @ levels[..., None])[..., 0]
    moved = _backward(space, steps, levels)
    shocks = np.einsum("ntd,nds->nts", moved, space.B)
    if start == "wide":
        before = np.full_like(mean_levels, np.nan)
        first = np.einsum("nde,ne->nd", beginning.of_first, moved[:, 0])
        first = first - np.einsum("nds,ns->nd", space.B, shocks[:, 0])
    else:
        pulled = np.einsum("ned,ne->nd", space.A, moved[:, 0])
        before = mean_levels + np.einsum("nde,ne->nd", beginning.covariance, pulled)
        first = np.einsum("nde,ne->nd", space.A, before)
    reach = mean[:, :, 1:]
    last = symmetric(covariance + reach @ spread @ reach.swapaxes(1, 2))
    return Smoothed(shocks, path(space, first, shocks), before, first, last)


def path(space: StateSpace, first: np.ndarray, shocks: np.ndarray) -> np.ndarray:
    """States (N, T, D) of shocks (N, T, S), from the part (N, D) of the first period's state that
    its shocks do not make.
    """
    pushes = np.einsum("nds,nts->tnd", space.B, shocks)
    states = np.empty((*shocks.shape[:2], space.A.shape[1]))
    state = first + pushes[0]
    states[:, 0] = state
    for period in range(1, len(pushes)):
        state = (space.A @ state[..., None])[..., 0] + pushes[period]
        states[:, period] = state
    return states


def _beginning(space: StateSpace, start: Start) -> _Beginning:
    a, noise = space.A, space.B @ space.B.swapaxes(1, 2)
    n, states, _ = a.shape
    none = np.zeros((n, states, 0))
    if start == "wide":
        wide = np.broadcast_to(WIDE * np.eye(states), a.shape)
        return _Beginning(np.zeros_like(a), none, wide)
    if start == "diffuse":
        read = (a != 0).any(axis=(0, 1))
        parts = [levels_and_rest(a[row], space.B[row], read) for row in range(n)]
        most = max(levels.shape[1] for _, levels in parts)
        levels = np.zeros((n, states, most))
        for row, (_, own) in enumerate(parts):
            levels[row, :, : own.shape[1]] = own
        covariance = np.stack([finite for finite, _ in parts])
        return _Beginning(covariance, levels, a @ covariance @ a.swapaxes(1, 2) + noise)
    if start == "stationary":
        covariance = lyapunov(a, noise)
        return _Beginning(covariance, none, covariance)
    raise ParameterError(f"The start is {start!r}; expected one of stationary, diffuse, wide.")


def _filtered(
    space: StateSpace, deviations: np.ndarray, error: np.ndarray, beginning: _Beginning
) -> tuple[np.ndarray, np.ndarray, list[_Period]]:
    """The filter over all periods: mean (N, D, 1 + U) and covariance (N, D, D) of the last one's
    state, and the periods; the columns after the first are effects of the levels of unit roots.
    """
    a, noise = space.A, space.B @ space.B.swapaxes(1, 2)
    onward = np.ascontiguousarray(a.swapaxes(1, 2))
    columns = 1 + beginning.levels.shape[2]
    mean = np.zeros((*a.shape[:2], columns))
    mean[:, :, 1:] = a @ beginning.levels
    covariance = beginning.of_first
    steps = []
    for period, there in enumerate(_there(deviations[0])):
        loading = space.C[:, there]
        loaded = covariance @ loading.swapaxes(1, 2)
        variance = loading @ loaded
        diagonal = np.arange(len(there))
        variance[:, diagonal, diagonal] += error[:, there]
        inverse = inverse_of(cholesky(variance))
        errors = -(loading @ mean)
        errors[:, :, 0] += deviations[:, period, there]
        weight = loaded @ inverse
        mean = mean + weight @ errors
        covariance = symmetric(covariance - weight @ loaded.swapaxes(1, 2))
        steps.append(_Period(loading, inverse, a @ weight, errors))
        if period + 1 < deviations.shape[1]:
            mean = a @ mean
            covariance = a @ covariance @ onward + noise
    return mean, covariance, steps


def _there(deviations: np.ndarray) -> Iterator[np.ndarray]:
    """Columns of the series that are there, period by period."""
    for row in np.isfinite(deviations):
        yield np.flatnonzero(row)


def _levels(steps: list[_Period], unknown: int) -> tuple[np.ndarray, np.ndarray]:
    """Levels (N, U) by generalised least squares and their covariance (N, U, U); directions that
    the data say nothing of stay at zero.
    """
    n = len(steps[0].errors)
    if unknown == 0:
        return np.zeros((n, 0)), np.zeros((n, 0, 0))
    information, score = np.zeros((n, unknown, unknown)), np.zeros((n, unknown))
    for step in steps:
        effects = step.errors[:, :, 1:].swapaxes(1, 2)
        information += effects @ step.inverse @ step.errors[:, :, 1:]
        score -= (effects @ step.inverse @ step.errors[:, :, :1])[..., 0]
    spread = np.linalg.pinv(information, hermitian=True)
    return (spread @ score[..., None])[..., 0], spread


def _backward(space: StateSpace, steps: list[_Period], levels: np.ndarray) -> np.ndarray:
    """r of the periods before each (N, T, D): what all data from each period on say of its state,
    in units of the inverse of its covariance.
    """
    onward = np.ascontiguousarray(space.A.swapaxes(1, 2))
    weight = np.concatenate([np.ones((len(levels), 1)), levels], axis=1)[..., None]
    r = np.zeros((*space.A.shape[:2], 1))
    answers = np.empty((len(levels), len(steps), space.A.shape[1]))
    for period in range(len(steps) - 1, -1, -1):
        step = steps[period]
        scaled = step.inverse @ (step.errors @ weight) - step.gain.swapaxes(1, 2) @ r
        r = step.loading.swapaxes(1, 2) @ scaled + onward @ r
        answers[:, period] = r[..., 0]
    return answers
