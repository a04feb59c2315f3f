"""Bounds on variables by complementarity: equations with a tag `[mcp = 'r > 0']` where a run asks
for `lmmcp`.

With the residual F of an equation and a bound b of its variable x, `x > b` means x = b where F > 0
and F = 0 where x > b; `x < b` means x = b where F < 0 (Dynare Reference Manual, `lmmcp`). The
equation becomes min(x - b, F) = 0, or max(x - b, F) = 0, which a semi-smooth Newton method solves
(Qi and Sun 1993, Mathematical Programming 58, doi:10.1007/BF01581275): each step takes the row of
whichever is in force.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.reading.syntax import Equation
from emulator.solvers.perfect_foresight import Band

_TAG = re.compile(r"\s*(\w+)\s*([<>])=?\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True)
class Bound:
    """Of the variable `column` in the equation `row`: from below where `side` is 1, from above
    where it is -1.
    """

    row: int
    column: int
    side: float
    value: float


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
        inside = bound.side * residual[:, :, bound.row]
        residual[:, :, bound.row] = bound.side * np.minimum(distance(bound, today), inside)
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
        binds = distance(bound, today) < bound.side * residual[:, :, bound.row]
        of_row = np.flatnonzero(band.rows == bound.row)
        slopes[:, :, of_row] = np.where(binds[:, :, None], 0.0, slopes[:, :, of_row])
        place = _place(band, bound)
        slopes[:, :, place] = np.where(binds, 1.0, slopes[:, :, place])
    return slopes
