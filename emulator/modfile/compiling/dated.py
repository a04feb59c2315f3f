"""The dynamic equations as they stand, each variable at its own date, with their derivatives: for
paths of a non-linear model.

Axes: n draw, T period, V variable, K exogenous variable, P parameter, E derivative, X derivative by
an exogenous variable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emulator.modfile.compiling.differentiate import gradient
from emulator.modfile.compiling.equations import Entry
from emulator.modfile.compiling.symbolic import SymbolicModel
from emulator.modfile.compiling.tape import Tape, record
from emulator.solvers.perfect_foresight import Band

Date = tuple[str, int]


@dataclass(frozen=True)
class DatedEquations:
    """Tapes that read `endogenous` and `exogenous` at their dates, steady states of `levels`, then
    parameters.
    """

    variables: tuple[str, ...]
    shocks: tuple[str, ...]
    endogenous: tuple[Date, ...]
    exogenous: tuple[Date, ...]
    levels: tuple[str, ...]
    residual_tape: Tape
    entries: tuple[Entry, ...]
    slope_tape: Tape
    exogenous_entries: tuple[Entry, ...]
    exogenous_tape: Tape
    expectations: Tape
    """Steady states of variables that stand for expectations, from variables, shocks and
    parameters.
    """

    @property
    def band(self) -> Band:
        columns = {name: k for k, name in enumerate(self.variables)}
        return Band(
            np.array([entry.row for entry in self.entries], dtype=int),
            np.array([columns[entry.name] for entry in self.entries], dtype=int),
            np.array([entry.shift for entry in self.entries], dtype=int),
            len(self.variables),
        )

    @property
    def lags(self) -> int:
        """Periods before the first that a path holds, 1 at least."""
        return max(1, -min((shift for _, shift in (*self.endogenous, *self.exogenous)), default=0))

    @property
    def leads(self) -> int:
        """Periods after the last that a path holds, 1 at least."""
        return max(1, max((shift for _, shift in (*self.endogenous, *self.exogenous)), default=0))

    @property
    def past(self) -> int:
        """Periods before the first that the equations look at: none where they have no lag."""
        return 0 if self._nearest(-1) else self.lags

    @property
    def future(self) -> int:
        """Periods after the last that the equations look at."""
        return 0 if self._nearest(1) else self.leads

    def _nearest(self, side: int) -> bool:
        """Whether no date lies on that side of today."""
        return all(side * shift <= 0 for _, shift in (*self.endogenous, *self.exogenous))

    def residual(
        self, path: np.ndarray, exogenous: np.ndarray, steady: np.ndarray, theta: np.ndarray
    ) -> np.ndarray:
        """Residuals (n, T, V) of paths (n, L+T+F, V) and (n, L+T+F, K); steady (n, V), theta (n, P)
        of declared parameters.
        """
        inputs = self._inputs(path, exogenous, steady, theta)
        return self._stacked(self.residual_tape(inputs), path)

    def slopes(
        self, path: np.ndarray, exogenous: np.ndarray, steady: np.ndarray, theta: np.ndarray
    ) -> np.ndarray:
        """Derivatives (n, T, E) at the same."""
        inputs = self._inputs(path, exogenous, steady, theta)
        return self._stacked(self.slope_tape(inputs), path)

    def exogenous_slopes(
        self, path: np.ndarray, exogenous: np.ndarray, steady: np.ndarray, theta: np.ndarray
    ) -> np.ndarray:
        """Derivatives (n, T, X) by exogenous variables, of the `exogenous_entries`."""
        inputs = self._inputs(path, exogenous, steady, theta)
        return self._stacked(self.exogenous_tape(inputs), path)

    def _stacked(self, values: Sequence[Any], path: np.ndarray) -> np.ndarray:
        stacked = np.empty((len(path), path.shape[1] - self.lags - self.leads, len(values)))
        for k, value in enumerate(values):
            stacked[:, :, k] = value
        return stacked

    def _inputs(
        self, path: np.ndarray, exogenous: np.ndarray, steady: np.ndarray, theta: np.ndarray
    ) -> list[Any]:
        columns = {name: k for k, name in enumerate(self.variables)}
        shocks = {name: k for k, name in enumerate(self.shocks)}
        periods = path.shape[1] - self.lags - self.leads

        def at(values: np.ndarray, column: int, shift: int) -> np.ndarray:
            first = self.lags + shift
            return np.ascontiguousarray(values[:, first : first + periods, column])

        return [
            *(at(path, columns[name], shift) for name, shift in self.endogenous),
            *(at(exogenous, shocks[name], shift) for name, shift in self.exogenous),
            *(steady[:, columns[name], None] for name in self.levels),
            *(np.ascontiguousarray(column)[:, None] for column in theta.T),
        ]


def compile_dated(
    model: SymbolicModel, variables: Sequence[str], shocks: Sequence[str], parameters: Sequence[str]
) -> DatedEquations:
    """The tapes of a model."""
    names = model.names
    graph = names.graph
    moving = {*variables, *model.auxiliary}
    dates = names.dates_in(*model.dynamic)
    endogenous = sorted((s for s in dates if dates[s][0] in moving), key=dates.__getitem__)
    exogenous = sorted((s for s in dates if dates[s][0] not in moving), key=dates.__getitem__)
    entries: list[Entry] = []
    values: list[int] = []
    exogenous_entries: list[Entry] = []
    exogenous_values: list[int] = []
    for row, residual in enumerate(model.dynamic):
        mine = names.dates_in(residual)
        symbols = sorted(mine, key=mine.__getitem__)
        for symbol, value in gradient(graph, residual, symbols).items():
            is_endogenous = mine[symbol][0] in moving
            (entries if is_endogenous else exogenous_entries).append(Entry(row, *mine[symbol]))
            (values if is_endogenous else exogenous_values).append(value)
    constants = [names.parameter(name) for name in parameters]
    levels = tuple(names.steady)
    inputs = [
        *endogenous,
        *exogenous,
        *(names.steady[name] for name in levels),
        *constants,
    ]
    today = [names.at(name, 0) for name in (*variables, *shocks)]
    expected = [model.levels[names.at(name, 0)] for name in model.auxiliary]
    return DatedEquations(
        variables=(*variables, *model.auxiliary),
        shocks=tuple(shocks),
        endogenous=tuple(dates[s] for s in endogenous),
        exogenous=tuple(dates[s] for s in exogenous),
        levels=levels,
        residual_tape=record(graph, inputs, model.dynamic),
        entries=tuple(entries),
        slope_tape=record(graph, inputs, values),
        exogenous_entries=tuple(exogenous_entries),
        exogenous_tape=record(graph, inputs, exogenous_values),
        expectations=record(graph, [*today, *constants], expected),
    )
