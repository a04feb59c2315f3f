"""What the asset grids of `hank2` err by: known without a solution."""

from __future__ import annotations

from emulator.worlds.hank2.household import GRID, Size
from emulator.worlds.hank2.spec import SPEC

__all__ = ["SOLUTION_ERROR", "SPEC", "errors_on"]

GRID_ERRORS = {GRID: (0.039, 0.025, 0.022, 0.079, 0.039, 0.018)}
"""By observable, the share of a path's peak within which nine of ten paths lie of those on grids of
120 liquid and 165 illiquid assets and 45 multipliers, quarters 0 to 40, 18 draws from the prior
that have a solution (`benchmarks/hank2.py --grids`).
"""


def errors_on(size: Size) -> dict[str, float]:
    """See `World.solution_error`; empty for grids on which it was not measured."""
    errors = GRID_ERRORS.get(size)
    return {} if errors is None else dict(zip(SPEC.observable_names, errors, strict=True))


SOLUTION_ERROR = errors_on(GRID)
