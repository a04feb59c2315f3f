"""Occasionally binding constraints in any linear model, piecewise linear, in batches: one or
several constraints, each of which changes some equations while it binds.

Guerrieri and Iacoviello (2015), J. Monetary Economics 70, 22-38, doi:10.1016/j.jmoneco.2014.08.005
(OccBin, which Dynare contains): which constraint binds in which period is guessed, the path under
perfect foresight is solved backwards from the last such period, and the guess is corrected where
the path contradicts it. In regime r

    lead_r y' + current_r y + lag_r y_1 + shock_r e + constant_r = 0

in deviations y from the steady state of regime 0, in which no constraint binds and to which the
economy returns. Regime r is the number whose binary digits say which constraints bind.
`occasionally_binding` is the case of one bound in a model with one lagged variable, by a closed
form that takes a third of the time; there the two agree.

Axes: N draw, R regime, C constraint, T period, n variable, s lagged variable, k shock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from emulator.solvers.stacks import solve_stack

ROUNDS = 30
"""Rounds in which all periods that contradict the guess change at once, as in Dynare (`maxit`)."""

SINGLE_ROUNDS = 300
"""Rounds after these, or after a guess comes back, in which of each constraint the last such period
alone changes (Murty 1974, Opsearch 11, 123-130).
"""

EXTENSION = 50
"""Periods by which the path is prolonged where a constraint binds in its last one."""

LONGEST = 600
"""Periods of the longest path."""

Checks = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Of paths (N, T, n) of the draws (N,) of these numbers: where each constraint would bind if it did
not, and where it would be slack if it did not bind, both (N, T, C) bool.
"""


@dataclass(frozen=True)
class Regimes:
    """A batch of models in all their regimes, solved in regime 0.

    lead, current, lag (R, N, n, n), shock (R, N, n, k), constant (R, N, n); transition (N, n, n)
    and impact (N, n, k) of regime 0.
    """

    lead: np.ndarray
    current: np.ndarray
    lag: np.ndarray
    shock: np.ndarray
    constant: np.ndarray
    transition: np.ndarray
    impact: np.ndarray

    @cached_property
    def lagged(self) -> np.ndarray:
        """Positions of the variables whose past counts in some regime."""
        remembered = (self.lag != 0).any(axis=(0, 1, 2)) | (self.transition != 0).any(axis=(0, 1))
        return np.flatnonzero(remembered)

    @cached_property
    def led(self) -> np.ndarray:
        """Positions of the variables whose future counts in some regime."""
        return np.flatnonzero((self.lead != 0).any(axis=(0, 1, 2)))

    def take(self, rows: np.ndarray) -> Regimes:
        """The models of these draws."""
        return Regimes(
            lead=self.lead[:, rows],
            current=self.current[:, rows],
            lag=self.lag[:, rows],
            shock=self.shock[:, rows],
            constant=self.constant[:, rows],
            transition=self.transition[rows],
            impact=self.impact[rows],
        )


@dataclass(frozen=True)
class PiecewisePath:
    """Deviations (N, T, n) after one surprise, which constraint binds when (N, T, C), and whether
    no period contradicts that (N,); elsewhere the numbers mean nothing.
    """

    values: np.ndarray
    binding: np.ndarray
    solved: np.ndarray


def path_after(
    regimes: Regimes,
    checks: Checks,
    start: np.ndarray,
    shock: np.ndarray,
    guess: np.ndarray,
    rounds: int = ROUNDS,
    one_at_a_time: bool = False,
) -> PiecewisePath:
    """The path after a surprise in its first period, of which no other is expected.

    start (N, n): deviations in the period before; shock (N, k); guess (N, T, C) bool: which
    constraint binds when, to begin with; rounds: in which all periods change at once;
    one_at_a_time: in these, of the periods in which a constraint does not bind after all, the last
    alone changes (Dynare's `curb_retrench`).
    """
    n = len(start)
    binding = guess.copy()
    values = np.zeros((n, guess.shape[1], start.shape[1]))
    solved = np.zeros(n, dtype=bool)
    rows = np.arange(n)
    single = np.zeros(n, dtype=bool)
    seen: list[set[bytes]] = [set() for _ in range(n)]
    for attempt in range(rounds + SINGLE_ROUNDS):
        if not len(rows):
            break
        if binding[rows, -1].any():
            if binding.shape[1] >= LONGEST:
                rows = rows[~binding[rows, -1].any(axis=1)]
                continue
            binding, values = _longer(binding, values)
        part = regimes.take(rows) if len(rows) < n else regimes
        values[rows] = guessed_path(part, start[rows], shock[rows], binding[rows])
        held = binding[rows]
        binds, relaxes = checks(values[rows], rows)
        wrong = np.where(held, relaxes, binds)
        finite = np.isfinite(values[rows]).all(axis=(1, 2))
        contradicted = finite & wrong.any(axis=(1, 2))
        solved[rows[finite & ~contradicted]] = True
        rows, held, wrong = rows[contradicted], held[contradicted], wrong[contradicted]
        again = _repeated(seen, rows, held)
        lost = again & single[rows]  # the same guesses would follow for ever
        single[rows] |= again | (attempt >= rounds)
        if one_at_a_time:
            wrong = np.where(held, _last_of(wrong & held), wrong)
        if single[rows].any():
            wrong = np.where(single[rows, None, None], _last_of(wrong), wrong)
        binding[rows] = held ^ wrong
        rows = rows[~lost]
    values[~solved] = np.nan
    return PiecewisePath(values, binding, solved)


