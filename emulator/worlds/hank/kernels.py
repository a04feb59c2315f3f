"""Inner loops of the households of `hank`, compiled by Numba: one step back in time of the
policies, one step forward of the distribution, and the linear systems of both.

The linear systems are solved by two grids: `SMOOTHING` fixed-point steps on the whole grid remove
what differs from point to point, and a correction on a few of its points, by a dense inverse that
was found once, removes what is smooth. Axes: E skill, A asset, C asset of the coarse grid.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from emulator.worlds.households.compiled import compiled

SMOOTHING = 8
"""Fixed-point steps between two corrections on the coarse grid."""
DEPTH = 6
"""Steps that Anderson's acceleration remembers."""
MOST_CYCLES = 100
CONSTRAINED = -1
"""Stands for the interval of a household whose borrowing limit binds."""


class Problem(NamedTuple):
    """What households face: asset grid (A,), transitions of skill (E, E), pay per hour and transfer
    by skill (E,), gross real return, and tastes.
    """

    grid: np.ndarray
    transition: np.ndarray
    pay: np.ndarray
    transfer: np.ndarray
    gross: float
    beta: float
    eis: float
    frisch: float
    vphi: float


class Ahead(NamedTuple):
    """Choices (E, A) that lead to each point of the grid tomorrow, and the assets, with return,
    that pay for them.
    """

    c: np.ndarray
    n: np.ndarray
    cash: np.ndarray


class Choices(NamedTuple):
    """Choices (E, A) at each point of the grid today; `value` is V_a; `left` the interval of
    `Ahead.cash` that holds the point, `weight` that of the interval's left end.
    """

    c: np.ndarray
    n: np.ndarray
    a: np.ndarray
    value: np.ndarray
    left: np.ndarray
    weight: np.ndarray


class Pairs(NamedTuple):
    """A sparse operator along the asset axis: row j has two entries, at `left` and beside it."""

    left: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Coarse(NamedTuple):
    """The coarse grid: `nodes` (C,) of its points in the fine one; `left` and `weight` (A,), by
    which fine points lie between them; a dense `inverse` (EC, EC) of the coarse system.
    """

    nodes: np.ndarray
    left: np.ndarray
    weight: np.ndarray
    inverse: np.ndarray


def empty_ahead(skills: int, points: int) -> Ahead:
    return Ahead(*np.zeros((3, skills, points)))


def empty_choices(skills: int, points: int) -> Choices:
    c, n, a, value, weight = np.zeros((5, skills, points))
    return Choices(c, n, a, value, np.zeros((skills, points), np.int64), weight)


def empty_pairs(skills: int, points: int) -> Pairs:
    return Pairs(np.zeros((skills, points), np.int64), *np.zeros((2, skills, points)))


