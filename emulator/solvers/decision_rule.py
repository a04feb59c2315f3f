"""One attempt at the decision rules of a stack of linear rational-expectations models, and its
residual.

Exogenous processes are split off, the endogenous variables follow from the few of them that are led
or lagged. With X the solution for the endogenous variables and W = A X + B, the pencil factors as
`A z^2 + B z + C = (A z + W)(z I - X)`, so its roots are the eigenvalues of X and the reciprocals of
those of M = -W^-1 A: the Blanchard-Kahn condition can be read from both.

Axes: N draw, n variable (p endogenous, q exogenous; f led and s lagged among the endogenous), k
shock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from emulator.solvers.doubling import stable_path
from emulator.solvers.stacks import (
    ELIMINATED,
    identity,
    innermost,
    norm,
    outermost,
    pick,
    product,
    solve_stack,
    spread,
    zeros,
)
from emulator.solvers.state_space import spectral_radius, to_numpy
from emulator.solvers.structure import Structure


@dataclass(frozen=True)
class Rule:
    """Endogenous variables as `lagged v_1 + exogenous z + shock e`, and what moves them: `onward
    v'`.

    lagged (N, p, s), exogenous (N, p, q), shock (N, p, k); onward (N, p, f) are the led columns of
    M.
    """

    lagged: Any
    exogenous: Any
    shock: Any
    onward: Any


@dataclass(frozen=True)
class Attempt:
    """A solution not yet certified: led variables on the stable path (N, f, s); largest moduli of
    the roots (N,).
    """

    transition: Any
    impact: Any
    path: Any
    residual: np.ndarray
    stable: np.ndarray
    unstable: np.ndarray


def attempt(xp: Any, st: Structure, matrices: tuple[Any, ...], guess: Any) -> Attempt:
    """Solve lead, current, lag (N, n, n) and shock (N, n, k) around a guess (N, f, s) of the stable
    path.
    """
    lead, current, lag, shock = matrices
    with np.errstate(all="ignore"):
        persistence, innovation = exogenous_process(xp, st, current, lag, shock)
        rule = _endogenous_rule(xp, st, matrices, persistence, guess)
        transition, impact = assemble(xp, st, rule, persistence, innovation)
        return Attempt(
            transition=transition,
            impact=impact,
            path=pick(rule.lagged, st.lead, axis=1),
            residual=relative_residual(lead, current, lag, shock, transition, impact),
            stable=np.maximum(
                spectral_radius(pick(rule.lagged, st.lag, axis=1)), _largest_diagonal(persistence)
            ),
            unstable=spectral_radius(pick(rule.onward, st.lead, axis=1)),
        )


def exogenous_process(
    xp: Any, st: Structure, current: Any, lag: Any, shock: Any
) -> tuple[Any, Any]:
    """`z = persistence z_1 + innovation e`, (N, q, q) and (N, q, k), of the recursive exogenous
    block.
    """
    size = len(st.exogenous)
    b, c, d = (pick(m, st.exogenous_rows, axis=1) for m in (current, lag, shock))
    b, rhs = pick(b, st.exogenous), xp.concat([pick(c, st.exogenous), d], axis=2)
    solved = zeros(rhs, 0, rhs.shape[2])
    for k in range(size):  # each equation needs only the ones before it
        row = rhs[:, k : k + 1, :] + b[:, k : k + 1, :k] @ solved
        solved = xp.concat([solved, -row / b[:, k : k + 1, k : k + 1]], axis=1)
    return solved[:, :, :size], solved[:, :, size:]


def _endogenous_rule(
    xp: Any, st: Structure, matrices: tuple[Any, ...], persistence: Any, guess: Any
) -> Rule:
    """Solve the endogenous equations for their own leads and lags, then for the exogenous variables
    and the shocks.

    With w the lagged and v the led variables, everything is written in d' = v' - guess w: an exact
    change of variables, which leaves little to find near a solution and moves a singular current
    matrix off its singularity.
    """
    n_lead, n_lag, n_exo = len(st.lead), len(st.lag), len(st.exogenous)
    a, b, c, d = (pick(m, st.endogenous_rows, axis=1) for m in matrices)
    forcing = pick(b, st.exogenous) + pick(a, st.exogenous) @ persistence
    a, b, c = (
        pick(pick(a, st.endogenous), st.lead),
        pick(b, st.endogenous),
        pick(pick(c, st.endogenous), st.lag),
    )
    reduced = -solve_stack(
        b + a @ spread(guess, st.lag, b.shape[2]), xp.concat([c, a, forcing, d], axis=2)
    )
    by_lag, by_lead = reduced[:, :, :n_lag], reduced[:, :, n_lag : n_lag + n_lead]
    lagged = pick(reduced, st.lag, axis=1)
    surprise = xp.concat(
        [pick(by_lag, st.lead, axis=1) - guess, pick(by_lead, st.lead, axis=1)], axis=2
    )
    path = stable_path(lagged[:, :, : n_lag + n_lead], surprise)
    # v' = (guess + path) w + more: w solves a small system, and all else follows.
    now = solve_stack(identity(path, n_lag) - pick(by_lead, st.lag, axis=1) @ path, lagged)
    solved = reduced + by_lead @ (path @ now)
    onward, forced = (
        solved[:, :, n_lag : n_lag + n_lead],
        solved[:, :, n_lag + n_lead : n_lag + n_lead + n_exo],
    )
    response = _led_response(
        xp, pick(onward, st.lead, axis=1), pick(forced, st.lead, axis=1), persistence
    )
    return Rule(
        lagged=solved[:, :, :n_lag],
        exogenous=forced + onward @ (response @ persistence),
        shock=solved[:, :, n_lag + n_lead + n_exo :],
        onward=onward,
    )


def _led_response(xp: Any, onward: Any, forced: Any, persistence: Any) -> Any:
    """Q (N, f, q) of `Q = onward Q persistence + forced`, column by column: persistence is lower
    triangular.
    """
    n_lead, n_exo = forced.shape[1:]
    if n_lead <= ELIMINATED:
        onward, forced, persistence = (innermost(m) for m in (onward, forced, persistence))
    columns = forced[:, :, :0]
    for k in reversed(range(n_exo)):
        later = product(onward, product(columns, persistence[:, k + 1 :, k : k + 1]))
        system = identity(onward, n_lead) - onward * persistence[:, k : k + 1, k : k + 1]
        columns = xp.concat([solve_stack(system, forced[:, :, k : k + 1] + later), columns], axis=2)
    return outermost(columns)


def assemble(
    xp: Any, st: Structure, rule: Rule, persistence: Any, innovation: Any
) -> tuple[Any, Any]:
    """Transition (N, n, n) and impact (N, n, k) of all variables in the model's own order."""
    n_endo, n_exo = len(st.endogenous), len(st.exogenous)
    lagged = spread(rule.lagged, st.lag, n_endo)
    top = xp.concat([lagged, rule.exogenous @ persistence], axis=2)
    below = xp.concat([zeros(persistence, n_exo, n_endo), persistence], axis=2)
    impact = xp.concat([rule.exogenous @ innovation + rule.shock, innovation], axis=1)
    back = tuple(int(k) for k in np.argsort(st.endogenous + st.exogenous))
    return pick(pick(xp.concat([top, below], axis=1), back, axis=1), back), pick(
        impact, back, axis=1
    )


def _largest_diagonal(persistence: Any) -> np.ndarray:
    return np.abs(np.diagonal(to_numpy(persistence), axis1=1, axis2=2)).max(axis=1, initial=0.0)


def relative_residual(
    lead: Any, current: Any, lag: Any, shock: Any, transition: Any, impact: Any
) -> np.ndarray:
    """Norm of the errors of all equations, relative to that of the coefficients times that of the
    solution.
    """
    onward = lead @ transition + current
    errors = (onward @ transition + lag, onward @ impact + shock)
    error, coefficient, solution = (
        np.sqrt(sum(to_numpy(norm(m)) ** 2 for m in group))
        for group in (errors, (lead, current, lag, shock), (transition, impact))
    )
    size = coefficient * np.maximum(solution, 1.0)
    return np.where(np.isfinite(size), error / size, np.nan)
