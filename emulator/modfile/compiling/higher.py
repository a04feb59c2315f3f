"""Second and third derivatives of the dynamic equations at the steady state, for perturbation of
higher order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from emulator.modfile.compiling.differentiate import gradient, higher
from emulator.modfile.compiling.symbolic import SymbolicModel
from emulator.modfile.compiling.tape import Tape, record
from emulator.modfile.reading.budget import Budget


class HigherEntry(NamedTuple):
    """A derivative: of an equation by (name, shift) two or three times, each combination once."""

    row: int
    by: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class HigherDerivatives:
    """All derivatives of one order that are not identically zero; those by the same symbols in
    another sequence are equal and not listed. The tape reads what `Equations` read.
    """

    order: int
    entries: tuple[HigherEntry, ...]
    tape: Tape

    def __call__(self, inputs: Sequence[Any], n: int) -> np.ndarray:
        """Values (N, entry) for n draws."""
        values = [np.broadcast_to(value, n) for value in self.tape(inputs)]
        return np.stack(values, axis=1) if values else np.zeros((n, 0))


def higher_derivatives(
    model: SymbolicModel,
    variables: Sequence[str],
    shocks: Sequence[str],
    parameters: Sequence[str],
    order: int,
    budget: Budget,
) -> HigherDerivatives:
    """The derivatives of that order. Raises `ModFileError` where they are beyond the `budget`."""
    names = model.names
    graph = names.graph
    entries: list[HigherEntry] = []
    values: list[int] = []
    for row, residual in enumerate(model.dynamic):
        dates = names.dates_in(residual)
        symbols = sorted(dates, key=dates.__getitem__)
        first = gradient(graph, residual, symbols)
        budget.higher(len(graph.reached([residual])), len(first), order)
        for by, value in higher(graph, first, symbols, order).items():
            entries.append(HigherEntry(row, tuple(dates[symbol] for symbol in by)))
            values.append(value)
    inputs = [
        *(names.at(name, 0) for name in (*variables, *shocks)),
        *(names.parameter(name) for name in parameters),
    ]
    tape = record(graph, inputs, values, model.today())
    return HigherDerivatives(order, tuple(entries), tape)
