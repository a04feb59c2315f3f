"""Second and third derivatives of a model's equations as multilinear forms.

Each equation depends on few symbols, so that its derivatives are a small dense tensor over these
alone. Axes: N draw, E derivative, n equation, z symbol (variables ahead, today and before, then
shocks), m direction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np


@dataclass(frozen=True)
class _Row:
    """The derivatives of one equation: the symbols that it depends on, where each value belongs in
    the tensor over them, and which of the values that is.
    """

    equation: int
    symbols: np.ndarray
    cells: np.ndarray
    entries: np.ndarray


@dataclass(frozen=True)
class Expansion:
    """Where the derivatives of one order belong: `order`, the number of equations, and a row for
    each equation that has any.
    """

    order: int
    n_equations: int
    rows: tuple[_Row, ...]

    @classmethod
    def of(
        cls, order: int, n_equations: int, entries: Iterable[tuple[int, Sequence[int]] | None]
    ) -> Expansion:
        """entries: for each value the equation and the symbols (`order` of them), each combination
        once; None for a value that does not count.
        """
        by_equation: dict[int, list[tuple[int, Sequence[int]]]] = {}
        for k, entry in enumerate(entries):
            if entry is not None:
                by_equation.setdefault(entry[0], []).append((k, entry[1]))
        rows = [_row(equation, group) for equation, group in sorted(by_equation.items())]
        return cls(order, n_equations, tuple(rows))

    def along(self, values: np.ndarray, *directions: np.ndarray) -> np.ndarray:
        """The derivatives (N, E) along directions (N, z, m), (N, z, m') ..: (N, n, m, m' ..)."""
        n = len(values)
        widths = tuple(direction.shape[2] for direction in directions)
        total = np.zeros((n, self.n_equations, *widths))
        for row in self.rows:
            size = len(row.symbols)
            tensor = np.zeros((n, size**self.order))
            tensor[:, row.cells] = values[:, row.entries]
            done = 1
            for direction in reversed(directions):  # the last axis of the tensor first
                moved = tensor.reshape(n, -1, size, done)
                by = direction[:, row.symbols].swapaxes(1, 2)[:, None]
                tensor = by @ moved
                done *= direction.shape[2]
            total[:, row.equation] = tensor.reshape(n, *widths)
        return total


def _row(equation: int, group: Sequence[tuple[int, Sequence[int]]]) -> _Row:
    symbols = sorted({symbol for _, by in group for symbol in by})
    position = {symbol: k for k, symbol in enumerate(symbols)}
    cells: list[int] = []
    entries: list[int] = []
    for entry, by in group:
        shape = (len(symbols),) * len(by)
        for place in sorted(set(permutations([position[symbol] for symbol in by]))):
            cells.append(int(np.ravel_multi_index(place, shape)))
            entries.append(entry)
    return _Row(equation, np.array(symbols), np.array(cells), np.array(entries))
