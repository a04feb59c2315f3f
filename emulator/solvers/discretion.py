"""Optimal policy under discretion in batches of linear-quadratic models.

Each period the policymaker minimises `y' W y + discount E[loss of the next period]` and takes the
expectations of all others as given by what later policymakers will do (Dennis 2007, Macroeconomic
Dynamics 11, 31-55, doi:10.1017/S1365100506060287, section 3, whose equations (20), (26) and (27)
these are; Dynare's `discretionary_policy` iterates on them too). Private equations are

    lead E[y'] + current y + lag y_1 + shock e = 0,

fewer than variables; the instruments x are variables of y. With `x = S y` put below these equations
all weights, lags and leads of instruments are those of variables, so that nothing is left out.

First-order conditions are the same for `W` and `-W`, and so is each step of the iteration. Whether
`W` is a loss, which is minimised, or a welfare, which is maximised, is read from the rule: the
second derivative in the instruments, given what later policymakers do, is positive semi-definite
for the first and negative semi-definite for the second (`Curvature`). Where it is neither there is
no best policy. With one instrument it is always one of them, so that the largest square in `W` of
what the instruments move must not have the other sign.

Axes: N draw, E private equation, n variable, m instrument, k shock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emulator.solvers.decision_rule import relative_residual
from emulator.solvers.linear_re import TOLERANCE, Solution
from emulator.solvers.qz import CRITERIUM
from emulator.solvers.stacks import solve_stack
from emulator.solvers.state_space import spectral_radius
from emulator.spec import Status

SETTLED = 1e-12
"""Change of the rule in one round, relative to its largest entry and to one, that ends the search.
"""

NEARLY = 1e-9
"""Where rounding keeps changes above that, the search ends below this once they shrink no more."""

PATIENCE = 20
"""Rounds without a smaller change after which it shrinks no more."""

ROUNDS = 3000
"""As in Dynare (`dp.maxit`)."""

DOUBLINGS = 60

ROUNDING = 1e-9
"""Numbers smaller than this, relative to the largest beside them, are zero."""


@dataclass(frozen=True)
class _Problem:
    """`D y = lagged y_1 + push x + driven e` with D = `now - ahead H`, in which y = H y_1 + ..."""

    now: np.ndarray
    ahead: np.ndarray
    lagged: np.ndarray
    driven: np.ndarray
    push: np.ndarray
    weights: np.ndarray
    discount: np.ndarray

    def take(self, rows: np.ndarray) -> _Problem:
        return _Problem(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def finite_rows(self) -> np.ndarray:
        """Draws whose numbers are all finite."""
        finite = [
            np.isfinite(getattr(self, name)).reshape(len(self.now), -1).all(axis=1)
            for name in self.__dataclass_fields__
        ]
        return np.flatnonzero(np.all(finite, axis=0))


def solve_discretion(
    lead: np.ndarray,
    current: np.ndarray,
    lag: np.ndarray,
    shock: np.ndarray,
    weights: np.ndarray,
    discount: np.ndarray,
    instruments: Sequence[int],
) -> Solution:
    """Decision rules of all variables, instruments included, under discretion.

    lead, current, lag (N, E, n) and shock (N, E, k) of the private equations, E = n - m; weights
    (N, n, n): symmetric, those of the loss `y' W y`; discount (N,); instruments: positions in y.
    `Status.EXPLOSIVE` where the economy under the rule is not stable, `Status.NOT_CONVERGED` where
    the iteration does not end, the instruments do not move what is weighed, or the rule is not best
    (`search`).
    """
    problem = _problem(lead, current, lag, shock, weights, discount, instruments)
    n, _, size = lead.shape
    transition = np.full((n, size, size), np.nan)
    impact = np.full((n, size, shock.shape[2]), np.nan)
    status = np.full(n, Status.NOT_CONVERGED, dtype=np.uint8)
    best = np.zeros(n, dtype=bool)
    with np.errstate(all="ignore"):
        for end in _ends(problem, problem.finite_rows()):
            if end.settled:
                transition[end.rows] = end.rule
                impact[end.rows] = end.impact
                best[end.rows] = _curvature(problem.take(end.rows), end.rule).best
        residual = relative_residual(lead, current, lag, shock, transition, impact)
    solved = (residual < TOLERANCE) & best
    radius = np.full(n, np.nan)
    radius[solved] = spectral_radius(transition[solved])
    status[solved & (radius < CRITERIUM)] = Status.OK
    status[solved & (radius >= CRITERIUM)] = Status.EXPLOSIVE
    failed = status != Status.OK
    transition[failed] = np.nan
    impact[failed] = np.nan
    return Solution(transition, impact, status, residual)


@dataclass(frozen=True)
class Curvature:
    """How the objective bends in the instruments while later policymakers follow a rule."""

    up: np.ndarray
    """Whether it is convex (N,), as a loss has to be."""
    down: np.ndarray
    """Whether it is concave (N,), as a welfare has to be."""
    largest: np.ndarray
    """The variable (N,) with the largest positive square of those that the instruments move, now or
    later; -1 where a negative square is larger.
    """
    lowest: np.ndarray
    """The one with the largest negative square; -1 where a positive square is larger."""

    @property
    def best(self) -> np.ndarray:
        """Whether the rule is best (N,): the smallest loss, or the largest welfare."""
        return (self.up & (self.lowest < 0)) | (self.down & (self.largest < 0))


@dataclass(frozen=True)
class Search:
    """How the search for the rule of one draw ended."""

    rounds: int
    settled: bool
    moves: bool
    """Whether the instruments move what is weighed."""
    curvature: Curvature
    """Under the rule; where none settled, in a last period of all, the first step of the iteration.
    Its arrays are of length one.
    """


def search(
    lead: np.ndarray,
    current: np.ndarray,
    lag: np.ndarray,
    shock: np.ndarray,
    weights: np.ndarray,
    discount: np.ndarray,
    instruments: Sequence[int],
) -> Search:
    """How the search for the rule of one draw of finite numbers ends; arguments are those of
    `solve_discretion`, with N = 1.
    """
    problem = _problem(lead, current, lag, shock, weights, discount, instruments)
    with np.errstate(all="ignore"):
        (end,) = _ends(problem, np.arange(1))
        moves = end.settled or end.rounds > 1
        rule = end.rule if end.settled else np.zeros_like(end.rule)
        return Search(end.rounds, end.settled, moves, _curvature(problem, rule))


def _problem(
    lead: np.ndarray,
    current: np.ndarray,
    lag: np.ndarray,
    shock: np.ndarray,
    weights: np.ndarray,
    discount: np.ndarray,
    instruments: Sequence[int],
) -> _Problem:
    n, equations, size = lead.shape
    count = len(instruments)
    chosen = np.zeros((n, count, size))
    chosen[:, np.arange(count), list(instruments)] = 1.0
    push = np.zeros((n, equations + count, count))
    push[:, equations:] = np.eye(count)

    def below(matrix: np.ndarray) -> np.ndarray:
        return np.concatenate([-matrix, np.zeros((n, count, matrix.shape[2]))], axis=1)

    return _Problem(
        now=np.concatenate([current, chosen], axis=1),
        ahead=below(lead),
        lagged=below(lag),
        driven=below(shock),
        push=push,
        weights=weights,
        discount=discount,
    )


def _curvature(problem: _Problem, rule: np.ndarray) -> Curvature:
    by_choice = solve_stack(problem.now - problem.ahead @ rule, problem.push)
    second = np.swapaxes(by_choice, 1, 2) @ _value(problem, rule) @ by_choice
    finite = np.isfinite(second).all(axis=(1, 2))
    up = np.zeros(len(second), dtype=bool)
    down = np.zeros(len(second), dtype=bool)
    up[finite] = _convex(second[finite])
    down[finite] = _convex(-second[finite])
    squares = np.diagonal(problem.weights, axis1=1, axis2=2) * _moved(by_choice, rule)
    size = (1.0 - ROUNDING) * np.abs(squares).max(axis=1)
    positive = (squares.max(axis=1) >= size) & (size > 0)
    negative = (-squares.min(axis=1) >= size) & (size > 0)
    return Curvature(
        up,
        down,
        largest=np.where(positive, squares.argmax(axis=1), -1),
        lowest=np.where(negative, squares.argmin(axis=1), -1),
    )


def _convex(second: np.ndarray) -> np.ndarray:
    """Whether symmetric matrices of second derivatives (N, n, n) are positive semi-definite."""
    roots = np.linalg.eigvalsh(second)
    return roots[:, 0] >= -ROUNDING * np.abs(roots).max(axis=1)


def _moved(by_choice: np.ndarray, rule: np.ndarray) -> np.ndarray:
    """Which variables (N, n) the instruments move, at once or through the rule later."""

    def sizeable(matrix: np.ndarray) -> np.ndarray:
        sizes = np.abs(matrix)
        return sizes > ROUNDING * sizes.max(axis=(1, 2), keepdims=True)

    moved = np.any(sizeable(by_choice), axis=2)
    passes_on = sizeable(rule)
    for _ in range(rule.shape[1]):
        moved = moved | np.any(passes_on & moved[:, None, :], axis=2)
    return moved


@dataclass(frozen=True)
class _End:
    """Draws whose iteration ended in the same round, with a rule that is `settled` or without."""

    rows: np.ndarray
    rule: np.ndarray
    impact: np.ndarray
    rounds: int
    settled: bool


def _ends(problem: _Problem, rows: np.ndarray) -> list[_End]:
    """How the iteration ends, in parts that hold each of the rows once."""
    size = problem.now.shape[1]
    rule = np.zeros((len(rows), size, size))
    smallest = np.full(len(rows), np.inf)
    waited = np.zeros(len(rows), dtype=int)
    part = problem.take(rows)
    ends: list[_End] = []
    for rounds in range(1, ROUNDS + 1):
        if not len(rows):
            break
        following, of_shocks = _best_response(part, rule)
        scale = 1.0 + np.abs(following).max(axis=(1, 2), initial=0.0)
        change = np.abs(following - rule).max(axis=(1, 2), initial=0.0) / scale
        waited = np.where(change < smallest, 0, waited + 1)
        smallest = np.fmin(smallest, change)
        done = (change < SETTLED) | ((smallest < NEARLY) & (waited >= PATIENCE))
        if done.any():
            ends.append(_End(rows[done], following[done], of_shocks[done], rounds, True))
        lost = ~done & (~np.isfinite(change) | (rounds == ROUNDS))
        if lost.any():
            ends.append(_End(rows[lost], following[lost], of_shocks[lost], rounds, False))
        going = ~done & ~lost
        rule = following
        if not going.all():
            rows, rule, smallest, waited = rows[going], rule[going], smallest[going], waited[going]
            part = part.take(np.flatnonzero(going))
    return ends


def _best_response(problem: _Problem, rule: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rules (N, n, n) and (N, n, k) that are best while later policymakers follow `rule`."""
    k = problem.driven.shape[2]
    size = problem.now.shape[1]
    moved = solve_stack(
        problem.now - problem.ahead @ rule,
        np.concatenate([problem.lagged, problem.driven, problem.push], axis=2),
    )
    known, by_choice = moved[:, :, : size + k], moved[:, :, size + k :]
    gain = np.swapaxes(by_choice, 1, 2) @ _value(problem, rule)
    choice = -solve_stack(gain @ by_choice, gain @ known)
    answer = known + by_choice @ choice
    return answer[:, :, :size], answer[:, :, size:]


def _value(problem: _Problem, rule: np.ndarray) -> np.ndarray:
    """P of `P = W + discount rule' P rule`, by doubling; not finite where the loss is infinite."""
    total = problem.weights
    power = np.sqrt(problem.discount)[:, None, None] * rule
    for _ in range(DOUBLINGS):
        added = np.swapaxes(power, 1, 2) @ total @ power
        total = total + added
        sizes = np.abs(total).max(axis=(1, 2))
        if not (np.abs(added).max(axis=(1, 2)) > 1e-16 * sizes).any():
            break
        power = power @ power
    return total
