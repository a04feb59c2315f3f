"""Linear algebra over stacks of small matrices (N, rows, columns), NumPy or PyTorch.

Where a matrix is singular the answer is not finite for that draw alone, instead of an error for the
whole stack. Matrices of a few rows are faster with the draws innermost in memory, so that every
operation runs along the draws; larger ones matrix by matrix, as LAPACK and BLAS want them. The
shape is (N, rows, columns) in either case.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

ELIMINATED = 3
"""Rows up to which elimination along the draws is faster than LAPACK matrix by matrix (measured).
"""


def solve_stack(matrix: Any, rhs: Any) -> Any:
    """`matrix^-1 rhs` over a stack: (N, n, n), (N, n, m) -> (N, n, m)."""
    xp = array_namespace(matrix, rhs)
    size = matrix.shape[-1]
    with np.errstate(all="ignore"):
        if size == 1:
            return rhs / matrix
        if (
            size == 2
            # Cramer's rule, forward stable at this size (Higham 2002, Accuracy and Stability, sec.
            # 1.10.1)
        ):
            a, b, c, d = (
                matrix[:, row : row + 1, column : column + 1]
                for row in range(2)
                for column in range(2)
            )
            upper, lower = rhs[:, :1, :], rhs[:, 1:, :]
            solved = xp.concat([d * upper - b * lower, a * lower - c * upper], axis=1) / (
                a * d - b * c
            )
            return innermost(solved) if is_innermost(rhs) else solved
        if 2 < size <= ELIMINATED:
            return _eliminate(xp, matrix, rhs)
    try:
        if 2 * rhs.shape[-1] <= size:  # with more columns the inverse is faster (measured)
            return xp.linalg.solve(matrix, rhs)
        inverse = xp.linalg.inv(matrix)
    except (np.linalg.LinAlgError, RuntimeError):
        singular = (xp.linalg.slogdet(matrix)[0] == 0)[:, None, None]
        inverse = blank(xp.linalg.inv(xp.where(singular, identity(matrix, size), matrix)), singular)
    return inverse @ rhs


def _eliminate(xp: Any, matrix: Any, rhs: Any) -> Any:
    """Gauss-Jordan elimination with partial pivoting, each draw with its own pivots, all draws at
    once.
    """
    size = matrix.shape[1]
    joined = innermost(xp.concat([matrix, rhs], axis=2))
    rows = [joined[:, k : k + 1, :] for k in range(size)]
    for k in range(size):
        for r in range(k + 1, size):  # the largest pivot rises to row k
            larger = xp.abs(rows[r][:, :, k : k + 1]) > xp.abs(rows[k][:, :, k : k + 1])
            rows[k], rows[r] = (
                xp.where(larger, rows[r], rows[k]),
                xp.where(larger, rows[k], rows[r]),
            )
        rows[k] = rows[k] / rows[k][:, :, k : k + 1]
        for r in range(size):
            if r != k:
                rows[r] = rows[r] - rows[r][:, :, k : k + 1] * rows[k]
    return innermost(xp.concat([row[:, :, size:] for row in rows], axis=1))


def innermost(stack: Any) -> Any:
    """The same stack with the draws innermost in memory (NumPy alone); elementwise operations keep
    it so.
    """
    if not isinstance(stack, np.ndarray):
        return stack
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(stack, 0, 2)), 2, 0)


def outermost(stack: Any) -> Any:
    """The same stack matrix by matrix in memory (NumPy alone): products of other layouts are
    several times slower.
    """
    return np.ascontiguousarray(stack) if isinstance(stack, np.ndarray) else stack


def is_innermost(stack: Any) -> bool:
    """Whether the draws are innermost in memory."""
    return isinstance(stack, np.ndarray) and stack.strides[0] == stack.itemsize


def product(a: Any, b: Any) -> Any:
    """`a @ b`, draw by draw; along the draws where they are innermost in memory."""
    return np.einsum("nij,njk->nik", a, b) if is_innermost(a) else a @ b


def take_draws(stack: Any, draws: Any) -> Any:
    """The draws at the given positions, laid out as they were."""
    if is_innermost(stack):
        return np.moveaxis(np.take(np.moveaxis(stack, 0, 2), draws, axis=2), 2, 0)
    return array_namespace(stack).take(stack, draws, axis=0)


def blank(stack: Any, where: Any) -> Any:
    """The stack with NaN in the draws marked by a mask (N, 1, 1) of its own array type."""
    xp = array_namespace(stack)
    return xp.where(where, xp.asarray(float("nan"), dtype=stack.dtype, device=stack.device), stack)


def identity(like: Any, size: int) -> Any:
    """The identity matrix (size, size), of the type of another array."""
    return array_namespace(like).eye(size, dtype=like.dtype, device=like.device)


def zeros(like: Any, rows: int, cols: int) -> Any:
    """Zeros (N, rows, cols), of the type and number of another stack."""
    return array_namespace(like).zeros(
        (like.shape[0], rows, cols), dtype=like.dtype, device=like.device
    )


def norm(stack: Any) -> Any:
    """Frobenius norm of each matrix (N,); zero where matrices are empty."""
    xp = array_namespace(stack)
    return xp.sqrt(xp.einsum("nij,nij->n", stack, stack))


def pick(stack: Any, positions: tuple[int, ...], axis: int = 2) -> Any:
    """The given positions of a stack along axis 1 or 2; a view where they are neighbours in
    order.
    """
    xp = array_namespace(stack)
    start = positions[0] if positions else 0
    if positions == tuple(range(start, start + len(positions))):
        part = slice(start, start + len(positions))
        return stack[:, part, :] if axis == 1 else stack[:, :, part]
    return xp.take(stack, xp.asarray(positions, dtype=xp.int64, device=stack.device), axis=axis)


def spread(stack: Any, positions: tuple[int, ...], size: int) -> Any:
    """Columns put back in their places among `size` columns, zeros elsewhere: the reverse of
    `pick`.
    """
    return stack @ pick(identity(stack, size)[None], positions, axis=1)[0]
