"""The vector autoregression that endless data of a world would give, from the world's own
autocovariances.

    y_t = B_1 y_{t-1} + .. + B_L y_{t-L} + u_t,   E[u_t y_{t-l}'] = 0 for l = 1 .. L

are the equations of Yule and Walker; `cov(u)` follows. Hamilton (1994), Time Series Analysis, ch.
11. The world need not be an autoregression of that order: what follows is the best linear forecast
from so many lags, as of the data.

Axes: n draw, D state, S shock, V series, L lag, H horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from emulator.estimation.indirect.identification import Reduced
from emulator.solvers import StateSpace
from emulator.solvers.second_moments import (
    Recursion,
    autocovariances,
    autocovariances_of_responses,
    stationary_part,
)

SINGULAR = 1e-9
"""Smallest eigenvalue of the correlations of innovations, and smallest share of a series' variance
that is news, that a world of as many shocks as series has; below, rounding alone.
"""


NAMED = 0.05
"""Weight in a combination of innovations that vanishes, from which on a series is named."""


class Seen(NamedTuple):
    """Which observables of a world the series are (V,), which of them are differences (V,), and
    standard deviations (V,) of errors of measurement.
    """

    observables: Sequence[int]
    differenced: Sequence[bool]
    errors: np.ndarray


class Moments(NamedTuple):
    """Autocovariances (n, L+1, V, V), first series with the second so many periods before; impact
    (n, S, V) of the shocks; and which series are stationary (n, V).
    """

    covariances: np.ndarray
    impact: np.ndarray
    stationary: np.ndarray


def recursion_of(space: StateSpace, seen: Seen) -> Recursion:
    """The series as a recursion: the last period's value of what is differenced is a state."""
    levels = Recursion.of(space).observing(list(seen.observables))
    rows = np.flatnonzero(seen.differenced)
    if not len(rows):
        return levels
    n, size, _ = levels.A.shape
    a = np.zeros((n, size + len(rows), size + len(rows)))
    a[:, :size, :size] = levels.A
    a[:, size:, :size] = levels.G[:, rows]
    g = np.zeros((n, len(seen.observables), size + len(rows)))
    g[:, :, :size] = levels.G
    g[:, rows, size + np.arange(len(rows))] = -1.0
    return Recursion(a, np.concatenate([levels.B, levels.H[:, rows]], axis=1), g, levels.H)


def moments_of_space(space: StateSpace, seen: Seen, lags: int) -> Moments:
    """Of solved draws."""
    recursion = recursion_of(space, seen)
    stable, stationary = stationary_part(recursion)
    covariances = np.array(autocovariances(stable, lags))
    return Moments(
        _with_errors(covariances, seen), np.swapaxes(recursion.H, 1, 2), np.asarray(stationary)
    )


def responses_of_series(irf: np.ndarray, seen: Seen) -> np.ndarray:
    """Responses (n, S, H+1, V) of the series from those (n, S, H+1, O) of the observables."""
    paths = irf[..., list(seen.observables)].copy()
    for k, differenced in enumerate(seen.differenced):
        if differenced:
            paths[:, :, 1:, k] = np.diff(irf[..., seen.observables[k]], axis=2)
    return paths


def moments_of_responses(irf: np.ndarray, seen: Seen, lags: int) -> Moments:
    """Of responses (n, S, H+1, O) that end with their horizon."""
    paths = responses_of_series(irf, seen)
    covariances = autocovariances_of_responses(paths, lags)
    stationary = np.ones((len(irf), paths.shape[3]), dtype=bool)
    return Moments(_with_errors(covariances, seen), paths[:, :, 0], stationary)


def _with_errors(covariances: np.ndarray, seen: Seen) -> np.ndarray:
    diagonal = np.arange(len(seen.observables))
    covariances[:, 0, diagonal, diagonal] += seen.errors**2
    return covariances


