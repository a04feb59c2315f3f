"""Steady states of a model at given values of its exogenous variables.

Axes: N draw, P column of theta, V variable, K exogenous variable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.modfile.compiling.evaluate import MATLAB_CONSTANTS, evaluate
from emulator.modfile.compiling.newton import damped_newton, solve_by_blocks

if TYPE_CHECKING:
    from emulator.modfile.compiling.model import CompiledModel


class Steady:
    """Steady states of a model at given values of its exogenous variables."""

    def __init__(self, model: CompiledModel) -> None:
        self.model = model
        self.shocks = model.steady.shocks
        self.n_declared = len(model.file.parameters)

    def solve(
        self, start: np.ndarray, exogenous: np.ndarray, theta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Steady states (N, V), NaN where none was found, from starting points (N, V) at exogenous
        values (N, K), and theta (N, P) with what formulas set.
        """
        steady = self.model.steady
        if steady.formulas is not None and self.model.planner is None:
            point, theta = self._by_formulas(exogenous, theta)
            if not steady.checked:
                return point, theta
            error = np.abs(self._residual(point, exogenous, theta)).max(axis=1, initial=0.0)
            return np.where((error < 1e-5)[:, None], point, np.nan), theta
        if self.model.planner is not None:
            at_rest = self.model.steady_state(theta)
            start = np.where(np.isfinite(at_rest), at_rest, start)
        point, solved = self._newton(start, exogenous, theta)
        for k in np.flatnonzero(~solved & np.isfinite(start).all(axis=1)):
            row = slice(k, k + 1)
            closer = self._patient(start[k], exogenous[row], theta[row])
            root, is_root = self._newton(closer[None], exogenous[row], theta[row])
            point[k] = root[0]
            solved[k] = is_root[0]
        return np.where(solved[:, None], point, np.nan), theta

    def _patient(self, start: np.ndarray, exogenous: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """A point (V,) nearer to the steady state of one draw, block by block."""
        return solve_by_blocks(
            lambda point: self._residual(point[None], exogenous, theta)[0],
            lambda point: self._jacobian(point[None], exogenous, theta)[0],
            self.model.steady.pattern(),
            start,
        )

    def _newton(
        self, start: np.ndarray, exogenous: np.ndarray, theta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return damped_newton(
            lambda point, rows: self._residual(point, exogenous[rows], theta[rows]),
            lambda point, rows: self._jacobian(point, exogenous[rows], theta[rows]),
            start,
        )

    def _inputs(self, point: np.ndarray, exogenous: np.ndarray, theta: np.ndarray) -> list[Any]:
        return self.model.equations.inputs(point, exogenous, theta[:, : self.n_declared])

    def _residual(self, point: np.ndarray, exogenous: np.ndarray, theta: np.ndarray) -> np.ndarray:
        inputs = self._inputs(point, exogenous, theta)
        return self.model.equations.residual(inputs, len(theta))

    def _jacobian(self, point: np.ndarray, exogenous: np.ndarray, theta: np.ndarray) -> np.ndarray:
        inputs = self._inputs(point, exogenous, theta)
        return self.model.equations.jacobian(inputs, len(theta), self.model.steady.columns)

    def _by_formulas(
        self, exogenous: np.ndarray, theta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        model, n = self.model, len(theta)
        if model.program is not None:
            return model.steady.followed(theta, exogenous)
        values: dict[str, Any] = dict(MATLAB_CONSTANTS)
        values |= dict.fromkeys(model.variables, np.float64(0.0))
        names = [d.name for d in model.file.parameters]
        values |= dict(zip(names, np.ascontiguousarray(theta[:, : len(names)].T), strict=True))
        values |= dict(zip(self.shocks, exogenous.T, strict=True))
        for assignment in model.steady.formulas or ():
            values[assignment.name] = evaluate(assignment.value, values, assignment.place)
        theta = theta.copy()
        for name in model.steady.assigned:
            theta[:, names.index(name)] = values[name]
        point = [np.broadcast_to(values[name], n) for name in model.variables]
        return np.stack(point, axis=1), theta
