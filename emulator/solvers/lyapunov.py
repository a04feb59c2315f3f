"""Discrete Lyapunov equations `X = A X A' + Q` over stacks of matrices, by doubling.

The sum over j of `A^j Q A'^j` is joined with itself, moved by a power of A, until what is added no
longer counts: 2^k terms after k steps. Smith (1968), SIAM J. Appl. Math. 16, 198-201,
doi:10.1137/0116017; Anderson and Moore (1979), Optimal Filtering, sec. 6.7.

Written once against the array API: NumPy and PyTorch arrays pass through, gradients included.
Axes: N draw, D state, M right-hand side.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from emulator.solvers.state_space import to_numpy

MAX_STEPS = 40
"""2^40 terms: enough for roots up to one minus 1e-10."""

SETTLED = 1e-17
"""A step that adds less than this, relative to each diagonal entry, is the last."""

SMALLEST = 1e-40
"""Diagonal entries below this share of the largest one do not keep a draw waiting."""

REFINED = 1e-13
"""Residual above which a draw is solved a second time, for what the first solution left over."""


def lyapunov(a: Any, q: Any) -> Any:
    """X of `X = A X A' + Q`, of the shape of q.

    a (N, D, D) with all roots inside the unit circle; q (N, D, D) or (N, M, D, D), M symmetric
    right-hand sides that share a's powers. A draw whose roots are not inside, or whose entries are
    not finite, is NaN.
    """
    xp = array_namespace(a, q)
    single = len(q.shape) == 3
    sides = q[:, None, :, :] if single else q
    scale = _scale(a)
    rows, columns = scale[:, None], scale[None, :]
    scaled = xp.asarray(columns / rows, dtype=a.dtype, device=a.device) * a
    sides = sides / xp.asarray(rows * columns, dtype=a.dtype, device=a.device)
    with np.errstate(all="ignore"):
        solved = _refined(xp, scaled, sides)
    solved = solved * xp.asarray(rows * columns, dtype=a.dtype, device=a.device)
    return solved[:, 0, :, :] if single else solved


def _scale(a: Any) -> np.ndarray:
    """Powers of two (D,), one for each state, that balance rows and columns of all draws together:
    states in far units would lose digits in powers of A.
    """
    from scipy.linalg import matrix_balance

    largest = np.abs(np.nan_to_num(to_numpy(a), posinf=0.0, neginf=0.0)).max(axis=0, initial=0.0)
    if not largest.size:
        return np.ones(len(largest))
    _, (scale, _) = matrix_balance(largest, permute=False, separate=True)
    return np.asarray(scale, dtype=np.float64)


def _refined(xp: Any, a: Any, q: Any) -> Any:
    """The solution, corrected once by the solution for its own residual where that is not small."""
    x = _doubled(xp, a, q)
    residual = q + _moved(xp, a, x) - x
    loose = _sizes(residual) > REFINED * _sizes(x)
    if not loose.any():
        return x
    rows = xp.asarray(np.flatnonzero(loose.any(axis=1)), device=a.device)
    correction = _doubled(xp, a[rows], residual[rows])
    if isinstance(x, np.ndarray):
        x[rows] += np.where(np.isfinite(correction), correction, 0.0)
        return x
    whole = xp.zeros_like(x)
    whole[rows] = xp.where(xp.isfinite(correction), correction, xp.zeros_like(correction))
    return x + whole


def _doubled(xp: Any, a: Any, q: Any) -> Any:
    """The sum by doubling; draws leave as they settle, and what does not settle is NaN."""
    n = a.shape[0]
    waiting = np.arange(n)
    power, total = a, q
    done_rows: list[np.ndarray] = []
    done: list[Any] = []
    for _ in range(MAX_STEPS):
        added = _moved(xp, power, total)
        total = total + added
        active = ~_settled(total, added)
        if not active.all():
            left = xp.asarray(np.flatnonzero(active), device=a.device)
            gone = xp.asarray(np.flatnonzero(~active), device=a.device)
            done_rows.append(waiting[~active])
            done.append(xp.take(total, gone, axis=0))
            waiting, total = waiting[active], xp.take(total, left, axis=0)
            power = xp.take(power, left, axis=0)
        if not len(waiting):
            break
        power = power @ power
    order = np.argsort(np.concatenate([*done_rows, waiting]))
    joined = xp.concat([*done, total * float("nan")])
    solved = xp.take(joined, xp.asarray(order, device=a.device), axis=0)
    return xp.where(xp.isfinite(solved), solved, xp.asarray(float("nan"), dtype=solved.dtype))


def _moved(xp: Any, power: Any, x: Any) -> Any:
    """`A X A'` for each symmetric X (N, M, D, D): two products a draw, whatever M."""
    n, sides, size, _ = x.shape
    packed = xp.reshape(xp.permute_dims(x, (0, 2, 1, 3)), (n, size, sides * size))
    once = xp.reshape(power @ packed, (n, size, sides, size))
    turned = xp.reshape(xp.permute_dims(once, (0, 3, 2, 1)), (n, size, sides * size))
    twice = xp.reshape(power @ turned, (n, size, sides, size))
    return xp.permute_dims(twice, (0, 2, 1, 3))


def _settled(total: Any, added: Any) -> np.ndarray:
    """Whether a step added nothing that counts to any right-hand side of a draw, or nothing finite
    is left of it, (N,).
    """
    variances = np.abs(np.diagonal(to_numpy(total), axis1=2, axis2=3))
    steps = np.abs(np.diagonal(to_numpy(added), axis1=2, axis2=3))
    floor = SMALLEST * variances.max(axis=2, initial=0.0, keepdims=True)
    lost = ~np.isfinite(variances).all(axis=(1, 2))
    return np.asarray((steps <= SETTLED * variances + floor).all(axis=(1, 2)) | lost)


def _sizes(x: Any) -> np.ndarray:
    """Largest entry of each matrix (N, M)."""
    return np.asarray(np.abs(to_numpy(x)).max(axis=(2, 3), initial=0.0))
