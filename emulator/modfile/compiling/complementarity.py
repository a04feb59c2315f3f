"""Bounds on variables by complementarity, where a run asks for `lmmcp`: equations with a tag
`[mcp = 'r > 0']`, and a planner's `ramsey_constraints`, which stand in the first-order conditions.

With the residual F of an equation and a bound b of its variable x, `x > b` means x = b where F > 0
and F = 0 where x > b; `x < b` means x = b where F < 0 (Dynare Reference Manual, `lmmcp`). The
equation becomes min(x - b, F) = 0, or max(x - b, F) = 0, which a semi-smooth Newton method solves
(Qi and Sun 1993, Mathematical Programming 58, doi:10.1007/BF01581275): each step takes the row of
whichever is in force.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.evaluate import MATLAB_CONSTANTS, evaluate
from emulator.modfile.compiling.runs import statements_until
from emulator.modfile.reading.syntax import Equation, symbols
from emulator.modfile.reading.syntax_policy import PlannerBounds
from emulator.solvers.perfect_foresight import Band

if TYPE_CHECKING:
    from emulator.modfile.compiling.model import CompiledModel

_TAG = re.compile(r"\s*(\w+)\s*([<>])=?\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True)
class Bound:
    """Of the variable `column` in the equation `row`: from below where `side` is 1, from above
    where it is -1. value: a number, or one a draw, (n, 1). sign: -1 where the equation is that of
    who maximises, whose residual is negative at a bound from below.
    """

    row: int
    column: int
    side: float
    value: float | np.ndarray
    sign: float = 1.0

    def of(self, rows: np.ndarray) -> Bound:
        """The bound of these draws."""
        return self if isinstance(self.value, float) else replace(self, value=self.value[rows])

    def inside(self, residual: np.ndarray) -> np.ndarray:
        """The equation's side (n, T) of complementarity, of residuals (n, T, V)."""
        return self.side * self.sign * residual[:, :, self.row]


def bounds_of(equations: Sequence[Equation], variables: Sequence[str]) -> tuple[Bound, ...]:
    """The bounds that tags give. Raises `ModFileError` for a tag that says something else."""
    bounds = []
    for row, equation in enumerate(equations):
        if "mcp" not in equation.tags:
            continue
        match = _TAG.fullmatch(equation.tags["mcp"])
        if match is None or match[1] not in variables:
            raise ModFileError(
                f"the tag mcp = '{equation.tags['mcp']}' is not understood; expected a variable, <"
                " or >, and a number, as in [mcp = 'r > 0'].",
                equation.place,
            )
        side = 1.0 if match[2] == ">" else -1.0
        bounds.append(Bound(row, variables.index(match[1]), side, float(match[3])))
    return tuple(bounds)


def planner_bounds(
    model: CompiledModel, declared: np.ndarray, end: np.ndarray
) -> tuple[Bound, ...]:
    """The bounds of `ramsey_constraints` at parameters (N, P) and ends of paths (N, V): each in the
    first-order condition of its variable.

    Dynare's residuals of these conditions are positive at a bound from below where the planner's
    objective is a loss. One that is concave is welfare, whose residuals are negative there.
    """
    statements = statements_until(model.file, model.calibration.run)
    block = next((s for s in reversed(statements) if isinstance(s, PlannerBounds)), None)
    if block is None:
        return ()
    if model.planner is None:
        raise ModFileError("'ramsey_constraints' needs ramsey_model.", block.place)
    names = [d.name for d in model.file.parameters]
    values = dict(MATLAB_CONSTANTS) | dict(zip(names, declared.T, strict=True))
    equations = sum("static" not in e.tags for e in model.file.model.equations)
    sign = -1.0 if _curvature(model, values, end) < 0 else 1.0
    bounds = []
    for bound in block.bounds:
        column = model.variables.index(bound.name)
        value = np.broadcast_to(evaluate(bound.value, values, bound.place), len(declared))
        bounds.append(Bound(equations + column, column, bound.side, value[:, None], sign))
    return tuple(bounds)


def _curvature(model: CompiledModel, values: Mapping[str, Any], end: np.ndarray) -> float:
    """The sum of the second differences of the planner's objective at the first end that is
    known; 0 where it has no value.
    """
    planner = model.planner
    known = np.flatnonzero(np.isfinite(end).all(axis=1))
    if planner is None or not len(known):
        return 0.0
    row = known[0]
    point = {name: np.asarray(v)[row] if np.ndim(v) else v for name, v in values.items()}
    point |= dict(zip(model.variables, end[row], strict=False))
    total = 0.0
    try:
        middle = evaluate(planner.objective, point, planner.place)
        for name in {s.name for s in symbols(planner.objective)} & {*model.variables}:
            step = 1e-3 * max(1.0, abs(point[name]))
            beside = [
                evaluate(planner.objective, point | {name: point[name] + d}, planner.place)
                for d in (step, -step)
            ]
            total += float(sum(beside) - 2 * middle) / step**2
    except ModFileError:  # it holds a variable of the model block
        return 0.0
    return total if np.isfinite(total) else 0.0


def extended(band: Band, bounds: Sequence[Bound]) -> Band:
    """The band with a place for the derivative of each bound's equation by its variable."""
    missing = [bound for bound in bounds if _place(band, bound) is None]
    if not missing:
        return band
    return Band(
        np.concatenate([band.rows, [bound.row for bound in missing]]),
        np.concatenate([band.columns, [bound.column for bound in missing]]),
        np.concatenate([band.shifts, np.zeros(len(missing), dtype=int)]),
        band.size,
    )


def _place(band: Band, bound: Bound) -> int | None:
    """Where the derivative of the bound's equation by its variable of today is among all."""
    at = (band.rows == bound.row) & (band.columns == bound.column) & (band.shifts == 0)
    return int(np.flatnonzero(at)[0]) if at.any() else None


def distance(bound: Bound, today: np.ndarray) -> np.ndarray:
    """How far (n, T) variables (n, T, V) are inside of a bound, negative beyond it."""
    return bound.side * (today[:, :, bound.column] - bound.value)


def residual_within(residual: np.ndarray, today: np.ndarray, bounds: Sequence[Bound]) -> np.ndarray:
    """Residuals (n, T, V) of the complementary equations at today's variables (n, T, V)."""
    for bound in bounds:
        nearest = np.minimum(distance(bound, today), bound.inside(residual))
        residual[:, :, bound.row] = bound.side * nearest
    return residual


def slopes_within(
    slopes: np.ndarray,
    residual: np.ndarray,
    today: np.ndarray,
    bounds: Sequence[Bound],
    band: Band,
) -> np.ndarray:
    """Derivatives (n, T, E) of the complementary equations in an `extended` band; residual
    (n, T, V) of the plain ones.
    """
    missing = len(band.rows) - slopes.shape[2]
    slopes = np.concatenate([slopes, np.zeros((*slopes.shape[:2], missing))], axis=2)
    for bound in bounds:
        binds = distance(bound, today) < bound.inside(residual)
        of_row = np.flatnonzero(band.rows == bound.row)
        as_it_is = bound.sign * slopes[:, :, of_row]
        slopes[:, :, of_row] = np.where(binds[:, :, None], 0.0, as_it_is)
        place = _place(band, bound)
        slopes[:, :, place] = np.where(binds, 1.0, slopes[:, :, place])
    return slopes
