"""Batched solution of linear rational-expectations models `A E[y'] + B y + C y_1 + D e = 0`.

Exogenous processes are split off, the endogenous variables follow from the few of them that are led or lagged,
and every draw is certified: by its residual, and by the moduli of all its roots. With X the solution for the
endogenous variables and W = A X + B, the pencil factors as `A z^2 + B z + C = (A z + W)(z I - X)`, so its roots are
the eigenvalues of X and the reciprocals of those of M = -W^-1 A: the Blanchard-Kahn condition is read from both.

Written once against the array API: NumPy and PyTorch arrays pass through, gradients included.
Axes: N draw, n variable (p endogenous, q exogenous; f led and s lagged among the endogenous), k shock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from emulator.errors import SolverError
from emulator.solvers.doubling import stable_path
from emulator.solvers.qz import CRITERIUM, blanchard_kahn
from emulator.solvers.stacks import blank, identity, norm, pick, solve_stack, spread, zeros
from emulator.solvers.state_space import spectral_radius, to_numpy
from emulator.solvers.structure import Structure
from emulator.spec import Status

TOLERANCE = 1e-10
"""Largest residual, relative to the size of the terms that it sums, of a solution that is called one."""

BLOCK = 2048
"""Draws solved at once: enough to drown Python's overhead, few enough to stay in the cache; memory does not grow."""


@dataclass(frozen=True)
class Solution:
    """`y = transition y_1 + impact e`, with a certificate for every draw.

    transition (N, n, n), impact (N, n, k): the input's array type; NaN where `status` is not `Status.OK`.
    status (N,) uint8 of `Status`, residual (N,): NumPy.
    """

    transition: Any
    impact: Any
    status: np.ndarray
    residual: np.ndarray


@dataclass(frozen=True)
class _Rule:
    """Endogenous variables as `lagged v_1 + exogenous z + shock e`, and what moves them: `onward v'`.

    lagged (N, p, s), exogenous (N, p, q), shock (N, p, k); onward (N, p, f) are the led columns of M.
    """

    lagged: Any
    exogenous: Any
    shock: Any
    onward: Any


def solve_linear_re(lead: Any, current: Any, lag: Any, shock: Any, structure: Structure | None = None) -> Solution:
    """Solve a stack of models `lead E[y'] + current y + lag y_1 + shock e = 0` for the stable solution.

    lead, current, lag (N, n, n) and shock (N, n, k), float64. `structure` may be given where it is known, so that it
    does not depend on which entries happen to be zero in a batch. Raises `SolverError` on shapes that do not fit.
    A draw without a unique stable solution is not an error: its `status` says why.
    """
    _check_shapes(lead, current, lag, shock)
    structure = structure or Structure.of(lead, current, lag)
    return _by_blocks(lambda part: _solve_block(structure, *(m[part] for m in (lead, current, lag, shock))), len(current))


def solve_equations(equations: Callable[[Any], Sequence[Any]], theta: Any, structure: Structure) -> Solution:
    """`solve_linear_re(*equations(theta))`, the matrices built block by block: they never leave the cache.

    theta (N, P); `equations` gives lead, current, lag (N, n, n) and shock (N, n, k) of the model.
    """
    return _by_blocks(lambda part: _solve_block(structure, *equations(theta[part])), len(theta))


def _by_blocks(solve: Callable[[slice], Solution], n: int) -> Solution:
    blocks = [solve(slice(start, start + BLOCK)) for start in range(0, max(n, 1), BLOCK)]
    if len(blocks) == 1:
        return blocks[0]
    xp = array_namespace(blocks[0].transition)
    return Solution(
        xp.concat([b.transition for b in blocks]),
        xp.concat([b.impact for b in blocks]),
        np.concatenate([b.status for b in blocks]),
        np.concatenate([b.residual for b in blocks]),
    )


def _check_shapes(lead: Any, current: Any, lag: Any, shock: Any) -> None:
    shape = tuple(current.shape)
    fits = len(shape) == 3 and shape[1] == shape[2] and tuple(lead.shape) == shape == tuple(lag.shape)
    if not fits or len(shock.shape) != 3 or tuple(shock.shape[:2]) != shape[:2]:
        found = ", ".join(str(tuple(m.shape)) for m in (lead, current, lag, shock))
        raise SolverError(f"Expected lead, current, lag (N, n, n) and shock (N, n, k); found {found}.")


def _solve_block(st: Structure, lead: Any, current: Any, lag: Any, shock: Any) -> Solution:
    """One block: exogenous processes, endogenous variables, then the certificate over the whole model."""
    xp = array_namespace(lead, current, lag, shock)
    persistence, innovation = _exogenous_process(xp, st, current, lag, shock)
    rule = _endogenous_rule(xp, st, lead, current, lag, shock, persistence)
    transition, impact = _assemble(xp, st, rule, persistence, innovation)
    residual = _residual(lead, current, lag, shock, transition, impact)
    status = _status(
        residual,
        stable=np.maximum(spectral_radius(pick(rule.lagged, st.lag, axis=1)), _largest_diagonal(persistence)),
        unstable=spectral_radius(pick(rule.onward, st.lead, axis=1)),
        matrices=(lead, current, lag),
    )
    failed = status != Status.OK
    if failed.any():
        mask = xp.asarray(failed, device=transition.device)[:, None, None]
        transition, impact = blank(transition, mask), blank(impact, mask)
    return Solution(transition, impact, status, residual)


