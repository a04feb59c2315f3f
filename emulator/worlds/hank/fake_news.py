"""Jacobians of the households of `hank` by the fake-news algorithm, compressed in time.

The algorithm (Auclert, Bardóczy, Rognlie and Straub 2021, Econometrica 89, 2375-2408, section
3.2) multiplies what an input s periods ahead changes in today's saving by what a unit saved today
is worth t periods later. Both are smooth in time: they change every period at first, then more and
more slowly. So each is computed period by period but kept only at some periods; between them it is
the polynomial through the nearest that are kept. Axes: E skill, A asset, N household (E, A), I
input (r, w, tau), O output, T period, K period that is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from emulator.worlds.hank.household import SteadyState, Tastes
from emulator.worlds.hank.kernels import (
    CONSTRAINED,
    Ahead,
    Choices,
    Pairs,
    Problem,
    apply,
    backward,
    empty_ahead,
    empty_choices,
    empty_pairs,
    expect,
    linearise,
    lottery,
)
from emulator.worlds.hank.outputs import Output, outputs, watched
from emulator.worlds.hank.steady import problem_of
from emulator.worlds.households.compiled import compiled

INPUTS = ("r", "w", "tau")
R, W, TAU = range(len(INPUTS))
WITHOUT_MASS = 1e-12
"""Assets beyond the last point with more mass than this are not followed."""
DENSE, RATIO = 48, 1.06
"""Every one of the first periods is kept, then in steps that grow by this ratio."""
DEGREE = 7
"""Of the polynomial between the periods that are kept; with the two above, Jacobians err by at most
3e-7 of their largest entry.
"""


class Step(NamedTuple):
    """One backward step at rest, linearised: V_a by E[V_a'] (`pairs`), consumption and hours by
    cash (E, A), and the same by E[V_a'] at the two points of `pairs` (2, E, A).
    """

    pairs: Pairs
    c_slope: np.ndarray
    n_slope: np.ndarray
    c_ahead: np.ndarray
    n_ahead: np.ndarray


@lru_cache(maxsize=8)
def kept_periods(periods: int) -> np.ndarray:
    """The periods (K,) of 0 .. periods - 2 that are kept."""
    chosen = list(range(min(DENSE, periods - 1)))
    last = float(len(chosen))
    while last < periods - 2:
        chosen.append(round(last))
        last = max(last + 1, last * RATIO)
    return np.unique([*chosen, periods - 2])


@lru_cache(maxsize=8)
def recovery(periods: int) -> np.ndarray:
    """Weights (T-1, K) by which what is kept gives every period: those of the polynomial through
    the `DEGREE` + 1 nearest periods that are kept (Lagrange's).
    """
    kept = kept_periods(periods)
    width = min(DEGREE + 1, len(kept))
    weights = np.zeros((periods - 1, len(kept)))
    for t in range(periods - 1):
        first = int(np.clip(np.searchsorted(kept, t) - width // 2, 0, len(kept) - width))
        nodes = kept[first : first + width].astype(float)
        for k, node in enumerate(nodes):
            others = np.delete(nodes, k)
            weights[t, first + k] = np.prod((t - others) / (node - others))
    return weights


def jacobian(tastes: Tastes, s: SteadyState, summed: Sequence[Output], periods: int) -> np.ndarray:
    """Jacobians (O, I, T, T): [o, i, t, s] is output o at t by input i at s, foreseen from period
    0, in the output's unit per unit of the input.
    """
    return FakeNews(tastes, s, periods).jacobian(summed, kept_periods(periods), recovery(periods))


def jacobians(
    tastes: Tastes, s: SteadyState, periods: int, horizon: int, fade: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """`jacobian` of what the markets clear; and of what no market needs, over the first quarters,
    (O, I, H+1, T); fade: see `Grid`.
    """
    news = FakeNews(tastes, s, periods)
    markets = news.jacobian(outputs(tastes, s), kept_periods(periods), recovery(periods))
    rows = horizon + 1
    return markets, news.jacobian(watched(s, fade), kept_periods(rows), recovery(rows))


class FakeNews:
    """What news of inputs up to T periods ahead changes in households' saving, at rest; Jacobians
    of any outputs follow.
    """

    def __init__(self, tastes: Tastes, s: SteadyState, periods: int) -> None:
        self.steady, self.periods = s, periods
        self.step = differentiate(tastes, s)
        self.cash, self.c, self.n = _on_impact(tastes, s, self.step)
        self.called_forth = tastes.frisch * s.n / tastes.wage
        mass = s.distribution.max(axis=0)
        self.points = min(len(s.grid), int(np.nonzero(mass > WITHOUT_MASS)[0][-1]) + 3)
        self.ahead_IKN = _ahead_of_time(tastes, s, self.step, self.c, self.points, periods)
        assets = outputs(tastes, s)[0]
        impact, ahead = self._answers(assets)
        self.saving_impact = impact[:, :, : self.points].reshape(len(INPUTS), -1)
        self.saving_IKN = self._through(ahead)
        self.savings = empty_pairs(*s.a.shape)
        lottery(s.grid, s.a, self.savings)
        width = s.grid[self.savings.left + 1] - s.grid[self.savings.left]
        self.movable = s.distribution / width

    def jacobian(
        self, summed: Sequence[Output], kept: np.ndarray, recover: np.ndarray
    ) -> np.ndarray:
        """Jacobians (O, I, R, T) of outputs over the first R periods, by what a unit saved is worth
        at the periods `kept` (K,) of them and what gives the others, `recover` (R-1, K).
        """
        fake_news = np.empty((len(summed), len(INPUTS), len(recover) + 1, self.periods))
        for output, of_output in zip(summed, fake_news, strict=True):
            self._today(output, of_output)
        self._later(summed, kept, recover, fake_news)
        accumulate(fake_news)
        return fake_news

    def _answers(self, output: Output) -> tuple[np.ndarray, np.ndarray]:
        """An output by a unit of each input today (I, E, A), and by E[V_a'] at the two points of
        each household's `pairs` (2, E, A).
        """
        impact = output.by_cash * self.cash + output.by_c * self.c + output.by_n * self.n
        impact[W] += output.by_called * self.called_forth
        return impact, output.by_c * self.step.c_ahead + output.by_n * self.step.n_ahead

    def _today(self, output: Output, fake_news: np.ndarray) -> None:
        """Fill the first row of fake news (I, R, T): an output today, by inputs of all periods."""
        impact, ahead = self._answers(output)
        mass = self.steady.distribution
        fake_news[:, 0, 0] = np.tensordot(impact, mass, axes=2)
        by_expectation = _spread(self.step.pairs, mass * ahead, self.points)
        fake_news[:, 0, 1:] = (self.ahead_IKN @ by_expectation) @ recovery(self.periods).T

    def _later(
        self, summed: Sequence[Output], kept: np.ndarray, recover: np.ndarray, fake_news: np.ndarray
    ) -> None:
        """Fill the other rows of fake news (O, I, R, T): outputs t + 1 periods after saving
        changes, times by how much inputs change saving.
        """
        s, rows = self.steady, len(kept)
        worth = np.empty((len(summed) * rows, self.saving_impact.shape[1]))
        for o, output in enumerate(summed):
            level, part = np.ascontiguousarray(output.level), worth[o * rows : (o + 1) * rows]
            _iterate_forward(s.transition, self.savings, self.movable, level, kept, part)
            fake_news[o, :, 1:, 0] = (recover @ (part @ self.saving_impact.T)).T
        n_inputs, n_ahead, _ = self.saving_IKN.shape
        late = worth @ self.saving_IKN.reshape(n_inputs * n_ahead, -1).T
        between = recovery(self.periods).T
        for o, of_output in enumerate(fake_news):
            columns = late[o * rows : (o + 1) * rows]
            if len(recover) > rows:
                columns = recover @ columns
            for i, of_input in enumerate(of_output):
                own = columns[:, i * n_ahead : (i + 1) * n_ahead]
                np.matmul(own, between, out=of_input[1:, 1:])

    def _through(self, ahead: np.ndarray) -> np.ndarray:
        """A choice of each household today, (I, K, N), by inputs ahead of time; ahead: by E[V_a']
        at the two points of its `pairs` (2, E, A).
        """
        left, last = self.step.pairs.left[:, : self.points], self.points - 2
        low, high = ahead[:, :, : self.points] * (left <= last)
        pairs = Pairs(np.clip(left, 0, last), np.ascontiguousarray(low), np.ascontiguousarray(high))
        through = np.empty_like(self.ahead_IKN)
        _apply_each(pairs, self.ahead_IKN, through)
        return through


def differentiate(tastes: Tastes, s: SteadyState) -> Step:
    """The derivatives of the endogenous-grid step at rest. Households at the borrowing limit answer
    to today's budget alone.
    """
    shape = s.a.shape
    problem = problem_of(tastes, s.grid, s.skill, s.transition, s.beta, s.vphi)
    ahead, choices = empty_ahead(*shape), empty_choices(*shape)
    backward(problem, s.marginal, ahead, choices)
    pairs = empty_pairs(*shape)
    c_slope, n_slope = np.zeros((2, *shape))
    linearise(problem, s.marginal, ahead, choices, pairs, c_slope, n_slope)
    c_ahead, n_ahead = np.zeros((2, 2, *shape))
    _by_expectation(problem, s.marginal, ahead, choices, c_slope, n_slope, c_ahead, n_ahead)
    return Step(pairs, c_slope, n_slope, c_ahead, n_ahead)


@compiled
def _by_expectation(
    problem: Problem,
    marginal: np.ndarray,
    ahead: Ahead,
    choices: Choices,
    c_slope: np.ndarray,
    n_slope: np.ndarray,
    c_ahead: np.ndarray,
    n_ahead: np.ndarray,
) -> None:
    """Consumption and hours by E[V_a'] at the two points around each household, (2, E, A): a dearer
    future changes the point's own choice, and the cash at which that choice is made.
    """
    eis, frisch = problem.eis, problem.frisch
    skills, points = marginal.shape
    for e in range(skills):
        for j in range(points):
            left = choices.left[e, j]
            if left == CONSTRAINED:
                continue
            for side in range(2):
                k = left + side
                weight = choices.weight[e, j] if side == 0 else 1 - choices.weight[e, j]
                weight /= marginal[e, k]
                c, n = ahead.c[e, k], ahead.n[e, k]
                cash = eis * c + frisch * problem.pay[e] * n
                c_ahead[side, e, j] = weight * (c_slope[e, j] * cash - eis * c)
                n_ahead[side, e, j] = weight * (n_slope[e, j] * cash + frisch * n)


def _on_impact(
    tastes: Tastes, s: SteadyState, step: Step
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By a unit of each input today (I, E, A): cash at the hours that a higher wage calls forth,
    and consumption and hours by that cash.
    """
    skill = s.skill[:, None]
    cash = np.stack(
        np.broadcast_arrays(
            s.grid, (1 + tastes.frisch) * s.labour, np.broadcast_to(skill, s.a.shape)
        )
    )
    return cash, step.c_slope * cash, step.n_slope * cash


def _ahead_of_time(
    tastes: Tastes, s: SteadyState, step: Step, c: np.ndarray, points: int, periods: int
) -> np.ndarray:
    """By how much an input s + 1 periods ahead changes today's E[V_a'], at the periods kept and the
    first `points` assets, (I, K, N).
    """
    kept = kept_periods(periods)
    value = (1 + tastes.r) * s.c ** (-1 / tastes.eis)
    marginal = -(value / (tastes.eis * s.c)) * c
    marginal[R] += value / (1 + tastes.r)
    ahead = np.empty((len(INPUTS), len(kept), len(s.skill) * points))
    for i in range(len(INPUTS)):
        _iterate_back(s.transition, step.pairs, marginal[i], kept, ahead[i])
    return ahead


@compiled
def _iterate_back(
    transition: np.ndarray, pairs: Pairs, marginal: np.ndarray, kept: np.ndarray, ahead: np.ndarray
) -> None:
    skills, all_points = marginal.shape
    points = ahead.shape[1] // skills
    now, value = np.empty((skills, all_points)), marginal.copy()
    k = 0
    for t in range(kept[-1] + 1):
        expect(transition, value, now)
        if kept[k] == t:
            for e in range(skills):
                ahead[k, e * points : (e + 1) * points] = now[e, :points]
            k += 1
        apply(pairs, now, value)


@compiled
def _iterate_forward(
    transition: np.ndarray,
    savings: Pairs,
    movable: np.ndarray,
    level: np.ndarray,
    kept: np.ndarray,
    worth: np.ndarray,
) -> None:
    """What a unit saved by each household is worth for an output one period later and on, times the
    household's mass, at the periods kept and the first assets, (K, N).
    """
    skills, all_points = level.shape
    points = worth.shape[1] // skills
    later, now = level.copy(), np.empty((skills, all_points))
    k = 0
    for t in range(kept[-1] + 1):
        expect(transition, later, now)
        if kept[k] == t:
            for e in range(skills):
                mass, row, left = movable[e], now[e], savings.left[e]
                for j in range(points):
                    worth[k, e * points + j] = mass[j] * (row[left[j] + 1] - row[left[j]])
            k += 1
        apply(savings, now, later)


@compiled
def _apply_each(pairs: Pairs, values: np.ndarray, out: np.ndarray) -> None:
    """`apply` to each of some values (I, K, E A)."""
    shape = pairs.left.shape
    for i in range(len(values)):
        for k in range(values.shape[1]):
            apply(pairs, values[i, k].reshape(shape), out[i, k].reshape(shape))


def _spread(pairs: Pairs, values: np.ndarray, points: int) -> np.ndarray:
    """Sum values (2, E, A) of households at the two points of their `pairs`; the first `points`
    assets, (N,).
    """
    skills, all_points = pairs.left.shape
    row = np.arange(skills)[:, None] * all_points
    total = sum(
        np.bincount(
            (row + pairs.left + side).ravel(), values[side].ravel(), minlength=skills * all_points
        )
        for side in range(2)
    )
    return np.asarray(total).reshape(skills, all_points)[:, :points].ravel()


@compiled
def accumulate(fake_news: np.ndarray) -> None:
    """Jacobians from fake news, in place: J[t, s] = F[t, s] + J[t-1, s-1]."""
    n_outputs, n_inputs, rows, periods = fake_news.shape
    for o in range(n_outputs):
        for i in range(n_inputs):
            one = fake_news[o, i]
            for t in range(1, rows):
                for s in range(1, periods):
                    one[t, s] += one[t - 1, s - 1]
