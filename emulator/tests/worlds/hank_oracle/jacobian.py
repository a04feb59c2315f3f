"""Jacobians of `hank`'s households: how aggregate assets and labour follow any foreseen path of r,
w and tau.

One backward step on the endogenous grid is as sparse as the interpolation in it, so its derivative
is written down exactly and taken once; the fake-news algorithm turns it into Jacobians (Auclert,
Bardóczy, Rognlie and Straub 2021, Econometrica 89, section 3, doi:10.3982/ECTA17434). Axes: E
skill, A asset, N = E A household state, I input (r, w, tau), O output (assets, labour), T period.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse

from emulator.tests.worlds.hank_oracle.steady import calibrate
from emulator.worlds.hank.household import Grid, SteadyState, Tastes

INPUTS = ("r", "w", "tau")
R, W, _ = range(len(INPUTS))
OUTPUTS = ("assets", "labour")


@dataclass(frozen=True)
class Household:
    """Households at rest and their Jacobians (O, I, T, T): [o, i, t, s] is output o at t by input i
    at s, foreseen from period 0.
    """

    steady: SteadyState
    jacobian_OITT: np.ndarray


@lru_cache(maxsize=16)
def solve_household(tastes: Tastes, grid: Grid, periods: int) -> Household:
    """Steady state and Jacobians, remembered for draws that share these tastes.

    Raises `NoSolutionError`, `MissingExtraError`.
    """
    steady = calibrate(tastes, grid)
    return Household(steady, jacobian(tastes, steady, periods))


@dataclass(frozen=True)
class Step:
    """One backward step, differentiated, household by household.

    cash (N, I): by how much a unit of r, w or tau raises what can be spent, at the hours that a
    higher wage calls forth; c_slope, n_slope (N,): consumption and hours by cash; c_ahead, n_ahead:
    by E[V_a'], sparse (N, N); curvature (N,): V_a by c.
    """

    cash: np.ndarray
    c_slope: np.ndarray
    n_slope: np.ndarray
    c_ahead: sparse.csr_array
    n_ahead: sparse.csr_array
    curvature: np.ndarray


def differentiate(tastes: Tastes, s: SteadyState) -> Step:
    """The derivative of the endogenous-grid step at rest; constrained households react to today's
    budget alone.
    """
    eis, frisch, skill = tastes.eis, tastes.frisch, s.skill[:, None]
    wage, price = tastes.wage * skill, s.beta * s.marginal
    c_next, n_next = (
        price**-eis,
        (wage * price / s.vphi) ** frisch,
    )  # at next period's grid points, as is cash_next
    cash_next = c_next - wage * n_next + s.grid - tastes.tau * skill
    left, weight, width = _bracket(cash_next, np.broadcast_to((1 + tastes.r) * s.grid, s.a.shape))
    free, elastic = s.a > s.grid[0], eis * s.c + frisch * wage * s.n
    c_slope = np.where(free, _rise(c_next, left) / width, eis * s.c / elastic)
    n_slope = np.where(free, _rise(n_next, left) / width, -frisch * s.n / elastic)

    def ahead(own: np.ndarray, slope: np.ndarray) -> sparse.csr_array:
        """A dearer future changes the point's own choice, and the cash at which that choice is
        made.
        """
        by_point = own / s.marginal, (eis * c_next + frisch * wage * n_next) / s.marginal
        parts = [
            np.where(free, w * (_at(by_point[0], left, k) + slope * _at(by_point[1], left, k)), 0.0)
            for k, w in enumerate((weight, 1 - weight))
        ]
        return _two_per_row(left, *parts)

    return Step(
        cash=np.stack(np.broadcast_arrays(s.grid, (1 + frisch) * s.labour, skill), axis=-1).reshape(
            -1, len(INPUTS)
        ),
        c_slope=c_slope.ravel(),
        n_slope=n_slope.ravel(),
        c_ahead=ahead(-eis * c_next, c_slope),
        n_ahead=ahead(frisch * n_next, n_slope),
        curvature=(-(1 + tastes.r) / eis * s.c ** (-1 / eis - 1)).ravel(),
    )


def jacobian(tastes: Tastes, s: SteadyState, periods: int) -> np.ndarray:
    """Jacobians (O, I, T, T) by the fake-news algorithm."""
    today_OIT, saving_ITN = _anticipate(tastes, s, periods)
    worth_OTN = _worth_of_saving(s, periods - 1)
    result = np.empty((len(OUTPUTS), len(INPUTS), periods, periods))
    result[:, :, 0] = today_OIT
    for o, worth in enumerate(worth_OTN):
        for i, saving in enumerate(saving_ITN):
            np.matmul(worth, saving.T, out=result[o, i, 1:])
    for t in range(1, periods):
        result[:, :, 1:, t] += result[:, :, :-1, t - 1]
    return result


def _anticipate(tastes: Tastes, s: SteadyState, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """What an input t periods ahead changes today: the outputs (O, I, T) and every household's
    saving (I, T, N).
    """
    step = differentiate(tastes, s)
    mass, skill = s.distribution.ravel(), np.repeat(s.skill, len(s.grid))
    c, n = (slope[:, None] * step.cash for slope in (step.c_slope, step.n_slope))
    saving = step.cash + (tastes.wage * skill)[:, None] * n - c
    n[:, W] += tastes.frisch * s.n.ravel() / tastes.wage  # whose pay is in cash already
    marginal = step.curvature[:, None] * c
    marginal[:, R] += s.c.ravel() ** (-1 / tastes.eis)
    today, savings = (
        np.empty((len(OUTPUTS), len(INPUTS), periods)),
        np.empty((len(INPUTS), periods, s.a.size)),
    )
    for t in range(periods):
        today[:, :, t] = mass @ saving, (mass * skill) @ n
        savings[:, t] = saving.T
        expected = _expect(s, marginal)
        c, n = step.c_ahead @ expected, step.n_ahead @ expected
        saving, marginal = (tastes.wage * skill)[:, None] * n - c, step.curvature[:, None] * c
    return today, savings


def _worth_of_saving(s: SteadyState, periods: int) -> np.ndarray:
    """What a unit more saved today adds to each output in 1, 2, ... periods, times the mass of
    savers, (O, T, N).
    """
    left, weight, width = _bracket(np.broadcast_to(s.grid, s.a.shape), s.a)
    lottery = _two_per_row(left, weight, 1 - weight)
    rise = _two_per_row(left, -s.distribution / width, s.distribution / width)
    expected = np.stack([s.a.ravel(), s.labour.ravel()], axis=1)
    worth = np.empty((len(OUTPUTS), periods, s.a.size))
    for t in range(periods):
        expected = _expect(s, expected)
        worth[:, t] = (rise @ expected).T
        expected = lottery @ expected
    return worth


def _bracket(points: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where `at` lies among ascending points (E, A): the left neighbour, its weight, and the
    distance of its neighbours.
    """
    left = np.stack([np.searchsorted(row, x) - 1 for row, x in zip(points, at, strict=True)]).clip(
        0, points.shape[1] - 2
    )
    width = _rise(points, left)
    return left, (_at(points, left, 1) - at) / width, width


def _at(values: np.ndarray, left: np.ndarray, shift: int) -> np.ndarray:
    return np.take_along_axis(values, left + shift, axis=1)


def _rise(values: np.ndarray, left: np.ndarray) -> np.ndarray:
    return _at(values, left, 1) - _at(values, left, 0)


def _two_per_row(left: np.ndarray, low: np.ndarray, high: np.ndarray) -> sparse.csr_array:
    """The sparse (N, N) matrix that weighs, for each household, the two grid points around it with
    its own skill.
    """
    size = left.size
    column = (np.arange(len(left))[:, None] * left.shape[1] + left).ravel()
    columns = np.stack([column, column + 1], axis=1).ravel()
    values = np.stack([low.ravel(), high.ravel()], axis=1).ravel()
    return sparse.csr_array((values, columns, np.arange(0, 2 * size + 1, 2)), shape=(size, size))


def _expect(s: SteadyState, values: np.ndarray) -> np.ndarray:
    """Expectation, given today's skill, of what depends on tomorrow's, (N, k)."""
    return (s.transition @ values.reshape(len(s.skill), -1)).reshape(values.shape)