def _repeated(seen: list[set[bytes]], rows: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Which draws (N,) come back to a guess (N, T, C) that they have seen; those begin anew."""
    again = np.zeros(len(rows), dtype=bool)
    packed = np.packbits(held.reshape(len(rows), held.shape[1] * held.shape[2]), axis=1)
    for k, row in enumerate(rows.tolist()):
        guess = packed[k].tobytes().rstrip(b"\0")  # the same however long the path is
        again[k] = guess in seen[row]
        if again[k]:
            seen[row] = set()
        seen[row].add(guess)
    return again


def _longer(binding: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    more = (len(binding), EXTENSION)
    return (
        np.concatenate([binding, np.zeros((*more, binding.shape[2]), dtype=bool)], axis=1),
        np.concatenate([values, np.zeros((*more, values.shape[2]))], axis=1),
    )


def _last_of(wrong: np.ndarray) -> np.ndarray:
    """Of each draw and constraint the last period that is marked, (N, T, C)."""
    return np.asarray(wrong & (np.cumsum(wrong[:, ::-1], axis=1)[:, ::-1] == 1))


def guessed_path(
    regimes: Regimes, start: np.ndarray, shock: np.ndarray, binding: np.ndarray
) -> np.ndarray:
    """Deviations (N, T, n) if the constraints bind in just these periods (N, T, C).

    Backwards y = rule y_1 + level in every period, from the last one in which a constraint binds;
    then forwards.
    """
    lagged = regimes.lagged
    code = (binding << np.arange(binding.shape[2])).sum(axis=2)
    periods = code.shape[1]
    last = np.where(code > 0, np.arange(1, periods + 1), 0).max(axis=1, initial=0)
    rules, levels, first = _rules(regimes, code, last)
    values = np.empty((*code.shape, start.shape[1]))
    before = start[:, lagged]
    usual = np.ascontiguousarray(regimes.transition[:, :, lagged])
    for t in range(periods):
        if t < len(rules):
            now = np.einsum("nij,nj->ni", rules[t], before) + levels[t]
        else:
            now = np.einsum("nij,nj->ni", usual, before)
        if t == 0:
            now = now + np.einsum("nik,nk->ni", first, shock)
        values[:, t] = now
        before = now[:, lagged]
    return values


def _rules(
    regimes: Regimes, code: np.ndarray, last: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Rules (N, n, s) and levels (N, n) of each period up to the last in which a constraint binds
    in some draw, and the impact (N, n, k) of the first one.
    """
    lagged, led = regimes.lagged, regimes.led
    s = len(lagged)
    rule = np.ascontiguousarray(regimes.transition[:, :, lagged])
    level = np.zeros(rule.shape[:2])
    first = regimes.impact
    rules: list[np.ndarray] = []
    levels: list[np.ndarray] = []
    for t in range(int(last.max(initial=0)) - 1, -1, -1):
        rows = np.flatnonzero(last > t)
        regime = code[rows, t]
        ahead = regimes.lead[regime, rows][:, :, led]
        system = regimes.current[regime, rows].copy()
        system[:, :, lagged] += ahead @ rule[rows][:, led]
        known = ahead @ level[rows][:, led, None] + regimes.constant[regime, rows][:, :, None]
        sides = [regimes.lag[regime, rows][:, :, lagged], known]
        if t == 0:
            sides.append(regimes.shock[regime, rows])
        moved = -solve_stack(system, np.concatenate(sides, axis=2))
        rule, level = rule.copy(), level.copy()
        rule[rows] = moved[:, :, :s]
        level[rows] = moved[:, :, s]
        if t == 0:
            first = first.copy()
            first[rows] = moved[:, :, s + 1 :]
        rules.append(rule)
        levels.append(level)
    return rules[::-1], levels[::-1], first


def simulate_surprises(
    regimes: Regimes,
    checks: Checks,
    shocks: np.ndarray,
    periods: int,
    ahead: int,
    rounds: int = ROUNDS,
    one_at_a_time: bool = False,
    start: np.ndarray | None = None,
) -> PiecewisePath:
    """Paths of so many periods under shocks (N, T, k), each of which surprises: no further one is
    ever expected. From the steady state, or from deviations `start` (N, n) in the period before.

    ahead: periods after each surprise within which constraints are looked at, prolonged where that
    is too short. The binding that is returned is what held in each period.
    """
    n, size = regimes.transition.shape[:2]
    constraints = int(np.log2(len(regimes.lead)))
    values = np.empty((n, periods, size))
    binding = np.zeros((n, periods, constraints), dtype=bool)
    solved = np.ones(n, dtype=bool)
    state = np.zeros((n, size)) if start is None else start
    coming = [t for t in range(shocks.shape[1]) if t == 0 or (shocks[:, t] != 0).any()]
    guess = np.zeros((n, max(ahead, periods) + 1, constraints), dtype=bool)
    for t, following in zip(coming, [*coming[1:], periods], strict=True):
        path = path_after(
            regimes=regimes,
            checks=checks,
            start=state,
            shock=shocks[:, t],
            guess=guess,
            rounds=rounds,
            one_at_a_time=one_at_a_time,
        )
        part = slice(t, min(following, periods))
        values[:, part] = path.values[:, : part.stop - t]
        binding[:, part] = path.binding[:, : part.stop - t]
        solved &= path.solved
        passed = following - t
        state = np.where(solved[:, None], path.values[:, passed - 1], 0.0)
        guess = np.zeros_like(path.binding)
        guess[:, : guess.shape[1] - passed] = path.binding[:, passed:]
    values[~solved] = np.nan
    return PiecewisePath(values, binding, solved)
