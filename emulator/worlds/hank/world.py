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
from dataclasses import dataclass
from functools import cache, lru_cache
from math import inf
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from scipy.signal import fftconvolve

from emulator.closures.closure import Closure
from emulator.errors import MissingExtraError, NoSolutionError, ParameterError, unknown_name
from emulator.spec import DEFAULT_HORIZON, Status
from emulator.worlds.base import OnFailure, World
from emulator.worlds.hank import regime
from emulator.worlds.hank.closure import close
from emulator.worlds.hank.equilibrium import Paths, Policy, determinacy, incomes
from emulator.worlds.hank.household import GRID, PUBLISHED, SKILLS, Grid, SteadyState, Tastes
from emulator.worlds.hank.spec import SPEC
from emulator.worlds.hank.structure import closure, margins, part


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
GRID_ERRORS = {
    GRID: (3.3e-4, 1.9e-4, 2.8e-4, 3.8e-4, 2.6e-4, 1.8e-3, 2.4e-3),
    PUBLISHED: (1.1e-3, 5.2e-4, 4.9e-4, 1.4e-3, 7.9e-4, 6.5e-3, 2.1e-3),
}
"""By observable, the share of a path's peak within which nine of ten paths lie of those on 4,000
points, quarters 0 to 40, 30 draws from the prior (`benchmarks/hank_grid.py`).
"""
ERROR_TOLERANCE = 1e-7
FADED = 1e-3
"""Largest last response relative to the peak: a path that is not back at rest by then is cut off
rather than solved.
"""

N_TASTES, N_POLICY, N_SHOCKS = len(Tastes._fields), len(Policy._fields), len(SPEC.shocks)


@dataclass(frozen=True)
class Solved:
    """What became of one draw: its status, responses (S, H+1, 3) in the units of `World.irf`, and
    their largest relative error.
    """

    status: Status
    irf: np.ndarray
    residual: float


@cache
def _threads() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        raise MissingExtraError("threadpoolctl", "hank") from None
    return ThreadpoolController()


@lru_cache(maxsize=1024)
def solve_draw(row: tuple[float, ...], truncation: Truncation, grid: Grid = GRID) -> Solved:
    """One draw of theta, remembered; where there is no solution its responses are NaN and its
    status says why. What the short truncation cannot tell the long one says.

    On one thread, so that the same digits come out in whatever process it is solved. Raises
    `MissingExtraError`.
    """
    if not SPEC.possible(np.array([row]))[0]:
        return _unsolved(Status.OUTSIDE_BOUNDS)
    if not _meaningful(row):
        return _unsolved(Status.OUTSIDE_RANGE)
    tastes, policy = Tastes(*row[:N_TASTES]), Policy(*row[N_TASTES : N_TASTES + N_POLICY])
    persistence, size = np.reshape(row[N_TASTES + N_POLICY :], (2, N_SHOCKS))
    with _threads().limit(limits=1, user_api="blas"):
        try:
            household = solve_household(tastes, truncation, grid)
            held_up_to(tastes, grid)  # remembered for who asks for the regime
            status = determinacy(household.jacobian_OITT, tastes, policy)
            if status == Status.NOT_CONVERGED and truncation == SHORT:
                return solve_draw(row, LONG, grid)
            if status != Status.OK:
                return _unsolved(status)
            forces = processes(persistence, truncation.periods)
            paths, error = close(household.jacobian_OITT, tastes, policy, forces)
            others = _watched(household, tastes, policy, paths, forces)
        except (NoSolutionError, np.linalg.LinAlgError, ValueError):
            # Besides its own, LAPACK's complaints at odd parameters.
            return _unsolved(Status.NOT_CONVERGED)
    unit = (UNITS[: len(paths), None, None] * paths).transpose(2, 1, 0)
    if truncation == SHORT and not _below(unit, SETTLED_AT, SETTLED):
        return solve_draw(row, LONG, grid)
    error = max(error, household.steady.error(tastes.debt))
    rows = truncation.horizon + 1
    beside = (UNITS[len(paths) :, None, None] * others).transpose(2, 1, 0)
    responses = np.concatenate([unit[:, :rows], beside], axis=2) * (size / 100)[:, None, None]
    faded = truncation == SHORT or _below(unit, HORIZON, FADED)
    exact = error <= ERROR_TOLERANCE and np.isfinite(responses).all()
    if not (exact and faded):
        return _unsolved(Status.NOT_CONVERGED)
    return Solved(Status.OK, responses, error)


