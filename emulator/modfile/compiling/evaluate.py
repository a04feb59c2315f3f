"""Values of expressions that hold no leads or lags: parameters, steady states, shock sizes, for all
draws at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.functions import (
    ARITIES,
    MATLAB,
    MATLAB_ARITIES,
    NUMERIC,
)
from emulator.modfile.compiling.functions import (
    MATLAB_CONSTANTS as MATLAB_CONSTANTS,
)
from emulator.modfile.compiling.matlab import is_of_matrices, value_of
from emulator.modfile.compiling.matlab_values import Beyond, Cell, Matrix, plain
from emulator.modfile.reading.syntax import Call, Expression, Number, Operation, Place, Symbol

STEADY_STATE = "STEADY_STATE"

_BINARY: dict[str, Any] = {
    "-": np.subtract,
    "/": np.divide,
    "^": np.power,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def evaluate(expression: Expression, values: Mapping[str, Any], place: Place) -> Any:
    """The value, a number or an array (N,), at the values of the names; NaN or inf where it is not
    a real number.

    Raises `ModFileError` for a name without a value and for a function that the language does not
    have.
    """
    with np.errstate(all="ignore"):
        try:
            value = _value(expression, values, place)
            if not isinstance(value, Matrix | Cell | str):
                return value
        except (ModFileError, TypeError):
            if not is_of_matrices(expression, values):
                raise
        try:
            value = plain(value_of(expression, values))
        except Beyond as beyond:
            raise ModFileError(
                f"{beyond} is more of MATLAB than values of a file may hold.", place
            ) from None
    if isinstance(value, Matrix | Cell | str):
        raise ModFileError("a number was expected here, not a matrix or a text.", place)
    return value


def _value(expression: Expression, values: Mapping[str, Any], place: Place) -> Any:
    if isinstance(expression, Number):
        return np.float64(expression.value)
    if isinstance(expression, Symbol):
        if expression.name not in values:
            raise ModFileError(
                f"'{expression.name}' has no value here; assign it before this line.", place
            )
        return values[expression.name]
    if isinstance(expression, Call):
        if expression.function == STEADY_STATE:  # among steady-state values it is the value itself
            return _value(expression.arguments[0], values, place)
        function = MATLAB.get(expression.function)
        if function is None or len(expression.arguments) not in MATLAB_ARITIES.get(
            expression.function, (1,)
        ):
            check_call(expression, place)
            function = NUMERIC[expression.function]
        return function(*(_value(part, values, place) for part in expression.arguments))
    operands = [_value(part, values, place) for part in expression.operands]
    if expression.operator == "neg":
        return -operands[0]
    if expression.operator in _BINARY:
        return _BINARY[expression.operator](*operands) * np.float64(1.0)
    total = operands[0]
    for operand in operands[1:]:
        total = total + operand if expression.operator == "+" else total * operand
    return total


def filled(expression: Expression, values: Mapping[str, float]) -> Expression:
    """An expression with numbers for some of its names."""
    if isinstance(expression, Symbol):
        return Number(values[expression.name]) if expression.name in values else expression
    if isinstance(expression, Operation):
        return Operation(
            expression.operator, tuple(filled(part, values) for part in expression.operands)
        )
    if isinstance(expression, Call):
        return Call(
            expression.function, tuple(filled(part, values) for part in expression.arguments)
        )
    return expression


def check_call(call: Call, place: Place) -> None:
    """Raise `ModFileError` unless this is a function of the language with the right number of
    arguments.
    """
    if call.function not in NUMERIC:
        raise ModFileError(
            f"the external function '{call.function}' is not supported: it would have to be run by"
            " MATLAB. Write its formula into the file.",
            place,
        )
    allowed = ARITIES.get(call.function, (1,))
    if len(call.arguments) not in allowed:
        raise ModFileError(
            f"'{call.function}' takes {' or '.join(map(str, allowed))} argument(s); found"
            f" {len(call.arguments)}.",
            place,
        )
