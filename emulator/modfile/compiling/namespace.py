"""The symbols of a model (variables and shocks at dates, steady-state values, parameters) and its
operators, as nodes of one graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from emulator.modfile.compiling.graph import Graph


@dataclass
class Namespace:
    """The symbols of a model, made when they are first met; `dated` are variables and shocks by
    (name, shift).
    """

    variables: frozenset[str]
    shocks: frozenset[str]
    parameters: frozenset[str]
    graph: Graph = field(default_factory=Graph)
    dated: dict[tuple[str, int], int] = field(default_factory=dict)
    steady: dict[str, int] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    _dates: dict[int, tuple[str, int]] = field(default_factory=dict)

    def at(self, name: str, shift: int) -> int:
        symbol = self.dated.get((name, shift))
        if symbol is None:
            symbol = self.graph.symbol(f"{name}({shift})")
            self._dates[symbol] = name, shift
            self.dated[name, shift] = symbol
        return symbol

    def steady_state(self, name: str) -> int:
        return self.steady.setdefault(name, self.graph.symbol(f"steady({name})"))

    def parameter(self, name: str) -> int:
        return self.constants.setdefault(name, self.graph.symbol(name))

    def dates_in(self, *nodes: int) -> dict[int, tuple[str, int]]:
        """(name, shift) of each dated symbol of some expressions, in the order in which the model
        first met them.
        """
        dates = self._dates
        return {s: dates[s] for s in self.graph.symbols(*nodes) if s in dates}


def moved(names: Namespace, expression: int, shift: int) -> int:
    """An expression some periods later (or, with a negative shift, earlier)."""
    if shift == 0:
        return expression
    dates = names.dates_in(expression)
    later = {s: names.at(name, date + shift) for s, (name, date) in dates.items()}
    return names.graph.replaced([expression], later)[0]


def divides_by_zero(graph: Graph, operator: str, left: int, right: int) -> bool:
    exponent = graph.value(right)
    return exponent == 0.0 if operator == "/" else left == graph.zero and (exponent or 0.0) < 0.0


def operation(graph: Graph, operator: str, operands: Sequence[int]) -> int:
    """One operation of the language."""
    if operator == "+":
        return graph.add(*operands)
    if operator == "*":
        return graph.multiply(*operands)
    if operator == "neg":
        return graph.negative(operands[0])
    left, right = operands
    if operator == "-":
        return graph.subtract(left, right)
    if operator == "/":
        return graph.divide(left, right)
    if operator == "^":
        return graph.power(left, right)
    compared = {
        ">": ("greater", left, right),
        "<": ("greater", right, left),
        ">=": ("greater_equal", left, right),
        "<=": ("greater_equal", right, left),
    }
    if operator in compared:
        return graph.call(*compared[operator])
    same = graph.call("equal", left, right)
    return same if operator == "==" else graph.subtract(graph.one, same)