def _below(unit: np.ndarray, quarter: int, share: float) -> bool:
    """Whether each shock's responses (S, T, 3) at a quarter are below a share of their peak."""
    peak = np.abs(unit).max(axis=(1, 2))
    return bool((np.abs(unit[:, quarter]).max(axis=1) < share * peak).all())


def _unsolved(status: Status) -> Solved:
    return Solved(status, np.full((N_SHOCKS, HORIZON + 1, len(UNITS)), np.nan), np.nan)


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
    markets, watched = jacobians(tastes, steady, truncation.periods, truncation.horizon)
    return Household(steady, markets, watched)


def _part(row: tuple[float, ...], grid: Grid) -> np.ndarray:
    tastes = Tastes(*row)
    with _threads().limit(limits=1, user_api="blas"):
        try:
            steady, jacobian_OITT, watched_OIHT = solve_household(tastes, SHORT, grid)
        except (NoSolutionError, np.linalg.LinAlgError, ValueError):
            return np.full(closure(SHORT.periods, SHORT.horizon).part_size, np.nan)
        return part(tastes, steady, jacobian_OITT, watched_OIHT)


@lru_cache(maxsize=8192)
def held_up_to(tastes: Tastes, grid: Grid = GRID) -> tuple[float, ...]:
    """`structure.margins`, remembered longer than the state of rest; NaN where there is none.

    Raises `MissingExtraError`.
    """
    with _threads().limit(limits=1, user_api="blas"):
        try:
            return tuple(margins(tastes, rest(tastes, grid)))
        except (NoSolutionError, np.linalg.LinAlgError, ValueError):
            return NONE_HELD


def _can_be(row: tuple[float, ...]) -> bool:
    """Whether a draw is within its bounds and the method takes it."""
    return bool(SPEC.possible(np.array([row]))[0]) and _meaningful(row)


def _mpc(row: tuple[float, ...], grid: Grid) -> float:
    if not _can_be(row):
        return float("nan")
    from emulator.worlds.hank.fake_news import differentiate

    tastes = Tastes(*row[:N_TASTES])
    with _threads().limit(limits=1, user_api="blas"):
        try:
            steady = rest(tastes, grid)
            return steady.mean(differentiate(tastes, steady).c_slope)
        except (NoSolutionError, np.linalg.LinAlgError, ValueError):
            return float("nan")


def processes(persistence: np.ndarray, periods: int) -> np.ndarray:
    """Paths (4, T, 4) of m, z, g, u after an innovation of 1 to each in turn."""
    paths = np.zeros((N_SHOCKS, periods, N_SHOCKS))
    for k, rho in enumerate(persistence):
        paths[k, :, k] = rho ** np.arange(periods)
    return paths


def _meaningful(row: tuple[float, ...]) -> bool:
    """Whether the method of solution takes the draw, whose parameters are within their bounds."""
    named = dict(zip(SPEC.parameter_names, row, strict=True))
    persistences = (value for name, value in named.items() if name.startswith("rho_"))
    return named["kappa"] > 0 and all(0 <= value < 1 for value in persistences)


@lru_cache(maxsize=16)
def _on_grid(grid: Grid) -> HeterogeneousAgents:
    return HeterogeneousAgents(grid)


