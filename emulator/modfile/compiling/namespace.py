"""The symbols of a model: variables and shocks at dates, steady-state values, parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy


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

    def at(self, name: str, shift: int) -> sympy.Symbol:
        return self.dated.setdefault((name, shift), sympy.Symbol(f"{name}({shift})"))

    def steady_state(self, name: str) -> sympy.Symbol:
        return self.steady.setdefault(name, sympy.Symbol(f"steady({name})"))

    def parameter(self, name: str) -> sympy.Symbol:
        return self.constants.setdefault(name, sympy.Symbol(name))


def moved(names: Namespace, expression: sympy.Expr, shift: int) -> sympy.Expr:
    """An expression some periods later (or, with a negative shift, earlier)."""
    dates = {s: key for key, s in list(names.dated.items()) if s in expression.free_symbols}
    return expression.xreplace(
        {s: names.at(name, date + shift) for s, (name, date) in dates.items()}
    )
