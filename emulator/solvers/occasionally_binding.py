"""A lower bound on one variable of linear rational-expectations models under perfect foresight, in
batches.

Guerrieri and Iacoviello (2015), J. Monetary Economics 70, 22-38, doi:10.1016/j.jmoneco.2014.08.005:
the model is linear while the bound is slack and linear, with the bounded variable's own equation
replaced, while it binds. As in Holden (2023), Rev. Economics and Statistics 105(6), 1481-1499,
doi:10.1162/rest_a_01122, the bound is held by news `mu >= 0` in that equation. Where the only
lagged endogenous variable is the bounded one, i, the deviations from the unbounded path obey

    i = g i_1 + a w' + d mu,    w = N w' + e mu,    v = r i_1 + w    (v the led variables, w what
                                news does to them)

with w = 0 once the bound has bound for the last time. Wanted are mu with 0 <= mu and i + gap >= 0,
one of them zero in every period, where `gap` is the distance of the unbounded path from the bound:
a linear complementarity problem.

Axes: N draw, l led variable, T period. Draws come last, so that every step is a few operations on
long vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from emulator.errors import SolverError
from emulator.solvers.stacks import solve_stack
from emulator.solvers.structure import Structure

TOLERANCE = 1e-10
"""Largest violation of the bound, of the multiplier's sign or of complementarity, relative to the
gap and to one.
"""

TIE = 1e-13
"""Within this of zero, on the same scale, a multiplier or a distance counts as zero: regimes that
tie do not alternate.
"""

JOINT_ROUNDS = 20
"""Rounds in which all periods that contradict a guess change their regime; after them the last such
period alone does.
"""

MAX_ROUNDS = 2000


@dataclass(frozen=True)
class News:
    """How a model responds to news in the equation of its bounded variable; the letters are those
    of the module's text.

    persistence g (N,), onward N (l, l, N), impact e (l, N), ahead a (l, N), own d (N,), lagged r
    (l, N).
    """

    persistence: np.ndarray
    onward: np.ndarray
    impact: np.ndarray
    ahead: np.ndarray
    own: np.ndarray
    lagged: np.ndarray

    @classmethod
    def of(
        cls,
        structure: Structure,
        lead: np.ndarray,
        current: np.ndarray,
        transition: np.ndarray,
        bounded: int,
        equation: int,
    ) -> News:
        """News responses of models solved without the bound; NaN where `transition` is.

        lead, current and transition (N, n, n) of `solve_linear_re`; `bounded` is the variable's
        position in y, `equation` that of its own equation. Raises `SolverError` if another
        endogenous variable is lagged.
        """
        lagged = tuple(structure.endogenous[k] for k in structure.lag)
        if lagged != (bounded,):
            raise SolverError(
                f"The bounded variable, {bounded}, must be the one lagged endogenous variable;"
                f" found lags of {lagged}."
            )
        endogenous, rows = list(structure.endogenous), list(structure.endogenous_rows)
        own, led = endogenous.index(bounded), list(structure.lead)
        response = transition[:, endogenous, bounded]
        ahead = lead[:, rows][:, :, endogenous]
        now = current[:, rows][:, :, endogenous]
        now[:, :, own] += (ahead @ response[:, :, None])[:, :, 0]
        unit = np.broadcast_to(
            np.eye(len(rows))[:, [rows.index(equation)]], (len(now), len(rows), 1)
        )
        solved = np.moveaxis(
            solve_stack(now, np.concatenate([-ahead[:, :, led], unit], axis=2)), 0, 2
        )
        return cls(
            persistence=response[:, own],
            onward=np.ascontiguousarray(solved[led, :-1]),
            impact=np.ascontiguousarray(solved[led, -1]),
            ahead=np.ascontiguousarray(solved[own, :-1]),
            own=np.ascontiguousarray(solved[own, -1]),
            lagged=np.ascontiguousarray(response[:, led].T),
        )

    def take(self, rows: np.ndarray) -> Self:
        """The responses of these draws."""
        return type(self)(
            *(np.take(getattr(self, field.name), rows, axis=-1) for field in fields(self))
        )

    def unique(self, periods: int) -> np.ndarray:
        """Whether there is one and only one solution within so many periods, whatever the gap, (N,)
        bool.

        Let the bound bind again k periods ahead and be slack until then: w' = p i, and a period in
        which it is slack solves (1 - a p) i = g i_1 + known. Each of these slopes positive and d >
        0, i as a function of i_1 and mu is increasing, period by period from the last, so that the
        solution exists and is unique; with one of them negative there are gaps with several
        solutions or none. This is Holden's condition that the responses of i to mu form a P-matrix.
        """
        with np.errstate(all="ignore"):
            slope = -self.impact * (self.persistence / self.own)
            unique = self.own > 0
            for _ in range(periods - 1):
                own = 1 - (self.ahead * slope).sum(axis=0)
                unique &= own > 0
                slope = _onward(self, slope) * (self.persistence / own)
                if not (np.abs(slope[:, unique]) > TIE).any():
                    break
        return unique


@dataclass(frozen=True)
class BoundPath:
    """What the bound changes on a path. multiplier, bounded (T, N), led (T, l, N): deviations from
    the unbounded path.

    solved (N,): whether complementarity was verified by the response to the multiplier; elsewhere
    the numbers mean nothing.
    """

    multiplier: np.ndarray
    bounded: np.ndarray
    led: np.ndarray
    solved: np.ndarray

    def continued(self, news: News, periods: int) -> tuple[np.ndarray, np.ndarray]:
        """led (T, l, N) and bounded (T, N) over so many periods, fewer or more than were solved:
        after those nothing is new.
        """
        known, more = len(self.bounded), np.arange(1, periods - len(self.bounded) + 1)[:, None]
        last = self.bounded[-1:]
        bounded = np.concatenate([self.bounded[:periods], last * news.persistence**more])
        led = np.concatenate(
            [self.led[:periods], news.lagged * bounded[known - 1 : periods - 1, None]]
        )
        return led, bounded


def respect_bound(news: News, gap: np.ndarray) -> BoundPath:
    """The perfect-foresight path on which `i + gap >= 0` in every period, in the unit of `gap`.

    gap (T, N): distance of the unbounded path above the bound, long enough that the bound does not
    bind again after the last period. Guess and verify: regimes by period are guessed, the path
    solved, and the periods that contradict the guess change regime, all at once as in OccBin; where
    that has not ended after some rounds, the last one alone, which ends for every P-matrix (Murty
    1974, Opsearch 11, 123-130).
    """
    scale = np.maximum(np.abs(gap).max(axis=0, initial=0.0), 1.0)
    tie = TIE * scale
    multiplier = np.zeros_like(gap)
    binding, rows = gap < 0, np.flatnonzero((gap < 0).any(axis=0))
    part, beyond, held = news.take(rows), gap[:, rows], binding[:, rows]
    for attempt in range(MAX_ROUNDS):
        if not rows.size:
            break
        path, mu = _guess(part, beyond, held)
        wrong = np.where(held, mu < -tie[rows], path + beyond < -tie[rows])
        if attempt >= JOINT_ROUNDS:
            wrong &= np.cumsum(wrong[::-1], axis=0)[::-1] == 1
        done = ~wrong.any(axis=0)
        multiplier[:, rows[done]] = mu[:, done]
        rows, held = rows[~done], (held ^ wrong)[:, ~done]
        part, beyond = part.take(np.flatnonzero(~done)), beyond[:, ~done]
    bounded, led = news_response(news, multiplier)
    above = bounded + gap
    violation = np.maximum(np.maximum(-multiplier, -above), np.minimum(multiplier, above)).max(
        axis=0, initial=0.0
    )
    solved = violation <= TOLERANCE * scale  # NaN is not
    solved[rows] = False
    return BoundPath(multiplier, bounded, led, solved)


def _guess(news: News, gap: np.ndarray, binding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Path of i and multiplier (T, N) if the bound binds in just these periods.

    Backwards, i = slope i_1 + level and mu = push i_1 + shift in every period, with w' = after i +
    fixed; then forwards.
    """
    periods = len(gap)
    slope, level = np.empty_like(gap), np.zeros_like(gap)
    push, shift = np.zeros_like(gap), np.zeros_like(gap)
    slope[:] = news.persistence
    after, fixed = np.zeros_like(news.impact), np.zeros_like(news.impact)
    last = int(np.flatnonzero(binding.any(axis=1)).max(initial=-1))
    for t in range(last, -1, -1):
        held, bound = binding[t], -gap[t]
        by_rate, by_news = (news.ahead * after).sum(axis=0), (news.ahead * fixed).sum(axis=0)
        slope[t] = np.where(held, 0.0, news.persistence / (1 - by_rate))
        level[t] = np.where(held, bound, by_news / (1 - by_rate))
        push[t] = np.where(held, -news.persistence / news.own, 0.0)
        shift[t] = np.where(held, (bound - by_rate * bound - by_news) / news.own, 0.0)
        fixed = _onward(news, after * level[t] + fixed) + news.impact * shift[t]
        after = _onward(news, after) * slope[t] + news.impact * push[t]
    path, mu = np.empty_like(gap), np.empty_like(gap)
    before = np.zeros_like(news.own)
    for t in range(periods):
        mu[t] = push[t] * before + shift[t]
        path[t] = before = slope[t] * before + level[t]
    return path, mu


def news_response(news: News, multiplier: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Responses of the bounded variable (T, N) and of the led variables (T, l, N) to news mu (T,
    N), all known at the start.
    """
    periods = len(multiplier)
    led = np.empty((periods, *news.impact.shape))
    bounded = np.empty_like(multiplier)
    ahead = np.zeros_like(news.impact)
    for t in range(periods - 1, -1, -1):
        bounded[t] = (news.ahead * ahead).sum(axis=0) + news.own * multiplier[t]
        led[t] = ahead = _onward(news, ahead) + news.impact * multiplier[t]
    for t in range(1, periods):
        led[t] += news.lagged * bounded[t - 1]
        bounded[t] += news.persistence * bounded[t - 1]
    return bounded, led


def _onward(news: News, stack: np.ndarray) -> np.ndarray:
    """N w of a stack w (l, N)."""
    return (news.onward * stack).sum(axis=1)
