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
from dataclasses import dataclass
from functools import cache, lru_cache
from math import inf
from typing import Any, NamedTuple

import numpy as np
from scipy.signal import fftconvolve

from emulator.errors import MissingExtraError, NoSolutionError, ParameterError, unknown_name
from emulator.spec import DEFAULT_HORIZON, Status
from emulator.worlds.base import OnFailure, World
from emulator.worlds.hank2.household import CAPITAL, DELTA, GRID, Size, SteadyState, Tastes
from emulator.worlds.hank2.spec import SPEC

PERIODS, HORIZON, CHECKED = 600, 400, 200
"""After how many quarters the economy is taken to be at rest again, the last quarter that is
answered, and the last in which what the equations miss is measured.
"""
FEWEST = Size(8, 12, 3)
"""Points of the smallest grids."""
UNITS = np.array([100.0, 400.0, 400.0, 100.0, 100.0, 100.0])
ERROR_TOLERANCE = 1e-5
FADED = 1e-3
"""Largest last response relative to the peak: a path that is not back at rest by then is cut off
rather than solved.
"""
N_TASTES, N_POLICY, N_SHOCKS = len(Tastes._fields), 9, len(SPEC.shocks)


@dataclass(frozen=True)
class Solved:
    """What became of one draw: its status, responses (S, H+1, O) in the units of `World.irf`, and
    their largest relative error.
    """

    status: Status
    irf: np.ndarray
    residual: float


class Household(NamedTuple):
    """Households at rest; the Jacobians of wealth and marginal utility, whole and on the periods
    that are kept; that of consumption, as a share of it, to the last quarter that is answered.
    """

    steady: SteadyState
    markets: Any
    projected: Any
    watched: Any


@cache
def _threads() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        raise MissingExtraError("threadpoolctl", "hank") from None
    return ThreadpoolController()


@lru_cache(maxsize=1024)
def solve_draw(row: tuple[float, ...], size: Size = GRID) -> Solved:
    """One draw of theta, remembered; where there is no solution its responses are NaN and its
    status says why.

    On one thread, so that the same digits come out in whatever process it is solved. Raises
    `MissingExtraError`.
    """
    if not SPEC.possible(np.array([row]))[0]:
        return _unsolved(Status.OUTSIDE_BOUNDS)
    if not meaningful(row):
        return _unsolved(Status.OUTSIDE_RANGE)
    from emulator.worlds.hank2.closure import close
    from emulator.worlds.hank2.equilibrium import Policy, determinacy, rest_of

    policy = Policy(*row[N_TASTES : N_TASTES + N_POLICY])
    persistence, sizes = np.reshape(row[N_TASTES + N_POLICY :], (2, N_SHOCKS))
    with _threads().limit(limits=1, user_api="blas"):
        try:
            household = solve_household(Tastes(*row[:N_TASTES]), size)
            rest = rest_of(household.steady, policy.debt)
            status = determinacy(household.markets, rest, policy)
            if status != Status.OK:
                return _unsolved(status)
            forces = processes(persistence, PERIODS)
            closed = close(
                household.markets, household.projected, rest, policy, forces, rows=CHECKED + 1
            )
        except (NoSolutionError, np.linalg.LinAlgError, ValueError):
            # Besides its own, LAPACK's complaints at odd parameters.
            return _unsolved(Status.NOT_CONVERGED)
    paths = observed(household, closed)
    responses = (UNITS[:, None, None] * paths).transpose(2, 1, 0) * (sizes / 100)[:, None, None]
    error = max(closed.error, household.steady.error())
    exact = error <= ERROR_TOLERANCE and np.isfinite(responses).all()
    if not (exact and _faded(responses)):
        return _unsolved(Status.NOT_CONVERGED)
    return Solved(Status.OK, responses, error)


def observed(household: Household, closed: Any) -> np.ndarray:
    """Paths (6, H+1, K) of the observables, as shares of rest and as quarterly rates."""
    prices, rows = closed.prices, HORIZON + 1
    by_r, by_income = household.watched.foreseen[0]
    consumption = by_r @ prices.r + by_income @ prices.income
    consumption += household.watched.surprise[0, :, None] * prices.surprise[0]
    listed = [closed.y, closed.pi, prices.i, prices.hours, prices.investment / (DELTA * CAPITAL)]
    first = [path[:rows] for path in listed]
    return np.stack([*first[:3], consumption, *first[3:]])


def _faded(responses: np.ndarray) -> bool:
    """Whether the response (S, H+1, O) to each shock has come back to rest at the end."""
    size = np.abs(responses).max(axis=2)
    return bool((size[:, -1] <= FADED * size.max(axis=1)).all())


def _unsolved(status: Status) -> Solved:
    return Solved(status, np.full((N_SHOCKS, HORIZON + 1, len(UNITS)), np.nan), np.nan)


@lru_cache(maxsize=64)
def rest(tastes: Tastes, size: Size = GRID) -> SteadyState:
    """The steady state, remembered for draws that share these tastes.

    Raises `NoSolutionError`, `MissingExtraError`.
    """
    from emulator.worlds.hank2.steady import calibrate

    return calibrate(tastes, size)


