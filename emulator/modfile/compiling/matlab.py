"""Values of MATLAB's expressions: numbers, vectors and matrices for all draws at once, and texts.

A matrix is an array (rows, columns, n) with n = 1 or N draws; a number is one of (1, 1, n). No
files, no functions but those named here. Axes: N draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from emulator.modfile.compiling.functions import (
    MATLAB_CONSTANTS,
)
from emulator.modfile.compiling.matlab_functions import OF_MATRICES, called
from emulator.modfile.compiling.matlab_values import (
    LARGEST,
    Beyond,
    Cell,
    Matrix,
    bounded,
    cells_of,
    numbers,
    solved,
    whole,
)
from emulator.modfile.reading.syntax import Call, Expression, Number, Operation, Symbol, walk


def is_of_matrices(expression: Expression, workspace: Mapping[str, Any]) -> bool:
    """Whether an expression holds a matrix, an element of one, or a function of matrices."""
    for part in walk(expression):
        name = part.function if isinstance(part, Call) else getattr(part, "name", "")
        if isinstance(workspace.get(name), Matrix) or name in OF_MATRICES:
            return True
    return False


def value_of(expression: Expression, workspace: Mapping[str, Any], last: int | None = None) -> Any:
    """The cells of an expression; `last` is what `end` means in an index. Raises `Beyond`."""
    with np.errstate(all="ignore"):
        return _value(expression, workspace, last)


def _value(expression: Expression, workspace: Mapping[str, Any], last: int | None) -> Any:
    if isinstance(expression, Number):
        return cells_of(expression.value)
    if isinstance(expression, Symbol):
        return _named(expression.name, workspace)
    if isinstance(expression, Operation):
        operands = [_value(part, workspace, last) for part in expression.operands]
        return _operation(expression.operator, operands)
    name, arguments = expression.function, expression.arguments
    if name == "''":
        assert isinstance(arguments[0], Symbol)
        return arguments[0].name
    if name == "end":
        if last is None:
            raise Beyond("'end' outside of an index")
        return cells_of(last)
    if name == "[]":
        return _matrix(arguments, workspace, last)
    if name == "{}":
        rows = [row.arguments for row in arguments if isinstance(row, Call)]
        return Cell(tuple(_value(part, workspace, last) for row in rows for part in row))
    if name == "{k}":
        return _element(arguments, workspace)
    if name == ":":
        return _range([_value(part, workspace, last) for part in arguments])
    if name in workspace:
        return picked(cells_of(workspace[name]), positions(name, arguments, workspace))
    return called(name, [_value(part, workspace, last) for part in arguments])


def _named(name: str, workspace: Mapping[str, Any]) -> Any:
    if name in workspace:
        return cells_of(workspace[name])
    if name in MATLAB_CONSTANTS:
        return cells_of(MATLAB_CONSTANTS[name])
    if name in ("true", "false"):
        return cells_of(float(name == "true"))
    raise Beyond(f"'{name}', which has no value here")


def _element(arguments: Sequence[Expression], workspace: Mapping[str, Any]) -> Any:
    array = _value(arguments[0], workspace, None)
    if not isinstance(array, Cell):
        raise Beyond("an element of what is no cell array")
    k = whole(_value(arguments[1], workspace, len(array.elements)))
    if not 1 <= k <= len(array.elements):
        raise Beyond("an index beyond the end")
    return array.elements[k - 1]


def _operation(operator: str, operands: list[Any]) -> Any:
    terms = numbers(operands)
    if len(terms) == 1:
        (x,) = terms
        if operator == "neg":
            return -x
        return np.swapaxes(x, 0, 1) if operator == "'" else (x == 0).astype(float)
    if len(terms) > 2:  # Dynare's sums and products are flat
        return _operation(operator, [_operation(operator, terms[:-1]), terms[-1]])
    a, b = terms
    single = a.shape[:2] == (1, 1), b.shape[:2] == (1, 1)
    if operator == "*" and not any(single):
        if a.shape[1] != b.shape[0]:
            raise Beyond("a product of matrices of different sizes")
        bounded(a.shape[0], b.shape[1], max(a.shape[2], b.shape[2]))
        return np.moveaxis(np.moveaxis(a, 2, 0) @ np.moveaxis(b, 2, 0), 0, 2)
    if operator == "\\" and not single[0]:
        return solved(a, b)
    if operator == "/" and not single[1]:
        return np.swapaxes(solved(np.swapaxes(b, 0, 1), np.swapaxes(a, 0, 1)), 0, 1)
    if operator == "^" and not all(single):
        if not single[1] or a.shape[0] != a.shape[1] or not 0 <= whole(b) <= 100:
            raise Beyond("this power of a matrix")
        return np.moveaxis(np.linalg.matrix_power(np.moveaxis(a, 2, 0), whole(b)), 0, 2)
    if any(x != y and 1 not in (x, y) for x, y in zip(a.shape, b.shape, strict=True)):
        raise Beyond("an operation on matrices of different sizes")
    rows, columns, draws = (max(x, y) for x, y in zip(a.shape, b.shape, strict=True))
    bounded(rows, columns, draws)
    return _ELEMENTWISE[operator](a, b) * 1.0


_ELEMENTWISE: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    ".*": np.multiply,
    "/": np.divide,
    "./": np.divide,
    "\\": lambda a, b: np.divide(b, a),
    "^": np.power,
    ".^": np.power,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
    "&": np.logical_and,
    "|": np.logical_or,
}


def _matrix(rows: Sequence[Expression], workspace: Mapping[str, Any], last: int | None) -> Any:
    values = [
        [_value(part, workspace, last) for part in row.arguments]
        for row in rows
        if isinstance(row, Call)
    ]
    flat = [value for row in values for value in row]
    if flat and all(isinstance(value, str) for value in flat):
        bounded(1, sum(map(len, flat)), 1)
        return "".join(flat)
    blocks = numbers(flat)
    n = max((value.shape[2] for value in blocks), default=1)
    bounded(1, sum(value.shape[0] * value.shape[1] for value in blocks), n)
    try:
        joined = [
            np.concatenate([np.broadcast_to(v, (*v.shape[:2], n)) for v in row if v.size], axis=1)
            for row in values
            if any(v.size for v in row)
        ]
        return np.concatenate(joined, axis=0) if joined else np.zeros((0, 0, 1))
    except ValueError:
        raise Beyond("a matrix whose rows differ in length") from None


def _range(parts: list[Any]) -> np.ndarray:
    ends = numbers(parts)
    if len(ends) == 2:
        ends = [ends[0], np.ones((1, 1, 1)), ends[1]]
    if len(ends) != 3 or any(x.shape[:2] != (1, 1) or np.ptp(x) for x in ends):
        raise Beyond("this range")
    first, step, final = (float(x[0, 0, 0]) for x in ends)
    count = np.floor((final - first) / step + 1e-10) + 1 if step else 0
    if not count <= LARGEST:
        raise Beyond("a range of so many elements")
    return (first + step * np.arange(max(int(count), 0)))[None, :, None]


def positions(
    name: str, arguments: Sequence[Expression], workspace: Mapping[str, Any]
) -> list[np.ndarray]:
    """Indices from 0, one array for each argument; a new variable has no element."""
    cells = cells_of(workspace[name]) if name in workspace else np.zeros((0, 0, 1))
    if not isinstance(cells, np.ndarray) or not 1 <= len(arguments) <= 2:
        raise Beyond(f"this index of '{name}'")
    sizes = [cells.shape[0] * cells.shape[1]] if len(arguments) == 1 else list(cells.shape[:2])
    chosen = []
    for argument, size in zip(arguments, sizes, strict=True):
        if argument == Call(":", ()):
            chosen.append(np.arange(size))
            continue
        (index,) = numbers([_value(argument, workspace, size)])
        flat = index.reshape(-1, index.shape[2])
        if np.ptp(flat, axis=1).any() or (flat != np.round(flat)).any() or (flat < 1).any():
            raise Beyond(f"an index of '{name}' that is no whole number from 1")
        chosen.append(flat[:, 0].astype(int) - 1)
    return chosen


def picked(cells: np.ndarray, where: list[np.ndarray]) -> np.ndarray:
    """Elements at positions from 0."""
    try:
        if len(where) == 2:
            return cells[np.ix_(where[0], where[1])]
        flat = cells.reshape(-1, cells.shape[2], order="F")[where[0]]
    except IndexError:
        raise Beyond("an index beyond the end") from None
    return flat[:, None, :] if cells.shape[1] == 1 and cells.shape[0] > 1 else flat[None]


def placed(cells: np.ndarray, where: list[np.ndarray], value: np.ndarray) -> np.ndarray:
    """The matrix with a value at positions from 0, enlarged with zeros where it has to be."""
    if len(where) == 1:
        if cells.shape[0] > 1 and cells.shape[1] > 1:
            rows, columns = np.unravel_index(where[0], cells.shape[:2], order="F")
            pairs = list(zip(rows, columns, strict=True))
        elif cells.shape[1] == 1 and cells.shape[0] > 1:
            pairs = [(k, 0) for k in where[0]]
        else:
            pairs = [(0, k) for k in where[0]]
    else:
        pairs = [(i, j) for j in where[1] for i in where[0]]
    n = max(cells.shape[2], value.shape[2])
    rows = max([cells.shape[0], *(i + 1 for i, _ in pairs)])
    columns = max([cells.shape[1], *(j + 1 for _, j in pairs)])
    if rows * columns * n > LARGEST:
        raise Beyond("a matrix of so many elements")
    flat = value.reshape(-1, value.shape[2], order="F")
    if len(flat) not in (1, len(pairs)):
        raise Beyond("a value whose size is not that of its place")
    larger = np.zeros((rows, columns, n))
    larger[: cells.shape[0], : cells.shape[1]] = cells
    for k, (i, j) in enumerate(pairs):
        larger[i, j] = flat[k if len(flat) > 1 else 0]
    return larger
