"""What MATLAB's variables hold: numbers, vectors and matrices for all draws at once, texts, cells.

A matrix is an array (rows, columns, n) with n = 1 or N draws; a number is one of (1, 1, n).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

LARGEST = 1_000_000
"""Elements of a matrix, all draws together."""


class Beyond(Exception):
    """What these values cannot express; says what it is. `line`: where in a file, if known."""

    line: int = 0


@dataclass(frozen=True)
class Matrix:
    """A variable of the workspace that is no single number: `cells` (rows, columns, n)."""

    cells: np.ndarray


@dataclass(frozen=True)
class Cell:
    """A cell array, as a list whatever its shape: texts and cells of numbers."""

    elements: tuple[Any, ...]


def bounded(rows: int, columns: int, draws: int) -> tuple[int, int, int]:
    """The shape of a matrix. Raises `Beyond` where it has too many elements."""
    if rows * columns * draws > LARGEST:
        raise Beyond("a matrix of so many elements")
    return rows, columns, draws


def plain(cells: Any) -> Any:
    """A value as the workspace holds it: a number or array (N,), a `Matrix`, a text, a `Cell`."""
    if not isinstance(cells, np.ndarray):
        return cells
    if cells.shape[:2] != (1, 1):
        return Matrix(cells)
    return np.float64(cells[0, 0, 0]) if cells.shape[2] == 1 else cells[0, 0]


def cells_of(value: Any) -> Any:
    """The cells of a value of the workspace, a text or a cell array as it is."""
    if isinstance(value, str | Cell):
        return value
    if isinstance(value, Matrix):
        return value.cells
    return np.atleast_1d(np.asarray(value, dtype=np.float64))[None, None, :]


def holds(cells: Any, count: str = "a condition") -> bool:
    """Whether all elements are true, in all draws alike. Raises `Beyond` where draws differ."""
    if not isinstance(cells, np.ndarray):
        raise Beyond("a condition that is no number")
    truth = (cells != 0).all(axis=(0, 1)) if cells.size else np.array([False])
    if truth.any() != truth.all():
        raise Beyond(f"{count} that differs between draws; give one draw at a time")
    return bool(truth[0])


def whole(cells: Any) -> int:
    """A whole number that is the same in all draws."""
    if not isinstance(cells, np.ndarray) or cells.shape[:2] != (1, 1):
        raise Beyond("a whole number that is none")
    value = cells[0, 0]
    if not (np.isfinite(value).all() and (value == value[0]).all() and value[0] == int(value[0])):
        raise Beyond("an index that is no whole number, or differs between draws")
    return int(value[0])


def numbers(values: Sequence[Any]) -> list[np.ndarray]:
    if not all(isinstance(value, np.ndarray) for value in values):
        raise Beyond("arithmetic with text")
    return list(values)


def solved(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    try:
        return np.moveaxis(np.linalg.solve(np.moveaxis(a, 2, 0), np.moveaxis(b, 2, 0)), 0, 2)
    except (np.linalg.LinAlgError, ValueError):
        raise Beyond("a system of equations that has no unique solution") from None
