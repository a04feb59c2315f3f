"""From derivatives to the matrices of a linear model, and the covariance of its shocks.

Leads and lags of more than one period, and of shocks, are carried by auxiliary variables.

To first order `x(+2)` is the lead of a variable that is itself `x(+1)`, and `x(-2)` the lag of one
that is `x(-1)`; `e(-1)` is the lag of a variable that is e, `e(+1)` the lead of one, expected to be
zero (Dynare manual, "Auxiliary variables"). Axes: N draw, n variable, K shock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emulator.modfile.compiling.equations import Entry
from emulator.modfile.reading.budget import Budget


@dataclass(frozen=True)
class Dates:
    """Where each derivative belongs: `cells[k]` is (matrix, row, column), with matrices lead,
    current, lag, shock = 0..3.
    """

    variables: tuple[str, ...]
    n_shocks: int
    cells: tuple[tuple[int, int, int] | None, ...]
    identities: tuple[tuple[int, int, int], ...]
    """(row, matrix, column): `variables[row]` is what stands in that column of that matrix."""

    @classmethod
    def of(
        cls,
        entries: Sequence[Entry],
        variables: Sequence[str],
        exogenous: Sequence[str],
        shocks: Sequence[str],
        budget: Budget | None = None,
    ) -> Dates:
        """The auxiliary variables that the derivatives ask for; `shocks` are those of `exogenous`
        that have a variance.

        Raises `ModFileError` where the matrices would go beyond the `budget`.
        """
        positions = {name: k for k, name in enumerate(shocks)}
        builder = _Builder(list(variables), set(exogenous), positions, budget or Budget())
        cells = tuple(builder.cell(entry) for entry in entries)
        return cls(tuple(builder.variables), len(shocks), cells, tuple(builder.identities))

    def matrices(
        self, values: Sequence[Any], n: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """lead, current, lag (N, n, n) and shock (N, n, K) from the value of each derivative, (N,)
        or a number.
        """
        size = len(self.variables)
        matrices = (
            np.zeros((n, size, size)),
            np.zeros((n, size, size)),
            np.zeros((n, size, size)),
            np.zeros((n, size, self.n_shocks)),
        )
        for cell, value in zip(self.cells, values, strict=True):
            if cell is not None:
                matrix, row, column = cell
                matrices[matrix][:, row, column] = value
        for row, matrix, column in self.identities:
            matrices[1][:, row, row] = 1.0
            matrices[matrix][:, row, column] = -1.0
        return matrices


class _Builder:
    def __init__(
        self, variables: list[str], exogenous: set[str], shocks: dict[str, int], budget: Budget
    ) -> None:
        self.budget = budget
        self.variables = variables
        self.position = {name: k for k, name in enumerate(variables)}
        self.exogenous = exogenous
        self.shocks = shocks
        self.identities: list[tuple[int, int, int]] = []

    def cell(self, entry: Entry) -> tuple[int, int, int] | None:
        """The place of a derivative; None for shocks without a variance, which never move."""
        name = entry.name
        shift = entry.shift
        if name in self.exogenous:
            if name not in self.shocks:
                return None
            if shift == 0:
                return 3, entry.row, self.shocks[name]
            name = self._today(name)
        while abs(shift) > 1:
            direction = 1 if shift > 0 else -1
            name = self._nearer(name, direction)
            shift -= direction
        return 1 - shift, entry.row, self.position[name]

    def _today(self, shock: str) -> str:
        """A variable that is the shock."""
        return self._auxiliary(f"{shock}(0)", 3, self.shocks[shock])

    def _nearer(self, name: str, direction: int) -> str:
        """A variable that is another one a period ahead or ago."""
        return self._auxiliary(f"{name}({direction:+d})", 1 - direction, self.position[name])

    def _auxiliary(self, name: str, matrix: int, column: int) -> str:
        if name not in self.position:
            self.position[name] = len(self.variables)
            self.variables.append(name)
            self.budget.model(len(self.variables))
            self.identities.append((self.position[name], matrix, column))
        return name


def shock_factor(
    sizes: np.ndarray, correlations: Mapping[tuple[int, int], np.ndarray]
) -> np.ndarray:
    """Lower Cholesky factor (N, K, K) of the covariance of shocks.

    sizes (N, K): standard deviations; correlations: (N,) for each pair of positions that has one.
    NaN where correlations contradict each other.
    """
    n, count = sizes.shape
    if not correlations:
        return sizes[:, :, None] * np.broadcast_to(np.eye(count), (n, count, count))
    matrix = np.zeros((n, count, count)) + np.eye(count)
    for (first, second), value in correlations.items():
        matrix[:, first, second] = value
        matrix[:, second, first] = value
    # A shock of size zero has no correlation: any will do.
    matrix = np.where(np.isfinite(matrix), matrix, 0.0)
    factor = np.full_like(matrix, np.nan)
    for k, one in enumerate(matrix):
        try:
            factor[k] = np.linalg.cholesky(one + 1e-14 * np.eye(count))
        except np.linalg.LinAlgError:
            continue
    return sizes[:, :, None] * factor
