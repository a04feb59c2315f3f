"""Households of `hank2` at rest.

Policies are the fixed point of one step back; once steps are short, Newton's method, each step of
it a linear system solved by GMRES. The distribution is the fixed point of one step forward, by
aggregation and disaggregation: how skill and illiquid assets move together, given what liquid
assets go with them, is a small chain that is solved at once (Koury, McAllister and Stewart 1984,
doi:10.1137/0605019). beta and chi1, at which households hold the wealth and the liquid assets
asked for, are found by Broyden's method, first on a coarse grid. Axes: E skill, B liquid asset,
A illiquid asset.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from emulator.errors import NoSolutionError
from emulator.worlds.hank.household import rouwenhorst
from emulator.worlds.hank2.derivative import (
    empty_slopes,
    linearise,
)
from emulator.worlds.hank2.household import (
    CHI0,
    EXAMPLE,
    PIVOT,
    SKILLS,
    Size,
    SteadyState,
    Tastes,
    grids,
)
from emulator.worlds.hank2.kernels import (
    Problem,
    empty_choices,
    empty_endogenous,
    empty_lottery,
    iterate,
    land,
)
from emulator.worlds.hank2.krylov import solve_backward, stationary
from emulator.worlds.hank2.start import fitted

COARSE = EXAMPLE
NEAR = 0.03
"""Largest relative change of what is expected from which Newton's method is tried."""
POLICY_TOLERANCE = 1e-12
DISTRIBUTION_TOLERANCE = 1e-15
CLEARING_TOLERANCE = 5e-9
"""Largest relative gaps of the markets; on the coarse grid, where a finer one follows, ROUGH."""
ROUGH = 1e-4
MOST_NEWTON_STEPS = 40
MOST_STEPS_BACK = 3000
MOST_MARKET_STEPS = 25
MOST_HALVES = 6
LONGEST_STEP = 0.4
"""In logarithms of the unknowns."""
LONGEST_GUESS = 0.5
"""In logarithms of what households expect, before the first step back at new unknowns."""
FIRST = (0.015, 5.0)
"""1 - beta (1 + r) and chi1 where nothing is known."""


@lru_cache(maxsize=8)
def splines(size: Size, coarse: Size) -> tuple[np.ndarray, np.ndarray]:
    """Matrices of the cubic splines, in logarithms of assets plus the pivot, from the coarse grids
    of liquid and illiquid assets to the finer ones.
    """
    liquid, illiquid = (
        CubicSpline(np.log(rough + PIVOT), np.eye(len(rough)))(np.log(fine + PIVOT))
        for rough, fine in zip(grids(coarse)[:2], grids(size)[:2], strict=True)
    )
    return liquid, illiquid


