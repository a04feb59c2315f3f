"""Second moments of simulated paths, for worlds that have no theoretical ones.

Axes: n draw, T period, S shock, O observable, L lag.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.asking import Asking
from emulator.inference.higher_order import simulated
from emulator.inference.moments.arrays import CONSTANT, Asked
from emulator.solvers.filters import Filter
from emulator.spec import WorldSpec
from emulator.worlds.base import World

BURNT = 100
"""Periods at the start of a path that do not count."""

BLOCK_NUMBERS = 2**23
"""Shocks drawn at once."""


def simulated_moments(
    world: World, theta: np.ndarray, asked: Asked, periods: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """As `arrays.second_moments`, of paths of so many periods from the steady state, after `BURNT`
    more; with `average` (n, O), the mean of each path. NaN at draws without a solution.

    Raises `ParameterError` where a path is not longer than the lags, and for a world that has none.
    """
    if world.spec.linear and not world.spec.shocks_add_up:
        raise ParameterError(
            f"World '{world.spec.name}' simulates averages over regimes, which move less than the"
            " economy itself; their moments are not its own."
        )
    if not world.has_trajectories:
        raise ParameterError(f"World '{world.spec.name}' answers with responses, not with paths.")
    return _of_paths(
        lambda rows, shocks: world.simulate(rows, shocks, on_failure="nan"),
        world.spec,
        theta,
        asked,
        periods,
        rng,
    )


def moments_of_pruned_paths(
    asking: Asking,
    theta: np.ndarray,
    asked: Asked,
    periods: int,
    rng: np.random.Generator,
    order: int,
) -> dict[str, np.ndarray]:
    """The same of pruned paths of second or third order, whose mean is that of the levels."""
    levels = asking.answerer.levels(theta)[:, asked.observed]
    moments = _of_paths(
        lambda rows, shocks: simulated(
            asking, rows, shocks, start=None, order=order, on_failure="nan"
        ),
        asking.spec,
        theta,
        asked,
        periods,
        rng,
    )
    return moments | {"average": moments["average"] + levels}


def _of_paths(
    simulate: Callable[[np.ndarray, np.ndarray], np.ndarray],
    spec: WorldSpec,
    theta: np.ndarray,
    asked: Asked,
    periods: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    if periods < asked.lags + 2:
        raise ParameterError(
            f"A path of {periods} periods has no autocorrelation at lag {asked.lags}; ask for"
            f" simulated={10 * (asked.lags + 2)} or more."
        )
    block = max(1, BLOCK_NUMBERS // ((periods + BURNT) * max(spec.n_shocks, spec.n_observables)))
    parts = []
    for start in range(0, len(theta), block):
        rows = theta[start : start + block]
        shocks = rng.standard_normal((len(rows), periods + BURNT, spec.n_shocks))
        with np.errstate(all="ignore"):
            paths = simulate(rows, shocks)[:, BURNT:, asked.observed]
        parts.append(_moments(paths, asked))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _moments(paths: np.ndarray, asked: Asked) -> dict[str, np.ndarray]:
    average = paths.mean(axis=1)
    solved = np.isfinite(paths).all(axis=(1, 2))
    deviations = paths - average[:, None]
    if asked.filter is not None:
        deviations = _filtered(deviations, asked.filter)
        deviations -= deviations.mean(axis=1, keepdims=True)
    periods = deviations.shape[1]
    covariances = np.stack(
        [
            np.einsum(
                "nto,ntp->nop", deviations[:, lag:], deviations[:, : periods - lag], optimize=True
            )
            / periods
            for lag in range(asked.lags + 1)
        ],
        axis=1,
    )
    deviation = np.sqrt(np.einsum("noo->no", covariances[:, 0]))
    largest = np.nanmax(deviation, axis=1, initial=0.0, keepdims=True)
    constant = deviation <= CONSTANT * largest
    size = deviation[:, :, None] * deviation[:, None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.where(size > 0, 1.0, np.nan)[:, None] * covariances / size[:, None]
    moments = {
        "average": average,
        "covariance": covariances[:, 0],
        "correlation": correlations[:, 0],
        "autocorrelation": np.einsum("nloo->nlo", correlations[:, 1:]).copy(),
        "stationary": np.ones_like(constant),
        "constant": constant,
        "solved": solved,
    }
    if asked.cross:
        moments["cross_correlation"] = correlations[:, 1:]
    return moments


def _filtered(paths: np.ndarray, by: Filter) -> np.ndarray:
    """Filtered paths: differences, or the cycle that the HP filter leaves of a sample."""
    if by.causal:
        return np.diff(paths, axis=1)
    return paths - hp_trend(paths, by.smoothing)


def hp_trend(paths: np.ndarray, smoothing: float) -> np.ndarray:
    """The HP filter's trend of paths (n, T, O): `(I + lambda D'D)^-1 y`, D second differences.

    Hodrick and Prescott (1997), J. Money, Credit and Banking 29, 1-16, doi:10.2307/2953682.
    """
    from scipy.linalg import solveh_banded

    periods = paths.shape[1]
    differences = np.zeros((3, periods))
    weights: Any = (1.0, -2.0, 1.0)
    for shift in range(3):  # the upper diagonals of D'D
        for k in range(3 - shift):
            differences[shift, k : periods - 2 + k] += weights[k] * weights[k + shift]
    banded = np.zeros((3, periods))
    for shift in range(3):
        row = smoothing * differences[shift, : periods - shift] + (shift == 0)
        banded[2 - shift, shift:] = row
    columns = np.moveaxis(paths, 1, 0).reshape(periods, -1)
    finite = np.isfinite(columns).all(axis=0)
    trend = np.full_like(columns, np.nan)
    trend[:, finite] = solveh_banded(banded, columns[:, finite])
    return np.moveaxis(trend.reshape(periods, len(paths), -1), 0, 1)