class HeterogeneousAgents(World):
    """The world `hank`; see the module's text for the model."""

    spec = SPEC
    draws_per_task = 32
    dear = Tastes._fields
    has_part = True
    longest_horizon = HORIZON
    # households on a grid: responses to r, debt and sd_e have kinks a hundred times as close
    difference = 1e-2

    def __init__(self, grid: Grid = GRID) -> None:
        self.grid = grid

    @property
    def settings(self) -> Mapping[str, float]:
        """The asset grid."""
        return self.grid._asdict()

    settings_before = MappingProxyType(PUBLISHED._asdict())

    @property
    def solution_error(self) -> Mapping[str, float]:
        """The error of the asset grid, where it was measured."""
        errors = GRID_ERRORS.get(self.grid)
        return {} if errors is None else dict(zip(SPEC.observable_names, errors, strict=True))

    regimes = regime.REGIMES

    def with_settings(self, settings: Mapping[str, float]) -> HeterogeneousAgents:
        """The economy on another asset grid; see `World.with_settings`."""
        for name in settings:
            if name not in Grid._fields:
                raise unknown_name("setting of world 'hank'", name, Grid._fields)
        points, pivot, top = ({**self.settings, **settings}[name] for name in Grid._fields)
        whole = points == points // 1 and FEWEST_POINTS <= points < inf
        if not whole or not 0 < pivot < top < inf:
            raise ParameterError(
                f"The asset grid of 'hank' has {points:g} points, pivot {pivot:g} and top {top:g};"
                f" expected a whole number of {FEWEST_POINTS} points or more, and 0 < pivot < top."
            )
        grid = Grid(int(points), pivot, top)
        return self if grid == self.grid else _on_grid(grid)

    def require(self) -> None:
        import emulator.worlds.hank.kernels  # noqa: F401  names the extra where Numba is missing

        _threads()

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(self.spec.low, self.spec.high, size=(n, self.spec.n_parameters))

    def status(self, theta: np.ndarray) -> np.ndarray:
        return np.array([solved.status for solved in self._solve(theta, SHORT)], dtype=np.uint8)

    def residual(self, theta: np.ndarray) -> np.ndarray:
        """Largest relative error (n,) of market clearing, at rest and along the responses; NaN
        where there is no solution.
        """
        return np.array([solved.residual for solved in self._solve(theta, SHORT)])

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
            held_up_to(Tastes(*row[:N_TASTES]), self.grid) if _can_be(tuple(row)) else NONE_HELD
            for row in theta.tolist()
        ]
        return np.array(held).reshape(-1, SKILLS)

    @property
    def closure(self) -> Closure:
        return closure(SHORT.periods, SHORT.horizon)

    def dear_part(self, theta: np.ndarray) -> np.ndarray:
        """The households of each draw, (n, D); see `structure.py`."""
        rows = self.spec.check_theta(theta)[:, :N_TASTES].tolist()
        return np.array([_part(tuple(row), self.grid) for row in rows]).reshape(
            -1, self.closure.part_size
        )

    def mpc(self, theta: np.ndarray) -> np.ndarray:
        """Average marginal propensity to consume (n,): by how much consumption of the quarter rises
        with a household's cash at its beginning, an average over households at rest. NaN where no
        state of rest is found.
        """
        return np.array(
            [_mpc(tuple(row), self.grid) for row in self.spec.check_theta(theta).tolist()]
        )

    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        if not 0 <= horizon <= HORIZON:
            raise ParameterError(
                f"The horizon is {horizon}; expected 0 (the impact period alone) to {HORIZON}, as"
                f" far as world '{self.spec.name}' is solved."
            )
        return self._responses(theta, horizon, on_failure)

    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        """Paths as sums of responses; what a shock does after `longest_horizon` quarters is left
        out. See `World.simulate`.
        """
        theta = self.spec.check_theta(theta)
        shocks = self._check_shocks(theta, shocks)
        last = min(max(shocks.shape[1] - 1, 0), HORIZON)
        responses = self._responses(theta, last, on_failure)
        each = fftconvolve(shocks.transpose(0, 2, 1)[..., None], responses, axes=2)
        return each[:, :, : shocks.shape[1]].sum(axis=1)

    def _responses(self, theta: np.ndarray, horizon: int, on_failure: OnFailure) -> np.ndarray:
        theta = self.spec.check_theta(theta)
        solved = self._solve(theta, SHORT if horizon <= SHORT.horizon else LONG)
        status = np.array([one.status for one in solved], dtype=np.uint8)
        self._refuse(theta, status != Status.OK, on_failure, status)
        responses = np.empty((len(theta), N_SHOCKS, horizon + 1, len(UNITS)))
        for row, one in enumerate(solved):
            responses[row] = one.irf[:, : horizon + 1]
        return responses

    def _solve(self, theta: np.ndarray, truncation: Truncation) -> list[Solved]:
        rows = self.spec.check_theta(theta).tolist()
        return [solve_draw(tuple(row), truncation, self.grid) for row in rows]
