"""Values of MATLAB's expressions: numbers, vectors and matrices for all draws at once, and texts.

A matrix is an array (rows, columns, n) with n = 1 or N draws; a number is one of (1, 1, n). No
files, no functions but those named here. Axes: N draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emulator.modfile.compiling.functions import (
    MATLAB,
    MATLAB_ARITIES,
    MATLAB_CONSTANTS,
    NUMERIC,
)
from emulator.modfile.reading.syntax import Call, Expression, Number, Operation, Symbol, walk

LARGEST = 1_000_000
"""Elements of a matrix, all draws together."""


class Beyond(Exception):
    """What these values cannot express; says what it is."""


@dataclass(frozen=True)
class Matrix:
    """A variable of the workspace that is no single number: `cells` (rows, columns, n)."""

    cells: np.ndarray


@dataclass(frozen=True)
class Cell:
    """A cell array, as a list whatever its shape: texts and cells of numbers."""

    elements: tuple[Any, ...]


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


def is_of_matrices(expression: Expression, workspace: Mapping[str, Any]) -> bool:
    """Whether an expression holds a matrix, an element of one, or a function of matrices."""
    for part in walk(expression):
        name = part.function if isinstance(part, Call) else getattr(part, "name", "")
        if isinstance(workspace.get(name), Matrix) or name in _OF_MATRICES:
            return True
    return False


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
    return _called(name, [_value(part, workspace, last) for part in arguments])


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


def _numbers(values: Sequence[Any]) -> list[np.ndarray]:
    if not all(isinstance(value, np.ndarray) for value in values):
        raise Beyond("arithmetic with text")
    return list(values)


def _operation(operator: str, operands: list[Any]) -> Any:
    numbers = _numbers(operands)
    if len(numbers) == 1:
        (x,) = numbers
        if operator == "neg":
            return -x
        return np.swapaxes(x, 0, 1) if operator == "'" else (x == 0).astype(float)
    if len(numbers) > 2:  # Dynare's sums and products are flat
        return _operation(operator, [_operation(operator, numbers[:-1]), numbers[-1]])
    a, b = numbers
    single = a.shape[:2] == (1, 1), b.shape[:2] == (1, 1)
    if operator == "*" and not any(single):
        if a.shape[1] != b.shape[0]:
            raise Beyond("a product of matrices of different sizes")
        return np.moveaxis(np.moveaxis(a, 2, 0) @ np.moveaxis(b, 2, 0), 0, 2)
    if operator == "\\" and not single[0]:
        return _solved(a, b)
    if operator == "/" and not single[1]:
        return np.swapaxes(_solved(np.swapaxes(b, 0, 1), np.swapaxes(a, 0, 1)), 0, 1)
    if operator == "^" and not all(single):
        if not single[1] or a.shape[0] != a.shape[1] or not 0 <= whole(b) <= 100:
            raise Beyond("this power of a matrix")
        return np.moveaxis(np.linalg.matrix_power(np.moveaxis(a, 2, 0), whole(b)), 0, 2)
    if any(x != y and 1 not in (x, y) for x, y in zip(a.shape, b.shape, strict=True)):
        raise Beyond("an operation on matrices of different sizes")
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


def _solved(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    try:
        return np.moveaxis(np.linalg.solve(np.moveaxis(a, 2, 0), np.moveaxis(b, 2, 0)), 0, 2)
    except (np.linalg.LinAlgError, ValueError):
        raise Beyond("a system of equations that has no unique solution") from None


def _matrix(rows: Sequence[Expression], workspace: Mapping[str, Any], last: int | None) -> Any:
    values = [
        [_value(part, workspace, last) for part in row.arguments]
        for row in rows
        if isinstance(row, Call)
    ]
    flat = [value for row in values for value in row]
    if flat and all(isinstance(value, str) for value in flat):
        return "".join(flat)
    numbers = _numbers(flat)
    n = max((value.shape[2] for value in numbers), default=1)
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
    ends = _numbers(parts)
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
        (index,) = _numbers([_value(argument, workspace, size)])
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


def _inverse(x: np.ndarray) -> np.ndarray:
    return _solved(x, np.broadcast_to(np.eye(len(x))[:, :, None], x.shape))


_OF_MATRICES: dict[str, Callable[..., Any]] = {
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
    "inv": _inverse,
    "linspace": _linspace,
    "numel": lambda x: cells_of(x.shape[0] * x.shape[1]),
    "length": lambda x: cells_of(max(x.shape[:2]) if x.size else 0),
    "size": lambda x, *k: (
        cells_of(x.shape[whole(k[0]) - 1]) if k else np.array(x.shape[:2], float)[None, :, None]
    ),
    "isempty": lambda x: cells_of(float(x.size == 0)),
    "isnan": lambda x: np.isnan(x) * 1.0,
    "isfinite": lambda x: np.isfinite(x) * 1.0,
    "double": lambda x: x,
    "logical": lambda x: (x != 0) * 1.0,
    "isreal": lambda x: cells_of(1.0),
}


def _called(name: str, arguments: list[Any]) -> Any:
    if name in ("strcmp", "strcmpi") and len(arguments) == 2:
        texts = [a.lower() if name == "strcmpi" and isinstance(a, str) else a for a in arguments]
        same = all(isinstance(text, str) for text in texts) and texts[0] == texts[1]
        return cells_of(float(same))
    if name in ("numel", "length") and isinstance(arguments[0] if arguments else 0, Cell):
        return cells_of(len(arguments[0].elements))
    numbers = _numbers(arguments)
    if name in _OF_MATRICES:
        try:
            return _OF_MATRICES[name](*numbers)
        except (TypeError, ValueError, IndexError):
            raise Beyond(f"these arguments of '{name}'") from None
    function = MATLAB.get(name) or NUMERIC.get(name)
    if function is None:
        raise Beyond(f"the function '{name}'")
    if name in MATLAB and len(numbers) not in MATLAB_ARITIES.get(name, (1,)):
        raise Beyond(f"these arguments of '{name}'")
    try:
        return function(*numbers) * 1.0
    except (TypeError, ValueError):
        raise Beyond(f"these arguments of '{name}'") from None
