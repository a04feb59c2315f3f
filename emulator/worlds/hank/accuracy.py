"""What the asset grid of `hank` errs by: known without a solution."""

from __future__ import annotations

from emulator.worlds.hank.household import GRID, PUBLISHED, Grid
from emulator.worlds.hank.spec import SPEC

__all__ = ["SOLUTION_ERROR", "SPEC", "errors_on"]

GRID_ERRORS = {
    GRID: (3.3e-4, 1.9e-4, 2.8e-4, 3.8e-4, 2.6e-4, 1.8e-3, 2.4e-3),
    PUBLISHED: (1.1e-3, 5.2e-4, 4.9e-4, 1.4e-3, 7.9e-4, 6.5e-3, 2.1e-3),
}
"""By observable, the share of a path's peak within which nine of ten paths lie of those on 4,000
points, quarters 0 to 40, 30 draws from the prior (`benchmarks/hank_grid.py`).
"""


def errors_on(grid: Grid) -> dict[str, float]:
    """See `World.solution_error`; empty for a grid on which it was not measured."""
    errors = GRID_ERRORS.get(grid)
    return {} if errors is None else dict(zip(SPEC.observable_names, errors, strict=True))


SOLUTION_ERROR = errors_on(GRID)
