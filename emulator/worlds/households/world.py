"""A world of households that differ: its draws are solved one by one, on one thread, and what the
households' parameters alone decide is remembered and told.

Axes: n draw, S shock, H horizon, O observable, D number of the dear part, T period, K column of
paths.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar

import numpy as np
from scipy.signal import fftconvolve

from emulator.errors import MissingExtraError, NoSolutionError, ParameterError
from emulator.spec import DEFAULT_HORIZON, Status, WorldSpec
from emulator.worlds.base import OnFailure, World

Row = tuple[float, ...]
T = TypeVar("T")

FURTHEST = 40
"""Quarters that a shock can be known before it occurs."""


@dataclass(frozen=True)
class Solved:
    """What became of one draw: its status, responses (S, H+1, O) in the units of `World.irf`, and
    their largest relative error.
    """

    status: Status
    irf: np.ndarray
    residual: float


def unsolved(spec: WorldSpec, horizon: int, status: Status) -> Solved:
    shape = (spec.n_shocks, horizon + 1, spec.n_observables)
    return Solved(status, np.full(shape, np.nan), np.nan)


@cache
def threads() -> Any:
    """What limits the threads of linear algebra. Raises `MissingExtraError`."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        raise MissingExtraError("threadpoolctl", "hank") from None
    return ThreadpoolController()


def attempted(solve: Callable[[], T], otherwise: T) -> T:
    """What `solve` answers, or `otherwise` where it finds no solution.

    On one thread, so that the same digits come out in whatever process it is solved. Raises
    `MissingExtraError`.
    """
    with threads().limit(limits=1, user_api="blas"):
        try:
            return solve()
        except (NoSolutionError, np.linalg.LinAlgError, ValueError):
            # Besides its own, LAPACK's complaints at odd parameters.
            return otherwise


def below(responses: np.ndarray, quarter: int, share: float) -> bool:
    """Whether each shock's responses (S, T, O) at a quarter are below a share of their peak."""
    peak = np.abs(responses).max(axis=(1, 2))
    return bool((np.abs(responses[:, quarter]).max(axis=1) < share * peak).all())


def processes(persistence: np.ndarray, periods: int, ahead: int = 0) -> np.ndarray:
    """Paths (S, T, S) of the shocks' processes after an innovation of 1 to each in turn, which
    comes `ahead` periods after everybody knows of it. In the sequence space all paths are foreseen
    from the first period on, so that news are a path like any other.
    """
    n_shocks = len(persistence)
    paths = np.zeros((n_shocks, periods, n_shocks))
    for k, rho in enumerate(persistence):
        paths[k, ahead:, k] = rho ** np.arange(periods - ahead)
    return paths


