"""What the asset grid of `hank` errs by: known without a solution."""

from __future__ import annotations

from emulator.worlds.hank.household import GRID, PUBLISHED, Grid
from emulator.worlds.hank.spec import SPEC
from emulator.worlds.households.accuracy import QUARTERS, Shares, between

__all__ = ["QUARTERS", "SOLUTION_ERROR", "SPEC", "errors_on"]

GRID_ERRORS = {
    GRID: {
        "output": (3.1e-4, 2.6e-4, 1.4e-4, 5.5e-5, 2.0e-5, 1.1e-5, 6.1e-6),
        "inflation": (1.3e-4, 1.5e-4, 1.1e-4, 5.3e-5, 3.7e-5, 2.1e-5, 1.6e-5),
        "rate": (2.1e-4, 2.2e-4, 2.0e-4, 1.3e-4, 6.8e-5, 4.4e-5, 2.5e-5),
        "consumption": (3.3e-4, 3.3e-4, 1.7e-4, 6.1e-5, 2.3e-5, 1.4e-5, 7.9e-6),
        "hours": (1.9e-4, 1.7e-4, 8.0e-5, 4.6e-5, 1.8e-5, 1.0e-5, 5.5e-6),
        "consumption_bottom_half": (6.5e-4, 1.2e-3, 1.1e-3, 6.7e-4, 2.2e-4, 1.7e-4, 5.1e-5),
        "consumption_top_tenth": (1.0e-3, 1.2e-3, 1.2e-3, 1.3e-3, 1.5e-3, 9.6e-4, 3.6e-4),
    },
    PUBLISHED: {
        "output": (9.2e-4, 8.7e-4, 4.2e-4, 9.8e-5, 2.5e-5, 8.6e-6, 4.8e-6),
        "inflation": (1.9e-4, 4.8e-4, 2.5e-4, 7.2e-5, 4.0e-5, 2.2e-5, 7.5e-6),
        "rate": (3.4e-4, 4.6e-4, 3.2e-4, 1.7e-4, 5.6e-5, 4.5e-5, 2.6e-5),
        "consumption": (9.8e-4, 1.1e-3, 4.9e-4, 1.1e-4, 2.8e-5, 1.1e-5, 5.6e-6),
        "hours": (5.8e-4, 5.2e-4, 2.5e-4, 6.5e-5, 2.1e-5, 8.2e-6, 4.5e-6),
        "consumption_bottom_half": (2.0e-3, 3.7e-3, 2.2e-3, 1.4e-3, 3.9e-4, 1.6e-4, 5.2e-5),
        "consumption_top_tenth": (6.4e-4, 9.0e-4, 1.1e-3, 9.6e-4, 1.0e-3, 6.1e-4, 2.9e-4),
    },
}
"""At `QUARTERS`, the share of a path's peak within which nine of ten responses lie of those on
4,000 points, 30 draws from the prior (`benchmarks/hank_grid.py`).
"""


def errors_on(grid: Grid) -> dict[str, Shares]:
    """See `World.solution_error`; empty for a grid on which it was not measured."""
    return between(GRID_ERRORS.get(grid, {}))


SOLUTION_ERROR = errors_on(GRID)