def reduced_form(moments: Moments, shock: int) -> Reduced:
    """The population's autoregression with as many lags as there are autocovariances, NaN where it
    has none: a series that is not stationary, or innovations that depend on each other. The shock
    itself is the instrument.
    """
    n, count, size, _ = moments.covariances.shape
    lags = count - 1
    scale, coefficients, covariance = _of_unit_variance(moments)
    usable = ~_singular(covariance)
    coefficients = coefficients.reshape(n, lags, size, size)
    with np.errstate(all="ignore"):
        coefficients = coefficients * scale[:, None, None, :] / scale[:, None, :, None]
        covariance = covariance * (scale[:, :, None] * scale[:, None, :])
    constant = np.zeros((n, 1, size))
    coefficients = np.concatenate([constant, coefficients.reshape(n, lags * size, size)], axis=1)
    coefficients[~usable] = np.nan
    covariance[~usable] = np.eye(size)
    return Reduced(coefficients, covariance, lags, moments.impact[:, shock])


def _of_unit_variance(moments: Moments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standard deviations (n, V), and coefficients (n, L V, V) and the innovations' covariance
    (n, V, V) of the series divided by them; NaN where a series has none.
    """
    n, count, size, _ = moments.covariances.shape
    lags = count - 1
    usable = moments.stationary.all(axis=1) & np.isfinite(moments.covariances).all(axis=(1, 2, 3))
    with np.errstate(invalid="ignore"):
        scale = np.sqrt(np.einsum("nvv->nv", moments.covariances[:, 0]))
    usable &= (scale > 0).all(axis=1)
    with np.errstate(all="ignore"):
        g = moments.covariances / (scale[:, None, :, None] * scale[:, None, None, :])
    g[~usable] = np.concatenate([np.eye(size)[None], np.zeros((lags, size, size))])
    by_lag = np.concatenate([g, g[:, :0:-1].swapaxes(2, 3)], axis=1)  # l, and -l from the end
    apart = np.arange(lags)[None, :] - np.arange(lags)[:, None]
    past = by_lag[:, apart].transpose(0, 1, 3, 2, 4).reshape(n, lags * size, lags * size)
    with_now = g[:, 1:].transpose(0, 1, 3, 2).reshape(n, lags * size, size)
    coefficients = _solved(past, with_now)
    covariance = g[:, 0] - with_now.swapaxes(1, 2) @ coefficients
    covariance = 0.5 * (covariance + covariance.swapaxes(1, 2))
    covariance[~usable] = np.nan
    return scale, coefficients, covariance


def why_none(moments: Moments, names: Sequence[str]) -> str:
    """Why the first draw has no autoregression, in words; empty where it has one."""
    _, _, covariance = _of_unit_variance(moments)
    if not _singular(covariance)[0]:
        return ""
    wandering = [
        name for name, there in zip(names, moments.stationary[0], strict=True) if not there
    ]
    if wandering:
        return (
            f"{', '.join(wandering)} has a unit root, so that it has no autocovariances; run"
            " the VAR on its first difference"
        )
    still = [
        name
        for k, name in enumerate(names)
        if not moments.covariances[0, 0, k, k] > 0 or covariance[0, k, k] <= SINGULAR
    ]
    if still:
        return f"{', '.join(still)} does not move, or follows from the past of all series"
    size = np.sqrt(np.diag(covariance[0]))
    _, vectors = np.linalg.eigh(covariance[0] / np.outer(size, size))
    together = [n for n, weight in zip(names, np.abs(vectors[:, 0]), strict=True) if weight > NAMED]
    return f"the innovations of {', '.join(together)} depend on each other"


def _solved(matrices: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Solutions of stacks of equations, the smallest ones where a matrix is singular."""
    try:
        return np.linalg.solve(matrices, sides)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(matrices, hermitian=True) @ sides)


def _singular(covariance: np.ndarray) -> np.ndarray:
    """Which innovations (n,), of series of unit variance, depend on each other or are no news."""
    news = np.einsum("nvv->nv", covariance)
    usable = (news > SINGULAR).all(axis=1) & np.isfinite(covariance).all(axis=(1, 2))
    singular = ~usable
    rows = np.flatnonzero(usable)
    size = np.sqrt(news[rows])
    correlations = covariance[rows] / (size[:, :, None] * size[:, None, :])
    singular[rows] = np.linalg.eigvalsh(correlations)[:, 0] < SINGULAR
    return singular
