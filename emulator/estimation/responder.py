"""Who answers while an estimation searches: a network or a world's solver, with derivatives, behind
one door.

Axes: n draw, P parameter, F free parameter, H horizon.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from emulator.inference.exact import ExactWorld, differences
from emulator.spec import WorldSpec


class Local(NamedTuple):
    """Responses (H+1, 3) at one draw, the logarithm of the probability that it has a solution, and
    the derivatives of both, (F, H+1, 3) and (F,).
    """

    irf: np.ndarray
    log_solvable: float
    irf_by: np.ndarray
    log_solvable_by: np.ndarray


class Pulled(NamedTuple):
    """Responses (H+1, 3) at one draw, log-probability of a solution, and the gradient (F,) of a
    function of both.
    """

    irf: np.ndarray
    log_solvable: float
    gradient: np.ndarray


Force = Callable[[np.ndarray], np.ndarray]
"""The derivatives (H+1, 3) of a function of the responses (H+1, 3)."""


class Responder(ABC):
    """Responses of one world to one shock of one standard deviation, up to one horizon, in the
    units of `World.irf`.
    """

    def __init__(self, spec: WorldSpec, shock: str, horizon: int) -> None:
        self.spec, self.horizon = spec, horizon
        self.shock = spec.shock_index(shock)

    title: str
    exact: bool

    @abstractmethod
    def responses(self, theta: np.ndarray) -> np.ndarray:
        """Responses (n, H+1, 3) at theta (n, P); NaN where the solver finds no unique stable
        solution.
        """

    @abstractmethod
    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        """Logarithm (n,) of the probability that each draw has a unique stable solution."""

    @abstractmethod
    def local(self, theta: np.ndarray, free: Sequence[int]) -> Local:
        """Responses and derivatives by the free parameters at one draw (P,); NaN where the solver
        finds no solution, there or at both neighbours.
        """

    def judged(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`responses` and `log_solvable` of the same draws; a solver finds both in one."""
        return self.responses(theta), self.log_solvable(theta)

    def flagged(self, theta: np.ndarray) -> np.ndarray:
        """Which draws (n,) the responder itself says to doubt; a solver none."""
        return np.zeros(len(theta), dtype=bool)

    def pulled(self, theta: np.ndarray, free: Sequence[int], force: Force) -> Pulled:
        """The gradient of f(responses) + log-probability of a solution by the free parameters, at
        one draw (P,); force: derivatives of f.
        """
        local = self.local(theta, free)
        return Pulled(
            local.irf,
            local.log_solvable,
            np.tensordot(local.irf_by, force(local.irf), 2) + local.log_solvable_by,
        )


class ExactResponder(Responder):
    """The solver: derivatives are differences, all solved in one batch; central, but one-sided at
    an end of a range and where a neighbour has no solution.
    """

    exact = True
    title = "exact solution"

    def __init__(self, world: ExactWorld, shock: str, horizon: int) -> None:
        super().__init__(world.spec, shock, horizon)
        self.world = world

    def responses(self, theta: np.ndarray) -> np.ndarray:
        with np.errstate(
            all="ignore"
        ):  # where a model divides by zero it has no solution, and NaN says so
            return self.world.solver.irf(theta, horizon=self.horizon, on_failure="nan")[
                :, self.shock
            ]

    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        return self.judged(theta)[1]

    def judged(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        irf = self.responses(theta)
        return irf, np.where(np.isfinite(irf).all(axis=(1, 2)), 0.0, -np.inf)

    def local(self, theta: np.ndarray, free: Sequence[int]) -> Local:
        chosen, spec = list(free), self.spec
        steps = self.world.solver.difference * (spec.high - spec.low)[chosen]
        irf, by = differences(self.responses, theta[None], chosen, steps, spec.low, spec.high)
        return Local(
            irf[0], 0.0 if np.isfinite(irf).all() else -np.inf, by[:, 0], np.zeros(len(chosen))
        )
