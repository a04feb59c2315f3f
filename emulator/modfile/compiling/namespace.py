"""The symbols of a model (variables and shocks at dates, steady-state values, parameters), numbers
and operations in SymPy.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import sympy

from emulator.modfile.compiling.functions import equal, greater, greater_equal

LARGEST_EXACT = 10**6
"""Whole numbers up to this one stay exact in symbols; larger ones, and their powers, are float64.
"""

LONGEST_EXACT = 10**15
"""Numerator and denominator of the fractions that stay exact: products of products could be of any
length.
"""


@dataclass
class Namespace:
    """The symbols of a model, made when they are first met; `dated` are variables and shocks by
    (name, shift).

    SymPy is told nothing of them, so that it makes no use of signs: of real ones it would rewrite
    sqrt(x^2) as |x|.
    """

    variables: frozenset[str]
    shocks: frozenset[str]
    parameters: frozenset[str]
    dated: dict[tuple[str, int], sympy.Symbol] = field(default_factory=dict)
    steady: dict[str, sympy.Symbol] = field(default_factory=dict)
    constants: dict[str, sympy.Symbol] = field(default_factory=dict)
    _dates: dict[sympy.Symbol, tuple[int, str, int]] = field(default_factory=dict)

    def at(self, name: str, shift: int) -> sympy.Symbol:
        symbol = self.dated.get((name, shift))
        if symbol is None:
            symbol = sympy.Symbol(f"{name}({shift})")
            self._dates[symbol] = len(self.dated), name, shift
            self.dated[name, shift] = symbol
        return symbol

    def steady_state(self, name: str) -> sympy.Symbol:
        return self.steady.setdefault(name, sympy.Symbol(f"steady({name})"))

    def parameter(self, name: str) -> sympy.Symbol:
        return self.constants.setdefault(name, sympy.Symbol(name))

    def dates_in(self, expression: sympy.Expr) -> dict[sympy.Symbol, tuple[str, int]]:
        """(name, shift) of each dated symbol of an expression, in the order in which the model
        first met them.
        """
        dates = self._dates
        present = sorted((s for s in expression.free_symbols if s in dates), key=dates.__getitem__)
        return {symbol: dates[symbol][1:] for symbol in present}


def moved(names: Namespace, expression: sympy.Expr, shift: int) -> sympy.Expr:
    """An expression some periods later (or, with a negative shift, earlier)."""
    dates = names.dates_in(expression)
    return expression.xreplace(
        {s: names.at(name, date + shift) for s, (name, date) in dates.items()}
    )


def number(value: float) -> sympy.Expr:
    """A number in symbols: whole numbers of usual size exactly, others as float64."""
    if value != value or value in (float("inf"), float("-inf")):
        return sympy.Float(value)
    if value == int(value) and abs(value) <= LARGEST_EXACT:
        return sympy.Integer(int(value))
    return sympy.Float(value)


def divides_by_zero(operator: str, left: sympy.Expr, right: sympy.Expr) -> bool:
    return (
        right == 0 if operator == "/" else bool(left == 0 and right.is_Number and right.is_negative)
    )


def with_few_digits(value: sympy.Expr) -> sympy.Expr:
    """A fraction of many digits as float64."""
    if value.is_Rational and max(abs(value.p), value.q) > LONGEST_EXACT:
        try:
            return sympy.Float(float(value))
        except OverflowError:
            return sympy.Float("inf") if value.is_positive else sympy.Float("-inf")
    return value


def operation(operator: str, operands: list[sympy.Expr]) -> sympy.Expr:
    """One operation in symbols."""
    if operator == "+":
        return sympy.Add(*operands)
    if operator == "*":
        return sympy.Mul(*operands)
    if operator == "neg":
        return -operands[0]
    left, right = operands
    if operator == "-":
        return left - right
    if operator == "/":
        return left / right
    if operator == "^":
        return _power(left, right)
    compared = {
        ">": (greater, left, right),
        "<": (greater, right, left),
        ">=": (greater_equal, left, right),
        "<=": (greater_equal, right, left),
    }
    if operator in compared:
        head, first, second = compared[operator]
        return head(first, second)
    same = equal(left, right)
    return same if operator == "==" else 1 - same


def _power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    """A power; of two numbers as float64, since an exact one could be of any length."""
    if base.is_Number and exponent.is_Number and not (exponent.is_Integer and abs(exponent) <= 4):
        with np.errstate(all="ignore"):
            return number(float(np.power(np.float64(base), np.float64(exponent))))
    return sympy.Pow(base, exponent)
