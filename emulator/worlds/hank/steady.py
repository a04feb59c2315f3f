"""Households of `hank` at rest, by Newton's method.

Policies solve M = transition V_a(M), where M = E[V_a'] and V_a is one step of the endogenous grid
method; each Newton step is a linear system, solved by two grids (`kernels.py`). The
distribution is the fixed point of one step forward. beta and vphi, at which households hold the
public debt and supply one unit of labour, are found by Broyden's method. All begins at a `Start`:
one that is fitted to the prior's box (`start.py`) or, where that fails, the solution on the
coarse grid. Axes: E skill, A asset, C asset of the coarse grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from emulator.errors import NoSolutionError
from emulator.worlds.hank.household import (
    GRID,
    Grid,
    Income,
    SteadyState,
    Tastes,
    rouwenhorst,
)
from emulator.worlds.hank.kernels import (
    Choices,
    Coarse,
    Pairs,
    Problem,
    backward,
    empty_ahead,
    empty_choices,
    empty_pairs,
    expect,
    linearise,
    lottery,
    solve_backward,
    stationary,
)
from emulator.worlds.hank.start import Start, fitted

COARSE_POINTS = 20
POLICY_TOLERANCE = 3e-12
"""Largest relative error of E[V_a'] in its own equation."""
DISTRIBUTION_TOLERANCE = 1e-13
CLEARING_TOLERANCE = 5e-9
COARSE_TOLERANCE = 1e-4
"""Largest relative gaps of the markets, on the whole grid and on the coarse one."""
MOST_NEWTON_STEPS = 25
MOST_MARKET_STEPS = 25
LONGEST_STEP = 0.5
"""In logarithms of the unknowns."""


def asset_grid(grid: Grid) -> np.ndarray:
    """Assets (A,) from zero to the top of a grid, in quarterly output; evenly spaced in logarithms
    of assets plus its pivot.
    """
    assets = np.geomspace(grid.pivot, grid.top + grid.pivot, grid.points) - grid.pivot
    assets[0] = 0.0
    return assets


@dataclass(frozen=True)
class Grids:
    """The asset grid, the coarse grid in it, and the matrix (C, A) of the cubic spline from the one
    to the other, in logarithms of assets plus `pivot`.
    """

    fine: np.ndarray
    index: np.ndarray
    left: np.ndarray
    weight: np.ndarray
    spline: np.ndarray
    pivot: float

    @property
    def coarse(self) -> np.ndarray:
        return self.fine[self.index]

    def on_coarse(self, assets: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Values (E, K) at some assets (K,), on the coarse grid, (E, C)."""
        if np.array_equal(assets, self.coarse):
            return values
        spline = CubicSpline(np.log(assets + self.pivot), values, axis=1)
        return spline(np.log(self.coarse + self.pivot))


@lru_cache(maxsize=8)
def grids(grid: Grid) -> Grids:
    """A grid, and the coarse one whose points lie evenly among its points."""
    fine, points = asset_grid(grid), grid.points
    index = np.unique(np.linspace(0, points - 1, min(COARSE_POINTS, points)).round().astype(int))
    coarse = fine[index]
    left = np.clip(np.searchsorted(coarse, fine, side="right") - 1, 0, len(index) - 2)
    weight = (coarse[left + 1] - fine) / (coarse[left + 1] - coarse[left])
    spline = CubicSpline(np.log(coarse + grid.pivot), np.eye(len(index)))
    matrix = np.ascontiguousarray(spline(np.log(fine + grid.pivot)).T)
    return Grids(fine, index, left, weight, matrix, grid.pivot)


def problem_of(
    tastes: Tastes,
    grid: np.ndarray,
    skill: np.ndarray,
    transition: np.ndarray,
    beta: float,
    vphi: float,
) -> Problem:
    """The problem of households with these tastes, at the prices of rest."""
    return Problem(
        grid=grid,
        transition=transition,
        pay=skill * tastes.wage,
        transfer=skill * tastes.tau,
        gross=1 + tastes.r,
        beta=beta,
        eis=tastes.eis,
        frisch=tastes.frisch,
        vphi=vphi,
    )


class Economy:
    """The households of one set of tastes on one grid: what does not change with beta and vphi.

    income: by default the world's own, of seven skills.
    """

    def __init__(self, tastes: Tastes, grid: np.ndarray, income: Income | None = None) -> None:
        self.tastes = tastes
        self.grid = grid
        if income is None:
            income = rouwenhorst(tastes.rho_e, tastes.sd_e)
        self.skill, self.transition = income
        self.transposed = np.ascontiguousarray(self.transition.T)
        shape = (len(self.skill), len(grid))
        self.ahead = empty_ahead(*shape)
        self.choices = empty_choices(*shape)
        self.slopes = np.zeros((2, *shape))
        self.backward_pairs = empty_pairs(*shape)
        self.savings = empty_pairs(*shape)
        self.image = np.zeros(shape)

    def problem(self, unknown: np.ndarray) -> Problem:
        """The households' problem at log(1 - beta (1 + r)) and log vphi."""
        beta = float((1 - np.exp(unknown[0])) / (1 + self.tastes.r))
        vphi = float(np.exp(unknown[1]))
        return problem_of(self.tastes, self.grid, self.skill, self.transition, beta, vphi)

    def step_back(self, problem: Problem, marginal: np.ndarray) -> np.ndarray:
        """Choices at `marginal` (E, A); returns by how much they change it, (E, A)."""
        backward(problem, marginal, self.ahead, self.choices)
        expect(self.transition, self.choices.value, self.image)
        return self.image - marginal

    def linearise(self, problem: Problem, marginal: np.ndarray) -> None:
        linearise(problem, marginal, self.ahead, self.choices, self.backward_pairs, *self.slopes)

    def gap(self, distribution: np.ndarray) -> np.ndarray:
        """Excess demand for assets and excess supply of labour, (2,), as logarithms."""
        held = np.vdot(distribution, self.choices.a)
        worked = np.vdot(distribution, self.skill[:, None] * self.choices.n)
        if not (0 < held < np.inf and 0 < worked < np.inf):
            raise NoSolutionError(
                f"No steady state of {self.tastes}: assets {held:.3g}, labour {worked:.3g};"
                " expected positive numbers."
            )
        return np.log([held / self.tastes.debt, worked])

    def inverse_backward(self) -> np.ndarray:
        """The dense inverse (EA, EA) of I - transition times the derivative of V_a."""
        return np.linalg.inv(
            np.eye(self.image.size) - self._dense(self.transition, self.backward_pairs)
        )

    def inverse_forward(self) -> np.ndarray:
        """The dense inverse (EA, EA) of I less one step forward, made regular by adding the mean;
        its rows sum to the stationary distribution.
        """
        lottery(self.grid, self.choices.a, self.savings)
        size = self.image.size
        move = self._dense(self.transition, self.savings)
        return np.linalg.inv(np.eye(size) - move.T + 1 / size)

    def _dense(self, transition: np.ndarray, pairs: Pairs) -> np.ndarray:
        """transition times the pairs' operator, (EA, EA)."""
        skills, points = pairs.left.shape
        along = np.zeros((skills, points, points))
        row = np.arange(skills)[:, None], np.arange(points)[None, :]
        along[(*row, pairs.left)] = pairs.low
        along[(*row, pairs.left + 1)] = pairs.high
        full = np.einsum("ef,fjk->ejfk", transition, along)
        return full.reshape(skills * points, skills * points)


def calibrate(
    tastes: Tastes, grid: Grid = GRID, start: Start | None = None, income: Income | None = None
) -> SteadyState:
    """The steady state on a grid in which assets equal the debt and effective labour is 1.

    start: where the search begins; by default the fitted start, and the solution on the coarse grid
    where that leads nowhere. income: in place of the world's own; the fitted start is not for it.
    Raises `NoSolutionError`.
    """
    if start is None and income is not None:
        start = coarse_start(tastes, grid, income)
    if start is not None:
        return _Fine(tastes, grid, start, income).solve()
    try:
        return _Fine(tastes, grid, fitted(tastes)).solve()
    except (NoSolutionError, np.linalg.LinAlgError, FloatingPointError):
        return _Fine(tastes, grid, coarse_start(tastes, grid)).solve()


class _Fine:
    """The search on the whole grid."""

    def __init__(
        self, tastes: Tastes, grid: Grid, start: Start, income: Income | None = None
    ) -> None:
        self.start = start
        self.grids = grids(grid)
        self.economy = Economy(tastes, self.grids.fine, income)
        log_marginal = self.grids.on_coarse(start.assets, start.log_marginal)
        with np.errstate(over="ignore"):  # a start far outside its box; its policies are refused
            self.marginal_C = np.exp(log_marginal)
            self.marginal = np.exp(log_marginal @ self.grids.spline)
        self.correction = np.empty_like(self.marginal)
        self._prepare(Economy(tastes, self.grids.coarse, income))

    def _prepare(self, coarse: Economy) -> None:
        """The two inverses on the coarse grid, and the first distribution."""
        problem = coarse.problem(self.start.unknown)
        coarse.step_back(problem, self.marginal_C)
        coarse.linearise(problem, self.marginal_C)
        grid = self.grids
        forward = coarse.inverse_forward()
        self.backward_grid = Coarse(grid.index, grid.left, grid.weight, coarse.inverse_backward())
        self.forward_grid = Coarse(grid.index, grid.left, grid.weight, forward)
        shares = forward.sum(axis=1)
        self.distribution = np.zeros_like(self.marginal)
        self.distribution[:, grid.index] = (shares / shares.sum()).reshape(self.marginal_C.shape)

    def solve(self) -> SteadyState:
        """Raises `NoSolutionError`."""
        unknown, slope = self.start.unknown.copy(), self.start.slope.copy()
        expected = 3e-3
        gap = self._gap(unknown, expected)
        for _ in range(MOST_MARKET_STEPS):
            if not np.isfinite(gap).all():
                break
            if np.abs(gap).max() < CLEARING_TOLERANCE:
                return self._steady(unknown)
            step = -np.linalg.solve(slope, gap)
            if np.abs(step).max() > LONGEST_STEP:
                break
            # A step's own error is a few percent of it: what follows needs no more digits.
            expected = 0.05 * min(float(np.abs(gap).max()), expected)
            unknown, before = unknown + step, gap
            gap = self._gap(unknown, expected)
            slope += np.outer(gap - before - slope @ step, step) / (step @ step)
        raise NoSolutionError(
            f"The markets of {self.economy.tastes} do not clear; the relative gap is"
            f" {np.abs(gap).max():.1e}."
        )

    def _gap(self, unknown: np.ndarray, expected: float) -> np.ndarray:
        """Gaps of the markets, to a thousandth of what is expected of them."""
        tolerance = max(POLICY_TOLERANCE, 1e-3 * expected)
        problem = self.economy.problem(unknown)
        for _ in range(MOST_NEWTON_STEPS):
            residual = self.economy.step_back(problem, self.marginal)
            error = float((np.abs(residual) / self.marginal).max())
            if not error < np.inf:
                raise NoSolutionError(f"No policies of {self.economy.tastes}.")
            if error < tolerance:
                break
            self.economy.linearise(problem, self.marginal)
            solve_backward(
                problem,
                self.economy.backward_pairs,
                residual,
                self.marginal,
                self.marginal_C,
                self.backward_grid,
                # Newton's own error is about the square of the residual.
                max(0.2 * tolerance, 0.05 * error * min(1.0, 30 * error)),
                self.correction,
            )
            self.marginal *= np.maximum(1 + self.correction / self.marginal, 0.2)
        else:
            raise NoSolutionError(f"The policies of {self.economy.tastes} do not converge.")
        lottery(self.economy.grid, self.economy.choices.a, self.economy.savings)
        stationary(
            self.economy.transposed,
            self.economy.savings,
            self.forward_grid,
            max(DISTRIBUTION_TOLERANCE, 1e-2 * tolerance),
            self.distribution,
        )
        return self.economy.gap(self.distribution)

    def _steady(self, unknown: np.ndarray) -> SteadyState:
        problem = self.economy.problem(unknown)
        choices: Choices = self.economy.choices
        return SteadyState(
            beta=problem.beta,
            vphi=problem.vphi,
            skill=self.economy.skill,
            transition=self.economy.transition,
            grid=self.economy.grid,
            a=choices.a.copy(),
            c=choices.c.copy(),
            n=choices.n.copy(),
            marginal=self.marginal.copy(),
            distribution=self.distribution.copy(),
        )


def coarse_start(tastes: Tastes, grid: Grid = GRID, income: Income | None = None) -> Start:
    """The solution on the coarse grid alone, from no guess: each Newton step and the distribution
    by dense systems. Raises `NoSolutionError`.
    """
    economy = Economy(tastes, grids(grid).coarse, income)
    unknown = np.log([0.015, tastes.wage])
    cash = (1 + tastes.r) * economy.grid + economy.skill[:, None]
    marginal = economy.transition @ ((1 + tastes.r) * (0.1 * cash) ** (-1 / tastes.eis))
    gap, marginal = _coarse_gap(economy, unknown, marginal)
    columns = [
        (_coarse_gap(economy, unknown + step, marginal)[0] - gap) / 0.1 for step in 0.1 * np.eye(2)
    ]
    slope = np.column_stack(columns)
    for _ in range(MOST_MARKET_STEPS):
        if np.abs(gap).max() < COARSE_TOLERANCE:
            return Start(unknown, slope, economy.grid, np.log(marginal))
        step = -np.linalg.lstsq(slope, gap)[0]
        step *= min(1.0, LONGEST_STEP / np.abs(step).max())
        unknown, before = unknown + step, gap
        gap, marginal = _coarse_gap(economy, unknown, marginal)
        slope = slope + np.outer(gap - before - slope @ step, step) / (step @ step)
    raise NoSolutionError(
        f"The markets of {tastes} do not clear after {MOST_MARKET_STEPS} steps on the coarse grid."
    )


def _coarse_gap(
    economy: Economy, unknown: np.ndarray, marginal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gaps of the markets, and the policies' E[V_a'] (E, C) there, from a guess of it."""
    problem = economy.problem(unknown)
    marginal = marginal.copy()
    for step in range(400):
        residual = economy.step_back(problem, marginal)
        error = float((np.abs(residual) / marginal).max())
        if not error < np.inf:
            break
        if error < POLICY_TOLERANCE:
            shares = economy.inverse_forward().sum(axis=1)
            distribution = (shares / shares.sum()).reshape(marginal.shape)
            return economy.gap(distribution), marginal
        if step < 20 or error > 0.1:  # far away, Newton's steps are too long
            marginal += residual
            continue
        economy.linearise(problem, marginal)
        correction = (economy.inverse_backward() @ residual.ravel()).reshape(marginal.shape)
        marginal *= np.maximum(1 + correction / marginal, 0.2)
    raise NoSolutionError(f"The policies of {economy.tastes} do not converge on the coarse grid.")
