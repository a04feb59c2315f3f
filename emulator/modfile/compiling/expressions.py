"""Expressions of a file as nodes of a graph: dates, `#` variables, operators, trends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.evaluate import STEADY_STATE, check_call
from emulator.modfile.compiling.functions import SYMBOLIC
from emulator.modfile.compiling.namespace import Namespace, divides_by_zero, moved, operation
from emulator.modfile.compiling.tape import record
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.declarations import lags_and_weights
from emulator.modfile.reading.syntax import (
    Call,
    Declaration,
    Equation,
    Expression,
    ModFile,
    Number,
    Place,
    Symbol,
)

TOO_DEEP = (
    "an expression nests too many operations once its '#' variables are written out; introduce"
    " variables for parts of it."
)

MOST_TERMS = 10**9
"""Names, numbers and operations of an equation in which every `#` variable is written out: a graph
holds them once, but nobody means an equation of that length.
"""

SHARED = 4
"""Terms that a node of the graph stands for, at most, in the account of work."""


class ExpressionReader:
    """Reads expressions of one file; locals are read once, where they stand."""

    def __init__(
        self, file: ModFile, names: Namespace, budget: Budget, trends: bool = True
    ) -> None:
        self.names = names
        self.budget = budget
        self.predetermined = frozenset(file.predetermined)
        self.trends = {d.name: d for d in file.trends} if trends else {}
        self.deflated = {
            d.name: d for d in file.variables if trends and (d.deflator or d.log_deflator)
        }
        self.graph = names.graph
        self.today = {name: self.graph.symbol(f"trend({name})") for name in self.trends}
        self.expected: dict[int, str] = {}
        """Names of the variables that stand for expectations, by what is expected."""
        self.locals: dict[str, int] = {}
        self.sizes: dict[str, int] = {}
        for local in file.model.locals:
            self.locals[local.name] = self.whole(local.value, local.place)
            self.sizes[local.name] = self._size(local.value)

    def residual(self, equation: Equation) -> int:
        value = self.graph.subtract(
            self.whole(equation.left, equation.place), self.whole(equation.right, equation.place)
        )
        terms = self._size(equation.left) + self._size(equation.right)
        terms = min(terms, SHARED * len(self.graph.reached([value])))
        self.budget.derivatives(terms, len(self.names.dates_in(value)))
        return self._detrended(value, equation.place) if self.today else value

    def whole(self, expression: Expression, place: Place) -> int:
        """A whole expression in symbols.

        Raises `ModFileError` if it is too long for anyone to differentiate.
        """
        self.budget.place = place
        terms = self._size(expression)
        if terms > MOST_TERMS:
            raise ModFileError(
                f"with its '#' variables written out the expression has more than {MOST_TERMS:,}"
                " terms.",
                place,
            )
        before = len(self.graph.nodes)
        node = self.read(expression, place)
        self.budget.derivatives(len(self.graph.nodes) - before, 0)
        return node

    def _size(self, expression: Expression) -> int:
        if isinstance(expression, Symbol):
            return self.sizes.get(expression.name, 1)
        if isinstance(expression, Number):
            return 1
        if isinstance(expression, Call):
            return (1 + sum(map(self._size, expression.arguments))) * (
                2 if expression.function == "diff" else 1
            )
        sizes = [self._size(part) for part in expression.operands]
        power = expression.operands[-1]
        if expression.operator == "^" and isinstance(power, Number) and sizes[0] > 1:
            return 1 + sizes[0] * max(1, round(min(abs(power.value), MOST_TERMS)))
        return 1 + sum(sizes)

    def standing(self, residuals: Sequence[int]) -> list[int]:
        """The residuals with every variable at its date of today, steady states being those
        variables.
        """
        standing = self._still(residuals)
        for value, name in reversed(self.expected.items()):
            (level,) = self._still([value])
            standing = self.graph.replaced(standing, {self.names.at(name, 0): level})
        return standing

    def _still(self, nodes: Sequence[int]) -> list[int]:
        """Nodes with every variable at its date of today."""
        dates = self.names.dates_in(*nodes)
        still = {s: self.names.at(name, 0) for s, (name, shift) in dates.items() if shift}
        still |= {s: self.names.at(name, 0) for name, s in self.names.steady.items()}
        return self.graph.replaced(nodes, still)

    def read(
        self, expression: Expression, place: Place, shift: int = 0, steady: bool = False
    ) -> int:
        """One expression in symbols, moved by `shift` periods; `steady` reads variables as their
        steady-state values.
        """
        if isinstance(expression, Number):
            return self.graph.number(expression.value)
        if isinstance(expression, Symbol):
            return self._symbol(expression, place, shift, steady)
        if isinstance(expression, Call):
            return self._call(expression, place, shift, steady)
        operands = [self.read(part, place, shift, steady) for part in expression.operands]
        if expression.operator in ("/", "^") and divides_by_zero(
            self.graph, expression.operator, *operands
        ):
            raise ModFileError("this divides by zero, whatever the values of the variables.", place)
        return operation(self.graph, expression.operator, operands)

    def _symbol(self, symbol: Symbol, place: Place, shift: int, steady: bool) -> int:
        name = symbol.name
        if name in self.locals:
            return self._moved(self.locals[name], symbol.shift + shift, steady)
        if name in self.names.parameters:
            return self.names.parameter(name)
        if name in self.names.shocks:
            return self.names.at(name, symbol.shift + shift)
        if name in self.trends:
            return self._trend(self.trends[name], symbol.shift + shift, place)
        if name not in self.names.variables:
            raise ModFileError(
                f"'{name}' is used but never declared; declare it with var, varexo or parameters.",
                place,
            )
        if steady:
            return self.names.steady_state(name)
        date = symbol.shift + shift
        value = self.names.at(name, date - (name in self.predetermined))
        return (
            self._with_trend(self.deflated[name], value, date, place)
            if name in self.deflated
            else value
        )

    def _call(self, call: Call, place: Place, shift: int, steady: bool) -> int:
        if call.function == STEADY_STATE:
            return self.read(call.arguments[0], place, 0, steady=True)
        if call.function == "EXPECTATION":
            return self._expectation(call, place, shift, steady)
        if call.function == "adl":
            return self._distributed(call, place, shift, steady)
        if call.function == "diff":
            now = self.read(call.arguments[0], place, shift, steady)
            before = self.read(call.arguments[0], place, shift - 1, steady)
            return self.graph.subtract(now, before)
        check_call(call, place)
        arguments = [self.read(part, place, shift, steady) for part in call.arguments]
        return SYMBOLIC[call.function](self.graph, *arguments)

    def _expectation(self, call: Call, place: Place, shift: int, steady: bool) -> int:
        """EXPECTATION(k)(x): what is expected of x with the information of k periods from now is a
        variable of its own, as in Dynare: z = x moved by -k, which stands here as z(k).
        """
        period, argument = call.arguments
        if steady:
            return self.read(argument, place, steady=True)
        assert isinstance(period, Number)
        date = int(period.value)
        value = self.read(argument, place, -date)
        name = self.expected.setdefault(value, f"EXPECTATION_{len(self.expected) + 1}")
        return self.names.at(name, date + shift)

    def _distributed(self, call: Call, place: Place, shift: int, steady: bool) -> int:
        """adl(x, 'a', [1:3]) = a_lag_1 x(-1) + a_lag_2 x(-2) + a_lag_3 x(-3)."""
        terms = []
        for lag, weight in lags_and_weights(call, place):
            value = self.read(call.arguments[0], place, shift - lag, steady)
            terms.append(self.graph.multiply(self.names.parameter(weight), value))
        return self.graph.add(*terms)

    def _moved(self, value: int, shift: int, steady: bool) -> int:
        """A local at another date or in the steady state: what it holds is moved."""
        if not steady:
            return moved(self.names, value, shift)
        dates = self.names.dates_in(value)
        still = {s: self.names.steady_state(name) for s, (name, _) in dates.items()}
        return self.graph.replaced([value], still)[0]

    def _with_trend(self, declared: Declaration, value: int, date: int, place: Place) -> int:
        if declared.deflator is not None:
            return self.graph.multiply(value, self.read(declared.deflator, place, date))
        assert declared.log_deflator is not None
        return self.graph.add(value, self.read(declared.log_deflator, place, date))

    def _trend(self, trend: Declaration, date: int, place: Place) -> int:
        """The trend at another date by its growth in between: A(+1) = A g(+1), A(-1) = A / g."""
        if trend.growth is None:
            raise ModFileError(f"the trend '{trend.name}' has no growth factor.", trend.place)
        steps = range(1, date + 1) if date > 0 else range(date + 1, 1)
        self.budget.derivatives(len(steps), 0)
        growth = [self.read(trend.growth, place, k) for k in steps]
        today = self.today[trend.name]
        sign = 1.0 if date > 0 else -1.0
        if trend.growth_is_log:
            return self.graph.sum([(1.0, today), *((sign, factor) for factor in growth)])
        return self.graph.product([(today, 1.0), *((factor, sign) for factor in growth)])

    def _detrended(self, residual: int, place: Place) -> int:
        """The residual without trends, once it is seen that they only scale it: else there is no
        balanced growth.
        """
        inside = self.graph.symbols(residual)
        present = [s for s in self.today.values() if s in inside]
        neutral = {
            self.today[name]: self.graph.number(0.0 if d.growth_is_log else 1.0)
            for name, d in self.trends.items()
        }
        if present:
            others = [s for s in inside if s not in present]
            tape = record(self.graph, [*present, *others], [residual])
            points = np.random.default_rng(0).uniform(0.5, 1.5, (len(others), 16))
            at_one, at_two = (
                tape([np.full(16, level) for _ in present] + list(points))[0]
                for level in (1.0, 1.3)
            )
            ratio = (at_two / at_one)[np.isfinite(at_one) & np.isfinite(at_two)]
            if len(ratio) < 2 or np.ptp(ratio) > 1e-8 * np.abs(ratio).max():
                raise ModFileError(
                    "the trends do not drop out of this equation: it is not compatible with"
                    " balanced growth.",
                    place,
                )
        return self.graph.replaced([residual], neutral)[0]
