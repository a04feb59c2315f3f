"""The steady state of `hank`'s households by sequence-jacobian's household block `hh_labor`, whose
backward and forward steps are iterated until nothing moves.
"""

from __future__ import annotations

import numpy as np

from emulator.errors import NoSolutionError
from emulator.worlds.hank.household import SKILLS, Grid, SteadyState, Tastes
from emulator.worlds.hank.steady import asset_grid

COARSE_POINTS, COARSE_TOLERANCE = 50, 1e-3
POLICY_TOLERANCE, DISTRIBUTION_TOLERANCE, CLEARING_TOLERANCE = 1e-11, 1e-13, 1e-8
MAX_STEPS = 25
LONGEST_STEP = 1.0
"""In logarithms; keeps a step from a poor slope within the region where the library converges."""


def calibrate(tastes: Tastes, grid: Grid) -> SteadyState:
    """The steady state in which assets equal the debt and effective labour is 1; first on a coarse
    grid, then on `grid`.

    Broyden's method in log(1 - beta (1 + r)) and log vphi, which no step can push out of their
    domain. Always starts from the same guess, so that the answer does not depend on what was solved
    before. Raises `NoSolutionError`.
    """
    unknown = np.log([0.015, tastes.wage])
    slope: np.ndarray | None = None
    for size, tolerance in (
        (min(COARSE_POINTS, grid.points), COARSE_TOLERANCE),
        (grid.points, CLEARING_TOLERANCE),
    ):
        market = _Market(tastes, grid._replace(points=size))
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

    def __init__(self, tastes: Tastes, grid: Grid) -> None:
        from sequence_jacobian import grids  # takes seconds, as it compiles: for those who ask

        self.tastes = tastes
        self.skill, _, self.transition = grids.markov_rouwenhorst(
            rho=tastes.rho_e, sigma=tastes.sd_e, N=SKILLS
        )
        self.grid = asset_grid(grid)
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
        from sequence_jacobian import hetblocks

        block, tastes = hetblocks.hh_labor.hh, self.tastes
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
