"""Roots of square systems: damped Newton on a batch of draws, and a patient solver for one draw
that starts far away.

Axes: N draw, V variable.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, maximum_bipartite_matching

from emulator.solvers.stacks import solve_stack

STEPS = 100
HALVINGS = 25

SOLVED = 1e-8
"""Largest residual, relative to 1 and to the size of the unknowns' effect, of a root that is called
one.
"""

FINE = 1e-13
"""Residual at which no further step is tried."""

SINGULAR = 1e12
"""Condition number from which on a Jacobian is treated as singular."""

Residual = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Residuals (n, V) at points (n, V) of the draws of the given rows (n,)."""
Jacobian = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Derivatives (n, V, V) at the same."""


def damped_newton(
    residual: Residual, jacobian: Jacobian, start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Roots (N, V) from starting points (N, V), and which draws (N,) were solved.

    Each draw goes its own way.

    The step is halved until the residual falls (Dennis and Schnabel 1996, Numerical Methods for
    Unconstrained Optimization and Nonlinear Equations, ch. 6); where the Jacobian is singular the
    smallest least-squares step is taken, block by block.
    """
    point = start.copy()
    rows = np.arange(len(point))
    value = residual(point, rows)
    for _ in range(STEPS):
        size = _size(value)
        active = rows[np.isfinite(size[rows]) & (size[rows] > FINE)]
        if len(active) == 0:
            break
        step = _step(jacobian(point[active], active), value[active])
        moved = _search(
            residual=residual, point=point, value=value, size=size, rows=active, step=step
        )
        if not moved.any():
            break
        rows = active[moved]
    return point, _size(residual(point, np.arange(len(point)))) < SOLVED


def _size(value: np.ndarray) -> np.ndarray:
    return np.abs(value).max(axis=1, initial=0.0)


def _step(derivative: np.ndarray, value: np.ndarray) -> np.ndarray:
    step = -solve_stack(derivative, value[:, :, None])[:, :, 0]
    known = np.isfinite(derivative).all(axis=(1, 2))
    for k in np.flatnonzero(known & ~(np.linalg.cond(derivative, 1) < SINGULAR)):
        step[k] = _step_by_blocks(derivative[k], value[k])
    return np.where(np.isfinite(step), step, 0.0)


def _step_by_blocks(derivative: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The step (V,) where the Jacobian is singular, as with a unit root: the smallest one of each
    recursive block.

    A block that is solved already stays where it is, as in Dynare, whose initial values choose
    among many steady states.
    """
    step = np.zeros_like(value)
    for equations, unknowns in recursive_blocks(derivative != 0):
        wanted = value[equations] + derivative[equations] @ step
        step[unknowns] = -np.linalg.lstsq(
            derivative[np.ix_(equations, unknowns)], wanted, rcond=None
        )[0]
    return step


def _search(
    residual: Residual,
    point: np.ndarray,
    value: np.ndarray,
    size: np.ndarray,
    rows: np.ndarray,
    step: np.ndarray,
) -> np.ndarray:
    """Move each row along its step, halved until its residual falls; which of them moved."""
    waiting = np.arange(len(rows))
    length = 1.0
    for _ in range(HALVINGS):
        tried = point[rows[waiting]] + length * step[waiting]
        after = residual(tried, rows[waiting])
        better = _size(after) < size[rows[waiting]]
        into = rows[waiting[better]]
        point[into] = tried[better]
        value[into] = after[better]
        waiting = waiting[~better]
        if len(waiting) == 0:
            break
        length /= 2
    moved = np.ones(len(rows), dtype=bool)
    moved[waiting] = False
    return moved


def solve_by_blocks(
    residual: Callable[[np.ndarray], np.ndarray],
    jacobian: Callable[[np.ndarray], np.ndarray],
    pattern: np.ndarray,
    start: np.ndarray,
) -> np.ndarray:
    """One root (V,) from a poor starting point: the system is cut into recursive blocks, each
    solved by Powell's method.

    `pattern` (V, V) tells which variable stands in which equation. Where an equation for each
    variable cannot be matched the system is one block. The caller checks the residual.
    """
    point = start.copy()
    for equations, unknowns in recursive_blocks(pattern):
        for method in ("hybr", "lm"):
            with np.errstate(all="ignore"):
                root = _solve_block(
                    residual=residual,
                    jacobian=jacobian,
                    point=point,
                    equations=equations,
                    unknowns=unknowns,
                    method=method,
                )
            if root is not None:
                point[unknowns] = root
                break
    return point


def _solve_block(
    residual: Callable[[np.ndarray], np.ndarray],
    jacobian: Callable[[np.ndarray], np.ndarray],
    point: np.ndarray,
    equations: np.ndarray,
    unknowns: np.ndarray,
    method: str,
) -> np.ndarray | None:
    def at(x: np.ndarray) -> np.ndarray:
        whole = point.copy()
        whole[unknowns] = x
        return whole

    def value(x: np.ndarray) -> np.ndarray:
        return np.nan_to_num(residual(at(x))[equations], nan=1e10, posinf=1e10, neginf=-1e10)

    def derivative(x: np.ndarray) -> np.ndarray:
        return np.nan_to_num(
            jacobian(at(x))[np.ix_(equations, unknowns)], posinf=1e10, neginf=-1e10
        )

    if np.abs(value(point[unknowns])).max() < FINE:
        return point[unknowns]
    try:
        result = optimize.root(
            value, point[unknowns], jac=derivative, method=method, options={"xtol": 1e-14}
        )  # type: ignore[call-overload]
    except (ValueError, np.linalg.LinAlgError):
        return None
    return result.x if np.abs(value(result.x)).max() < SOLVED else None


def recursive_blocks(pattern: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """(equations, unknowns) of each recursive block, in an order in which they can be solved."""
    size = len(pattern)
    everything = np.arange(size)
    match = maximum_bipartite_matching(csr_array(pattern), perm_type="column")
    if (match < 0).any():
        return [(everything, everything)]
    needs = pattern[
        :, match
    ]  # needs[i, j]: equation i, which settles match[i], holds the variable that equation j settles
    count, label = connected_components(csr_array(needs), directed=True, connection="strong")
    ahead = np.zeros((count, count), dtype=bool)
    rows, columns = np.nonzero(needs)
    ahead[label[rows], label[columns]] = True
    np.fill_diagonal(ahead, False)
    order: list[int] = []
    left = set(range(count))
    while left:
        ready = [k for k in left if not ahead[k, list(left)].any()]
        order += sorted(ready)
        left -= set(ready)
    return [(np.flatnonzero(label == k), match[np.flatnonzero(label == k)]) for k in order]
