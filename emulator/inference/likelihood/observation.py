"""What is observed of many draws at once: equations and errors of measurement as arrays, and the
state space or the responses of the series.

Axes: n draw, O observable, V series, L lag, D state, S shock, H horizon, T period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emulator.inference.likelihood.expressions import Equation, Scalar
from emulator.modfile.reading.syntax import symbols
from emulator.solvers import StateSpace
from emulator.solvers.kalman import Observed


@dataclass(frozen=True)
class Weights:
    """Observation equations at n draws: weights (n, V, L+1, O), constant and slope (n, V), standard
    deviation of errors of measurement (n, V), in the units of the series.
    """

    weights: np.ndarray
    constant: np.ndarray
    slope: np.ndarray
    error: np.ndarray

    def levels(self, at_rest: np.ndarray, periods: int) -> np.ndarray:
        """What the series are while observables stay at rest (n, O): (n, T, V)."""
        still = self.constant + np.einsum("nvlo,no->nv", self.weights, at_rest)
        return still[:, None] + self.slope[:, None] * np.arange(periods)[:, None]

    def of_space(self, space: StateSpace, data: np.ndarray, at_rest: np.ndarray) -> Observed:
        """What the Kalman filter is asked: states with the lagged observables that are needed."""
        n, series, _, observables = self.weights.shape
        loading = np.einsum("nvo,nod->nvd", self.weights[:, :, 0], space.C)
        needed = [
            (o, int(np.flatnonzero(self.weights[:, :, :, o].any(axis=(0, 1))).max(initial=0)))
            for o in range(observables)
        ]
        extra = sum(longest for _, longest in needed)
        states = space.A.shape[1]
        a = np.zeros((n, states + extra, states + extra))
        b = np.zeros((n, states + extra, space.B.shape[2]))
        c = np.zeros((n, series, states + extra))
        a[:, :states, :states], b[:, :states], c[:, :, :states] = space.A, space.B, loading
        place = states
        for o, longest in needed:
            for lag in range(1, longest + 1):
                if lag == 1:
                    a[:, place, :states] = space.C[:, o]
                else:
                    a[:, place, place - 1] = 1.0
                c[:, :, place] = self.weights[:, :, lag, o]
                place += 1
        a[~np.isfinite(space.A).all(axis=(1, 2))] = np.nan
        level = self.levels(at_rest, len(data))
        return Observed(StateSpace(a, b, c), data, level, self.error**2)

    def of_responses(self, irf: np.ndarray) -> np.ndarray:
        """Responses (n, S, H+1, V) of the series, from those of observables (n, S, H+1, O)."""
        seen = np.zeros((*irf.shape[:3], self.weights.shape[1]))
        for lag in range(self.weights.shape[2]):
            later = irf[:, :, : irf.shape[2] - lag]
            seen[:, :, lag:] += np.einsum("nvo,nsho->nshv", self.weights[:, :, lag], later)
        return seen

    def pulled(self, by_series: np.ndarray) -> np.ndarray:
        """Derivatives by responses of observables, from those by responses of the series."""
        n, shocks, periods, _ = by_series.shape
        by = np.zeros((n, shocks, periods, self.weights.shape[3]))
        for lag in range(self.weights.shape[2]):
            later = by_series[:, :, lag:]
            by[:, :, : periods - lag] += np.einsum("nvo,nshv->nsho", self.weights[:, :, lag], later)
        return by


@dataclass(frozen=True)
class Observation:
    """Equations of the series, the means of their data, and standard deviations of errors of
    measurement by series: numbers, or equations of parameters.
    """

    equations: tuple[Equation, ...]
    means: tuple[float, ...]
    errors: Mapping[str, Equation | float]
    parameters: tuple[str, ...]

    @property
    def series(self) -> tuple[str, ...]:
        return tuple(equation.series for equation in self.equations)

    @property
    def named(self) -> tuple[str, ...]:
        """Parameters that stand in the equations, or in errors of measurement."""
        of_errors = [error for error in self.errors.values() if isinstance(error, Equation)]
        names = {s.name for e in (*self.equations, *of_errors) for s in symbols(e.expression)}
        return tuple(name for name in self.parameters if name in names)

    def at(self, theta: np.ndarray) -> Weights:
        """At draws (n, P)."""
        n, count = len(theta), len(self.equations)
        values: dict[str, Scalar] = dict(zip(self.parameters, theta.T, strict=True))
        lines = [e.at(values, m) for e, m in zip(self.equations, self.means, strict=True)]
        longest = max((lag for line in lines for _, lag in line.weights), default=0)
        observables = len(self.equations[0].observables)
        weights = np.zeros((n, count, longest + 1, observables))
        constant, slope, error = (np.zeros((n, count)) for _ in range(3))
        for v, line in enumerate(lines):
            for (o, lag), weight in line.weights.items():
                weights[:, v, lag, o] = weight
            constant[:, v], slope[:, v] = line.constant, line.slope
            size = self.errors.get(self.equations[v].series, 0.0)
            error[:, v] = size.at(values, 0.0).constant if isinstance(size, Equation) else size
        return Weights(weights, constant, slope, error)
