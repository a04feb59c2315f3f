"""Values of the macro language: a bool, a real (float), a string, an array (list) or a tuple; and
its functions of them.

Dynare Reference Manual, ch. 5 "Macro processing language".
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable

Value = bool | float | str | list | tuple

LONGEST = 1_000_000
"""Elements of an array with those of the arrays inside of it, letters of a string."""


class MacroError(Exception):
    """Something is wrong in a macro expression; the processor adds the place."""


def truth(value: Value) -> bool:
    """The value of a condition."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value != 0
    raise MacroError(f"a condition must be a boolean or a number, not {kind_of(value)}.")


def show(value: Value, inside: bool = False) -> str:
    """The value as `@{...}` writes it into the text: whole numbers without a point, strings
    bare.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.16g}"
    if isinstance(value, str):
        return f'"{value}"' if inside else value
    shown = ", ".join(show(element, True) for element in value)
    return f"[{shown}]" if isinstance(value, list) else f"({shown})"


def kind_of(value: Value) -> str:
    kinds = (
        (bool, "a boolean"),
        (float, "a number"),
        (str, "a string"),
        (tuple, "a tuple"),
        (list, "an array"),
    )
    return next(name for kind, name in kinds if isinstance(value, kind))


def length(value: Value) -> int:
    """Letters of a string, elements of an array and of all arrays inside of it; counted up to a
    little over `LONGEST`.
    """
    if not isinstance(value, list | tuple):
        return len(value) if isinstance(value, str) else 1
    count = len(value)
    waiting = [value]
    while waiting and count <= LONGEST:
        for element in waiting.pop():
            if isinstance(element, list | tuple):
                count += len(element)
                waiting.append(element)
    return count


def array(value: Value, who: str) -> list:
    if isinstance(value, list):
        return value
    raise MacroError(f"{who} needs an array, not {kind_of(value)}.")


def real(value: Value, who: str) -> float:
    if isinstance(value, bool) or not isinstance(value, float):
        raise MacroError(f"{who} needs a number, not {kind_of(value)}.")
    return value


def whole(value: Value, who: str) -> int:
    number = real(value, who)
    if not number.is_integer():
        raise MacroError(f"{who} needs a whole number, not {show(number)}.")
    return int(number)


def arithmetic(who: str, function: Callable[..., float], *values: Value) -> float:
    try:
        result = function(*(real(value, f"'{who}'") for value in values))
    except (ZeroDivisionError, OverflowError, ValueError):
        raise MacroError(
            f"'{who}' has no value at {', '.join(show(value) for value in values)}."
        ) from None
    except TypeError:
        raise MacroError(f"'{who}' was given {len(values)} arguments.") from None
    if isinstance(result, complex):
        raise MacroError(
            f"'{who}' has no real value at {', '.join(show(value) for value in values)}."
        )
    return float(result)


ARITHMETIC: dict[str, Callable[..., float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def converted(value: Value, wanted: str) -> Value:
    """A value as bool, real, int, string, tuple or array."""
    if wanted in ("real", "int"):
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise MacroError(f"{show(value, True)} cannot be made a number.") from None
        return number if wanted == "real" else arithmetic("(int)", math.trunc, number)
    if wanted == "string":
        return show(value)
    if wanted == "bool":
        if isinstance(value, str) and value in ("true", "false"):
            return value == "true"
        return truth(value)
    elements = list(value) if isinstance(value, list | tuple) else [value]
    return elements if wanted == "array" else tuple(elements)


def picked(value: str | list | tuple, picks: list[int], single: bool) -> Value:
    """The elements at these positions, from 1; one element, not an array of it, where `single`."""
    for pick in picks:
        if not 1 <= pick <= len(value):
            raise MacroError(f"index {pick} is outside of 1 to {len(value)}.")
    if isinstance(value, str):
        return "".join(value[pick - 1] for pick in picks)
    return value[picks[0] - 1] if single else [value[pick - 1] for pick in picks]


def product(*arrays: list) -> list:
    if math.prod(len(array) for array in arrays) > LONGEST:
        raise MacroError(f"a product of arrays has more than {LONGEST:,} elements.")
    joined = itertools.product(*arrays)
    return [
        tuple(
            part
            for element in row
            for part in (element if isinstance(element, tuple) else (element,))
        )
        for row in joined
    ]


def _length(value: Value) -> float:
    if isinstance(value, bool | float):
        raise MacroError(f"{kind_of(value)} has no length.")
    return float(len(value))


def _sum(value: Value) -> float:
    return math.fsum(real(element, "'sum'") for element in array(value, "'sum'"))


QUESTIONS: dict[str, Callable[[Value], Value]] = {
    "length": _length,
    "sum": _sum,
    "isempty": lambda value: _length(value) == 0,
    "isboolean": lambda value: isinstance(value, bool),
    "isreal": lambda value: isinstance(value, float),
    "isinteger": lambda value: isinstance(value, float) and value.is_integer(),
    "isstring": lambda value: isinstance(value, str),
    "istuple": lambda value: isinstance(value, tuple),
    "isarray": lambda value: isinstance(value, list),
}

FUNCTIONS: dict[str, Callable[..., float]] = {
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "exp": math.exp,
    "ln": math.log,
    "log": math.log,
    "log10": math.log10,
    "sqrt": math.sqrt,
    "cbrt": math.cbrt,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "erf": math.erf,
    "erfc": math.erfc,
    "gamma": math.gamma,
    "lgamma": math.lgamma,
    "mod": math.fmod,
    "power": math.pow,
    "max": lambda a, b: max(a, b),
    "min": lambda a, b: min(a, b),
    "sign": lambda x: math.copysign(1.0, x) if x else 0.0,
    "round": lambda x: math.copysign(math.floor(abs(x) + 0.5), x),
    "normpdf": (
        lambda x, mean=0.0, deviation=1.0: (
            math.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
        )
    ),
    "normcdf": (
        lambda x, mean=0.0, deviation=1.0: math.erfc((mean - x) / (deviation * math.sqrt(2))) / 2
    ),
}