@lru_cache(maxsize=8)
def solve_household(tastes: Tastes, size: Size = GRID) -> Household:
    """Steady state and Jacobians, remembered for draws that share these tastes.

    Raises `NoSolutionError`, `MissingExtraError`.
    """
    from emulator.worlds.hank2.closure import project
    from emulator.worlds.hank2.fake_news import FakeNews, markets, watched

    steady = rest(tastes, size)
    news = FakeNews(steady, PERIODS)
    jacobian = news.jacobian(markets(steady), PERIODS)
    beside = news.jacobian(watched(steady), HORIZON + 1)
    return Household(steady, jacobian, project(jacobian), beside)


def _mpc(row: tuple[float, ...], size: Size) -> float:
    if not (SPEC.possible(np.array([row]))[0] and meaningful(row)):
        return float("nan")
    from emulator.worlds.hank2.fake_news import Step

    with _threads().limit(limits=1, user_api="blas"):
        try:
            steady = rest(Tastes(*row[:N_TASTES]), size)
            return steady.mean(Step(steady).spent_of_cash())
        except (NoSolutionError, np.linalg.LinAlgError, ValueError):
            return float("nan")


def processes(persistence: np.ndarray, periods: int) -> np.ndarray:
    """Paths (4, T, 4) of m, z, g, u after an innovation of 1 to each in turn."""
    paths = np.zeros((N_SHOCKS, periods, N_SHOCKS))
    for k, rho in enumerate(persistence):
        paths[k, :, k] = rho ** np.arange(periods)
    return paths


def meaningful(row: tuple[float, ...]) -> bool:
    """Whether the method of solution takes the draw, whose parameters are within their bounds: no
    explosive process, prices and wages that move, firms that sell above cost.
    """
    named = dict(zip(SPEC.parameter_names, row, strict=True))
    persistences = (value for name, value in named.items() if name.startswith("rho_"))
    tastes = Tastes(*row[:N_TASTES])
    equity = tastes.wealth - named["debt"]
    profitable = CAPITAL < equity < CAPITAL + 0.5 / tastes.r
    assets = tastes.liquid < tastes.wealth and tastes.income > 0 and tastes.spread < 1
    moving = named["kappa"] > 0 and named["kappa_w"] > 0
    return profitable and assets and moving and all(0 <= value < 1 for value in persistences)


@lru_cache(maxsize=16)
def _on_grids(size: Size) -> TwoAssets:
    return TwoAssets(size)


class TwoAssets(World):
    """The world `hank2`; see the module's text for the model."""

    spec = SPEC
    draws_per_task = 32
    dear = Tastes._fields
    longest_horizon = HORIZON
    # households on a grid: responses to the tastes have kinks a hundred times as close
    difference = 1e-2

    def __init__(self, size: Size = GRID) -> None:
        self.size = size

    @property
    def settings(self) -> Mapping[str, float]:
        """Points of the grids."""
        return self.size._asdict()

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

        _threads()

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(self.spec.low, self.spec.high, size=(n, self.spec.n_parameters))

    def status(self, theta: np.ndarray) -> np.ndarray:
        return np.array([solved.status for solved in self._solve(theta)], dtype=np.uint8)

    def residual(self, theta: np.ndarray) -> np.ndarray:
        """Largest relative error (n,) of the markets at rest and of the equations along the
        responses; NaN where there is no solution.
        """
        return np.array([solved.residual for solved in self._solve(theta)])

    def mpc(self, theta: np.ndarray) -> np.ndarray:
        """Average marginal propensity to consume (n,): by how much consumption of the quarter rises
        with a household's cash at its beginning, an average over households at rest. NaN where no
        state of rest is found.
        """
        rows = self.spec.check_theta(theta).tolist()
        return np.array([_mpc(tuple(row), self.size) for row in rows])

    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        if not 0 <= horizon <= HORIZON:
            raise ParameterError(
                f"The horizon is {horizon}; expected 0 (the impact period alone) to {HORIZON}, as"
                f" far as world '{self.spec.name}' is solved."
            )
        theta = self.spec.check_theta(theta)
        solved = self._solve(theta)
        status = np.array([one.status for one in solved], dtype=np.uint8)
        self._refuse(theta, status != Status.OK, on_failure, status)
        responses = np.empty((len(theta), N_SHOCKS, horizon + 1, len(UNITS)))
        for row, one in enumerate(solved):
            responses[row] = one.irf[:, : horizon + 1]
        return responses

    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        """Paths as sums of responses; what a shock does after `longest_horizon` quarters is left
        out. See `World.simulate`.
        """
        theta = self.spec.check_theta(theta)
        shocks = self._check_shocks(theta, shocks)
        last = min(max(shocks.shape[1] - 1, 0), HORIZON)
        responses = self.irf(theta, last, on_failure=on_failure)
        each = fftconvolve(shocks.transpose(0, 2, 1)[..., None], responses, axes=2)
        return each[:, :, : shocks.shape[1]].sum(axis=1)

    def _solve(self, theta: np.ndarray) -> list[Solved]:
        return [solve_draw(tuple(row), self.size) for row in self.spec.check_theta(theta).tolist()]
