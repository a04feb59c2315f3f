"""Jacobians of the households of `hank2` by the fake-news algorithm, compressed in time as those of
`hank`.

A household's choices answer to the return on all assets, to income after taxes, and on impact to a
surprise in the value of illiquid assets. What news of an input s periods ahead changes in where
savings land today, times what households who land there choose t periods later, is summed over
them (Auclert, Bardóczy, Rognlie and Straub 2021, Econometrica 89, 2375-2408, section 3.2). Axes:
E skill, B liquid asset, A illiquid asset, N household (E, B, A), I input, O output, T period, K
period that is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from emulator.worlds.hank.fake_news import accumulate, kept_periods, recovery
from emulator.worlds.hank2.derivative import (
    Slopes,
    apply,
    empty_slopes,
    linearise,
    on_impact,
)
from emulator.worlds.hank2.household import (
    INCOME,
    INPUTS,
    SKILLS,
    Jacobian,
    R,
    SteadyState,
    grids,
)
from emulator.worlds.hank2.kernels import (
    Choices,
    Endogenous,
    Lottery,
    Problem,
    backward,
    empty_choices,
    empty_endogenous,
    empty_lottery,
    expect,
    land,
)
from emulator.worlds.hank2.steady import problem_of
from emulator.worlds.households.compiled import compiled

WITHOUT_MASS = 1e-13
"""Assets beyond the last point with more mass than this are not followed."""


class Output(NamedTuple):
    """A choice that is summed over households: its value at rest (E, B, A), and how it answers to
    illiquid and liquid assets saved and to consumption, each (E, B, A).
    """

    level: np.ndarray
    by_a: np.ndarray
    by_b: np.ndarray
    by_c: np.ndarray


def markets(s: SteadyState) -> list[Output]:
    """Wealth and marginal utility times skill, which the equilibrium needs."""
    one, none = np.ones(s.a.shape), np.zeros(s.a.shape)
    utility = s.utility
    by_c = -utility / (s.tastes.eis * s.c)
    return [Output(s.a + s.b, one, one, none), Output(utility, none, none, by_c)]


def watched(s: SteadyState) -> list[Output]:
    """Consumption by its value at rest, which no market needs."""
    none, total = np.zeros(s.a.shape), s.mean(s.c)
    return [Output(s.c / total, none, none, np.full(s.a.shape, 1 / total))]


class FakeNews:
    """What news of inputs up to T periods ahead changes in households' choices, at rest; Jacobians
    of any outputs follow.
    """

    def __init__(self, s: SteadyState, periods: int) -> None:
        self.steady, self.periods = s, periods
        step = Step(s)
        self.step = step
        mass = s.distribution
        ends = [
            int(np.nonzero(mass.max(axis=axes) > WITHOUT_MASS)[0][-1]) + 3
            for axes in ((0, 2), (0, 1))
        ]
        self.ends = (min(ends[0], mass.shape[1]), min(ends[1], mass.shape[2]))
        kept = kept_periods(periods)
        n = SKILLS * self.ends[0] * self.ends[1]
        # Row 0 is the change of today, the others those of s + 1 periods ahead.
        self.landed_IKN = np.zeros((len(INPUTS), len(kept) + 1, n))
        self.answers = np.zeros((len(INPUTS), len(kept) + 1, 3, *mass.shape))
        moves = {R: (1.0, 1.0, 0.0), INCOME: (0.0, 0.0, 1 / s.tastes.income)}
        for i, by in moves.items():
            answer, value = step.on_impact(by)
            step.follow(answer, value, kept, self.ends, self.answers[i], self.landed_IKN[i])
        self.surprised, _ = step.on_impact((1.0, 0.0, 0.0))
        self.surprise_N = step.land(self.surprised, self.ends)

    def jacobian(self, summed: Sequence[Output], rows: int) -> Jacobian:
        """Jacobians of outputs over the first `rows` periods."""
        kept, recover = kept_periods(rows), recovery(rows)
        ahead = recovery(self.periods)
        mass = self.steady.distribution
        foreseen = np.empty((len(summed), len(INPUTS), rows, self.periods))
        surprise = np.empty((len(summed), rows))
        for o, output in enumerate(summed):
            weights = np.stack([mass * by for by in (output.by_a, output.by_b, output.by_c)])
            later = self.step.expectations(output.level, kept, self.ends)
            today = np.tensordot(self.answers, weights, axes=4)
            for i in range(len(INPUTS)):
                late = later @ self.landed_IKN[i].T
                foreseen[o, i, 0, 0] = today[i, 0]
                foreseen[o, i, 0, 1:] = ahead @ today[i, 1:]
                foreseen[o, i, 1:, 0] = recover @ late[:, 0]
                foreseen[o, i, 1:, 1:] = (recover @ late[:, 1:]) @ ahead.T
            surprise[o, 0] = np.vdot(weights, self.surprised)
            surprise[o, 1:] = recover @ (later @ self.surprise_N)
        accumulate(foreseen)
        return Jacobian(foreseen, surprise)


class Step:
    """One step back in time at rest and its derivative, and where savings land."""

    def __init__(self, s: SteadyState) -> None:
        skills, liquid, illiquid = shape = s.a.shape
        size = s.size
        rows = size.liquid + size.multipliers
        self.steady = s
        self.problem = problem_of(s.tastes, size, s.skill, s.transition, s.beta, s.chi1)
        self.endogenous = empty_endogenous(SKILLS, rows, size.illiquid)
        self.choices, self.slopes = (
            empty_choices(*shape),
            empty_slopes(skills, liquid, illiquid, rows),
        )
        backward(self.problem, s.expected, self.endogenous, self.choices)
        linearise(self.problem, s.expected, self.endogenous, self.choices, self.slopes)
        self.lottery = empty_lottery(*shape)
        points = grids(size)
        land(points.liquid, s.b, self.lottery.b_left, self.lottery.b_chance)
        land(points.illiquid, s.a, self.lottery.a_left, self.lottery.a_chance)
        self.width_b = np.diff(points.liquid)
        self.width_a = np.diff(points.illiquid)

    def on_impact(self, moves: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
        """Answers (3, E, B, A) and changes of value (2, E, B, A); see `kernels.on_impact`."""
        answer = np.empty((3, *self.steady.a.shape))
        value = np.empty((2, *self.steady.a.shape))
        state = (self.problem, self.steady.expected, self.endogenous, self.choices, self.slopes)
        on_impact(*state, moves, answer, value)
        return answer, value

    def spent_of_cash(self) -> np.ndarray:
        """Share of one more unit of cash that each household spends within the quarter,
        (E, B, A).
        """
        x = -1 / (1 + self.problem.r_liquid)
        saved, kept = self.slopes.a_by_x * x, self.slopes.b_by_x * x
        return 1 + self.slopes.c_by_a * saved - kept

    def land(self, answer: np.ndarray, ends: tuple[int, int]) -> np.ndarray:
        """By how much an answer changes the mass that lands at each point, (N,), before skills
        move.
        """
        landed = np.empty(SKILLS * ends[0] * ends[1])
        room = np.empty_like(self.steady.a)
        widths = (self.width_b, self.width_a)
        _landed(self.lottery, *widths, self.steady.distribution, answer, room, ends, landed)
        return landed

    def follow(
        self,
        answer: np.ndarray,
        value: np.ndarray,
        kept: np.ndarray,
        ends: tuple[int, int],
        answers: np.ndarray,
        landed: np.ndarray,
    ) -> None:
        """Answers (K+1, 3, E, B, A) and what they change in where savings land, (K+1, N), of an
        input today and s + 1 periods ahead for the periods s that are kept.
        """
        answers[0] = answer
        landed[0] = self.land(answer, ends)
        _iterate_back(
            self.problem,
            self.endogenous,
            self.choices,
            self.slopes,
            self.lottery,
            self.width_b,
            self.width_a,
            self.steady.distribution,
            value,
            kept,
            ends,
            answers[1:],
            landed[1:],
        )

    def expectations(
        self, level: np.ndarray, kept: np.ndarray, ends: tuple[int, int]
    ) -> np.ndarray:
        """What households who land at a point choose t + 1 periods later, (K, N), less the
        mean.
        """
        later = np.empty((len(kept), SKILLS * ends[0] * ends[1]))
        _iterate_forward(self.problem.transition, self.lottery, level, kept, ends, later)
        return later


@compiled
def _landed(
    lottery: Lottery,
    width_b: np.ndarray,
    width_a: np.ndarray,
    mass: np.ndarray,
    answer: np.ndarray,
    room: np.ndarray,
    ends: tuple[int, int],
    landed: np.ndarray,
) -> None:
    skills, liquid, illiquid = mass.shape
    room[:] = 0.0
    for e in range(skills):
        for k in range(liquid):
            for j in range(illiquid):
                b, a = lottery.b_left[e, k, j], lottery.a_left[e, k, j]
                low_b, low_a = lottery.b_chance[e, k, j], lottery.a_chance[e, k, j]
                up_a = answer[0, e, k, j] / width_a[a] * mass[e, k, j]
                up_b = answer[1, e, k, j] / width_b[b] * mass[e, k, j]
                room[e, b, a] -= low_a * up_b + low_b * up_a
                room[e, b, a + 1] += low_b * up_a - (1 - low_a) * up_b
                room[e, b + 1, a] += low_a * up_b - (1 - low_b) * up_a
                room[e, b + 1, a + 1] += (1 - low_a) * up_b + (1 - low_b) * up_a
    landed[:] = room[:, : ends[0], : ends[1]].copy().reshape(-1)


@compiled
def _iterate_back(
    problem: Problem,
    endogenous: Endogenous,
    choices: Choices,
    slopes: Slopes,
    lottery: Lottery,
    width_b: np.ndarray,
    width_a: np.ndarray,
    mass: np.ndarray,
    value: np.ndarray,
    kept: np.ndarray,
    ends: tuple[int, int],
    answers: np.ndarray,
    landed: np.ndarray,
) -> None:
    now = value.copy()
    expected = np.empty_like(value)
    answer = np.empty((3, *mass.shape))
    room = np.empty((2, *endogenous.a.shape[1:]))
    moved = np.empty(mass.shape)
    k = 0
    for s in range(kept[-1] + 1):
        expect(problem.transition, now, problem.beta, expected)
        apply(endogenous, choices, slopes, expected, room, answer, now)
        if kept[k] == s:
            answers[k] = answer
            _landed(lottery, width_b, width_a, mass, answer, moved, ends, landed[k])
            k += 1


@compiled
def _iterate_forward(
    transition: np.ndarray,
    lottery: Lottery,
    level: np.ndarray,
    kept: np.ndarray,
    ends: tuple[int, int],
    later: np.ndarray,
) -> None:
    skills, liquid, illiquid = level.shape
    now = level - level.mean()
    ahead = np.empty((1, *level.shape))
    n = 0
    for t in range(kept[-1] + 1):
        ahead[0] = now
        expect(transition, ahead, 1.0, ahead)
        if kept[n] == t:
            later[n] = ahead[0, :, : ends[0], : ends[1]].copy().reshape(-1)
            n += 1
        for e in range(skills):
            for k in range(liquid):
                for j in range(illiquid):
                    b, a = lottery.b_left[e, k, j], lottery.a_left[e, k, j]
                    low_b, low_a = lottery.b_chance[e, k, j], lottery.a_chance[e, k, j]
                    below = low_a * ahead[0, e, b, a] + (1 - low_a) * ahead[0, e, b, a + 1]
                    above = low_a * ahead[0, e, b + 1, a] + (1 - low_a) * ahead[0, e, b + 1, a + 1]
                    now[e, k, j] = low_b * below + (1 - low_b) * above
        now -= now.mean()
