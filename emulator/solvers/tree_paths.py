"""Paths of a non-linear model on a tree: in the first periods the next period's shocks are expected
at several nodes, each with a weight, and from then on nothing more is expected to come.

The unknowns are the variables y_b of every node b of the tree, and every equation holds in
expectation over the nodes that follow,

    sum over children s of b of w_s f(y_{parent of b}, y_b, y_s, shocks at b) = 0,

with the past before the root and the end after the last period given. Each Newton step solves one
sparse linear system by SuperLU. This is the stochastic extended path of Adjemian and Juillard
(2013, Dynare Working Papers 26), a tree that is thinned by ending after some periods.

Axes: B node, M triple of a node with what is before and after it, V variable, E derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array, csc_array
from scipy.sparse.linalg import splu

from emulator.solvers.perfect_foresight import FINE, HALVINGS, SOLVED, STEPS, Band

PAST = -1
"""Stands for the period before the first among the nodes before one."""

END = -2
"""Stands for the end among the nodes after one."""


@dataclass(frozen=True)
class Tree:
    """The triples (M,) of a tree: positions of nodes, of those before and after them, and the
    weight of what follows; `period` (B,) from 0, and which draw of the shocks each node has, (B,),
    -1 where it has none.
    """

    before: np.ndarray
    node: np.ndarray
    after: np.ndarray
    weight: np.ndarray
    period: np.ndarray
    shock: np.ndarray


def tree(weights: np.ndarray, order: int, periods: int) -> Tree:
    """Nodes of so many periods, of which the first `order` are followed by one node for each of the
    weights (n,), and the others by one.
    """
    rows: list[tuple[int, int, int, float]] = []
    period, shock = [0], [-1]
    before = [PAST]
    layer = [0]
    for date in range(periods):
        following: list[int] = []
        for node in layer:
            if date == periods - 1:
                rows.append((before[node], node, END, 1.0))
                continue
            branches = weights if date < order else np.ones(1)
            for k, weight in enumerate(branches):
                child = len(period)
                period.append(date + 1)
                shock.append(k if date < order else -1)
                before.append(node)
                following.append(child)
                rows.append((before[node], node, child, float(weight)))
        layer = following
    triples = np.array([row[:3] for row in rows], dtype=int)
    return Tree(
        before=triples[:, 0],
        node=triples[:, 1],
        after=triples[:, 2],
        weight=np.array([row[3] for row in rows]),
        period=np.array(period),
        shock=np.array(shock),
    )


class TreeSolved(NamedTuple):
    """Values (B, V) at the nodes, whether they solve the equations, after how many Newton steps,
    and the largest residual.
    """

    values: np.ndarray
    solved: bool
    steps: int
    residual: float


Residual = Callable[[np.ndarray], np.ndarray]
"""Residuals (M, V) of paths (M, 3, V) of all triples, and derivatives (M, E) at the same."""


def solve_tree(
    residual: Residual,
    slopes: Residual,
    band: Band,
    shape: Tree,
    start: np.ndarray,
    ends: tuple[np.ndarray, np.ndarray],
) -> TreeSolved:
    """Newton's method from values (B, V) at the nodes; ends: the past and the end, (V,). The band
    has one lag and one lead at most.
    """
    values = start.copy()
    pattern = _pattern(shape, band)
    off = _expected(residual(_triples(shape, values, ends)), shape, len(values))
    size = float(np.abs(off).max())
    steps = 0
    while steps < STEPS and size > FINE:
        steps += 1
        matrix = _matrix(slopes(_triples(shape, values, ends)), shape, pattern, values.size)
        try:
            step = -splu(matrix).solve(off.ravel()).reshape(values.shape)
        except (RuntimeError, ValueError):  # singular, or not finite
            break
        before, length = size, 1.0
        for _ in range(HALVINGS):
            tried = values + length * step
            reached = _expected(residual(_triples(shape, tried, ends)), shape, len(values))
            size = float(np.abs(reached).max())
            if np.isfinite(size):
                break
            length /= 2
        else:
            break
        values, off = tried, reached
        if size < SOLVED and size >= 0.5 * before:
            break
    return TreeSolved(values, bool(np.isfinite(size) and size < SOLVED), steps, size)


def _triples(shape: Tree, values: np.ndarray, ends: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Paths (M, 3, V) of each node with what is before and after it."""
    past, end = ends
    stacked = np.concatenate([values, end[None], past[None]])  # END is -2, PAST is -1
    return np.stack([stacked[shape.before], stacked[shape.node], stacked[shape.after]], axis=1)


def _expected(residual: np.ndarray, shape: Tree, nodes: int) -> np.ndarray:
    total = np.zeros((nodes, residual.shape[1]))
    np.add.at(total, shape.node, shape.weight[:, None] * residual)
    return total


def _pattern(shape: Tree, band: Band) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and which derivatives (M, E) count, of the whole matrix."""
    other = np.stack([shape.before, shape.node, shape.after])[band.shifts + 1].T
    rows = shape.node[:, None] * band.size + band.rows
    columns = other * band.size + band.columns
    return rows, columns, other >= 0


def _matrix(
    slopes: np.ndarray,
    shape: Tree,
    pattern: tuple[np.ndarray, np.ndarray, np.ndarray],
    size: int,
) -> csc_array:
    rows, columns, counts = pattern
    data = (shape.weight[:, None] * slopes)[counts]
    return csc_array(coo_array((data, (rows[counts], columns[counts])), shape=(size, size)))
