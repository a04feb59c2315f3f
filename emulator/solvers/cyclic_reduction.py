"""Cyclic reduction for `A X^2 + B X + C = 0` on stacks of matrices, with compressed columns.

Bini, Meini and Poloni (2010), "Transforming algebraic Riccati equations into unilateral quadratic matrix
equations", Numer. Math. 116, 553-578, doi:10.1007/s00211-010-0319-2; the column compression uses that A has
non-zero columns only at led, C only at lagged variables, and that both properties survive every step.

Axes: N draw, n variable, f led variable, s lagged variable.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

MAX_STEPS = 60
"""Quadratic convergence needs 5 to 10 steps away from the border of determinacy; 2**60 periods is beyond any."""

SETTLED = 1e-9
"""A relative change below this leaves an error of its square, under the rounding of float64."""


def batched_solve(matrix: Any, rhs: Any) -> Any:
    """`matrix^-1 rhs` over a stack, with NaN where a matrix is singular instead of an error for the whole stack."""
    xp = array_namespace(matrix, rhs)
    try:
        return xp.linalg.solve(matrix, rhs)
    except (np.linalg.LinAlgError, RuntimeError):
        singular = (xp.linalg.det(matrix) == 0)[:, None, None]
        eye = xp.eye(matrix.shape[-1], dtype=matrix.dtype, device=device(matrix))
        solved = xp.linalg.solve(xp.where(singular, eye, matrix), rhs)
        return xp.where(singular, xp.asarray(float("nan"), dtype=rhs.dtype, device=device(rhs)), solved)


def columns(xp: Any, stack: Any, positions: tuple[int, ...], axis: int = 2) -> Any:
    """The given positions of a stack along an axis."""
    return xp.take(stack, xp.asarray(positions, dtype=xp.int64, device=device(stack)), axis=axis)


def selector(like: Any, positions: tuple[int, ...], size: int) -> Any:
    """The (len(positions), size) matrix that puts compressed columns back in place."""
    xp = array_namespace(like)
    return columns(xp, xp.eye(size, dtype=like.dtype, device=device(like))[None], positions, axis=1)[0]


def solve_quadratic(lead: Any, current: Any, lag: Any, leads: tuple[int, ...], lags: tuple[int, ...]) -> Any:
    """Lagged columns (N, n, s) of the minimal solvent X of `lead X^2 + current X + lag = 0`.

    `lead` (N, n, f) and `lag` (N, n, s) hold the columns at positions `leads` and `lags` alone, `current` is
    (N, n, n). Draws that do not converge come back as they are or as NaN: the caller certifies every draw.
    """
    if not lags:
        return lag
    xp = array_namespace(lead, current, lag)
    if not leads:
        return -batched_solve(current, lag)
    size = current.shape[-1]
    put_lead, put_lag = selector(current, leads, size), selector(current, lags, size)
    a, b, c, hat = lead, current, lag, current
    rows = xp.arange(current.shape[0], device=device(current))
    done_rows, done_hat = [], []
    with np.errstate(all="ignore"):
        for _ in range(MAX_STEPS):
            solved = batched_solve(b, xp.concat([a, c], axis=2))
            p, r = solved[:, :, : len(leads)], solved[:, :, len(leads) :]
            step = a @ columns(xp, r, leads, axis=1) @ put_lag
            b = b - step - c @ columns(xp, p, lags, axis=1) @ put_lead
            hat = hat - step
            a, c = -(a @ columns(xp, p, leads, axis=1)), -(c @ columns(xp, r, lags, axis=1))
            change = xp.max(xp.abs(step), axis=(1, 2)) / xp.max(xp.abs(hat), axis=(1, 2))
            active = change > SETTLED  # NaN compares false: draws that broke down leave the loop too
            if not bool(xp.all(active)):
                done_rows.append(rows[~active])
                done_hat.append(hat[~active])
                rows, a, b, c, hat = rows[active], a[active], b[active], c[active], hat[active]
            if rows.shape[0] == 0:
                break
    order = xp.argsort(xp.concat([*done_rows, rows]))
    return -batched_solve(xp.take(xp.concat([*done_hat, hat]), order, axis=0), lag)


def solve_stein(left: Any, right: Any, constant: Any) -> Any:
    """Q of `Q = left Q right + constant` over stacks, by doubling (Smith 1968, doi:10.1137/0116017).

    Converges quadratically where the product of the two spectral radii is below one; elsewhere the result is
    not finite or wrong, which the caller's residual check finds.
    """
    xp = array_namespace(left, right, constant)
    total = constant
    with np.errstate(all="ignore"):
        for _ in range(MAX_STEPS):
            change = left @ total @ right
            total = total + change
            size, scale = xp.max(xp.abs(change), axis=(1, 2)), xp.max(xp.abs(total), axis=(1, 2))
            if not bool(xp.any(size > SETTLED * scale)):
                break
            left, right = left @ left, right @ right
    return total
