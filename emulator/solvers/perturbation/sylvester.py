"""Generalised Sylvester equations `X = C + M X (T x .. x T)` over stacks, by doubling.

2^k terms of the sum over j of `M^j C (T x .. x T)^j` after k steps, as for Lyapunov equations
(Smith 1968, SIAM J. Appl. Math. 16, 198-201, doi:10.1137/0116017). In a perturbation M has the
reciprocals of the unstable roots and T the stable ones, so that the sum converges wherever the
first order has a unique stable solution. Axes: N draw, f row, s state.
"""

from __future__ import annotations

import numpy as np

MAX_STEPS = 50

SETTLED = 1e-17
"""A step that adds less than this share of the largest entry is the last."""


def along(x: np.ndarray, t: np.ndarray, order: int) -> np.ndarray:
    """x (N, f, s, .., s), `order` times s, with each of these axes moved by t (N, s, m):
    (N, f, m, .., m).
    """
    n, rows = x.shape[:2]
    size, width = t.shape[1:]
    if not x.size:
        return np.zeros((n, rows, *(width,) * order))
    moved = x.reshape(n, -1, size)
    for _ in range(order):  # the last axis is moved and becomes the first of those
        moved = (moved.reshape(n, -1, size) @ t).reshape(n, rows, -1, width)
        moved = np.ascontiguousarray(moved.swapaxes(2, 3))
    return moved.reshape(n, rows, *(width,) * order)


def sylvester(m: np.ndarray, c: np.ndarray, t: np.ndarray, order: int) -> np.ndarray:
    """X (N, f, s, .., s) of `X = C + M X (T x .. x T)`: m (N, f, f), c like X, t (N, s, s), `order`
    times.

    NaN or infinity where the sum does not converge.
    """
    if not c.size:
        return c
    n, rows = c.shape[:2]
    total, power, onward = c, m, t
    with np.errstate(all="ignore"):
        for _ in range(MAX_STEPS):
            moved = along(total, onward, order)
            added = (power @ moved.reshape(n, rows, -1)).reshape(c.shape)
            total = total + added
            size = np.abs(total).reshape(n, -1).max(axis=1, initial=0.0)
            step = np.abs(added).reshape(n, -1).max(axis=1, initial=0.0)
            if not (step > SETTLED * size).any():
                return total
            power, onward = power @ power, onward @ onward
    total[step > 1e-12 * size] = np.nan
    return total
