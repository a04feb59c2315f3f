"""Expressions of a model's variables at its steady state: gradients, by which they are linear
functions of deviations, and derivatives of second and third order, by which they have decision
rules of their own.

Axes: N draw, O expression, V variable of the file, m state or shock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.differentiate import gradient, higher
from emulator.modfile.compiling.expressions import TOO_DEEP
from emulator.modfile.compiling.graph import Graph
from emulator.modfile.compiling.model import CompiledModel, Linearised
from emulator.modfile.compiling.symbolic import in_steady_state
from emulator.modfile.compiling.tape import Tape, record
from emulator.modfile.reading.grammar import Reader, check_depth
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax import Expression, Place, symbols
from emulator.solvers.perturbation import Expansion, Rules

DEEPEST = 100
"""Operations of an observable inside of one another; nobody means more."""


class _Source(NamedTuple):
    """The expressions in the model's graph, nodes (O,); the variables of today; what a tape reads,
    and which of it stands for the steady state.
    """

    graph: Graph
    nodes: tuple[int, ...]
    today: tuple[int, ...]
    inputs: tuple[int, ...]
    still: dict[int, int]


@dataclass(frozen=True)
class Observation:
    """`observed = matrix @ deviations`, one row an expression."""

    shape: tuple[int, int]
    cells: tuple[tuple[int, int], ...]
    gradient: Tape
    source: _Source

    def matrix(self, model: CompiledModel, at: Linearised) -> np.ndarray:
        """(N, O, V) at the steady states of a batch, in the units of the expressions per unit of
        the file.
        """
        values = self.gradient(_inputs(model, at))
        matrix = np.zeros((len(at.theta), *self.shape))
        for (row, column), value in zip(self.cells, values, strict=True):
            matrix[:, row, column] = value
        return matrix

    def rules(self, model: CompiledModel, at: Linearised, rules: Rules) -> Rules:
        """The decision rules of the expressions, of rules of all variables: what they would have as
        variables of the model. By the chain rule, with F, F2 and F3 the derivatives of expressions
        by variables and g those of variables by states and shocks.
        """
        variables = rules.of(slice(0, self.shape[1]))
        by, first, second = self.matrix(model, at), variables.first, variables.second
        n, width = len(first), first.shape[2]
        mine = replace(
            variables,
            first=by @ first,
            second=_along(by, second),
            risk=(by @ variables.risk[:, :, None])[:, :, 0],
        )
        if rules.order == 1:
            return mine
        form, values = self._higher(model, at, 2)
        mine = replace(mine, second=mine.second + form.along(values, first, first))
        if variables.third is None or variables.risk_slope is None:
            return mine
        mixed = form.along(values, first, second.reshape(n, -1, width**2))
        mixed = mixed.reshape(n, -1, width, width, width)
        third = _along(by, variables.third) + mixed
        third += mixed.transpose(0, 1, 3, 2, 4) + mixed.transpose(0, 1, 3, 4, 2)
        slope = form.along(values, first, variables.risk[:, :, None])[..., 0]
        form, values = self._higher(model, at, 3)
        return replace(
            mine,
            third=third + form.along(values, first, first, first),
            risk_slope=by @ variables.risk_slope + slope,
        )

    def _higher(
        self, model: CompiledModel, at: Linearised, order: int
    ) -> tuple[Expansion, np.ndarray]:
        """The derivatives of that order by variables, and their values (N, E)."""
        graph, nodes, today, inputs, still = self.source
        position = {symbol: k for k, symbol in enumerate(today)}
        entries: list[tuple[int, tuple[int, ...]]] = []
        derivatives: list[int] = []
        for row, node in enumerate(nodes):
            for by, value in higher(graph, gradient(graph, node, today), today, order).items():
                entries.append((row, tuple(position[symbol] for symbol in by)))
                derivatives.append(value)
        tape = record(graph, inputs, derivatives, still)
        values = [np.broadcast_to(value, len(at.theta)) for value in tape(_inputs(model, at))]
        stacked = np.stack(values, axis=1) if values else np.zeros((len(at.theta), 0))
        return Expansion.of(order, len(nodes), entries), stacked

    @property
    def needs_steady_state(self) -> bool:
        """Whether the gradient depends on where it is taken."""
        return min(self.gradient.used(), default=self.shape[1]) < self.shape[1]

    @property
    def variables(self) -> tuple[int, ...]:
        """Positions of the variables observed, in order."""
        return self.read_by(range(self.shape[0]))

    def read_by(self, rows: Iterable[int]) -> tuple[int, ...]:
        """Positions of the variables that some of the expressions read, in order."""
        wanted = set(rows)
        return tuple(sorted({column for row, column in self.cells if row in wanted}))


def _inputs(model: CompiledModel, at: Linearised) -> list[np.ndarray]:
    declared = at.theta[:, : len(model.file.parameters)]
    return [*np.ascontiguousarray(at.steady.T), *np.ascontiguousarray(declared.T)]


def _along(matrix: np.ndarray, form: np.ndarray) -> np.ndarray:
    """matrix (N, O, V) times form (N, V, m, ..): (N, O, m, ..)."""
    moved = matrix @ form.reshape(*form.shape[:2], -1)
    return moved.reshape(*moved.shape[:2], *form.shape[2:])


def observe(model: CompiledModel, expressions: Mapping[str, str], where: str) -> Observation:
    """Differentiate expressions, given as text by name, in the file's variables of today.

    `where` names the file that they stand in. Raises `ModFileError` for text that is not an
    expression, for a name that the model does not have, and for one that depends on no variable.
    """
    try:
        return _observed(model, expressions, where)
    except RecursionError:
        raise ModFileError(TOO_DEEP, where) from None


def _observed(model: CompiledModel, expressions: Mapping[str, str], where: str) -> Observation:
    parsed = []
    for name, text in expressions.items():
        place = Place(f"{where} ({name})", 1)
        parsed.append((_parse(model, text, place), place))
    shocks = {d.name for d in (*model.file.shocks, *model.file.deterministic_shocks)}
    for expression, place in parsed:
        shock = next((s.name for s in symbols(expression) if s.name in shocks), None)
        if shock is not None:
            raise ModFileError(
                f"an observable is an expression of endogenous variables; '{shock}' is a shock.",
                place,
            )
    names, symbolic = in_steady_state(model.file, parsed)
    today = [names.at(variable, 0) for variable in model.variables]
    still = {symbol: names.at(variable, 0) for variable, symbol in names.steady.items()}
    cells: list[tuple[int, int]] = []
    values: list[int] = []
    for row, (node, (_, place)) in enumerate(zip(symbolic, parsed, strict=True)):
        dates = names.dates_in(node)
        dated = [f"{name}({shift})" for name, shift in dates.values() if shift]
        if dated:
            raise ModFileError(
                f"an observable is an expression of today's variables; found {', '.join(dated)}.",
                place,
            )
        if not dates:
            raise ModFileError(
                "this observable depends on no endogenous variable of the model.", place
            )
        slopes = gradient(names.graph, node, today)
        cells += [(row, k) for k, symbol in enumerate(today) if symbol in slopes]
        values += slopes.values()
    inputs = [*today, *(names.parameter(d.name) for d in model.file.parameters)]
    gradients = record(names.graph, inputs, values, still)
    source = _Source(names.graph, tuple(symbolic), tuple(today), tuple(inputs), still)
    return Observation((len(expressions), len(today)), tuple(cells), gradients, source)


def _parse(model: CompiledModel, text: str, place: Place) -> Expression:
    """An expression in the model's own names. Raises `ModFileError` where it is not one."""
    file = model.file
    reader = Reader()
    for kind, declared in (
        ("variable", file.variables),
        ("shock", file.shocks),
        ("parameter", file.parameters),
    ):
        reader.kinds.update({d.name: kind for d in declared})
    span = Span(text, (place,) * (text.count("\n") + 1))
    expression = reader.expression(span, "the observable")
    check_depth(expression, span, DEEPEST)
    return expression
