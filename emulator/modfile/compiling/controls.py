"""Controlled paths under perfect foresight: in some periods the value of an endogenous variable is
given, and that of an exogenous one is solved for.

The exogenous variable is one more unknown in every period, x_t, with one more equation: y_t less
the value that is given where there is one, x_t less its own path elsewhere. So the band of the
stacked equations stays what it was.

Axes: N draw, T period, V variable, K exogenous variable, U exogenous variable that is solved for, C
pair of a variable with the exogenous one that moves it, E derivative.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.stacked import AsTheyStand, Linearised
from emulator.modfile.reading.syntax import ControlledPath
from emulator.solvers.perfect_foresight import Band


@dataclass(frozen=True)
class Controls:
    """Pairs of variables (C,) and exogenous variables (C,), as columns, and the values that are
    given, (N, L+T+F, C), NaN where none is.
    """

    variables: tuple[int, ...]
    shocks: tuple[int, ...]
    targets: np.ndarray

    @cached_property
    def freed(self) -> tuple[int, ...]:
        """Columns (U,) of the exogenous variables that are solved for."""
        return tuple(sorted(set(self.shocks)))

    def rows(self, rows: slice | np.ndarray) -> Controls:
        return replace(self, targets=self.targets[rows])

    def later(self, rest: slice) -> Controls:
        """The pairs from a date on."""
        return replace(self, targets=self.targets[:, rest])


def with_path(controls: Controls | None, variable: int, shock: int, values: np.ndarray) -> Controls:
    """Controls with one more pair; values (N, L+T+F), NaN where none is given, which stand in place
    of those that the same pair had.
    """
    if controls is None:
        return Controls((variable,), (shock,), values[:, :, None])
    pairs = list(zip(controls.variables, controls.shocks, strict=True))
    if (variable, shock) in pairs:
        targets = controls.targets.copy()
        column = pairs.index((variable, shock))
        targets[:, :, column] = np.where(np.isfinite(values), values, targets[:, :, column])
        return replace(controls, targets=targets)
    return Controls(
        (*controls.variables, variable),
        (*controls.shocks, shock),
        np.concatenate([controls.targets, values[:, :, None]], axis=2),
    )


def clash(controls: Controls, pinned: np.ndarray) -> tuple[int, int, str] | None:
    """The date and the pair at which controls contradict each other or a shock that has a value
    there, pinned (K, L+T+F), with what is wrong.
    """
    held = np.isfinite(controls.targets).any(axis=0)
    for date, pair in zip(*np.nonzero(held), strict=True):
        also = [c for c in np.flatnonzero(held[date]) if c != pair]
        if any(controls.variables[c] == controls.variables[pair] for c in also):
            return int(date), int(pair), "is given a value twice"
        if any(controls.shocks[c] == controls.shocks[pair] for c in also):
            return int(date), int(pair), "is moved by a shock that moves another variable there too"
        if pinned[controls.shocks[pair], date]:
            return int(date), int(pair), "is moved by a shock that has a value there itself"
    return None


class Controlled:
    """Equations of which some exogenous variables are unknowns: paths (n, L+T+F, V+U), exogenous
    variables (n, L+T+F, K+C) with the values that are given behind them.
    """

    def __init__(self, inner: AsTheyStand | Linearised, controls: Controls) -> None:
        equations = inner.equations
        size, count = inner.band.size, len(equations.shocks)
        place = {column: size + k for k, column in enumerate(controls.freed)}
        entries = [
            (k, entry.row, place[equations.shocks.index(entry.name)], entry.shift)
            for k, entry in enumerate(equations.exogenous_entries)
            if equations.shocks.index(entry.name) in place
        ]
        own = [(place[s], v) for v, s in zip(controls.variables, controls.shocks, strict=True)]
        own += [(row, row) for row in place.values()]
        self._inner = inner
        self._controls = controls
        self._chosen = [k for k, _, _, _ in entries]
        self._freed = list(controls.freed)
        self._size, self._count = size, count
        self._group = [controls.freed.index(s) for s in controls.shocks]
        self.band = Band(
            np.array([*inner.band.rows, *(e[1] for e in entries), *(row for row, _ in own)]),
            np.array([*inner.band.columns, *(e[2] for e in entries), *(col for _, col in own)]),
            np.array([*inner.band.shifts, *(e[3] for e in entries), *(0 for _ in own)]),
            size + len(self._freed),
        )

    def _split(self, path: np.ndarray, exogenous: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moved = exogenous[:, :, : self._count].copy()
        moved[:, :, self._freed] = path[:, :, self._size :]
        return path[:, :, : self._size], moved

    def _today(self, values: np.ndarray) -> np.ndarray:
        equations = self._inner.equations
        return values[:, equations.lags : values.shape[1] - equations.leads]

    def residual(self, path: np.ndarray, exogenous: np.ndarray, rows: np.ndarray) -> np.ndarray:
        plain = self._inner.residual(*self._split(path, exogenous), rows)
        today, given = self._today(path), self._today(exogenous)
        extra = today[:, :, self._size :] - given[:, :, self._freed]
        for pair, (variable, group) in enumerate(
            zip(self._controls.variables, self._group, strict=True)
        ):
            target = given[:, :, self._count + pair]
            away = today[:, :, variable] - target
            extra[:, :, group] = np.where(np.isfinite(target), away, extra[:, :, group])
        return np.concatenate([plain, extra], axis=2)

    def slopes(self, path: np.ndarray, exogenous: np.ndarray, rows: np.ndarray) -> np.ndarray:
        split = self._split(path, exogenous)
        plain = self._inner.slopes(*split, rows)
        by_exogenous = self._inner.exogenous_slopes(*split, rows)[:, :, self._chosen]
        held = np.isfinite(self._today(exogenous)[:, :, self._count :])
        free = np.ones((*held.shape[:2], len(self._freed)))
        for pair, group in enumerate(self._group):
            free[:, :, group] = np.where(held[:, :, pair], 0.0, free[:, :, group])
        return np.concatenate([plain, by_exogenous, held * 1.0, free], axis=2)


def refuse_clash(
    controls: Controls | None,
    pinned: np.ndarray,
    names: tuple[str, ...],
    paths: Iterable[ControlledPath],
    lags: int,
) -> None:
    """Raise `ModFileError` for controls of a file that cannot be."""
    contradiction = clash(controls, pinned) if controls is not None else None
    if controls is not None and contradiction is not None:
        date, pair, text = contradiction
        name = names[controls.variables[pair]]
        place = next(path.place for path in paths if path.name == name)
        raise ModFileError(f"'{name}' {text}, in period {date - lags + 1}.", place)
