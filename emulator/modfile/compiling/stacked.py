"""The equations of all periods of a path, as the solver of perfect foresight takes them: as they
stand, or linear around the end of the path (`linear_approximation`).

Axes: n draw, T period, V variable, K exogenous variable, E derivative, X derivative by an exogenous
variable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from emulator.modfile.compiling.dated import DatedEquations
from emulator.modfile.compiling.equations import Entry
from emulator.solvers.perfect_foresight import Band


class Stacked(Protocol):
    """Equations of all periods, of the draws at positions `rows`."""

    band: Band

    def residual(self, path: np.ndarray, exogenous: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Residuals (n, T, V) of paths (n, L+T+F, V) and (n, L+T+F, K)."""
        ...

    def slopes(self, path: np.ndarray, exogenous: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Derivatives (n, T, E) at the same."""
        ...


class AsTheyStand:
    """The equations of a model that is not linear; terminal (N, V), theta (N, P) declared."""

    def __init__(self, equations: DatedEquations, terminal: np.ndarray, theta: np.ndarray) -> None:
        self.equations = equations
        self.band = equations.band
        self._terminal = terminal
        self._theta = theta

    def residual(self, path: np.ndarray, exogenous: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return self.equations.residual(path, exogenous, self._terminal[rows], self._theta[rows])

    def slopes(self, path: np.ndarray, exogenous: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return self.equations.slopes(path, exogenous, self._terminal[rows], self._theta[rows])

    def exogenous_slopes(
        self, path: np.ndarray, exogenous: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        return self.equations.exogenous_slopes(
            path, exogenous, self._terminal[rows], self._theta[rows]
        )


class Linearised:
    """The equations to first order around the end of the path, terminal (N, V) at exogenous
    variables (N, K); theta (N, P) declared. `level` (N,): the largest residual there, which is left
    out, as Dynare does.
    """

    def __init__(
        self,
        equations: DatedEquations,
        terminal: np.ndarray,
        exogenous_terminal: np.ndarray,
        theta: np.ndarray,
    ) -> None:
        self.equations = equations
        self.band = equations.band
        self._terminal = terminal
        self._exogenous = exogenous_terminal
        whole = equations.lags + 1 + equations.leads
        rest = np.repeat(terminal[:, None], whole, axis=1)
        quiet = np.repeat(exogenous_terminal[:, None], whole, axis=1)
        with np.errstate(all="ignore"):
            point = (rest, quiet, terminal, theta)
            self.level = np.abs(equations.residual(*point)).max(axis=(1, 2), initial=0.0)
            self._slopes = equations.slopes(*point)[:, 0]
            self._exogenous_slopes = equations.exogenous_slopes(*point)[:, 0]

    def residual(self, path: np.ndarray, exogenous: np.ndarray, rows: np.ndarray) -> np.ndarray:
        equations = self.equations
        names, shocks = equations.variables, equations.shocks
        away = path - self._terminal[rows][:, None]
        moved = exogenous - self._exogenous[rows][:, None]
        return self._sum(equations.entries, self._slopes[rows], names, away) + self._sum(
            equations.exogenous_entries, self._exogenous_slopes[rows], shocks, moved
        )

    def _sum(
        self, entries: Sequence[Entry], slopes: np.ndarray, names: Sequence[str], path: np.ndarray
    ) -> np.ndarray:
        """What deviations (n, L+T+F, ..) of these names count for in each equation, (n, T, V)."""
        equations = self.equations
        periods = path.shape[1] - equations.lags - equations.leads
        total = np.zeros((len(path), periods, len(equations.variables)))
        position = {name: k for k, name in enumerate(names)}
        for shift in sorted({entry.shift for entry in entries}):
            at = [k for k, entry in enumerate(entries) if entry.shift == shift]
            matrix = np.zeros((len(path), path.shape[2], total.shape[2]))
            columns = [position[entries[k].name] for k in at]
            matrix[:, columns, [entries[k].row for k in at]] = slopes[:, at]
            first = equations.lags + shift
            total += path[:, first : first + periods] @ matrix
        return total

    def slopes(self, path: np.ndarray, exogenous: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return self._everywhere(self._slopes[rows], path)

    def exogenous_slopes(
        self, path: np.ndarray, exogenous: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        return self._everywhere(self._exogenous_slopes[rows], path)

    def _everywhere(self, slopes: np.ndarray, path: np.ndarray) -> np.ndarray:
        periods = path.shape[1] - self.equations.lags - self.equations.leads
        return np.repeat(slopes[:, None], periods, axis=1)