class Households:
    """The households of one set of tastes on one grid, and the search for their steady state."""

    def __init__(self, tastes: Tastes, size: Size) -> None:
        self.tastes, self.size = tastes, size
        self.grids = grids(size)
        self.skill, self.transition = rouwenhorst(tastes.rho_e, tastes.sd_e, SKILLS)
        self.transposed = np.ascontiguousarray(self.transition.T)
        shape = (SKILLS, size.liquid, size.illiquid)
        rows = size.liquid + size.multipliers
        self.endogenous = empty_endogenous(SKILLS, rows, size.illiquid)
        self.choices = empty_choices(*shape)
        self.slopes = empty_slopes(*shape, rows)
        self.lottery = empty_lottery(*shape)
        self.expected = np.empty((2, *shape))
        self.change = np.empty_like(self.expected)
        self.correction = np.empty_like(self.expected)
        self.distribution = np.full(shape, 1 / np.prod(shape))

    def problem(self, unknown: np.ndarray) -> Problem:
        """The households' problem at log(1 - beta (1 + r)) and log chi1."""
        tastes = self.tastes
        beta = float((1 - np.exp(unknown[0])) / (1 + tastes.r))
        return problem_of(tastes, self.size, self.skill, self.transition, beta, np.exp(unknown[1]))

    def guess(self) -> None:
        """What is expected by households who spend a tenth of what they have."""
        liquid, illiquid, _ = self.grids
        income = self.tastes.income * self.skill[:, None, None]
        spent = 0.1 * (liquid[:, None] + illiquid) + income
        self.expected[:] = spent ** (-1 / self.tastes.eis)

    def begin(self, unknown: np.ndarray) -> None:
        """What is expected by households on the coarse grid, to a percent. Raises
        `NoSolutionError`.
        """
        coarse = Households(self.tastes, COARSE)
        coarse.guess()
        coarse.solve_policies(coarse.problem(unknown), 1e-2)
        to_liquid, to_illiquid = splines(self.size, COARSE)
        self.expected[:] = np.exp(to_liquid @ np.log(coarse.expected) @ to_illiquid.T)

    def solve_policies(self, problem: Problem, tolerance: float) -> None:
        """Choices at what is expected, which is solved for from where it stands. Raises
        `NoSolutionError`.
        """
        state = (self.expected, self.endogenous, self.choices, self.change)
        for _ in range(MOST_NEWTON_STEPS):
            error = iterate(problem, *state, NEAR, MOST_STEPS_BACK)
            if error < tolerance:
                return
            if not error < NEAR:
                break
            linearise(problem, self.expected, self.endogenous, self.choices, self.slopes)
            # Newton's own error is about the square of the residual.
            wanted = max(0.1 * tolerance, error * min(0.03, 10 * error))
            solve_backward(
                problem,
                self.endogenous,
                self.choices,
                self.slopes,
                self.change,
                self.expected,
                wanted,
                self.correction,
            )
            self.expected *= np.maximum(1 + self.correction / self.expected, 0.2)
        raise NoSolutionError(f"The policies of {self.tastes} do not converge.")

    def gap(self, unknown: np.ndarray, tolerance: float) -> np.ndarray:
        """Excess demand for wealth and liquid assets, (2,), as logarithms. Raises
        `NoSolutionError`.
        """
        self.solve_policies(self.problem(unknown), max(POLICY_TOLERANCE, tolerance))
        for grid, saved, left, chance in (
            (self.grids.liquid, self.choices.b, *self.lottery[:2]),
            (self.grids.illiquid, self.choices.a, *self.lottery[2:]),
        ):
            land(grid, saved, left, chance)
        stationary(
            self.transposed,
            self.lottery,
            max(DISTRIBUTION_TOLERANCE, 1e-3 * tolerance),
            self.distribution,
        )
        liquid = np.vdot(self.distribution, self.choices.b)
        wealth = liquid + np.vdot(self.distribution, self.choices.a)
        if not (0 < liquid < wealth < np.inf):
            raise NoSolutionError(
                f"No steady state of {self.tastes}: wealth {wealth:.3g}, of it liquid"
                f" {liquid:.3g}; expected positive numbers."
            )
        return np.log([wealth / self.tastes.wealth, liquid / self.tastes.liquid])

    def search(
        self, unknown: np.ndarray, slope: np.ndarray, tolerance: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Unknowns at which the markets clear and the slope there, by Broyden's method; what
        households expect at the next unknowns is guessed in the same way. Raises
        `NoSolutionError`.
        """
        gap = self.gap(unknown, 1e-2 * ROUGH)
        moved = np.zeros((*self.expected.shape, len(unknown)))  # slope of log expected
        for _ in range(MOST_MARKET_STEPS):
            size = float(np.abs(gap).max())
            if size < tolerance:
                return unknown, slope
            step = -np.linalg.lstsq(slope, gap)[0]
            step *= min(1.0, LONGEST_STEP / np.abs(step).max())
            # A step's own error is a few percent of it: what follows needs no more digits.
            accuracy = max(1e-2 * tolerance, 1e-3 * min(size, 0.1) ** 1.5)
            before = gap
            expected = np.log(self.expected)
            self.expected *= np.exp(np.clip(moved @ step, -LONGEST_GUESS, LONGEST_GUESS))
            step, gap = self.reach(unknown, step, accuracy)
            unknown = unknown + step
            change = np.log(self.expected) - expected - moved @ step
            moved += change[..., None] * (step / (step @ step))
            slope = slope + np.outer(gap - before - slope @ step, step) / (step @ step)
        raise NoSolutionError(
            f"The markets of {self.tastes} do not clear; the relative gap is {size:.1e}."
        )

    def reach(
        self, unknown: np.ndarray, step: np.ndarray, accuracy: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The step from the unknowns that is taken, shorter where households have no policies at
        its end, and the gap (2,) there. Raises `NoSolutionError`.
        """
        expected, distribution = self.expected.copy(), self.distribution.copy()
        for _ in range(MOST_HALVES):
            try:
                return step, self.gap(unknown + step, accuracy)
            except (NoSolutionError, np.linalg.LinAlgError):
                self.expected[:], self.distribution[:] = expected, distribution
                step = step / 2
        raise NoSolutionError(f"No policies of {self.tastes} on the way to clear markets.")

    def steady(self, unknown: np.ndarray) -> SteadyState:
        problem, choices = self.problem(unknown), self.choices
        return SteadyState(
            tastes=self.tastes,
            size=self.size,
            beta=problem.beta,
            chi1=problem.chi1,
            skill=self.skill,
            transition=self.transition,
            expected=self.expected,
            a=choices.a,
            b=choices.b,
            c=choices.c,
            distribution=self.distribution,
        )


def problem_of(
    tastes: Tastes,
    size: Size,
    skill: np.ndarray,
    transition: np.ndarray,
    beta: float,
    chi1: float,
) -> Problem:
    """The problem of households with these tastes, at the prices of rest."""
    return Problem(
        *grids(size),
        transition=transition,
        income=tastes.income * skill,
        r_liquid=tastes.r - tastes.spread,
        r_illiquid=tastes.r,
        beta=beta,
        eis=tastes.eis,
        chi0=CHI0,
        chi1=float(chi1),
    )


def calibrate(tastes: Tastes, size: Size) -> SteadyState:
    """The steady state on grids of that size in which wealth and liquid assets are those of the
    tastes, from the fitted start and, where that leads nowhere, from the solution on the coarse
    grid. Raises `NoSolutionError`.
    """
    households = Households(tastes, size)
    try:
        unknown, slope = fitted(tastes)
        households.begin(unknown)
        solution = households.search(unknown, slope, CLEARING_TOLERANCE)
    except (NoSolutionError, np.linalg.LinAlgError):
        unknown, slope = coarse_solution(tastes)
        households = Households(tastes, size)
        households.begin(unknown)
        solution = households.search(unknown, slope, CLEARING_TOLERANCE)
    return households.steady(solution[0])


def coarse_solution(tastes: Tastes) -> tuple[np.ndarray, np.ndarray]:
    """The unknowns at which markets clear on the coarse grid, and the slope of their gaps there,
    from no guess. Raises `NoSolutionError`.
    """
    households = Households(tastes, COARSE)
    households.guess()
    unknown, width = np.log(FIRST), 0.05
    accuracy = 1e-2 * ROUGH
    gap = households.gap(unknown, accuracy)
    columns = [
        (households.gap(unknown + step, accuracy) - gap) / width for step in width * np.eye(2)
    ]
    return households.search(unknown, np.column_stack(columns), ROUGH)
