"""Batched solution of linear rational-expectations models `A E[y'] + B y + C y_1 + D e = 0`.

Exogenous processes are split off, static variables are eliminated, the core is solved by cyclic reduction, and
every draw is certified: its residual, and the moduli of all its roots. With X the solution of the core and
W = A X + B, the pencil factors as `A z^2 + B z + C = (A z + W)(z I - X)`, so its roots are the eigenvalues of X and
the reciprocals of those of M = -W^-1 A: the Blanchard-Kahn condition is read from both.

Written once against the array API: NumPy and PyTorch arrays pass through, gradients included.
Axes: N draw, n variable, k shock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from emulator.errors import SolverError
from emulator.solvers.cyclic_reduction import batched_solve, columns, selector, solve_quadratic, solve_stein
from emulator.solvers.qz import CRITERIUM, blanchard_kahn
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


def solve_linear_re(lead: Any, current: Any, lag: Any, shock: Any, structure: Structure | None = None) -> Solution:
    """Solve a stack of models `lead E[y'] + current y + lag y_1 + shock e = 0` for the stable solution.

    lead, current, lag (N, n, n) and shock (N, n, k), float64. `structure` may be given where it is known, so that it
    does not depend on which entries happen to be zero in a batch. Raises `SolverError` on shapes that do not fit.
    A draw without a unique stable solution is not an error: its `status` says why.
    """
    _check_shapes(lead, current, lag, shock)
    structure = structure or Structure.of(lead, current, lag)
    xp = array_namespace(lead, current, lag, shock)
    blocks = [
        _solve_block(xp, structure, *(m[start : start + BLOCK] for m in (lead, current, lag, shock)))
        for start in range(0, max(current.shape[0], 1), BLOCK)
    ]
    if len(blocks) == 1:
        return blocks[0]
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


def _solve_block(xp: Any, st: Structure, lead: Any, current: Any, lag: Any, shock: Any) -> Solution:
    """One block: exogenous processes, core, static variables; then the certificate over the whole model."""
    persistence, innovation = _exogenous_process(xp, st, current, lag, shock)
    rule = _endogenous_rule(xp, st, lead, current, lag, shock, persistence)
    order = st.core + st.static + st.exogenous
    n_core, n_exo = len(st.core), len(st.exogenous)
    lagged = _put_columns(rule["lagged"], n_core)
    transition = xp.concat([lagged, _zeros(xp, current, len(order) - n_exo, len(st.static)), rule["exogenous"] @ persistence], axis=2)
    below = xp.concat([_zeros(xp, current, n_exo, len(order) - n_exo), persistence], axis=2)
    impact = xp.concat([rule["exogenous"] @ innovation + rule["shock"], innovation], axis=1)
    back = tuple(int(k) for k in np.argsort(order))
    transition = columns(xp, columns(xp, xp.concat([transition, below], axis=1), back, axis=1), back)
    impact = columns(xp, impact, back, axis=1)
    residual = _residual(xp, lead, current, lag, shock, transition, impact)
    status = _status(residual, rule["stable"], rule["unstable"], to_numpy(persistence), (lead, current, lag))
    failed = status != Status.OK
    if failed.any():
        transition, impact = (_blank(xp, m, failed) for m in (transition, impact))
    return Solution(transition, impact, status, residual)


def _zeros(xp: Any, like: Any, rows: int, cols: int) -> Any:
    return xp.zeros((like.shape[0], rows, cols), dtype=like.dtype, device=like.device)


def _put_columns(lagged: tuple[Any, tuple[int, ...]], size: int) -> Any:
    compressed, positions = lagged
    return compressed @ selector(compressed, positions, size)


def _exogenous_process(xp: Any, st: Structure, current: Any, lag: Any, shock: Any) -> tuple[Any, Any]:
    """`z = persistence z_1 + innovation e` of the recursive exogenous block."""
    own, rows = st.exogenous, st.exogenous_rows
    if not own:
        return _zeros(xp, current, 0, 0), _zeros(xp, current, 0, shock.shape[2])
    b, c, d = (columns(xp, m, rows, axis=1) for m in (current, lag, shock))
    solved = -batched_solve(columns(xp, b, own), xp.concat([columns(xp, c, own), d], axis=2))
    return solved[:, :, : len(own)], solved[:, :, len(own) :]


def _endogenous_rule(xp: Any, st: Structure, lead: Any, current: Any, lag: Any, shock: Any, persistence: Any) -> dict[str, Any]:
    """Core and static variables as functions of lagged core variables, exogenous variables and shocks."""
    a, b, c, d = (columns(xp, m, st.endogenous_rows, axis=1) for m in (lead, current, lag, shock))
    forcing = columns(xp, a, st.exogenous) @ persistence + columns(xp, b, st.exogenous)
    a_core, b_core, c_core = (columns(xp, m, st.core) for m in (a, b, c))
    n_static = len(st.static)
    if n_static:  # rotate the equations so that all but the first n_static are free of static variables
        q, triangle = xp.linalg.qr(columns(xp, b, st.static), mode="complete")
        rotated = [xp.matrix_transpose(q) @ m for m in (a_core, b_core, c_core, forcing, d)]
        top = [m[:, :n_static, :] for m in rotated]
        a_core, b_core, c_core, forcing, d = (m[:, n_static:, :] for m in rotated)
    lagged = solve_quadratic(columns(xp, a_core, st.lead), b_core, columns(xp, c_core, st.lag), st.lead, st.lag)
    full = _put_columns((lagged, st.lag), len(st.core))
    solved = -batched_solve(a_core @ full + b_core, xp.concat([a_core, forcing, d], axis=2))
    n_core, n_exo = len(st.core), len(st.exogenous)
    onward, direct = solved[:, :, :n_core], solved[:, :, n_core + n_exo :]
    response = solve_stein(onward, persistence, solved[:, :, n_core : n_core + n_exo])
    rule = {
        "stable": spectral_radius(columns(xp, lagged, st.lag, axis=1)),
        "unstable": spectral_radius(columns(xp, columns(xp, onward, st.lead), st.lead, axis=1)),
    }
    if n_static:
        expected = top[0] @ full + top[1]
        rhs = xp.concat([expected @ lagged + columns(xp, top[2], st.lag), expected @ response + top[0] @ response @ persistence + top[3], expected @ direct + top[4]], axis=2)
        static = -batched_solve(triangle[:, :n_static, :], rhs)
        n_lag = len(st.lag)
        lagged = xp.concat([lagged, static[:, :, :n_lag]], axis=1)
        response = xp.concat([response, static[:, :, n_lag : n_lag + n_exo]], axis=1)
        direct = xp.concat([direct, static[:, :, n_lag + n_exo :]], axis=1)
    return rule | {"lagged": (lagged, st.lag), "exogenous": response, "shock": direct}


def _residual(xp: Any, lead: Any, current: Any, lag: Any, shock: Any, transition: Any, impact: Any) -> np.ndarray:
    """Largest error in any equation, relative to the largest coefficient times the largest entry of the solution."""
    onward = lead @ transition + current
    errors = xp.concat([onward @ transition + lag, onward @ impact + shock], axis=2)
    coefficients = xp.concat([lead, current, lag, shock], axis=2)
    solution = xp.concat([transition, impact], axis=2)
    size = to_numpy(xp.max(xp.abs(coefficients), axis=(1, 2))) * np.maximum(to_numpy(xp.max(xp.abs(solution), axis=(1, 2))), 1.0)
    with np.errstate(all="ignore"):
        return to_numpy(xp.max(xp.abs(errors), axis=(1, 2))) / size


def _status(
    residual: np.ndarray, stable: np.ndarray, unstable: np.ndarray, persistence: np.ndarray, matrices: tuple[Any, Any, Any]
) -> np.ndarray:
    """Blanchard-Kahn from the factored pencil; draws that the factorisation does not settle go to the QZ count."""
    exogenous = np.abs(np.diagonal(persistence, axis1=1, axis2=2)).max(axis=1, initial=0.0)
    with np.errstate(invalid="ignore"):
        inside, outside = np.maximum(stable, exogenous) < CRITERIUM, unstable < 1 / CRITERIUM
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


def _blank(xp: Any, stack: Any, rows: np.ndarray) -> Any:
    mask = xp.asarray(rows, device=stack.device)[:, None, None]
    return xp.where(mask, xp.asarray(float("nan"), dtype=stack.dtype, device=stack.device), stack)
