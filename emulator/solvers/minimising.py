"""Minima of many functions at once: quasi-Newton within bounds, for functions that are cheap by the
batch.

Broyden-Fletcher-Goldfarb-Shanno updates with gradients by central differences; a parameter that the
gradient pushes against a bound is held there (Nocedal and Wright 2006, Numerical Optimization,
ch. 6 and sec. 16.7). All points that a round asks for are evaluated in one call.

Axes: N function, K parameter, M point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

DIFFERENCE = 6e-6
"""Half width of a difference relative to a parameter and to one: the cube root of the rounding."""

STEPS = 2.0 ** np.arange(2, -13, -1)
"""Lengths of steps along a direction, of which the best is taken."""

SHORT_STEPS = 2.0 ** np.arange(-13, -45, -2)
"""Tried where none of those is an improvement."""

FLAT = 1e-9
"""Slope at which a minimum is reached, per parameter relative to itself and to the function, or
to a millionth of the function at the start.
"""

GAIN = 1e-14
"""An improvement below this, on the same scale, is rounding and ends a search."""

ROUNDS = 500

Objective = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Values (M,) at points (M, K) of the functions (M,) of these numbers; not finite where a function
has none.
"""


@dataclass(frozen=True)
class Minimum:
    """Where each search ended: point (N, K), value (N,), and whether it is a minimum (N,)."""

    point: np.ndarray
    value: np.ndarray
    converged: np.ndarray


def minimise(objective: Objective, start: np.ndarray, low: np.ndarray, high: np.ndarray) -> Minimum:
    """Local minima of N functions, each from its start (N, K), between low and high (K,), which may
    be infinite. Where a function has no value at its start the point stays there.
    """
    point = np.clip(start, low, high)
    n = len(point)
    value = _evaluated(objective, point, np.arange(n))
    scale = 1e-6 * np.abs(value)
    converged = np.zeros(n, dtype=bool)
    rows = np.flatnonzero(np.isfinite(value))
    slope = _slopes(objective, point[rows], rows, low, high)
    inverse = _first_inverse(point[rows], slope)
    for _ in range(ROUNDS):
        if not len(rows):
            break
        free = _free(point[rows], slope, low, high)
        size = np.maximum(np.abs(value[rows]), scale[rows])
        flat = _is_flat(point[rows], size, np.where(free, slope, 0.0))
        direction = _directions(inverse, slope, free)
        target, reached = _searched(
            objective, point[rows], value[rows], direction, rows, (low, high)
        )
        stuck = reached >= value[rows]
        again = np.flatnonzero(stuck & ~flat)
        if len(again):  # what was learnt of the curvature may be wrong: begin anew
            inverse[again] = _first_inverse(point[rows[again]], slope[again])
            direction = _directions(inverse[again], slope[again], free[again])
            target[again], reached[again] = _searched(
                objective,
                point[rows[again]],
                value[rows[again]],
                direction,
                rows[again],
                (low, high),
            )
        moved = value[rows] - reached > GAIN * size
        converged[rows[flat | ~moved]] = True
        step = target - point[rows]
        point[rows[moved]] = target[moved]
        value[rows[moved]] = reached[moved]
        going = moved & ~flat
        rows, step, inverse, before = rows[going], step[going], inverse[going], slope[going]
        slope = _slopes(objective, point[rows], rows, low, high)
        inverse = _updated(inverse, step, slope - before)
    return Minimum(point, value, converged)


