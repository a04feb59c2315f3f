"""Terms that are not linear in variables two or more periods ahead, for rules of higher order.

Beyond the first order the expectation of a product is not the product of expectations. As Dynare's
preprocessor does, such a term becomes a variable of its own: with f of dates up to n periods ahead,
z = f moved back by n - 1 periods, and f itself is z(n - 1). By iterated expectations that is
exact: what is expected today of f is what is expected of tomorrow's expectation.
"""

from __future__ import annotations

from dataclasses import replace

from emulator.modfile.compiling.differentiate import gradient
from emulator.modfile.compiling.namespace import Namespace, moved
from emulator.modfile.compiling.symbolic import SymbolicModel


def with_near_leads(model: SymbolicModel) -> SymbolicModel:
    """The model with such terms as variables; itself where it has none."""
    near = _Rewriting(model.names)
    residuals = [
        residual if _is_linear_afar(model.names, residual) else near.rewritten(residual)
        for residual in model.dynamic
    ]
    if not near.terms:
        return model
    names, graph = model.names, model.names.graph
    equations = [graph.subtract(names.at(name, 0), term) for term, name in near.terms.items()]
    standing = graph.replaced(list(near.terms), model.today())
    levels = {
        names.at(name, 0): level for name, level in zip(near.terms.values(), standing, strict=True)
    }
    return replace(
        model,
        dynamic=(*residuals, *equations),
        auxiliary=(*model.auxiliary, *near.terms.values()),
        levels={**model.levels, **levels},
    )


def _is_linear_afar(names: Namespace, residual: int) -> bool:
    """Whether an equation is linear in all that lies two or more periods ahead."""
    far = [symbol for symbol, (_, shift) in names.dates_in(residual).items() if shift > 1]
    slopes = gradient(names.graph, residual, far) if far else {}
    return all(
        shift <= 1 for slope in slopes.values() for _, shift in names.dates_in(slope).values()
    )


class _Rewriting:
    """Goes through sums, and products with what is known today, down to the terms."""

    def __init__(self, names: Namespace) -> None:
        self.names = names
        self.terms: dict[int, str] = {}
        """Names of the new variables, by what they stand for."""

    def rewritten(self, node: int) -> int:
        graph = self.names.graph
        head, operands, weights, _ = graph[node]
        if head == "symbol" or self.furthest(node) <= 1:
            return node
        if head == "sum":
            terms = [
                (weight, self.rewritten(part))
                for weight, part in zip(weights[1:], operands, strict=True)
            ]
            return graph.sum(terms, weights[0])
        if head == "product":
            factors = list(zip(operands, weights, strict=True))
            known = [(part, power) for part, power in factors if self.furthest(part) <= 0]
            ahead = [(part, power) for part, power in factors if self.furthest(part) > 0]
            if len(ahead) == 1 and ahead[0][1] == 1.0:
                return graph.product([*known, (self.rewritten(ahead[0][0]), 1.0)])
            return graph.product([*known, (self.variable(graph.product(ahead)), 1.0)])
        return self.variable(node)

    def furthest(self, node: int) -> int:
        """Periods ahead of its latest date, 0 at least."""
        dates = self.names.dates_in(node).values()
        return max((shift for _, shift in dates), default=0)

    def variable(self, term: int) -> int:
        """The symbol that stands for a term."""
        ahead = self.furthest(term) - 1
        tomorrow = moved(self.names, term, -ahead)
        name = self.terms.setdefault(tomorrow, f"term_ahead({len(self.terms) + 1})")
        return self.names.at(name, ahead)
