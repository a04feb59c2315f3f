"""Roots of functions that are known by their values alone, for all draws at once.

Axes: d unknown, n draw.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Residual = Callable[[np.ndarray], np.ndarray]
"""Residuals (d, n) at points (d, n)."""

MAX_STEPS, HALVINGS = 100, 30
SOLVED = 1e-9
"""Largest residual of a root, relative to that of the start where it is larger than one."""


def newton(residual: Residual, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (d, n) and whether each draw (n,) is solved: damped Newton steps with derivatives by
    central differences, until steps no longer help.
    """
    x = np.array(start, dtype=float)
    value = residual(x)
    size = _norm(value)
    scale = np.maximum(1.0, np.where(np.isfinite(size), size, 1.0))
    for _ in range(MAX_STEPS):
        step = _step(residual, x, value)
        moved, share = np.zeros(x.shape[1], dtype=bool), np.ones(x.shape[1])
        for _ in range(HALVINGS):
            trial = np.where(moved, x, x - share * step)
            there = residual(trial)
            better = ~moved & (_norm(there) < size)
            x = np.where(better, trial, x)
            value = np.where(better, there, value)
            size = np.where(better, _norm(there), size)
            moved |= better
            share = np.where(moved, share, share / 2)
            if moved.all() or (size <= 1e-15 * scale).all():
                break
        if not moved.any():
            break
    return x, size <= SOLVED * scale


def _norm(value: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(np.isfinite(value), np.abs(value), np.inf).max(axis=0, initial=0.0))


def _step(residual: Residual, x: np.ndarray, value: np.ndarray) -> np.ndarray:
    d, n = x.shape
    if len(value) != d:
        return np.zeros_like(x)
    slope = np.empty((n, d, d))
    for k in range(d):
        width = np.finfo(float).eps ** (1 / 3) * np.maximum(np.abs(x[k]), 1e-3)
        ahead, behind = x.copy(), x.copy()
        ahead[k] += width
        behind[k] -= width
        slope[:, :, k] = ((residual(ahead) - residual(behind)) / (ahead[k] - behind[k])).T
    step = np.zeros_like(x)
    for draw in range(n):
        if np.isfinite(slope[draw]).all() and np.isfinite(value[:, draw]).all():
            step[:, draw] = np.linalg.lstsq(slope[draw], value[:, draw], rcond=None)[0]
    return step


def bisected(residual: Residual, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Roots (1, n) between ends (2, n), and at which draws (n,) the signs there differ."""
    low, high = ends[:1], ends[1:]
    sign = np.sign(residual(low))
    solved = (sign * np.sign(residual(high)) <= 0)[0]
    for _ in range(200):
        middle = 0.5 * (low + high)
        same = np.sign(residual(middle)) == sign
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return 0.5 * (low + high), solved
