"""Perturbation: decision rules of second and third order of `E f(y', y, y_1, e) = 0`.

Derivatives of the equations along the rule (`Rules`) are zero. At each order what is new stands
linearly, `W g + A g (h x .. x h) = -R` with `W = A G + B`, A and B the derivatives by y' and y, and
h the rule of the states: a generalised Sylvester equation for the derivatives by states alone,
plain substitution for all that hold a shock. Shocks are symmetric, so that the third derivative by
sigma, the size of uncertainty, is zero. Schmitt-Grohe and Uribe (2004), J. Economic Dynamics and
Control 28, 755-775, doi:10.1016/S0165-1889(03)00043-5; Andreasen (2012), On the effects of rare
disasters, Review of Economic Dynamics 15, 295-316, doi:10.1016/j.red.2011.08.001.

Axes: N draw, n variable, s state, k shock, m = s + k, f led variable, z symbol of the equations
(variables ahead, today, before, then shocks).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from emulator.solvers.perturbation.expansion import Expansion
from emulator.solvers.perturbation.rules import Rules
from emulator.solvers.perturbation.sylvester import along, sylvester

Higher = Mapping[int, tuple[Expansion, np.ndarray]]
"""By order 2, 3: where derivatives belong, and their values (N, E)."""


@dataclass(frozen=True)
class Point:
    """A model at its steady state, with its solution of first order.

    lead, current (N, n, n): A and B; factor (N, k', k): the file's k' shocks of k independent ones;
    transition (N, n, n), impact (N, n, k); states, led: positions of the variables that are lagged,
    and led.
    """

    lead: np.ndarray
    current: np.ndarray
    factor: np.ndarray
    transition: np.ndarray
    impact: np.ndarray
    states: tuple[int, ...]
    led: tuple[int, ...]


def solve_rules(point: Point, higher: Higher, order: int) -> Rules:
    """The rules of all variables, up to order 1, 2 or 3; NaN or infinity where a draw has none."""
    with np.errstate(all="ignore"):
        step = _Step.of(point)
        if order == 1:
            n, size, width = step.first.shape
            none = np.zeros((n, size, width, width))
            return Rules(1, point.states, step.first, none, none[:, :, 0, 0])
        rules = _second(step, higher)
        return rules if order == 2 else _third(step, higher, rules)


@dataclass(frozen=True)
class _Step:
    """What every order needs: `first` (N, n, m); `onward` (N, s, m), the states' rows of it; z by
    v (N, z, m) and by the next shocks (N, z, k); A's led columns (N, n, f); W.
    """

    point: Point
    first: np.ndarray
    onward: np.ndarray
    by_v: np.ndarray
    by_next: np.ndarray
    ahead: np.ndarray
    W: np.ndarray

    @classmethod
    def of(cls, point: Point) -> _Step:
        states = list(point.states)
        n, size, shocks = point.impact.shape
        by_states = point.transition[:, :, states]
        first = np.concatenate([by_states, point.impact], axis=2)
        onward = first[:, states]
        before = np.zeros((n, size, first.shape[2]))
        before[:, states, np.arange(len(states))] = 1.0
        today = np.zeros((n, point.factor.shape[1], first.shape[2]))
        today[:, :, len(states) :] = point.factor
        by_next = np.zeros((n, 3 * size + point.factor.shape[1], shocks))
        by_next[:, :size] = point.impact
        return cls(
            point=point,
            first=first,
            onward=onward,
            by_v=np.concatenate([by_states @ onward, first, before, today], axis=1),
            by_next=by_next,
            ahead=point.lead[:, :, list(point.led)],
            W=point.lead @ point.transition + point.current,
        )

    @property
    def states(self) -> list[int]:
        return list(self.point.states)

    @property
    def led(self) -> list[int]:
        return list(self.point.led)

    def known_ahead(self, change: np.ndarray) -> np.ndarray:
        """What changes (N, n, ..) of today's variables move ahead through the states."""
        by_states = self.first[:, :, : len(self.states)]
        return (by_states @ flat(change[:, self.states])).reshape(change.shape)

    def symbols(self, ahead: np.ndarray, today: np.ndarray) -> np.ndarray:
        """Changes (N, z, w) of all symbols, those of variables before and of shocks zero."""
        n = len(ahead)
        ahead, today = flat(ahead), flat(today)
        rest = self.by_v.shape[1] - 2 * ahead.shape[1]
        return np.concatenate([ahead, today, np.zeros((n, rest, ahead.shape[2]))], axis=1)

    def solved(self, rest: np.ndarray, order: int) -> np.ndarray:
        """g (N, n, m, ..) of `W g + A g^ss.. (h x .. x h) = -rest`, rest (N, n, m, ..) with `order`
        axes m.
        """
        n_states = len(self.states)
        sides = np.concatenate([self.ahead, flat(rest)], axis=2)
        sides = -_quotient(self.W, sides)
        by_ahead = sides[:, :, : len(self.led)]
        constant = sides[:, :, len(self.led) :].reshape(rest.shape)
        own = constant[:, self.led]
        for axis in range(order):
            own = own.take(range(n_states), axis=2 + axis)
        later = sylvester(
            by_ahead[:, self.led],
            np.ascontiguousarray(own),
            np.ascontiguousarray(self.onward[:, :, :n_states]),
            order,
        )
        moved = flat(along(later, self.onward, order))
        return constant + (by_ahead @ moved).reshape(rest.shape)


def _quotient(matrix: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """`matrix^-1 sides`, NaN where a matrix is singular or not finite."""
    broken = ~np.isfinite(matrix).all(axis=(1, 2))
    matrix = np.where(broken[:, None, None], np.eye(matrix.shape[1]), matrix)
    try:
        solved = np.linalg.solve(matrix, sides)
    except np.linalg.LinAlgError:
        broken |= np.linalg.slogdet(matrix)[0] == 0
        matrix = np.where(broken[:, None, None], np.eye(matrix.shape[1]), matrix)
        solved = np.linalg.solve(matrix, sides)
    solved[broken] = np.nan
    return solved


def _second(step: _Step, higher: Higher) -> Rules:
    form, values = higher[2]
    second = step.solved(form.along(values, step.by_v, step.by_v), 2)
    own = second[:, step.led, len(step.states) :, len(step.states) :]
    spread = form.along(values, step.by_next, step.by_next)
    rest = (step.ahead @ _trace(own)[:, :, None])[:, :, 0] + _trace(spread)
    risk = -_quotient(step.W + step.point.lead, rest[:, :, None])[:, :, 0]
    return Rules(2, step.point.states, step.first, second, risk)


def _third(step: _Step, higher: Higher, rules: Rules) -> Rules:
    form, values = higher[3]
    second_form, second_values = higher[2]
    n, size, width = step.first.shape
    n_states = len(step.states)
    second, risk = rules.second, rules.risk
    of_states = np.ascontiguousarray(second[:, :, :n_states, :n_states])

    ahead = step.known_ahead(second) + along(of_states, step.onward, 2)
    by_vv = step.symbols(ahead, second)
    mixed = second_form.along(second_values, step.by_v, by_vv)
    led = of_states[:, step.led]
    crossed = _along_each(led, step.onward, flat(second[:, step.states]))
    mixed = flat(mixed) + step.ahead @ flat(crossed)
    mixed = mixed.reshape(n, size, width, width, width)
    rest = form.along(values, step.by_v, step.by_v, step.by_v) + mixed
    rest += mixed.transpose(0, 1, 3, 2, 4) + mixed.transpose(0, 1, 3, 4, 2)
    third = step.solved(rest, 3)

    slope = _risk_slope(step, higher, rules, third)
    return replace(rules, order=3, third=third, risk_slope=step.solved(slope, 1), risk=risk)


def _risk_slope(step: _Step, higher: Higher, rules: Rules, third: np.ndarray) -> np.ndarray:
    """What stands beside the derivative by v and twice by sigma, (N, n, m)."""
    form, values = higher[3]
    second_form, second_values = higher[2]
    n, size, width = step.first.shape
    n_states = len(step.states)
    second, risk = rules.second, rules.risk
    shocks = slice(n_states, width)

    spread = _trace(form.along(values, step.by_v, step.by_next, step.by_next))
    uncertain = _trace(second[:, :, shocks, shocks]) + risk
    by_risk = step.symbols(uncertain[:, :, None] + step.known_ahead(risk[:, :, None]), risk)
    spread += second_form.along(second_values, step.by_v, by_risk)[:, :, :, 0]
    # The slope of today's reaction to the next shock, (N, n, m, k): by v through the states.
    turned = np.ascontiguousarray(second[:, :, :n_states, shocks].swapaxes(2, 3))
    shocks_now = width - n_states
    slopes = along(turned.reshape(n, size * shocks_now, n_states), step.onward, 1)
    slopes = slopes.reshape(n, size, shocks_now, width).swapaxes(2, 3)
    by_slope = step.symbols(slopes, np.zeros_like(slopes))
    pairs = second_form.along(second_values, by_slope, step.by_next)
    pairs = pairs.reshape(n, size, width, shocks_now, shocks_now)
    spread += 2 * _trace(pairs)
    # .. and what the led variables' own rules add.
    own = _trace(third[:, step.led, :n_states, shocks, shocks])
    own = (
        own
        + (second[:, step.led, :n_states, :n_states] @ risk[:, step.states][:, None, :, None])[
            ..., 0
        ]
    )
    return spread + step.ahead @ (own @ step.onward)


def _along_each(form: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """form (N, f, s, s) along first (N, s, m) and second (N, s, w): (N, f, m, w)."""
    return first.swapaxes(1, 2)[:, None] @ form @ second[:, None]


def flat(stack: np.ndarray) -> np.ndarray:
    """The axes after the first two as one."""
    return stack.reshape(*stack.shape[:2], math.prod(stack.shape[2:]))


def _trace(stack: np.ndarray) -> np.ndarray:
    """The sum over the diagonal of the last two axes."""
    return np.einsum("...kk->...", stack)
