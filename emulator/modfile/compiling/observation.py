"""Expressions of a model's variables as linear functions of their deviations: gradients at the
steady state.

Axes: N draw, O expression, V variable of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.differentiate import gradient
from emulator.modfile.compiling.expressions import TOO_DEEP
from emulator.modfile.compiling.model import CompiledModel, Linearised
from emulator.modfile.compiling.symbolic import in_steady_state
from emulator.modfile.compiling.tape import Tape, record
from emulator.modfile.reading.grammar import Reader, check_depth
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax import Expression, Place, symbols

DEEPEST = 100
"""Operations of an observable inside of one another; nobody means more."""


@dataclass(frozen=True)
class Observation:
    """`observed = matrix @ deviations`, one row an expression."""

    shape: tuple[int, int]
    cells: tuple[tuple[int, int], ...]
    gradient: Tape

    def matrix(self, model: CompiledModel, at: Linearised) -> np.ndarray:
        """(N, O, V) at the steady states of a batch, in the units of the expressions per unit of
        the file.
        """
        declared = at.theta[:, : len(model.file.parameters)]
        values = self.gradient(
            [*np.ascontiguousarray(at.steady.T), *np.ascontiguousarray(declared.T)]
        )
        matrix = np.zeros((len(at.theta), *self.shape))
        for (row, column), value in zip(self.cells, values, strict=True):
            matrix[:, row, column] = value
        return matrix

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
    return Observation((len(expressions), len(today)), tuple(cells), gradients)


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
