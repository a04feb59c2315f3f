"""Linear algebra over stacks of small matrices (N, rows, columns), NumPy or PyTorch.

Where a matrix is singular the answer is not finite for that draw alone, instead of an error for the whole stack.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace


def solve_stack(matrix: Any, rhs: Any) -> Any:
    """`matrix^-1 rhs` over a stack: (N, n, n), (N, n, m) -> (N, n, m)."""
    xp = array_namespace(matrix, rhs)
    size = matrix.shape[-1]
    with np.errstate(all="ignore"):
        if size == 1:
            return rhs / matrix
        if size == 2:  # Cramer's rule, forward stable at this size (Higham 2002, Accuracy and Stability, sec. 1.10.1)
            a, b, c, d = (matrix[:, row, column, None] for row in range(2) for column in range(2))
            upper, lower = rhs[:, 0, :], rhs[:, 1, :]
            return xp.stack([d * upper - b * lower, a * lower - c * upper], axis=1) / (a * d - b * c)[:, None, :]
    try:
        inverse = xp.linalg.inv(matrix)
    except (np.linalg.LinAlgError, RuntimeError):
        singular = (xp.linalg.slogdet(matrix)[0] == 0)[:, None, None]
        inverse = blank(xp.linalg.inv(xp.where(singular, identity(matrix, size), matrix)), singular)
    return inverse @ rhs


def blank(stack: Any, where: Any) -> Any:
    """The stack with NaN in the draws marked by a mask (N, 1, 1) of its own array type."""
    xp = array_namespace(stack)
    return xp.where(where, xp.asarray(float("nan"), dtype=stack.dtype, device=stack.device), stack)


def identity(like: Any, size: int) -> Any:
    """The identity matrix (size, size), of the type of another array."""
    return array_namespace(like).eye(size, dtype=like.dtype, device=like.device)


def zeros(like: Any, rows: int, cols: int) -> Any:
    """Zeros (N, rows, cols), of the type and number of another stack."""
    return array_namespace(like).zeros((like.shape[0], rows, cols), dtype=like.dtype, device=like.device)


def norm(stack: Any) -> Any:
    """Frobenius norm of each matrix (N,); zero where matrices are empty."""
    xp = array_namespace(stack)
    flat = xp.reshape(stack, (stack.shape[0], stack.shape[1] * stack.shape[2]))
    return xp.sqrt(xp.vecdot(flat, flat))


def pick(stack: Any, positions: tuple[int, ...], axis: int = 2) -> Any:
    """The given positions of a stack along axis 1 or 2; a view where they are neighbours in order."""
    xp = array_namespace(stack)
    start = positions[0] if positions else 0
    if positions == tuple(range(start, start + len(positions))):
        part = slice(start, start + len(positions))
        return stack[:, part, :] if axis == 1 else stack[:, :, part]
    return xp.take(stack, xp.asarray(positions, dtype=xp.int64, device=stack.device), axis=axis)


def spread(stack: Any, positions: tuple[int, ...], size: int) -> Any:
    """Columns put back in their places among `size` columns, zeros elsewhere: the reverse of `pick`."""
    return stack @ pick(identity(stack, size)[None], positions, axis=1)[0]
