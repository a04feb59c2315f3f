"""The statements of lines of MATLAB, and where each of its blocks begins and ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.mat_file import is_load
from emulator.modfile.compiling.matlab import value_of
from emulator.modfile.compiling.matlab_values import Beyond, whole
from emulator.modfile.compiling.runs import SOLVING
from emulator.modfile.reading.matlab import Code
from emulator.modfile.reading.scanner import nesting
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax import (
    Call,
    Command,
    Expression,
    Number,
    ShockMoment,
    ShocksBlock,
    Skipped,
    Statement,
    Symbol,
)

SIZES = "M_.Sigma_e"

COVARIANCE = "covariance of all shocks"
"""The variable that holds what the whole of `M_.Sigma_e` is set to."""

OPENS = ("if", "for", "while", "switch")


@dataclass
class Item:
    """One statement of MATLAB, one of Dynare's, or a line that is passed over."""

    line: Statement
    code: Code | None = None
    inner: Statement | None = None
    after: int = 0
    """Of what opens a block: the position of its `end`."""
    parts: list[int] = field(default_factory=list)
    """Of an `if` or `switch`: itself, then each `elseif`, `else`, `case`, `otherwise`, `end`."""


def change(line: Skipped) -> int:
    return 0 if line.inner else nesting(Span(line.text, (line.place,)))


def items_of(lines: Sequence[Statement]) -> list[Item]:
    """The statements of some lines, with the ends of blocks. Raises `Beyond` where a line of
    control flow is not understood.
    """
    items: list[Item] = []
    for line in lines:
        if not isinstance(line, Skipped):
            items.append(Item(line, inner=line))
        elif line.inner:
            items += [Item(line, inner=statement) for statement in line.inner]
        elif line.code is not None:
            items += [Item(line, code=code) for code in line.code]
        elif change(line):
            raise Beyond("this control flow")
        else:
            items.append(Item(line))
    opened: list[Item] = []
    for position, item in enumerate(items):
        word = item.code.word if item.code else ""
        if word in OPENS:
            item.parts = [position]
            opened.append(item)
        elif word in ("elseif", "else", "case", "otherwise", "end"):
            if not opened:
                raise Beyond("this control flow")
            opened[-1].parts.append(position)
            if word == "end":
                opened.pop().after = position
    if opened:
        raise Beyond("this control flow")
    return items


def set_parameter(call: Expression) -> tuple[Expression, Expression]:
    """Name and value of `set_param_value('NAME', VALUE)`."""
    if isinstance(call, Call) and call.function == "set_param_value" and len(call.arguments) == 2:
        return call.arguments[0], call.arguments[1]
    raise Beyond("this call")


def option_text(value: Expression) -> str:
    """An option's value as Dynare's commands write it. Raises `Beyond`."""
    if isinstance(value, Number):
        return f"{value.value:g}" if value.value == int(value.value) else repr(value.value)
    if isinstance(value, Symbol):
        return value.name
    raise Beyond("this value of an option")


def last_that_counts(statements: Sequence[Statement]) -> int:
    """The position of the last command that solves the model; of the last statement without one.
    What stands behind it, mostly figures, changes no answer.
    """
    for position in reversed(range(len(statements))):
        statement = statements[position]
        inner = statement.inner if isinstance(statement, Skipped) else (statement,)
        if any(isinstance(s, Command) and s.name in SOLVING for s in inner):
            return position
    return len(statements)


def load_by_value(code: Code | None, values: Mapping[str, Any]) -> str:
    """`load(['set_' num2str(k)])` with the name of the file written out; '' for other lines."""
    call = None if code is None or code.index is not None else code.value
    if not isinstance(call, Call) or call.function != "load" or len(call.arguments) != 1:
        return ""
    try:
        name = value_of(call.arguments[0], values)
    except Beyond:
        return ""
    into = f"{code.name} = " if code is not None and code.word == "=" else ""
    text = f"{into}load('{name}')"
    return text if isinstance(name, str) and is_load(text) else ""


def shock_sizes(
    line: Statement, code: Code, shocks: Sequence[str], values: Mapping[str, Any]
) -> ShocksBlock | None:
    """`M_.Sigma_e(i, j) = VARIANCE`, of one shock also `M_.Sigma_e = VARIANCE`, or
    `set_shock_stderr_value('NAME', VALUE)`; None for other lines.
    """
    value, kind = code.value, "var"
    if isinstance(value, Call) and value.function == "set_shock_stderr_value":
        if len(value.arguments) != 2:
            raise Beyond("this size of a shock")
        name, value = value.arguments
        names = [str(value_of(name, values))]
        kind = "stderr"
    elif code.word == "=" and code.name == SIZES:
        index = code.index or (Number(1.0),) * len(shocks)
        where = [whole(value_of(part, values)) for part in index]
        if len(where) == 1 and len(shocks) == 1:
            where *= 2
        if len(where) == 2 and not 1 <= min(where) <= max(where) <= len(shocks):
            raise ModFileError(
                f"M_.Sigma_e({where[0]}, {where[1]}) is set, and the file declares {len(shocks)}"
                f" shock{'s' if len(shocks) > 1 else ''}; expected places from 1 to {len(shocks)}.",
                line.place,
            )
        if len(where) != 2:
            raise Beyond("this place among the shocks")
        if where[0] > where[1]:  # Dynare factors the upper triangle
            return ShocksBlock((), (), False, line.place)
        names = [shocks[k - 1] for k in dict.fromkeys(where)]
        kind = "var" if len(names) == 1 else "covar"
    else:
        return None
    if value is None or not set(names) <= set(shocks):
        raise Beyond("this size of a shock")
    value_of(value, values)
    moment = ShockMoment(kind, tuple(names), value, line.place)
    return ShocksBlock((moment,), (), False, line.place)


def whole_covariance(line: Statement, shocks: Sequence[str], cells: Any) -> ShocksBlock:
    """`M_.Sigma_e = MATRIX` (rows, columns, n), of which Dynare factors the upper triangle."""
    if not isinstance(cells, np.ndarray):
        raise Beyond("this size of shocks")
    if cells.shape[:2] != (len(shocks), len(shocks)):
        raise ModFileError(
            f"M_.Sigma_e is set to a matrix of {cells.shape[0]} by {cells.shape[1]}, and the file"
            f" declares {len(shocks)} shocks; expected {len(shocks)} by {len(shocks)}.",
            line.place,
        )
    moments = []
    for j, column in enumerate(shocks):
        for i, row in enumerate(shocks[: j + 1]):
            if i != j and not cells[i, j].any():
                continue
            value = Call(COVARIANCE, (Number(i + 1.0), Number(j + 1.0)))
            names = (row,) if i == j else (row, column)
            kind = "var" if i == j else "covar"
            moments.append(ShockMoment(kind, names, value, line.place))
    return ShocksBlock(tuple(moments), (), True, line.place)
