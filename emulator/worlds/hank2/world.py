"""`hank2`: New Keynesian economy of households that hold liquid assets and illiquid ones, which are
costly to adjust.

Households: `household.py`, solved by `steady.py`; their Jacobians: `fake_news.py`; firms, unions,
central bank, government, markets: `equilibrium.py` and `closure.py`. Auclert, Bardóczy, Rognlie and
Straub (2021), Using the Sequence-Space Jacobian to Solve and Estimate Heterogeneous-Agent Models,
Econometrica 89, 2375-2408, doi:10.3982/ECTA17434; with the defaults of `spec.py` the economy is
their two-asset example.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import inf
from typing import Any, NamedTuple

import numpy as np

from emulator.closures.closure import Closure
from emulator.errors import NoSolutionError, ParameterError, unknown_name
from emulator.spec import Status
from emulator.worlds.hank2.accuracy import errors_on
from emulator.worlds.hank2.equilibrium import Policy, determinacy, rest_of
from emulator.worlds.hank2.household import CAPITAL, DELTA, GRID, Size, SteadyState, Tastes
from emulator.worlds.hank2.spec import SPEC
from emulator.worlds.hank2.structure import closure, part
from emulator.worlds.households.world import (
    HouseholdWorld,
    Row,
    Solved,
    below,
    draw_solved,
    processes,
    stationary,
    threads,
    unsolved,
)

SHORT, LONG = 600, 1200
"""After how many quarters the economy is taken to be at rest again; the long truncation answers
where the short one cannot tell.
"""
HORIZON, CHECKED, WATCHED = 400, 200, 40
"""The last quarter that is answered, the last in which what the equations miss is measured, and the
last that follows from the part.
"""
FEWEST = Size(8, 12, 3)
"""Points of the smallest grids."""
UNITS = np.array([100.0, 400.0, 400.0, 100.0, 100.0, 100.0])
ERROR_TOLERANCE = 1e-5
SETTLED, FADED = 1e-3, 2e-2
"""Largest last response relative to the peak, in the short truncation and in the long one: a path
that is not back at rest by then is cut off rather than solved.
"""
N_TASTES, N_POLICY, N_SHOCKS = len(Tastes._fields), 9, len(SPEC.shocks)


class Household(NamedTuple):
    """Households at rest; the Jacobians of wealth and marginal utility, whole and on the periods
    that are kept; that of consumption, as a share of it, to the last quarter that is answered.
    """

    steady: SteadyState
    markets: Any
    projected: Any
    watched: Any


@lru_cache(maxsize=1024)
def solve_draw(row: Row, size: Size = GRID, periods: int = SHORT, ahead: int = 0) -> Solved:
    """One draw of theta, remembered; where there is no solution its responses are NaN and its
    status says why. What the short truncation cannot tell the long one says. ahead: quarters that
    shocks are known before they occur.

    Raises `MissingExtraError`.
    """
    answer = draw_solved(SPEC, HORIZON, row, _meaningful, lambda: _solve(row, size, periods, ahead))
    return answer or solve_draw(row, size, LONG, ahead)


def _solve(row: Row, size: Size, periods: int, ahead: int) -> Solved | None:
    """One draw, or None where the short truncation cannot tell. Raises `NoSolutionError`."""
    from emulator.worlds.hank2.closure import close

    policy = Policy(*row[N_TASTES : N_TASTES + N_POLICY])
    persistence, sizes = np.reshape(row[N_TASTES + N_POLICY :], (2, N_SHOCKS))
    tastes = Tastes(*row[:N_TASTES])
    household = solve_household(tastes, size, periods)
    if periods == SHORT:
        numbers_of(tastes, size)  # remembered while the Jacobians are at hand
    rest = rest_of(household.steady, policy.debt)
    status = determinacy(household.markets, rest, policy)
    if status == Status.NOT_CONVERGED and periods == SHORT:
        return None
    if status != Status.OK:
        return unsolved(SPEC, HORIZON, status)
    forces = processes(persistence, periods, ahead)
    closed = close(household.markets, household.projected, rest, policy, forces, rows=CHECKED + 1)
    paths = observed(household, closed)
    responses = (UNITS[:, None, None] * paths).transpose(2, 1, 0) * (sizes / 100)[:, None, None]
    error = max(closed.error, household.steady.error())
    exact = error <= ERROR_TOLERANCE and np.isfinite(responses).all()
    if exact and below(responses, HORIZON, SETTLED if periods == SHORT else FADED):
        return Solved(Status.OK, responses, error)
    return None if periods == SHORT else unsolved(SPEC, HORIZON, Status.NOT_CONVERGED)


def observed(household: Household, closed: Any) -> np.ndarray:
    """Paths (6, H+1, K) of the observables, as shares of rest and as quarterly rates."""
    prices, rows = closed.prices, HORIZON + 1
    by_r, by_income = household.watched.foreseen[0]
    consumption = by_r @ prices.r + by_income @ prices.income
    consumption += household.watched.surprise[0, :, None] * prices.surprise[0]
    listed = [closed.y, closed.pi, prices.i, prices.hours, prices.investment / (DELTA * CAPITAL)]
    first = [path[:rows] for path in listed]
    return np.stack([*first[:3], consumption, *first[3:]])


def rest(tastes: Tastes, size: Size = GRID) -> SteadyState:
    """The steady state, remembered for draws that share these tastes.

    Raises `NoSolutionError`, `MissingExtraError`.
    """
    answer = _rest(tastes, size)
    if isinstance(answer, str):
        raise NoSolutionError(answer)
    return answer


@lru_cache(maxsize=64)
def _rest(tastes: Tastes, size: Size) -> SteadyState | str:
    """The steady state, or why there is none: to find none takes ten times as long."""
    from emulator.worlds.hank2.steady import calibrate

    try:
        return calibrate(tastes, size)
    except NoSolutionError as error:
        return str(error)


@lru_cache(maxsize=8)
def solve_household(tastes: Tastes, size: Size = GRID, periods: int = SHORT) -> Household:
    """Steady state and Jacobians, remembered for draws that share these tastes.

    Raises `NoSolutionError`, `MissingExtraError`.
    """
    from emulator.worlds.hank2.closure import project
    from emulator.worlds.hank2.fake_news import FakeNews, markets, watched

    steady = rest(tastes, size)
    news = FakeNews(steady, periods)
    jacobian = news.jacobian(markets(steady), periods)
    beside = news.jacobian(watched(steady), HORIZON + 1)
    return Household(steady, jacobian, project(jacobian), beside)


@lru_cache(maxsize=512)
def numbers_of(tastes: Tastes, size: Size = GRID) -> np.ndarray:
    """The numbers of the dear part (D,), remembered longer than the Jacobians, which are a hundred
    times as many: who solves many draws asks for the parts when all are solved.

    Raises `NoSolutionError`, `MissingExtraError`.
    """
    steady, markets, _, watched = solve_household(tastes, size)
    return part(steady, markets, watched, WATCHED)


def _meaningful(row: Row) -> bool:
    """Whether the method of solution takes the draw, whose parameters are within their bounds: no
    explosive process, prices and wages that move, firms that sell above cost.
    """
    named = dict(zip(SPEC.parameter_names, row, strict=True))
    tastes = Tastes(*row[:N_TASTES])
    equity = tastes.wealth - named["debt"]
    profitable = CAPITAL < equity < CAPITAL + 0.5 / tastes.r
    assets = tastes.liquid < tastes.wealth and tastes.income > 0 and tastes.spread < 1
    moving = named["kappa"] > 0 and named["kappa_w"] > 0
    return profitable and assets and moving and stationary(SPEC, row)


@lru_cache(maxsize=16)
def _on_grids(size: Size) -> TwoAssets:
    return TwoAssets(size)


class TwoAssets(HouseholdWorld):
    """The world `hank2`; see the module's text for the model."""

    spec = SPEC
    dear = Tastes._fields
    longest_horizon = HORIZON

    def __init__(self, size: Size = GRID) -> None:
        self.size = size

    @property
    def settings(self) -> Mapping[str, float]:
        """Points of the grids."""
        return self.size._asdict()

    @property
    def solution_error(self) -> Mapping[str, tuple[float, ...]]:
        """The error of the grids, where it was measured."""
        return errors_on(self.size)

    def with_settings(self, settings: Mapping[str, float]) -> TwoAssets:
        """The economy on other grids; see `World.with_settings`."""
        for name in settings:
            if name not in Size._fields:
                raise unknown_name("setting of world 'hank2'", name, Size._fields)
        points = [{**self.settings, **settings}[name] for name in Size._fields]
        if not all(n == n // 1 and few <= n < inf for n, few in zip(points, FEWEST, strict=True)):
            raise ParameterError(
                f"The grids of 'hank2' have {points[0]:g} liquid and {points[1]:g} illiquid assets"
                f" and {points[2]:g} multipliers; expected whole numbers of {FEWEST.liquid},"
                f" {FEWEST.illiquid}, {FEWEST.multipliers} or more."
            )
        size = Size(*(int(n) for n in points))
        return self if size == self.size else _on_grids(size)

    def require(self) -> None:
        import emulator.worlds.hank2.kernels  # noqa: F401  names the extra where Numba is missing

        threads()

    @property
    def closure(self) -> Closure:
        return closure(SHORT, WATCHED)

    def meaningful(self, row: Row) -> bool:
        return _meaningful(row)

    def solved(self, row: Row, horizon: int, ahead: int = 0) -> Solved:
        return solve_draw(row, self.size, SHORT, ahead)

    def households_part(self, dear: Row) -> np.ndarray:
        return numbers_of(Tastes(*dear), self.size)

    def spent_of_cash(self, dear: Row) -> float:
        from emulator.worlds.hank2.fake_news import Step

        steady = rest(Tastes(*dear), self.size)
        return steady.mean(Step(steady).spent_of_cash())