@compiled
def expect(transition: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """out = transition @ values, both (E, A)."""
    skills, points = values.shape  # of so few rows BLAS takes half as long again
    for e in range(skills):
        total, chance, row = out[e], transition[e, 0], values[0]
        for j in range(points):
            total[j] = chance * row[j]
        for f in range(1, skills):
            chance, row = transition[e, f], values[f]
            for j in range(points):
                total[j] += chance * row[j]


@compiled
def backward(problem: Problem, marginal: np.ndarray, ahead: Ahead, choices: Choices) -> None:
    """One step of the endogenous grid method (Carroll 2006) from `marginal` = E[V_a'] (E, A) on
    tomorrow's grid; fills `ahead` and `choices`.
    """
    skills, points = marginal.shape
    grid = problem.grid
    for e in range(skills):
        pay, transfer = problem.pay[e], problem.transfer[e]
        log_ratio = math.log(pay / problem.vphi)
        c_ahead, n_ahead, cash = ahead.c[e], ahead.n[e], ahead.cash[e]
        for j in range(points):
            log_price = math.log(problem.beta * marginal[e, j])
            c_ahead[j] = math.exp(-problem.eis * log_price)
            n_ahead[j] = math.exp(problem.frisch * (log_price + log_ratio))
            cash[j] = c_ahead[j] - pay * n_ahead[j] + grid[j] - transfer
        left = 0
        log_price = math.log(problem.beta * marginal[e, 0])
        for j in range(points):
            wealth = problem.gross * grid[j]
            while left < points - 2 and cash[left + 1] < wealth:
                left += 1
            weight = (cash[left + 1] - wealth) / (cash[left + 1] - cash[left])
            c = weight * c_ahead[left] + (1 - weight) * c_ahead[left + 1]
            n = weight * n_ahead[left] + (1 - weight) * n_ahead[left + 1]
            a = wealth + pay * n + transfer - c
            choices.left[e, j] = left
            if a < grid[0]:
                a = grid[0]
                log_price = constrained(
                    log_price, wealth + transfer - a, pay, log_ratio, problem.eis, problem.frisch
                )
                c = math.exp(-problem.eis * log_price)
                n = math.exp(problem.frisch * (log_price + log_ratio))
                choices.left[e, j] = CONSTRAINED
            choices.weight[e, j] = weight
            choices.c[e, j] = c
            choices.n[e, j] = n
            choices.a[e, j] = a
            choices.value[e, j] = problem.gross * math.exp(-math.log(c) / problem.eis)


@compiled
def constrained(
    log_price: float, cash: float, pay: float, log_ratio: float, eis: float, frisch: float
) -> float:
    """Logarithm of the marginal utility at which c - pay n = cash, by Newton's method from
    `log_price`: the budget of a household at its borrowing limit.
    """
    for _ in range(50):
        c = math.exp(-eis * log_price)
        earned = pay * math.exp(frisch * (log_price + log_ratio))
        gap = c - earned - cash
        if abs(gap) < 1e-14 * (1 + c):
            break
        log_price += gap / (eis * c + frisch * earned)
    return log_price


@compiled
def linearise(
    problem: Problem,
    marginal: np.ndarray,
    ahead: Ahead,
    choices: Choices,
    pairs: Pairs,
    c_slope: np.ndarray,
    n_slope: np.ndarray,
) -> None:
    """The derivative of V_a today by E[V_a'], as `pairs`, and those of c and n by cash, (E, A)."""
    skills, points = marginal.shape
    eis, frisch = problem.eis, problem.frisch
    for e in range(skills):
        pay = problem.pay[e]
        c_ahead, n_ahead, cash = ahead.c[e], ahead.n[e], ahead.cash[e]
        for j in range(points):
            left = choices.left[e, j]
            pairs.left[e, j] = max(left, 0)
            if left == CONSTRAINED:
                pairs.low[e, j] = 0.0
                pairs.high[e, j] = 0.0
                elastic = eis * choices.c[e, j] + frisch * pay * choices.n[e, j]
                c_slope[e, j] = eis * choices.c[e, j] / elastic
                n_slope[e, j] = -frisch * choices.n[e, j] / elastic
                continue
            width = cash[left + 1] - cash[left]
            slope = (c_ahead[left + 1] - c_ahead[left]) / width
            c_slope[e, j] = slope
            n_slope[e, j] = (n_ahead[left + 1] - n_ahead[left]) / width
            curvature = -choices.value[e, j] / (eis * choices.c[e, j])
            weight = choices.weight[e, j]
            for side in range(2):
                k = left + side
                own = eis * c_ahead[k]
                moved = (slope * (own + frisch * pay * n_ahead[k]) - own) / marginal[e, k]
                if side == 0:
                    pairs.low[e, j] = curvature * weight * moved
                else:
                    pairs.high[e, j] = curvature * (1 - weight) * moved


@compiled
def apply(pairs: Pairs, values: np.ndarray, out: np.ndarray) -> None:
    """out[e, j] = low values[e, left] + high values[e, left + 1]."""
    skills, points = values.shape
    for e in range(skills):
        row = values[e]
        left, low, high = pairs.left[e], pairs.low[e], pairs.high[e]
        for j in range(points):
            out[e, j] = low[j] * row[left[j]] + high[j] * row[left[j] + 1]


@compiled
def solve_backward(
    problem: Problem,
    pairs: Pairs,
    residual: np.ndarray,
    marginal: np.ndarray,
    marginal_C: np.ndarray,
    coarse: Coarse,
    tolerance: float,
    x: np.ndarray,
) -> bool:
    """x (E, A) with (I - transition pairs) x = residual, by two grids; the error of x is at most
    `tolerance` relative to `marginal`. Returns whether that was reached.

    The coarse correction is taken of x relative to `marginal` (`marginal_C` (E, C) on the coarse
    grid), which varies by orders of magnitude over the grid.
    """
    skills, points = residual.shape
    size = len(coarse.nodes)
    moved = np.empty((skills, points))
    image = np.empty((skills, points))
    coarse_residual = np.empty(skills * size)
    x[:] = residual
    for _ in range(MOST_CYCLES):
        for _ in range(SMOOTHING):
            apply(pairs, x, moved)
            expect(problem.transition, moved, image)
            for e in range(skills):
                for j in range(points):
                    x[e, j] = image[e, j] + residual[e, j]
        apply(pairs, x, moved)
        expect(problem.transition, moved, image)
        error = 0.0
        for e in range(skills):
            for j in range(points):
                image[e, j] += residual[e, j] - x[e, j]
                error = max(error, abs(image[e, j]) / marginal[e, j])
        if error < tolerance:
            x += image
            return True
        for e in range(skills):
            for k in range(size):
                j = coarse.nodes[k]
                scale = marginal_C[e, k] / marginal[e, j]
                coarse_residual[e * size + k] = image[e, j] * scale
        correction = coarse.inverse @ coarse_residual
        for e in range(skills):
            base = e * size
            for k in range(size):
                correction[base + k] /= marginal_C[e, k]
            for j in range(points):
                k = base + coarse.left[j]
                weight = coarse.weight[j]
                between = weight * correction[k] + (1 - weight) * correction[k + 1]
                x[e, j] += marginal[e, j] * between
    return False


@compiled
def lottery(grid: np.ndarray, a: np.ndarray, pairs: Pairs) -> None:
    """Chances (Young 2010) by which savings a (E, A) land on the two points of the grid around
    them.
    """
    skills, points = a.shape
    for e in range(skills):
        left = 0
        for j in range(points):
            while left < points - 2 and grid[left + 1] < a[e, j]:
                left += 1
            chance = (grid[left + 1] - a[e, j]) / (grid[left + 1] - grid[left])
            pairs.left[e, j] = left
            pairs.low[e, j] = chance
            pairs.high[e, j] = 1 - chance


@compiled
def forward(
    transposed: np.ndarray,
    pairs: Pairs,
    distribution: np.ndarray,
    landed: np.ndarray,
    out: np.ndarray,
) -> None:
    """Tomorrow's distribution before choices, out (E, A), from today's: savings by `pairs`, then
    skills by the `transposed` transition. `landed` is room to work in.
    """
    skills, points = distribution.shape
    landed[:] = 0.0
    for e in range(skills):
        left, chance, target, source = pairs.left[e], pairs.low[e], landed[e], distribution[e]
        for j in range(points):
            stays = source[j] * chance[j]
            target[left[j]] += stays
            target[left[j] + 1] += source[j] - stays
    expect(transposed, landed, out)


@compiled
def stationary(
    transposed: np.ndarray, pairs: Pairs, coarse: Coarse, tolerance: float, distribution: np.ndarray
) -> bool:
    """The distribution (E, A) that `forward` leaves as it is, in place: Anderson's acceleration
    (1965) of steps that are a coarse correction and `SMOOTHING` steps forward. Returns whether a
    step changes no entry by more than `tolerance`.
    """
    shape = distribution.shape
    landed = np.empty(shape)
    image = np.empty(shape)
    size = distribution.size
    flat = distribution.reshape(size)
    steps = np.empty((DEPTH, size))
    images = np.empty((DEPTH, size))
    products = np.empty((DEPTH, DEPTH))
    last_step = np.empty(size)
    last_image = np.empty(size)
    for cycle in range(MOST_CYCLES):
        forward(transposed, pairs, distribution, landed, image)
        change = image - distribution
        if np.abs(change).max() < tolerance:
            distribution[:] = image
            return True
        image[:] = distribution
        correct(coarse, change, image)
        for _ in range(SMOOTHING // 2):
            forward(transposed, pairs, image, landed, change)
            forward(transposed, pairs, change, landed, image)
        end = image.reshape(size)
        step = end - flat
        known = min(cycle, DEPTH)
        if known:
            new = (cycle - 1) % DEPTH
            steps[new] = step - last_step
            images[new] = end - last_image
            products[new, :known] = steps[:known] @ steps[new]
            products[:known, new] = products[new, :known]
            products[new, new] *= 1 + 1e-13
        last_step[:] = step
        last_image[:] = end
        flat[:] = end
        if known:
            regular = np.ascontiguousarray(products[:known, :known])
            weights = np.linalg.solve(regular, steps[:known] @ step)
            flat -= weights @ images[:known]
    return False


@compiled
def correct(coarse: Coarse, change: np.ndarray, distribution: np.ndarray) -> None:
    """Add to a distribution (E, A), at the coarse points, what a change (E, A) sums up to."""
    skills, points = change.shape
    size = len(coarse.nodes)
    gathered = np.zeros(skills * size)
    for e in range(skills):
        for j in range(points):
            k = e * size + coarse.left[j]
            gathered[k] += change[e, j] * coarse.weight[j]
            gathered[k + 1] += change[e, j] * (1 - coarse.weight[j])
    correction = coarse.inverse @ gathered
    for e in range(skills):
        for k in range(size):
            distribution[e, coarse.nodes[k]] += correction[e * size + k]