class HouseholdWorld(World):
    """A world that is solved row by row: a row is one draw, and its first columns, `dear`, are what
    the households' problem depends on.
    """

    draws_per_task = 32
    has_part = True
    # households on a grid: responses to what they depend on have kinks a hundred times as close
    difference = 1e-2

    @abstractmethod
    def meaningful(self, row: Row) -> bool:
        """Whether the method of solution takes the draw, whose parameters are within bounds."""

    @abstractmethod
    def solved(self, row: Row, horizon: int, ahead: int = 0) -> Solved:
        """One draw, with responses to that horizon or beyond to shocks that are known `ahead`
        quarters before they occur.
        """

    @abstractmethod
    def households_part(self, dear: Row) -> np.ndarray:
        """The dear part (D,). Raises `NoSolutionError`."""

    @abstractmethod
    def spent_of_cash(self, dear: Row) -> float:
        """The average marginal propensity to consume. Raises `NoSolutionError`."""

    def can_be(self, row: Row) -> bool:
        """Whether a draw is within its bounds and the method takes it."""
        return bool(self.spec.possible(np.array([row]))[0]) and self.meaningful(row)

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(self.spec.low, self.spec.high, size=(n, self.spec.n_parameters))

    def status(self, theta: np.ndarray) -> np.ndarray:
        return np.array([one.status for one in self._solved(theta)], dtype=np.uint8)

    def residual(self, theta: np.ndarray) -> np.ndarray:
        """Largest relative error (n,) of the markets at rest and of the equations along the
        responses; NaN where there is no solution.
        """
        return np.array([one.residual for one in self._solved(theta)])

    def dear_part(self, theta: np.ndarray) -> np.ndarray:
        """The households of each draw, (n, D); see `structure.py` of the world."""
        closure = self.closure
        assert closure is not None
        none = np.full(closure.part_size, np.nan)
        parts = [
            attempted(partial(self.households_part, row), none) for row in self._dear_rows(theta)
        ]
        return np.array(parts).reshape(-1, closure.part_size)

    def mpc(self, theta: np.ndarray) -> np.ndarray:
        """Average marginal propensity to consume (n,): by how much consumption of the quarter rises
        with a household's cash at its beginning, an average over households at rest. NaN where no
        state of rest is found.
        """
        rows = [tuple(row) for row in self.spec.check_theta(theta).tolist()]
        none = float("nan")
        return np.array(
            [
                attempted(partial(self.spent_of_cash, dear), none) if self.can_be(row) else none
                for row, dear in zip(rows, self._dear_rows(theta), strict=True)
            ]
        )

    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        return self.anticipated(theta, horizon, 0, on_failure=on_failure)

    def anticipated(
        self, theta: np.ndarray, horizon: int, ahead: int, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        longest = self.longest_horizon
        assert longest is not None
        if not 0 <= horizon <= longest:
            raise ParameterError(
                f"The horizon is {horizon}; expected 0 (the impact period alone) to {longest}, as"
                f" far as world '{self.spec.name}' is solved."
            )
        if ahead > FURTHEST:
            raise ParameterError(
                f"anticipated={ahead}: world '{self.spec.name}' answers to shocks that are known up"
                f" to {FURTHEST} quarters before they occur, so that it is back at rest where its"
                " paths end."
            )
        theta = self.spec.check_theta(theta)
        solved = self._solved(theta, horizon, ahead)
        status = np.array([one.status for one in solved], dtype=np.uint8)
        self._refuse(theta, status != Status.OK, on_failure, status)
        shape = (len(theta), self.spec.n_shocks, horizon + 1, self.spec.n_observables)
        responses = np.empty(shape)
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
        longest = self.longest_horizon
        assert longest is not None
        last = min(max(shocks.shape[1] - 1, 0), longest)
        responses = self.irf(theta, last, on_failure=on_failure)
        each = fftconvolve(shocks.transpose(0, 2, 1)[..., None], responses, axes=2)
        return each[:, :, : shocks.shape[1]].sum(axis=1)

    def _dear_rows(self, theta: np.ndarray) -> list[Row]:
        columns = self.spec.check_theta(theta)[:, : len(self.dear)]
        return [tuple(row) for row in columns.tolist()]

    def _solved(self, theta: np.ndarray, horizon: int = 0, ahead: int = 0) -> list[Solved]:
        rows = self.spec.check_theta(theta).tolist()
        return [self.solved(tuple(row), horizon, ahead) for row in rows]


def draw_solved(
    spec: WorldSpec,
    horizon: int,
    row: Row,
    meaningful: Callable[[Row], bool],
    solve: Callable[[], Solved | None],
) -> Solved | None:
    """What `solve` makes of a draw that can be, None where it cannot tell; what is unsolved has
    responses of NaN to a horizon.
    """
    if not spec.possible(np.array([row]))[0]:
        return unsolved(spec, horizon, Status.OUTSIDE_BOUNDS)
    if not meaningful(row):
        return unsolved(spec, horizon, Status.OUTSIDE_RANGE)
    failed: Solved | None = unsolved(spec, horizon, Status.NOT_CONVERGED)
    return attempted(solve, failed)


def stationary(spec: WorldSpec, row: Row) -> bool:
    """Whether no process explodes and none turns around."""
    named = zip(spec.parameter_names, row, strict=True)
    return all(0 <= value < 1 for name, value in named if name.startswith("rho_"))
