"""The derivative of one step back in time of the households of `hank2`, compiled by Numba: by what
is expected, and by returns and income of the quarter.

Axes: E skill, B liquid asset, A illiquid asset, R row of the endogenous grid.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.worlds.hank2.kernels import (
    BY_ILLIQUID,
    BY_LIQUID,
    Choices,
    Endogenous,
    Problem,
)
from emulator.worlds.households.compiled import compiled


class Slopes(NamedTuple):
    """The derivative of a step back. At endogenous points, a and x by V_a and V_b expected at both
    ends of the interval, (4, E, R, A), in the order a left, a right, b left, b right; for
    households, choices by x (E, B, A), consumption by a, and V_a by a, V_a and V_b by consumption.
    """

    a_by: np.ndarray
    x_by: np.ndarray
    a_by_x: np.ndarray
    b_by_x: np.ndarray
    c_by_a: np.ndarray
    value_by_a: np.ndarray
    value_by_c: np.ndarray


def empty_slopes(skills: int, liquid: int, illiquid: int, rows: int) -> Slopes:
    shape = (skills, liquid, illiquid)
    a_by, x_by = np.zeros((2, 4, skills, rows, illiquid))
    a_by_x, b_by_x, c_by_a, value_by_a = np.zeros((4, *shape))
    return Slopes(a_by, x_by, a_by_x, b_by_x, c_by_a, value_by_a, np.zeros((2, *shape)))


@compiled
def linearise(
    problem: Problem,
    expected: np.ndarray,
    endogenous: Endogenous,
    choices: Choices,
    slopes: Slopes,
) -> None:
    """The derivative of `backward`, which was called with the same arguments."""
    for e in range(len(problem.income)):
        for row in range(endogenous.a.shape[1]):
            _linearise_euler(problem, expected, endogenous, slopes, e, row)
        _linearise_choices(problem, endogenous, choices, slopes, e)


@compiled
def _linearise_euler(
    problem: Problem,
    expected: np.ndarray,
    endogenous: Endogenous,
    slopes: Slopes,
    e: int,
    row: int,
) -> None:
    grid, chi0, chi1 = problem.illiquid, problem.chi0, problem.chi1
    liquid = len(problem.liquid)
    held = row if row < liquid else 0
    tight = 1.0 if row < liquid else 1 + problem.multiplier[row - liquid]
    by_a, by_b = expected[BY_ILLIQUID, e, held], expected[BY_LIQUID, e, held]
    for j in range(len(grid)):
        left, weight = endogenous.left[e, row, j], endogenous.weight[e, row, j]
        scale = (1 + problem.r_illiquid) * grid[j] + chi0
        price = endogenous.price[e, row, j]
        c_by_price = -problem.eis * price ** (-problem.eis - 1)
        a_slope = 1 + chi1 * ((endogenous.a[e, row, j] + chi0) / scale - 1)
        width = grid[left] - grid[left + 1]
        fall = tight * (by_b[left] - by_b[left + 1])
        # By how much the weight moves with the ratio of values at the left and the right end.
        by_left, by_right = weight_slopes(problem, by_a, by_b, tight, scale, left, weight)
        for side in range(2):
            at = left + side
            moved = by_left if side == 0 else by_right
            ratio = by_a[at] / (by_b[at] * tight)
            own = tight * (weight if side == 0 else 1 - weight)
            for v in range(2):
                turned = moved * ratio / by_a[at] if v == BY_ILLIQUID else -moved * ratio / by_b[at]
                a = width * turned
                dearer = fall * turned + (own if v == BY_LIQUID else 0.0)
                slopes.a_by[2 * v + side, e, row, j] = a
                slopes.x_by[2 * v + side, e, row, j] = (c_by_price * dearer + a_slope * a) / (
                    1 + problem.r_liquid
                )


@compiled
def weight_slopes(
    problem: Problem,
    by_a: np.ndarray,
    by_b: np.ndarray,
    tight: float,
    scale: float,
    left: int,
    weight: float,
) -> tuple[float, float]:
    """The weight of the left end by the ratio of values there and at the right end; none where the
    household has no illiquid assets tomorrow.
    """
    if left == 0 and weight == 1.0:
        return 0.0, 0.0
    grid, chi0, chi1 = problem.illiquid, problem.chi0, problem.chi1
    above = 1 + chi1 * ((grid[left + 1] + chi0) / scale - 1)
    above -= by_a[left + 1] / (by_b[left + 1] * tight)
    below = 1 + chi1 * ((grid[left] + chi0) / scale - 1) - by_a[left] / (by_b[left] * tight)
    return -above / (above - below) ** 2, below / (above - below) ** 2


@compiled
def _linearise_choices(
    problem: Problem, endogenous: Endogenous, choices: Choices, slopes: Slopes, e: int
) -> None:
    liquid, illiquid = problem.liquid, problem.illiquid
    chi0, chi1 = problem.chi0, problem.chi1
    gross_a, gross_b = 1 + problem.r_illiquid, 1 + problem.r_liquid
    for k in range(len(liquid)):
        for j in range(len(illiquid)):
            row = choices.row[e, k, j]
            width = endogenous.x[e, row + 1, j] - endogenous.x[e, row, j]
            a_fall = endogenous.a[e, row, j] - endogenous.a[e, row + 1, j]
            b_fall = liquid[row] - liquid[row + 1] if row < len(liquid) else 0.0
            slopes.a_by_x[e, k, j] = a_fall / width
            slopes.b_by_x[e, k, j] = b_fall / width
            scale = gross_a * illiquid[j] + chi0
            growth = (choices.a[e, k, j] + chi0) / scale
            utility = choices.utility[e, k, j]
            curvature = -utility / (problem.eis * choices.c[e, k, j])
            slopes.c_by_a[e, k, j] = -1 - chi1 * (growth - 1)
            slopes.value_by_a[e, k, j] = gross_a * chi1 * growth / scale * utility
            worth = gross_a * (1 + 0.5 * chi1 * (growth**2 - 1))
            slopes.value_by_c[BY_ILLIQUID, e, k, j] = worth * curvature
            slopes.value_by_c[BY_LIQUID, e, k, j] = gross_b * curvature


@compiled
def apply(
    endogenous: Endogenous,
    choices: Choices,
    slopes: Slopes,
    expected: np.ndarray,
    room: np.ndarray,
    answer: np.ndarray,
    value: np.ndarray,
) -> None:
    """What a change of what is expected (2, E, B, A) changes in illiquid and liquid assets and
    consumption, `answer` (3, E, B, A), and in V_a and V_b, `value` (2, E, B, A). `room` (2, R, A)
    is to work in.
    """
    skills, liquid, _ = choices.a.shape
    for e in range(skills):
        for row in range(endogenous.a.shape[1]):
            held = row if row < liquid else 0
            _along(endogenous, slopes, expected, room, e, row, held)
        between(choices, slopes, room, answer, e)
        values(slopes, answer, value, e)


@compiled
def _along(
    endogenous: Endogenous,
    slopes: Slopes,
    expected: np.ndarray,
    room: np.ndarray,
    e: int,
    row: int,
    held: int,
) -> None:
    by_a, by_b = expected[BY_ILLIQUID, e, held], expected[BY_LIQUID, e, held]
    left = endogenous.left[e, row]
    a_by, x_by = slopes.a_by, slopes.x_by
    for j in range(len(left)):
        at = left[j]
        room[0, row, j] = (
            a_by[0, e, row, j] * by_a[at]
            + a_by[1, e, row, j] * by_a[at + 1]
            + a_by[2, e, row, j] * by_b[at]
            + a_by[3, e, row, j] * by_b[at + 1]
        )
        room[1, row, j] = (
            x_by[0, e, row, j] * by_a[at]
            + x_by[1, e, row, j] * by_a[at + 1]
            + x_by[2, e, row, j] * by_b[at]
            + x_by[3, e, row, j] * by_b[at + 1]
        )


@compiled
def between(choices: Choices, slopes: Slopes, room: np.ndarray, answer: np.ndarray, e: int) -> None:
    """Changes of choices from changes `room` (2, R, A) of a and x on the endogenous grid."""
    _, liquid, illiquid = choices.a.shape
    for k in range(liquid):
        for j in range(illiquid):
            row, weight = choices.row[e, k, j], choices.weight[e, k, j]
            x = weight * room[1, row, j] + (1 - weight) * room[1, row + 1, j]
            a = weight * room[0, row, j] + (1 - weight) * room[0, row + 1, j]
            a += slopes.a_by_x[e, k, j] * x
            b = slopes.b_by_x[e, k, j] * x
            answer[0, e, k, j] = a
            answer[1, e, k, j] = b
            answer[2, e, k, j] = slopes.c_by_a[e, k, j] * a - b


@compiled
def values(slopes: Slopes, answer: np.ndarray, value: np.ndarray, e: int) -> None:
    """Changes of V_a and V_b from changes of choices."""
    _, _, liquid, illiquid = answer.shape
    for k in range(liquid):
        for j in range(illiquid):
            c = answer[2, e, k, j]
            value[BY_ILLIQUID, e, k, j] = (
                slopes.value_by_c[BY_ILLIQUID, e, k, j] * c
                + slopes.value_by_a[e, k, j] * answer[0, e, k, j]
            )
            value[BY_LIQUID, e, k, j] = slopes.value_by_c[BY_LIQUID, e, k, j] * c


@compiled
def on_impact(
    problem: Problem,
    expected: np.ndarray,
    endogenous: Endogenous,
    choices: Choices,
    slopes: Slopes,
    moves: tuple[float, float, float],
    answer: np.ndarray,
    value: np.ndarray,
) -> None:
    """`apply` for changes today of the illiquid return, the liquid return, and income as a share of
    it: `moves`.
    """
    by_ra, by_rb, by_income = moves
    skills, liquid, illiquid = choices.a.shape
    gross = 1 + problem.r_illiquid
    room = np.empty((2, *endogenous.a.shape[1:]))
    earned = np.empty((liquid, illiquid))
    worth = np.empty((liquid, illiquid))
    for e in range(skills):
        for row in range(endogenous.a.shape[1]):
            _euler_on_impact(problem, expected, endogenous, moves, room, e, row)
        for k in range(liquid):
            for j in range(illiquid):
                saved = problem.illiquid[j]
                scale = gross * saved + problem.chi0
                growth = (choices.a[e, k, j] + problem.chi0) / scale
                cheaper = 1 + 0.5 * problem.chi1 * (growth**2 - 1)
                earned[k, j] = saved * cheaper * by_ra + problem.liquid[k] * by_rb
                earned[k, j] += problem.income[e] * by_income
                worth[k, j] = cheaper - gross * problem.chi1 * growth**2 * saved / scale
        between(choices, slopes, room, answer, e)
        answer[2, e] += earned
        values(slopes, answer, value, e)
        value[BY_ILLIQUID, e] += worth * choices.utility[e] * by_ra
        value[BY_LIQUID, e] += choices.utility[e] * by_rb


@compiled
def _euler_on_impact(
    problem: Problem,
    expected: np.ndarray,
    endogenous: Endogenous,
    moves: tuple[float, float, float],
    room: np.ndarray,
    e: int,
    row: int,
) -> None:
    """Changes of a and x of one row, `room` (2, R, A), where what is expected stays."""
    by_ra, by_rb, by_income = moves
    grid, chi0, chi1 = problem.illiquid, problem.chi0, problem.chi1
    held = row if row < len(problem.liquid) else 0
    tight = 1.0 if row < len(problem.liquid) else 1 + problem.multiplier[row - len(problem.liquid)]
    by_a, by_b = expected[BY_ILLIQUID, e, held], expected[BY_LIQUID, e, held]
    for j in range(len(grid)):
        left, weight = endogenous.left[e, row, j], endogenous.weight[e, row, j]
        price = endogenous.price[e, row, j]
        scale = (1 + problem.r_illiquid) * grid[j] + chi0
        by_left, by_right = weight_slopes(problem, by_a, by_b, tight, scale, left, weight)
        cheaper = chi1 * grid[j] / scale**2 * by_ra
        turned = cheaper * (by_left * (grid[left] + chi0) + by_right * (grid[left + 1] + chi0))
        a = (grid[left] - grid[left + 1]) * turned
        dearer = tight * (by_b[left] - by_b[left + 1]) * turned
        growth = (endogenous.a[e, row, j] + chi0) / scale
        spent = -problem.eis * price ** (-problem.eis - 1) * dearer
        spent += (1 + chi1 * (growth - 1)) * a
        spent -= grid[j] * (1 + 0.5 * chi1 * (growth**2 - 1)) * by_ra
        spent -= problem.income[e] * by_income + endogenous.x[e, row, j] * by_rb
        room[0, row, j] = a
        room[1, row, j] = spent / (1 + problem.r_liquid)