def _exogenous_process(xp: Any, st: Structure, current: Any, lag: Any, shock: Any) -> tuple[Any, Any]:
    """`z = persistence z_1 + innovation e`, (N, q, q) and (N, q, k), of the recursive exogenous block."""
    size = len(st.exogenous)
    b, c, d = (pick(m, st.exogenous_rows, axis=1) for m in (current, lag, shock))
    b, rhs = pick(b, st.exogenous), xp.concat([pick(c, st.exogenous), d], axis=2)
    solved = zeros(rhs, 0, rhs.shape[2])
    for k in range(size):  # each equation needs only the ones before it
        row = rhs[:, k : k + 1, :] + b[:, k : k + 1, :k] @ solved
        solved = xp.concat([solved, -row / b[:, k : k + 1, k : k + 1]], axis=1)
    return solved[:, :, :size], solved[:, :, size:]


def _endogenous_rule(
    xp: Any, st: Structure, lead: Any, current: Any, lag: Any, shock: Any, persistence: Any
) -> _Rule:
    """Solve the endogenous equations for their own leads and lags, then for the exogenous variables and the shocks."""
    a, b, c, d = (pick(m, st.endogenous_rows, axis=1) for m in (lead, current, lag, shock))
    forcing = pick(b, st.exogenous) + pick(a, st.exogenous) @ persistence
    a, b, c = pick(pick(a, st.endogenous), st.lead), pick(b, st.endogenous), pick(pick(c, st.endogenous), st.lag)
    n_lead, n_lag, n_exo = len(st.lead), len(st.lag), len(st.exogenous)
    reduced = -solve_stack(b, xp.concat([c, a, forcing, d], axis=2))
    led, lagged = pick(reduced, st.lead, axis=1), pick(reduced, st.lag, axis=1)
    path = stable_path(lagged[:, :, : n_lag + n_lead], led[:, :, : n_lag + n_lead])
    # reduced has y = ... + by_lead v'; with v' = path w + more, w solves a small system and y follows.
    by_lead = reduced[:, :, n_lag : n_lag + n_lead]
    now = solve_stack(identity(path, n_lag) - pick(by_lead, st.lag, axis=1) @ path, lagged)
    solved = reduced + by_lead @ (path @ now)
    onward, forced = solved[:, :, n_lag : n_lag + n_lead], solved[:, :, n_lag + n_lead : n_lag + n_lead + n_exo]
    response = _led_response(xp, pick(onward, st.lead, axis=1), pick(forced, st.lead, axis=1), persistence)
    return _Rule(
        lagged=solved[:, :, :n_lag],
        exogenous=forced + onward @ (response @ persistence),
        shock=solved[:, :, n_lag + n_lead + n_exo :],
        onward=onward,
    )


def _led_response(xp: Any, onward: Any, forced: Any, persistence: Any) -> Any:
    """Q (N, f, q) of `Q = onward Q persistence + forced`, column by column: persistence is lower triangular."""
    n_lead, n_exo = forced.shape[1:]
    columns = zeros(forced, n_lead, 0)
    for k in reversed(range(n_exo)):
        later = onward @ (columns @ persistence[:, k + 1 :, k : k + 1])
        system = identity(onward, n_lead) - onward * persistence[:, k : k + 1, k : k + 1]
        columns = xp.concat([solve_stack(system, forced[:, :, k : k + 1] + later), columns], axis=2)
    return columns


def _assemble(xp: Any, st: Structure, rule: _Rule, persistence: Any, innovation: Any) -> tuple[Any, Any]:
    """Transition (N, n, n) and impact (N, n, k) of all variables in the model's own order."""
    n_endo, n_exo = len(st.endogenous), len(st.exogenous)
    lagged = spread(rule.lagged, st.lag, n_endo)
    top = xp.concat([lagged, rule.exogenous @ persistence], axis=2)
    below = xp.concat([zeros(persistence, n_exo, n_endo), persistence], axis=2)
    impact = xp.concat([rule.exogenous @ innovation + rule.shock, innovation], axis=1)
    back = tuple(int(k) for k in np.argsort(st.endogenous + st.exogenous))
    return pick(pick(xp.concat([top, below], axis=1), back, axis=1), back), pick(impact, back, axis=1)


def _largest_diagonal(persistence: Any) -> np.ndarray:
    return np.abs(np.diagonal(to_numpy(persistence), axis1=1, axis2=2)).max(axis=1, initial=0.0)


def _residual(lead: Any, current: Any, lag: Any, shock: Any, transition: Any, impact: Any) -> np.ndarray:
    """Norm of the errors of all equations, relative to that of the coefficients times that of the solution."""
    onward = lead @ transition + current
    errors = (onward @ transition + lag, onward @ impact + shock)
    error, coefficient, solution = (
        np.sqrt(sum(to_numpy(norm(m)) ** 2 for m in group))
        for group in (errors, (lead, current, lag, shock), (transition, impact))
    )
    with np.errstate(all="ignore"):
        return error / (coefficient * np.maximum(solution, 1.0))


def _status(residual: np.ndarray, stable: np.ndarray, unstable: np.ndarray, matrices: tuple[Any, Any, Any]) -> np.ndarray:
    """Blanchard-Kahn from the factored pencil; draws that the factorisation does not settle go to the QZ count."""
    with np.errstate(invalid="ignore"):
        inside, outside = stable < CRITERIUM, unstable < 1 / CRITERIUM
        solved = residual < TOLERANCE
        status = np.full(residual.shape, Status.NOT_CONVERGED, dtype=np.uint8)
        status[solved & inside & outside] = Status.OK
        status[solved & inside & (unstable > 1 / CRITERIUM)] = Status.INDETERMINATE
        status[solved & ~inside & outside] = Status.EXPLOSIVE
    for row in np.flatnonzero(status == Status.NOT_CONVERGED):
        verdict = blanchard_kahn(*(to_numpy(m[row]) for m in matrices))
        # A determinate model that could not be certified stays what it is: not converged.
        status[row] = Status.NOT_CONVERGED if verdict is Status.OK else verdict
    return status
