"""`hank`: New Keynesian economy of households that differ in skill and wealth and cannot borrow
(one asset).

Households: `household.py`, solved by `steady.py`; what is summed over them:
`outputs.py`; their Jacobians: `fake_news.py`; firms, central bank, government, markets:
`equilibrium.py` and `closure.py`. Auclert, Bardóczy, Rognlie and Straub (2021), Using the
Sequence-Space Jacobian to Solve and Estimate Heterogeneous-Agent Models, Econometrica 89,
2375-2408, doi:10.3982/ECTA17434; with the defaults of `spec.py` the economy is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import inf
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from emulator.closures.closure import Closure
from emulator.errors import NoSolutionError, ParameterError, unknown_name
from emulator.spec import Status
from emulator.worlds.hank import regime
from emulator.worlds.hank.accuracy import errors_on
from emulator.worlds.hank.closure import close
from emulator.worlds.hank.equilibrium import Paths, Policy, determinacy, incomes
from emulator.worlds.hank.household import (
    BEFORE,
    GRID,
    SKILLS,
    Grid,
    SteadyState,
    Tastes,
)
from emulator.worlds.hank.spec import SPEC
from emulator.worlds.hank.structure import closure, margins, part
from emulator.worlds.households.world import (
    HouseholdWorld,
    Row,
    Solved,
    attempted,
    below,
    draw_solved,
    processes,
    stationary,
    threads,
    unsolved,
)


class Truncation(NamedTuple):
    """After how many quarters the economy is taken to be at rest again, and the last quarter that
    is then answered.
    """

    periods: int
    horizon: int


SHORT = Truncation(periods=200, horizon=40)
LONG = Truncation(periods=300, horizon=200)
SETTLED_AT, SETTLED = 150, 5e-3
"""In the short truncation: where a response is above this share of its peak at this quarter, the
economy may be far from rest at the end, and the long one answers.
"""
HORIZON = LONG.horizon
UNITS = np.array([100.0, 400.0, 400.0, 100.0, 100.0, 100.0, 100.0])
FEWEST_POINTS = 20
NONE_HELD = (float("nan"),) * SKILLS
ERROR_TOLERANCE = 1e-7
FADED = 1e-3
"""Largest last response relative to the peak: a path that is not back at rest by then is cut off
rather than solved.
"""

N_TASTES, N_POLICY, N_SHOCKS = len(Tastes._fields), len(Policy._fields), len(SPEC.shocks)


@lru_cache(maxsize=1024)
def solve_draw(row: Row, truncation: Truncation, grid: Grid = GRID, ahead: int = 0) -> Solved:
    """One draw of theta, remembered; where there is no solution its responses are NaN and its
    status says why. What the short truncation cannot tell the long one says. ahead: quarters that
    shocks are known before they occur.

    Raises `MissingExtraError`.
    """
    answer = draw_solved(
        SPEC, HORIZON, row, _meaningful, lambda: _solve(row, truncation, grid, ahead)
    )
    return answer or solve_draw(row, LONG, grid, ahead)


def _solve(row: Row, truncation: Truncation, grid: Grid, ahead: int) -> Solved | None:
    """One draw, or None where the short truncation cannot tell. Raises `NoSolutionError`."""
    tastes, policy = Tastes(*row[:N_TASTES]), Policy(*row[N_TASTES : N_TASTES + N_POLICY])
    persistence, size = np.reshape(row[N_TASTES + N_POLICY :], (2, N_SHOCKS))
    household = solve_household(tastes, truncation, grid)
    held_up_to(tastes, grid)  # remembered for who asks for the regime
    status = determinacy(household.jacobian_OITT, tastes, policy)
    if status == Status.NOT_CONVERGED and truncation == SHORT:
        return None
    if status != Status.OK:
        return unsolved(SPEC, HORIZON, status)
    forces = processes(persistence, truncation.periods, ahead)
    paths, error = close(household.jacobian_OITT, tastes, policy, forces)
    others = _watched(household, tastes, policy, paths, forces)
    unit = (UNITS[: len(paths), None, None] * paths).transpose(2, 1, 0)
    if truncation == SHORT and not below(unit, SETTLED_AT, SETTLED):
        return None
    error = max(error, household.steady.error(tastes.debt))
    rows = truncation.horizon + 1
    beside = (UNITS[len(paths) :, None, None] * others).transpose(2, 1, 0)
    responses = np.concatenate([unit[:, :rows], beside], axis=2) * (size / 100)[:, None, None]
    faded = truncation == SHORT or below(unit, HORIZON, FADED)
    exact = error <= ERROR_TOLERANCE and np.isfinite(responses).all()
    if not (exact and faded):
        return unsolved(SPEC, HORIZON, Status.NOT_CONVERGED)
    return Solved(Status.OK, responses, error)


class Household(NamedTuple):
    """Households at rest and their Jacobians (O, I, T, T): [o, i, t, s] is output o at t by input i
    at s, foreseen from period 0. `watched_OIHT` are those, up to the last quarter that is answered,
    of what no market needs: consumption of groups, by its value at rest.
    """

    steady: SteadyState
    jacobian_OITT: np.ndarray
    watched_OIHT: np.ndarray


def _watched(
    household: Household, tastes: Tastes, policy: Policy, paths: np.ndarray, forces: np.ndarray
) -> np.ndarray:
    """Paths (4, H+1, K) of consumption, hours and consumption of the groups, in fractions of each
    at rest, under paths (3, T, K) of output, inflation and the rate and processes (4, T, K).
    """
    y, pi, _ = paths
    faced = incomes(Paths(household.jacobian_OITT), tastes, policy, y, pi, forces)
    inputs = np.concatenate([faced.r, faced.w, faced.tau])
    by_inputs = np.concatenate(list(household.watched_OIHT.swapaxes(0, 1)), axis=2)
    _, technology, purchases, _ = forces
    everybody = np.stack([y - purchases, y - technology])[:, : by_inputs.shape[1]]
    return np.concatenate([everybody, by_inputs @ inputs])


@lru_cache(maxsize=64)
def rest(tastes: Tastes, grid: Grid = GRID) -> SteadyState:
    """The steady state, remembered for draws that share these tastes.

    Raises `NoSolutionError`, `MissingExtraError`.
    """
    from emulator.worlds.hank.steady import calibrate

    return calibrate(tastes, grid)


@lru_cache(maxsize=64)
def solve_household(tastes: Tastes, truncation: Truncation, grid: Grid = GRID) -> Household:
    """Steady state and Jacobians, remembered for draws that share these tastes.

    Raises `NoSolutionError`, `MissingExtraError`.
    """
    from emulator.worlds.hank.fake_news import jacobians

    steady = rest(tastes, grid)
    markets, watched = jacobians(tastes, steady, truncation.periods, truncation.horizon, grid.fade)
    return Household(steady, markets, watched)


@lru_cache(maxsize=8192)
def held_up_to(tastes: Tastes, grid: Grid = GRID) -> tuple[float, ...]:
    """`structure.margins`, remembered longer than the state of rest; NaN where there is none.

    Raises `MissingExtraError`.
    """
    return attempted(lambda: tuple(margins(tastes, rest(tastes, grid))), NONE_HELD)


def _meaningful(row: Row) -> bool:
    """Whether the method of solution takes the draw, whose parameters are within their bounds."""
    return row[SPEC.index("kappa")] > 0 and stationary(SPEC, row)


@lru_cache(maxsize=16)
def _on_grid(grid: Grid) -> HeterogeneousAgents:
    return HeterogeneousAgents(grid)


class HeterogeneousAgents(HouseholdWorld):
    """The world `hank`; see the module's text for the model."""

    spec = SPEC
    dear = Tastes._fields
    longest_horizon = HORIZON

    def __init__(self, grid: Grid = GRID) -> None:
        self.grid = grid

    @property
    def settings(self) -> Mapping[str, float]:
        """The asset grid, and how far groups fade out."""
        return self.grid._asdict()

    settings_before = MappingProxyType(BEFORE._asdict())

    @property
    def solution_error(self) -> Mapping[str, tuple[float, ...]]:
        """The error of the asset grid, where it was measured."""
        return errors_on(self.grid)

    regimes = regime.REGIMES

    def with_settings(self, settings: Mapping[str, float]) -> HeterogeneousAgents:
        """The economy on another asset grid; see `World.with_settings`."""
        for name in settings:
            if name not in Grid._fields:
                raise unknown_name("setting of world 'hank'", name, Grid._fields)
        points, pivot, top, fade = ({**self.settings, **settings}[name] for name in Grid._fields)
        whole = points == points // 1 and FEWEST_POINTS <= points < inf
        if not whole or not 0 < pivot < top < inf:
            raise ParameterError(
                f"The asset grid of 'hank' has {points:g} points, pivot {pivot:g} and top {top:g};"
                f" expected a whole number of {FEWEST_POINTS} points or more, and 0 < pivot < top."
            )
        if not 0 <= fade <= 1:
            raise ParameterError(
                f"The groups of 'hank' fade over {fade:g} of their ranks; expected 0 (they end at"
                " one household) to 1."
            )
        grid = Grid(int(points), pivot, top, fade)
        return self if grid == self.grid else _on_grid(grid)

    def require(self) -> None:
        import emulator.worlds.hank.kernels  # noqa: F401  names the extra where Numba is missing

        threads()

    def meaningful(self, row: Row) -> bool:
        return _meaningful(row)

    def solved(self, row: Row, horizon: int, ahead: int = 0) -> Solved:
        truncation = SHORT if horizon <= SHORT.horizon else LONG
        return solve_draw(row, truncation, self.grid, ahead)

    def households_part(self, dear: Row) -> np.ndarray:
        tastes = Tastes(*dear)
        return part(tastes, *solve_household(tastes, SHORT, self.grid))

    def spent_of_cash(self, dear: Row) -> float:
        from emulator.worlds.hank.fake_news import differentiate

        tastes = Tastes(*dear)
        steady = rest(tastes, self.grid)
        return steady.mean(differentiate(tastes, steady).c_slope)

    def constrained_skills(self, theta: np.ndarray) -> np.ndarray:
        """How many of the seven skills would borrow at no assets if they could, (n,) int: the
        regime. Raises `NoSolutionError` for tastes without a steady state.
        """
        held = self._held_up_to(theta)
        missing = np.isnan(held).any(axis=1)
        if missing.any():
            raise NoSolutionError(
                f"World 'hank': {missing.sum()} of {len(held)} draws have no steady state, and no"
                f" regime; the first is row {np.flatnonzero(missing)[0]}."
            )
        return regime.constrained(held)

    def regime(self, theta: np.ndarray) -> np.ndarray:
        return self.constrained_skills(theta)

    def regime_margin(self, theta: np.ndarray) -> np.ndarray:
        """See `World.regime_margin`; NaN where no state of rest is found."""
        return regime.margin(self._held_up_to(theta))

    def _held_up_to(self, theta: np.ndarray) -> np.ndarray:
        theta = self.spec.check_theta(theta)
        held = [
            held_up_to(Tastes(*row[:N_TASTES]), self.grid) if self.can_be(tuple(row)) else NONE_HELD
            for row in theta.tolist()
        ]
        return np.array(held).reshape(-1, SKILLS)

    @property
    def closure(self) -> Closure:
        return closure(SHORT.periods, SHORT.horizon)