def _evaluated(objective: Objective, points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    values = objective(points, rows)
    return np.where(np.isfinite(values), values, np.inf)


def _slopes(
    objective: Objective, point: np.ndarray, rows: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Gradients (N, K): central differences, one-sided at bounds and beside points without a
    value.
    """
    n, count = point.shape
    if not n:
        return np.empty_like(point)
    points = np.repeat(point[:, None], 1 + 2 * count, axis=1)
    for k in range(count):
        step = DIFFERENCE * np.maximum(np.abs(point[:, k]), 1.0)
        points[:, 1 + 2 * k, k] = np.minimum(point[:, k] + step, high[k])
        points[:, 2 + 2 * k, k] = np.maximum(point[:, k] - step, low[k])
    values = _evaluated(
        objective, points.reshape(-1, count), np.repeat(rows, 1 + 2 * count)
    ).reshape(n, -1)
    lost = ~np.isfinite(values)
    values = np.where(lost, values[:, :1], values)
    points = np.where(lost[:, :, None], point[:, None], points)
    width = np.stack([points[:, 1 + 2 * k, k] - points[:, 2 + 2 * k, k] for k in range(count)], 1)
    with np.errstate(all="ignore"):
        return np.where(width > 0, (values[:, 1::2] - values[:, 2::2]) / width, 0.0)


def _first_inverse(point: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """An inverse of the curvature with which the first step is a tenth of the parameters' size."""
    size = np.maximum(np.abs(point), 1.0)
    steepest = np.maximum((np.abs(slope) * size).max(axis=1, initial=0.0), 1e-300)
    return (0.1 * size**2 / steepest[:, None])[:, :, None] * np.eye(point.shape[1])


def _free(point: np.ndarray, slope: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Which parameters (N, K) are not held by a bound."""
    return ~(((point <= low) & (slope > 0)) | ((point >= high) & (slope < 0)))


def _is_flat(point: np.ndarray, value: np.ndarray, slope: np.ndarray) -> np.ndarray:
    size = np.maximum(np.abs(point), 1.0)
    return np.asarray((np.abs(slope) * size).max(axis=1, initial=0.0) <= FLAT * value)


def _directions(inverse: np.ndarray, slope: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Directions (N, K) of the free parameters alone; down the slope where curvature is not
    known.
    """
    among_free = inverse * free[:, :, None] * free[:, None, :]
    down = np.where(free, slope, 0.0)
    direction = -np.einsum("nij,nj->ni", among_free, down)
    wrong = (direction * down).sum(axis=1) >= 0
    direction[wrong] = -down[wrong]
    return direction


def _searched(
    objective: Objective,
    point: np.ndarray,
    value: np.ndarray,
    direction: np.ndarray,
    rows: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """The best of several steps along each direction, (N, K) and its value (N,); the point itself
    where none is better.
    """
    best, lowest = point.copy(), value.copy()
    waiting = np.arange(len(point))
    for lengths in (STEPS, SHORT_STEPS):
        if not len(waiting):
            break
        tried = np.clip(point[waiting, None] + lengths[:, None] * direction[waiting, None], *bounds)
        values = _evaluated(
            objective, tried.reshape(-1, point.shape[1]), np.repeat(rows[waiting], len(lengths))
        ).reshape(len(waiting), -1)
        chosen = values.argmin(axis=1)
        lower = np.take_along_axis(values, chosen[:, None], 1)[:, 0]
        better = lower < lowest[waiting]
        best[waiting[better]] = tried[np.flatnonzero(better), chosen[better]]
        lowest[waiting[better]] = lower[better]
        waiting = waiting[~better]
    return best, lowest


def _updated(inverse: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The inverse of the curvature after a step (N, K) changed the slope; as it was where the
    function is not convex along the step.
    """
    along = (step * change).sum(axis=1)
    sizes = np.linalg.norm(step, axis=1) * np.linalg.norm(change, axis=1)
    convex = along > 1e-12 * sizes
    rho = 1.0 / np.where(convex, along, 1.0)
    left = np.eye(step.shape[1]) - rho[:, None, None] * step[:, :, None] * change[:, None, :]
    updated = left @ inverse @ np.swapaxes(left, 1, 2)
    updated += rho[:, None, None] * step[:, :, None] * step[:, None, :]
    return np.where(convex[:, None, None], updated, inverse)
