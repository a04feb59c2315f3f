"""Households of `hank` at rest, by sequence-jacobian.

    max E sum beta^t [ c^(1 - 1/eis) / (1 - 1/eis) - vphi n^(1 + 1/frisch) / (1 + 1/frisch) ]
    c + a = (1 + r_t) a_1 + w_t e n + tau_t e,   a >= 0,   log e a Markov chain, E e = 1

The Euler equation is solved on endogenous grid points (Carroll 2006,
doi:10.1016/j.econlet.2005.09.013) and the distribution by lotteries (Young 2010,
doi:10.1016/j.jedc.2008.11.010), both by the library's block `hh_labor`; income risk is
Rouwenhorst's chain of seven states. Found here are beta and vphi at which households hold the
public debt and supply one unit of labour. Axes: E skill, A asset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from emulator.errors import MissingExtraError, NoSolutionError

SKILLS = 7
RICHEST = 150.0
"""Largest assets on the grid, in quarters of output per head."""
COARSE_POINTS, COARSE_TOLERANCE = 50, 1e-3
POLICY_TOLERANCE, DISTRIBUTION_TOLERANCE, CLEARING_TOLERANCE = 1e-11, 1e-13, 1e-8
MAX_STEPS = 25
LONGEST_STEP = 1.0
"""In logarithms; keeps a step from a poor slope within the region where the library converges."""


class Tastes(NamedTuple):
    """What the households' problem depends on, quarterly, where output and effective labour are 1
    at rest.
    """

    eis: float
    frisch: float
    rho_e: float
    sd_e: float
    debt: float
    r: float
    mu: float

    @property
    def wage(self) -> float:
        """Real wage at rest for a unit of effective labour, in quarterly output."""
        return 1 / self.mu

    @property
    def tau(self) -> float:
        """Profits less taxes at rest, in quarterly output."""
        return 1 - self.wage - self.r * self.debt


@dataclass(frozen=True)
class SteadyState:
    """Households at rest: policies a, c, n and their distribution (E, A); `marginal` is E[V_a']
    given today's skill, (E, A).
    """

    beta: float
    vphi: float
    skill: np.ndarray
    transition: np.ndarray
    grid: np.ndarray
    a: np.ndarray
    c: np.ndarray
    n: np.ndarray
    marginal: np.ndarray
    distribution: np.ndarray

    def mean(self, policy: np.ndarray) -> float:
        """Average of a policy (E, A) over households."""
        return float(np.vdot(self.distribution, policy))

    def expect(self, values: np.ndarray) -> np.ndarray:
        """Expectation, given today's skill, of what depends on tomorrow's, (N, k)."""
        return (self.transition @ values.reshape(len(self.skill), -1)).reshape(values.shape)

    @property
    def labour(self) -> np.ndarray:
        """Effective labour e n, (E, A)."""
        return self.skill[:, None] * self.n

    def error(self, debt: float) -> float:
        """Largest relative gap of the markets for assets, labour and, by Walras's law a check of
        the rest, goods.
        """
        return max(
            abs(self.mean(self.a) / debt - 1),
            abs(self.mean(self.labour) - 1),
            abs(self.mean(self.c) - 1),
        )


@cache
def library() -> Any:
    """The package sequence_jacobian. Raises `MissingExtraError`."""
    try:
        import sequence_jacobian
    except ImportError as error:
        raise MissingExtraError(error.name or "sequence-jacobian", "hank") from None
    return sequence_jacobian


def calibrate(tastes: Tastes, points: int) -> SteadyState:
    """The steady state in which assets equal the debt and effective labour is 1; first on a coarse
    grid, then on `points`.

    Broyden's method in log(1 - beta (1 + r)) and log vphi, which no step can push out of their
    domain. Always starts from the same guess, so that the answer does not depend on what was solved
    before. Raises `NoSolutionError`, `MissingExtraError`.
    """
    unknown = np.log([0.015, tastes.wage])
    slope: np.ndarray | None = None
    for size, tolerance in (
        (min(COARSE_POINTS, points), COARSE_TOLERANCE),
        (points, CLEARING_TOLERANCE),
    ):
        market = _Market(tastes, size)
        gap = market(unknown)
        if slope is None:
            slope = np.column_stack(
                [(market(unknown + step) - gap) / 0.1 for step in 0.1 * np.eye(2)]
            )
        for _ in range(MAX_STEPS):
            if np.abs(gap).max() < tolerance:
                break
            step = -np.linalg.lstsq(slope, gap)[0]  # of least length where the slope is singular
            step *= min(1.0, LONGEST_STEP / np.abs(step).max())
            unknown, before = unknown + step, gap
            gap = market(unknown)
            slope = slope + np.outer(gap - before - slope @ step, step) / (step @ step)
        else:
            raise NoSolutionError(
                f"The markets of {tastes} do not clear after {MAX_STEPS} steps; the relative gap is"
                f" {np.abs(gap).max():.1e}."
            )
    return market.steady


class _Market:
    """Excess demand for assets and excess supply of labour, as logarithms, given log(1 - beta (1 +
    r)) and log vphi.
    """

    steady: SteadyState

    def __init__(self, tastes: Tastes, points: int) -> None:
        self.tastes = tastes
        grids = library().grids
        self.skill, _, self.transition = grids.markov_rouwenhorst(
            rho=tastes.rho_e, sigma=tastes.sd_e, N=SKILLS
        )
        self.grid = grids.agrid(amax=RICHEST, n=points)
        self.last: dict[str, np.ndarray] = {}

    def __call__(self, unknown: np.ndarray) -> np.ndarray:
        beta, vphi = (1 - np.exp(unknown[0])) / (1 + self.tastes.r), np.exp(unknown[1])
        where = f"{self.tastes} at beta = {beta:.6g}, vphi = {vphi:.6g}"
        try:
            self.steady = self._at_rest(float(beta), float(vphi))
        except ValueError as error:  # what the library raises when an iteration does not converge
            raise NoSolutionError(f"No steady state of {where}: {error}") from None
        held, worked = self.steady.mean(self.steady.a), self.steady.mean(self.steady.labour)
        if not (0 < held < np.inf and 0 < worked < np.inf):
            raise NoSolutionError(
                f"No steady state of {where}: assets {held:.3g}, labour {worked:.3g}; expected"
                " positive numbers."
            )
        return np.log([held / self.tastes.debt, worked])

    def _at_rest(self, beta: float, vphi: float) -> SteadyState:
        block, tastes = library().hetblocks.hh_labor.hh, self.tastes
        problem = {
            "a_grid": self.grid,
            "we": self.skill * tastes.wage,
            "T": self.skill * tastes.tau,
            "Pi": self.transition,
            "r": tastes.r,
            "beta": beta,
            "eis": tastes.eis,
            "frisch": tastes.frisch,
            "vphi": vphi,
            **self.last,
        }
        if not self.last:
            block.initialize_backward(problem)
        steady = block.backward_steady_state(problem, tol=POLICY_TOLERANCE)
        before, distribution = block.forward_steady_state(steady, tol=DISTRIBUTION_TOLERANCE)
        self.last = {"Va": steady["Va"], "Dbeg": before}
        return SteadyState(
            beta=beta,
            vphi=vphi,
            skill=self.skill,
            transition=self.transition,
            grid=self.grid,
            a=steady["a"],
            c=steady["c"],
            n=steady["n"],
            marginal=self.transition @ steady["Va"],
            distribution=distribution,
        )
