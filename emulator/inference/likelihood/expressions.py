"""Observation equations: how a series of data follows from a world's observables.

    diff(output) + gamma_bar            growth of a quarter, with a parameter as its mean
    (output - output(-4)) + mean        growth over a year, with the mean of the data
    average(rate, 4)                    mean of this and the last three periods
    sum(output_growth, 3) + 0.1*trend   sum over three periods, with a trend

They are written as in a `.mod` file: numbers, `+ - * / ^`, names of observables (of a `.mod` file
without a mapping its variables) and of parameters, `y(-1)` for the period before; `mean` is the
mean of the series, `trend` the number of the period, the first being 0. `diff(x)`, `lag(x, k)`,
`sum(x, k)` and `average(x, k)` reach back in time; `log`, `exp` and `sqrt` take numbers and
parameters alone. An equation is linear in observables.

Axes: n draw, O observable, L lag.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emulator.errors import ModFileError, ParameterError, SeriesError, nearest
from emulator.modfile.reading.grammar import Reader
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax import (
    Call,
    Expression,
    Number,
    Operation,
    Place,
    Symbol,
    symbols,
)

LONGEST_LAG = 60
"""Periods that an equation reaches back at most: each is a state."""

WORDS = ("mean", "trend")

Scalar = Any
"""One number for all draws, or one a draw (n,)."""


@dataclass(frozen=True)
class Linear:
    """A value that is linear in observables: weights by (observable, lag), a constant, and a slope
    of the number of the period; each a number or one a draw (n,).
    """

    weights: Mapping[tuple[int, int], Scalar]
    constant: Scalar = 0.0
    slope: Scalar = 0.0

    @property
    def is_number(self) -> bool:
        return not self.weights and not np.any(self.slope)

    def times(self, factor: Scalar) -> Linear:
        weights = {key: weight * factor for key, weight in self.weights.items()}
        return Linear(weights, self.constant * factor, self.slope * factor)

    def plus(self, other: Linear) -> Linear:
        weights = dict(self.weights)
        for key, weight in other.weights.items():
            weights[key] = weights.get(key, 0.0) + weight
        return Linear(weights, self.constant + other.constant, self.slope + other.slope)

    def lagged(self, lag: int) -> Linear:
        weights = {(o, shift + lag): weight for (o, shift), weight in self.weights.items()}
        return Linear(weights, self.constant - lag * self.slope, self.slope)


@dataclass(frozen=True)
class Equation:
    """The equation of a series, as it was written and as it was read."""

    series: str
    text: str
    expression: Expression
    observables: tuple[str, ...]

    @classmethod
    def of(
        cls, series: str, text: str, observables: Sequence[str], parameters: Sequence[str]
    ) -> Equation:
        """Raises `SeriesError` for what is no expression, or not linear in observables."""
        place = Place(f"the equation of '{series}'", 1)
        reader = Reader()
        reader.kinds.clear()
        reader.kinds.update(dict.fromkeys([*WORDS, *parameters], "parameter"))
        reader.kinds.update(dict.fromkeys(observables, "variable"))
        one_line = " ".join(str(text).split())
        try:
            expression = reader.expression(Span(one_line, (place,)), "the equation")
        except ModFileError as error:
            said = str(error).replace(f"{place}: ", "").replace(" before ';'", "")
            raise SeriesError(f"The equation of '{series}', '{one_line}': {said}") from None
        known = [*observables, *parameters, *WORDS]
        for symbol in symbols(expression):
            if symbol.name not in known:
                raise SeriesError(
                    f"The equation of '{series}', '{one_line}', names '{symbol.name}', which is"
                    f" neither an observable nor a parameter. {nearest(symbol.name, known)}"
                )
        equation = cls(series, one_line, expression, tuple(observables))
        equation.at(dict.fromkeys(parameters, 1.0), 0.0)  # refuses what is not linear
        return equation

    def at(self, parameters: Mapping[str, Scalar], mean: float) -> Linear:
        """The equation at parameters, with the mean of its series."""
        numbers = {**parameters, "mean": mean}
        positions = {name: k for k, name in enumerate(self.observables)}
        value = self._value(self.expression, positions, numbers)
        longest = max((lag for _, lag in value.weights), default=0)
        if longest > LONGEST_LAG:
            raise self._refusal(f"reaches {longest} periods back; expected {LONGEST_LAG} at most")
        return value

    def _refusal(self, what: str) -> SeriesError:
        return SeriesError(f"The equation of '{self.series}', '{self.text}', {what}.")

    def _value(
        self, expression: Expression, positions: Mapping[str, int], numbers: Mapping[str, Scalar]
    ) -> Linear:
        if isinstance(expression, Number):
            return Linear({}, expression.value)
        if isinstance(expression, Symbol):
            return self._of_symbol(expression, positions, numbers)
        if isinstance(expression, Call):
            return self._of_call(expression, positions, numbers)
        values = [self._value(part, positions, numbers) for part in expression.operands]
        return self._of_operation(expression, values)

    def _of_symbol(
        self, symbol: Symbol, positions: Mapping[str, int], numbers: Mapping[str, Scalar]
    ) -> Linear:
        if symbol.name in positions:
            if symbol.shift > 0:
                raise self._refusal(f"looks ahead, {symbol.name}(+{symbol.shift}); expected lags")
            return Linear({(positions[symbol.name], -symbol.shift): 1.0})
        if symbol.name == "trend":
            return Linear({}, 0.0, 1.0)
        return Linear({}, numbers[symbol.name])

    def _of_operation(self, operation: Operation, values: list[Linear]) -> Linear:
        kind = operation.operator
        if kind == "neg":
            return values[0].times(-1.0)
        if kind == "+":
            total = Linear({})
            for value in values:
                total = total.plus(value)
            return total
        if kind == "-":
            return values[0].plus(values[1].times(-1.0))
        if kind == "*":
            product = Linear({}, 1.0)
            for value in values:
                if not (value.is_number or product.is_number):
                    raise self._refusal("multiplies observables; expected a linear equation")
                product = (
                    product.times(value.constant)
                    if value.is_number
                    else value.times(product.constant)
                )
            return product
        if kind in ("/", "^") and values[1].is_number and (kind == "/" or values[0].is_number):
            with np.errstate(all="ignore"):
                if kind == "/":
                    return values[0].times(1.0 / np.asarray(values[1].constant, dtype=np.float64))
                return Linear({}, np.power(values[0].constant, values[1].constant))
        raise self._refusal(
            f"has '{kind}' of observables; expected an equation that is linear in them"
        )

    def _of_call(
        self, call: Call, positions: Mapping[str, int], numbers: Mapping[str, Scalar]
    ) -> Linear:
        values = [self._value(part, positions, numbers) for part in call.arguments]
        if call.function == "diff":
            return values[0].plus(values[0].lagged(1).times(-1.0))
        if call.function in ("lag", "sum", "average") and len(values) == 2:
            periods = self._whole(call.function, values[1])
            if call.function == "lag":
                return values[0].lagged(periods)
            total = Linear({})
            for lag in range(periods):
                total = total.plus(values[0].lagged(lag))
            return total if call.function == "sum" else total.times(1.0 / periods)
        function = NUMERIC.get(call.function)
        if function is not None and values and values[0].is_number:
            with np.errstate(all="ignore"):
                return Linear({}, function(values[0].constant))
        raise self._refusal(
            f"has {call.function}(...), which it cannot have there; expected diff(x), lag(x, k),"
            " sum(x, k), average(x, k), and log, exp or sqrt of numbers and parameters"
        )

    def _whole(self, function: str, value: Linear) -> int:
        number = value.constant
        whole = value.is_number and np.ndim(number) == 0 and float(number) == round(float(number))
        if not whole or not 1 <= float(number) <= LONGEST_LAG:
            raise self._refusal(
                f"has {function}(x, k) where k is no whole number from 1 to {LONGEST_LAG}"
            )
        return operator.index(round(float(number)))


NUMERIC: dict[str, Callable[[Scalar], Scalar]] = {"log": np.log, "exp": np.exp, "sqrt": np.sqrt}


def deviation(series: str, given: Any, parameters: Sequence[str]) -> Equation | float:
    """The standard deviation of a series' error of measurement: a number, or an equation of
    parameters alone. Raises `ParameterError` for one below zero, `SeriesError` for another text.
    """
    if isinstance(given, str):
        equation = Equation.of(series, given, (), parameters)
        if not equation.at(dict.fromkeys(parameters, 1.0), 0.0).is_number:
            raise SeriesError(f"The error of measurement of '{series}' has a trend, '{given}'.")
        if any(symbols(equation.expression)):
            return equation
        given = equation.at({}, 0.0).constant
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = np.nan
    if not (value >= 0 and np.isfinite(value)):
        raise ParameterError(
            f"The error of measurement of '{series}' was given as {given!r}; expected a standard"
            " deviation of zero or more, in the unit of the series."
        )
    return value
