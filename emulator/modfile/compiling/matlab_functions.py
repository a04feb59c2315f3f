"""MATLAB's functions of numbers, vectors and matrices; no others are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from emulator.modfile.compiling.functions import MATLAB, MATLAB_ARITIES, NUMERIC
from emulator.modfile.compiling.matlab_values import (
    LARGEST,
    Beyond,
    Cell,
    bounded,
    cells_of,
    numbers,
    solved,
    whole,
)


def _reduced(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """Along the columns of a matrix, along a vector whatever its direction."""

    def function(x: np.ndarray, dimension: np.ndarray | None = None) -> np.ndarray:
        axis = whole(dimension) - 1 if dimension is not None else int(x.shape[0] == 1)
        if axis not in (0, 1):
            raise Beyond("this dimension")
        return reduce(x, axis=axis, keepdims=True) * 1.0

    return function


def _running(accumulate: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: accumulate(x, axis=int(x.shape[0] == 1))


def _extreme(of_two: Callable[..., Any], reduce: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *y: of_two(x, *y) if y else _reduced(reduce)(x)


def _filled(fill: float) -> Callable[..., Any]:
    def function(*sizes: np.ndarray) -> np.ndarray:
        counts = [whole(size) for size in sizes] or [1]
        rows, columns = counts[0], counts[-1]
        if not 0 <= rows * columns <= LARGEST or len(counts) > 2:
            raise Beyond("a matrix of so many elements")
        return np.full((rows, columns, 1), fill)

    return function


def _linspace(first: np.ndarray, final: np.ndarray, *count: np.ndarray) -> np.ndarray:
    steps = whole(count[0]) if count else 100
    if not 1 <= steps <= LARGEST:
        raise Beyond("a range of so many elements")
    return first + (final - first) * np.linspace(0.0, 1.0, steps)[None, :, None]


def _identity(size: np.ndarray) -> np.ndarray:
    if not 0 <= whole(size) <= 1000:
        raise Beyond("a matrix of so many elements")
    return np.eye(whole(size))[:, :, None]


def _repeated(x: np.ndarray, *sizes: np.ndarray) -> np.ndarray:
    counts = [whole(size) for size in sizes]
    rows, columns = counts[0], counts[-1]
    if min(rows, columns) < 0 or x.size * rows * columns > LARGEST:
        raise Beyond("a matrix of so many elements")
    return np.tile(x, (rows, columns, 1))


def _joined(axis: int) -> Callable[..., Any]:
    def function(*parts: np.ndarray) -> np.ndarray:
        draws = max(part.shape[2] for part in parts)
        alike = [np.broadcast_to(part, (*part.shape[:2], draws)) for part in parts]
        if sum(part.size for part in alike) > LARGEST:
            raise Beyond("a matrix of so many elements")
        return np.concatenate(alike, axis=axis)

    return function


def _diagonal(x: np.ndarray) -> np.ndarray:
    """The matrix with a vector on its diagonal, or the diagonal of a matrix as a column."""
    if 1 not in x.shape[:2]:
        return np.einsum("iin->in", x[: min(x.shape[:2]), : min(x.shape[:2])])[:, None]
    size = max(x.shape[:2])
    matrix = np.zeros(bounded(size, size, x.shape[2]))
    matrix[np.arange(size), np.arange(size)] = x.reshape(size, -1)
    return matrix


def _inverse(x: np.ndarray) -> np.ndarray:
    return solved(x, np.broadcast_to(np.eye(len(x))[:, :, None], x.shape))


OF_MATRICES: dict[str, Callable[..., Any]] = {
    "sum": _reduced(np.sum),
    "prod": _reduced(np.prod),
    "mean": _reduced(np.mean),
    "median": _reduced(np.median),
    "any": _reduced(np.any),
    "all": _reduced(np.all),
    "cumsum": _running(np.cumsum),
    "cumprod": _running(np.cumprod),
    "max": _extreme(np.maximum, np.max),
    "min": _extreme(np.minimum, np.min),
    "zeros": _filled(0.0),
    "ones": _filled(1.0),
    "NaN": _filled(np.nan),
    "nan": _filled(np.nan),
    "eye": _identity,
    "diag": _diagonal,
    "inv": _inverse,
    "linspace": _linspace,
    "repmat": _repeated,
    "vertcat": _joined(0),
    "horzcat": _joined(1),
    "numel": lambda x: cells_of(x.shape[0] * x.shape[1]),
    "length": lambda x: cells_of(max(x.shape[:2]) if x.size else 0),
    "size": lambda x, *k: (
        cells_of(x.shape[whole(k[0]) - 1]) if k else np.array(x.shape[:2], float)[None, :, None]
    ),
    "isempty": lambda x: cells_of(float(x.size == 0)),
    "find": lambda x: _positions(x),
    "isnan": lambda x: np.isnan(x) * 1.0,
    "isfinite": lambda x: np.isfinite(x) * 1.0,
    "double": lambda x: x,
    "logical": lambda x: (x != 0) * 1.0,
    "isreal": lambda x: cells_of(1.0),
}


OF_NAMES = ("strcmp", "strcmpi", "strmatch", "ismember", "varlist_indices")
"""Functions that look a name up in a list of names."""


def _among(name: str, arguments: list[Any]) -> np.ndarray:
    """Which names of a list are the given one: truth for each of the list, of `ismember` whether
    any, of `strmatch(.., 'exact')` and `varlist_indices` where.
    """
    listed = next(argument for argument in arguments if isinstance(argument, Cell))
    text = next((argument for argument in arguments if isinstance(argument, str)), None)
    exact = name != "strmatch" or arguments[2:] == ["exact"]
    if text is None or len(arguments) > 3 or not exact:
        raise Beyond(f"these arguments of '{name}'")
    fold = str.lower if name == "strcmpi" else str
    same = [isinstance(one, str) and fold(one) == fold(text) for one in listed.elements]
    truth = np.array(same, dtype=float)[:, None, None]
    if name == "ismember":
        return cells_of(float(any(same)))
    return _positions(truth) if name in ("strmatch", "varlist_indices") else truth


def _positions(x: np.ndarray) -> np.ndarray:
    """Where a vector or matrix is not zero, from 1, as a vector."""
    truth = (x != 0).reshape(-1, x.shape[2], order="F")
    if (truth != truth[:, :1]).any():
        raise Beyond("positions that differ between draws; give one draw at a time")
    where = np.flatnonzero(truth[:, 0]) + 1.0
    return where[None, :, None] if x.shape[0] == 1 and x.shape[1] > 1 else where[:, None, None]


def called(name: str, arguments: list[Any]) -> Any:
    if name in OF_NAMES and any(isinstance(argument, Cell) for argument in arguments):
        return _among(name, arguments)
    if name in ("strcmp", "strcmpi") and len(arguments) == 2:
        texts = [a.lower() if name == "strcmpi" and isinstance(a, str) else a for a in arguments]
        same = all(isinstance(text, str) for text in texts) and texts[0] == texts[1]
        return cells_of(float(same))
    if name in ("numel", "length") and isinstance(arguments[0] if arguments else 0, Cell):
        return cells_of(len(arguments[0].elements))
    if name in ("num2str", "int2str") and len(arguments) == 1:
        return arguments[0] if isinstance(arguments[0], str) else str(whole(arguments[0]))
    values = numbers(arguments)
    if name in OF_MATRICES:
        try:
            return OF_MATRICES[name](*values)
        except (TypeError, ValueError, IndexError):
            raise Beyond(f"these arguments of '{name}'") from None
    function = MATLAB.get(name) or NUMERIC.get(name)
    if function is None:
        raise Beyond(f"the function '{name}'")
    if name in MATLAB and len(values) not in MATLAB_ARITIES.get(name, (1,)):
        raise Beyond(f"these arguments of '{name}'")
    try:
        return function(*values) * 1.0
    except (TypeError, ValueError):
        raise Beyond(f"these arguments of '{name}'") from None
