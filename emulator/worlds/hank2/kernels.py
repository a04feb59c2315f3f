"""Inner loops of the households of `hank2`, compiled by Numba: one step back in time of the
policies, and where savings land. Its derivative is in `derivative.py`.

A step back follows Auclert, Bardóczy, Rognlie and Straub (2021, appendix on the two-asset
household): for tomorrow's liquid assets and today's illiquid ones, the illiquid assets at which
both Euler equations hold; then the liquid assets today that lead there. Households that would
borrow are found on a grid of the multiplier of their limit instead. Both are rows of one endogenous
grid: rows 0 to B-1 have tomorrow's liquid assets of that index, rows B and later none and a
multiplier. Axes: E skill, B liquid asset, A illiquid asset, R row of the endogenous grid.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.worlds.households.compiled import compiled

BY_ILLIQUID, BY_LIQUID = 0, 1


class Problem(NamedTuple):
    """What households face: grids of liquid (B,) and illiquid assets (A,) and of the multiplier of
    the borrowing limit, which decreases (K,); transitions of skill (E, E); income after taxes by
    skill (E,); real returns; and tastes.
    """

    liquid: np.ndarray
    illiquid: np.ndarray
    multiplier: np.ndarray
    transition: np.ndarray
    income: np.ndarray
    r_liquid: float
    r_illiquid: float
    beta: float
    eis: float
    chi0: float
    chi1: float


class Endogenous(NamedTuple):
    """Points (E, R, A) at which the Euler equations hold: the interval of tomorrow's illiquid
    assets and the weight of its left end, those assets, the marginal utility, and the liquid assets
    today that lead there.
    """

    left: np.ndarray
    weight: np.ndarray
    a: np.ndarray
    price: np.ndarray
    x: np.ndarray


class Choices(NamedTuple):
    """Choices (E, B, A) today: illiquid and liquid assets, consumption, marginal utility; the row
    of `Endogenous` below each household and its weight; `value` is V_a and V_b, (2, E, B, A).
    """

    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    utility: np.ndarray
    row: np.ndarray
    weight: np.ndarray
    value: np.ndarray


class Lottery(NamedTuple):
    """Where the savings (E, B, A) of each household land: below and with which chance there, for
    liquid and illiquid assets.
    """

    b_left: np.ndarray
    b_chance: np.ndarray
    a_left: np.ndarray
    a_chance: np.ndarray


def empty_endogenous(skills: int, rows: int, points: int) -> Endogenous:
    shape = (skills, rows, points)
    return Endogenous(np.zeros(shape, np.int64), *np.zeros((4, *shape)))


def empty_choices(skills: int, liquid: int, illiquid: int) -> Choices:
    shape = (skills, liquid, illiquid)
    a, b, c, utility, weight = np.zeros((5, *shape))
    return Choices(a, b, c, utility, np.zeros(shape, np.int64), weight, np.zeros((2, *shape)))


def empty_lottery(skills: int, liquid: int, illiquid: int) -> Lottery:
    shape = (skills, liquid, illiquid)
    ints, floats = np.zeros((2, *shape), np.int64), np.zeros((2, *shape))
    return Lottery(ints[0], floats[0], ints[1], floats[1])


@compiled
def expect(transition: np.ndarray, values: np.ndarray, factor: float, out: np.ndarray) -> None:
    """out = factor times transition @ values, over skills; values (2, E, B, A), all contiguous.

    Loops over flat arrays, here and below: Numba takes ten times as long to compile expressions of
    arrays of four dimensions.
    """
    skills = transition.shape[0]
    size = values[0].size
    for v in range(values.shape[0]):
        flat = values[v].reshape(skills, size // skills)
        image = (transition @ flat).reshape(size)
        target = out[v].reshape(size)
        for k in range(size):
            target[k] = factor * image[k]


@compiled
def backward(
    problem: Problem, expected: np.ndarray, endogenous: Endogenous, choices: Choices
) -> None:
    """One step back from beta E[V_a'], beta E[V_b'], (2, E, B, A); fills the other two."""
    for e in range(len(problem.income)):
        for row in range(endogenous.a.shape[1]):
            _euler(problem, expected, endogenous, e, row)
        _choose(problem, endogenous, choices, e)


@compiled
def iterate(
    problem: Problem,
    expected: np.ndarray,
    endogenous: Endogenous,
    choices: Choices,
    change: np.ndarray,
    near: float,
    most: int,
) -> float:
    """Steps back from `expected`, in place, until one changes it by less than `near`; leaves that
    step's `change` (2, E, B, A) undone. Returns the largest relative change.
    """
    image = np.empty_like(expected)
    size = expected.size
    before, after, moved = expected.reshape(size), image.reshape(size), change.reshape(size)
    error = np.inf
    for _ in range(most):
        backward(problem, expected, endogenous, choices)
        expect(problem.transition, choices.value, problem.beta, image)
        error = 0.0
        for k in range(size):
            moved[k] = after[k] - before[k]
            relative = abs(moved[k] / before[k])
            if relative > error or np.isnan(relative):
                error = relative
        if not error >= near:  # near, or no number
            break
        for k in range(size):
            before[k] = after[k]
    return error


@compiled
def _euler(
    problem: Problem, expected: np.ndarray, endogenous: Endogenous, e: int, row: int
) -> None:
    """The points of one row: tomorrow's illiquid assets from what they are worth beside liquid
    ones, linear between points of the grid.
    """
    grid, chi0, chi1 = problem.illiquid, problem.chi0, problem.chi1
    n, liquid = len(grid), len(problem.liquid)
    held = row if row < liquid else 0
    tight = 1.0 if row < liquid else 1 + problem.multiplier[row - liquid]
    by_a, by_b = expected[BY_ILLIQUID, e, held], expected[BY_LIQUID, e, held]
    gross_a, gross_b = 1 + problem.r_illiquid, 1 + problem.r_liquid
    right = 0
    for j in range(n):
        scale = gross_a * grid[j] + chi0
        while right < n - 1:
            if by_a[right] / (by_b[right] * tight) < 1 + chi1 * ((grid[right] + chi0) / scale - 1):
                break
            right += 1
        left, weight = 0, 1.0
        if right > 0:
            left = right - 1
            above = 1 + chi1 * ((grid[right] + chi0) / scale - 1)
            above -= by_a[right] / (by_b[right] * tight)
            below = 1 + chi1 * ((grid[left] + chi0) / scale - 1)
            below -= by_a[left] / (by_b[left] * tight)
            weight = above / (above - below)
        a = weight * grid[left] + (1 - weight) * grid[left + 1]
        price = tight * (weight * by_b[left] + (1 - weight) * by_b[left + 1])
        moved = a - gross_a * grid[j]
        spent = price**-problem.eis + a + problem.liquid[held] + 0.5 * chi1 * moved**2 / scale
        endogenous.left[e, row, j] = left
        endogenous.weight[e, row, j] = weight
        endogenous.a[e, row, j] = a
        endogenous.price[e, row, j] = price
        endogenous.x[e, row, j] = (spent - problem.income[e] - gross_a * grid[j]) / gross_b


@compiled
def _choose(problem: Problem, endogenous: Endogenous, choices: Choices, e: int) -> None:
    """Choices of the households of one skill, between the rows of the endogenous grid."""
    liquid, illiquid = problem.liquid, problem.illiquid
    chi0, chi1 = problem.chi0, problem.chi1
    gross_a, gross_b = 1 + problem.r_illiquid, 1 + problem.r_liquid
    n, rows = len(liquid), endogenous.a.shape[1]
    x, a_ahead = endogenous.x[e], endogenous.a[e]
    for j in range(len(illiquid)):
        free, bound = 0, n
        scale = gross_a * illiquid[j] + chi0
        for k in range(n):
            while free < n - 2 and x[free + 1, j] < liquid[k]:
                free += 1
            row = free
            weight = (x[row + 1, j] - liquid[k]) / (x[row + 1, j] - x[row, j])
            b = weight * liquid[row] + (1 - weight) * liquid[row + 1]
            if b <= liquid[0]:
                b = liquid[0]
                while bound < rows - 2 and x[bound + 1, j] < liquid[k]:
                    bound += 1
                row = bound
                weight = (x[row + 1, j] - liquid[k]) / (x[row + 1, j] - x[row, j])
            a = weight * a_ahead[row, j] + (1 - weight) * a_ahead[row + 1, j]
            moved = a - gross_a * illiquid[j]
            c = problem.income[e] + gross_b * liquid[k] - moved - b - 0.5 * chi1 * moved**2 / scale
            utility = c ** (-1 / problem.eis)
            growth = (a + chi0) / scale
            choices.row[e, k, j] = row
            choices.weight[e, k, j] = weight
            choices.a[e, k, j] = a
            choices.b[e, k, j] = b
            choices.c[e, k, j] = c
            choices.utility[e, k, j] = utility
            worth = gross_a * (1 + 0.5 * chi1 * (growth**2 - 1))
            choices.value[BY_ILLIQUID, e, k, j] = worth * utility
            choices.value[BY_LIQUID, e, k, j] = gross_b * utility


@compiled
def land(grid: np.ndarray, saved: np.ndarray, left: np.ndarray, chance: np.ndarray) -> None:
    """The points of the grid around savings (E, B, A), and the chance of the lower one (Young
    2010); outside the grid by the line through its last two points.
    """
    skills, liquid, illiquid = saved.shape
    for e in range(skills):
        for k in range(liquid):
            for j in range(illiquid):
                value = saved[e, k, j]
                low, high = 0, len(grid) - 1
                while high - low > 1:
                    middle = (low + high) // 2
                    if value > grid[middle]:
                        low = middle
                    else:
                        high = middle
                left[e, k, j] = low
                chance[e, k, j] = (grid[low + 1] - value) / (grid[low + 1] - grid[low])
