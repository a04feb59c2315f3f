"""Optimal policy under discretion in batches of linear-quadratic models.

Each period the policymaker minimises `y' W y + discount E[loss of the next period]` and takes the
expectations of all others as given by what later policymakers will do (Dennis 2007, Macroeconomic
Dynamics 11, 31-55, doi:10.1017/S1365100506060287, section 3, whose equations (20), (26) and (27)
these are; Dynare's `discretionary_policy` iterates on them too). Private equations are

    lead E[y'] + current y + lag y_1 + shock e = 0,

fewer than variables; the instruments x are variables of y. With `x = S y` put below these equations
all weights, lags and leads of instruments are those of variables, so that nothing is left out.

First-order conditions are the same for `W` and `-W`. Where `-W` is positive semi-definite the file
states a welfare that is maximised, and `-W` is the loss. Otherwise the loss has to be convex in the
instruments, given what later policymakers do; where it is not, there is no best policy.

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
"""Second derivatives below zero by less than this, relative to the largest, are zero."""


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
    the iteration does not end, the instruments do not move the loss, or the rule does not minimise
    it (`is_minimum`).
    """
    problem = _problem(lead, current, lag, shock, weights, discount, instruments)
    n, _, size = lead.shape
    transition = np.full((n, size, size), np.nan)
    impact = np.full((n, size, shock.shape[2]), np.nan)
    status = np.full(n, Status.NOT_CONVERGED, dtype=np.uint8)
    minimal = np.zeros(n, dtype=bool)
    with np.errstate(all="ignore"):
        for rows, rule, of_shocks in _settled_rules(problem, problem.finite_rows()):
            transition[rows] = rule
            impact[rows] = of_shocks
            minimal[rows] = _bends_up(problem.take(rows), rule)
        residual = relative_residual(lead, current, lag, shock, transition, impact)
    solved = (residual < TOLERANCE) & minimal
    radius = np.full(n, np.nan)
    radius[solved] = spectral_radius(transition[solved])
    status[solved & (radius < CRITERIUM)] = Status.OK
    status[solved & (radius >= CRITERIUM)] = Status.EXPLOSIVE
    failed = status != Status.OK
    transition[failed] = np.nan
    impact[failed] = np.nan
    return Solution(transition, impact, status, residual)


def is_minimum(
    lead: np.ndarray,
    current: np.ndarray,
    lag: np.ndarray,
    shock: np.ndarray,
    weights: np.ndarray,
    discount: np.ndarray,
    instruments: Sequence[int],
) -> np.ndarray:
    """Whether the rule that meets the first-order conditions minimises the loss (N,): whether the
    loss is convex in the instruments while later policymakers follow the rule. True where no rule
    meets them. Arguments are those of `solve_discretion`.
    """
    problem = _problem(lead, current, lag, shock, weights, discount, instruments)
    minimal = np.ones(len(lead), dtype=bool)
    with np.errstate(all="ignore"):
        for rows, rule, _ in _settled_rules(problem, problem.finite_rows()):
            minimal[rows] = _bends_up(problem.take(rows), rule)
    return minimal


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
        weights=_loss(weights),
        discount=discount,
    )


def _loss(weights: np.ndarray) -> np.ndarray:
    """The weights of the loss (N, n, n): those of a welfare, which is maximised, with their signs
    turned.
    """
    finite = np.isfinite(weights).all(axis=(1, 2))
    welfare = np.zeros(len(weights), dtype=bool)
    welfare[finite] = _convex(-weights[finite])
    return np.where(welfare[:, None, None], -weights, weights)


def _convex(second: np.ndarray) -> np.ndarray:
    """Whether symmetric matrices of second derivatives (N, n, n) are positive semi-definite."""
    roots = np.linalg.eigvalsh(second)
    return roots[:, 0] >= -ROUNDING * np.abs(roots).max(axis=1)


def _bends_up(problem: _Problem, rule: np.ndarray) -> np.ndarray:
    """Whether the loss is convex in the instruments (N,) while later policymakers follow `rule`."""
    by_choice = solve_stack(problem.now - problem.ahead @ rule, problem.push)
    second = np.swapaxes(by_choice, 1, 2) @ _value(problem, rule) @ by_choice
    finite = np.isfinite(second).all(axis=(1, 2))
    convex = np.zeros(len(second), dtype=bool)
    convex[finite] = _convex(second[finite])
    return convex


def _settled_rules(
    problem: _Problem, rows: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(rows, transition, impact) of the draws at which the iteration ends, in parts."""
    size = problem.now.shape[1]
    rule = np.zeros((len(rows), size, size))
    smallest = np.full(len(rows), np.inf)
    waited = np.zeros(len(rows), dtype=int)
    part = problem.take(rows)
    ended: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for _ in range(ROUNDS):
        if not len(rows):
            break
        following, of_shocks = _best_response(part, rule)
        scale = 1.0 + np.abs(following).max(axis=(1, 2), initial=0.0)
        change = np.abs(following - rule).max(axis=(1, 2), initial=0.0) / scale
        waited = np.where(change < smallest, 0, waited + 1)
        smallest = np.fmin(smallest, change)
        done = (change < SETTLED) | ((smallest < NEARLY) & (waited >= PATIENCE))
        if done.any():
            ended.append((rows[done], following[done], of_shocks[done]))
        going = ~done & np.isfinite(change)
        rule = following
        if not going.all():
            rows, rule, smallest, waited = rows[going], rule[going], smallest[going], waited[going]
            part = part.take(np.flatnonzero(going))
    return ended


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
