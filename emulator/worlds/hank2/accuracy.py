"""What the asset grids of `hank2` err by: known without a solution."""

from __future__ import annotations

from emulator.worlds.hank2.household import GRID, Size
from emulator.worlds.hank2.spec import SPEC
from emulator.worlds.households.accuracy import QUARTERS, Shares, between

__all__ = ["QUARTERS", "SOLUTION_ERROR", "SPEC", "errors_on"]

GRID_ERRORS = {
    GRID: {
        "output": (0.026, 0.025, 0.018, 0.014, 0.012, 0.0078, 0.0032),
        "inflation": (0.025, 0.018, 0.014, 0.013, 0.0094, 0.0065, 0.0030),
        "rate": (0.022, 0.016, 0.010, 0.010, 0.0081, 0.0063, 0.0028),
        "consumption": (0.060, 0.059, 0.040, 0.025, 0.017, 0.012, 0.0044),
        "hours": (0.027, 0.033, 0.029, 0.020, 0.016, 0.012, 0.0018),
        "investment": (0.013, 0.010, 0.0083, 0.0066, 0.0033, 0.0019, 0.0010),
    },
}
"""At `QUARTERS`, the share of a path's peak within which nine of ten responses lie of those on
grids of 120 liquid and 165 illiquid assets and 45 multipliers, 18 draws from the prior that have a
solution (`benchmarks/hank2.py --grids --draws 20`).
"""


def errors_on(size: Size) -> dict[str, Shares]:
    """See `World.solution_error`; empty for grids on which it was not measured."""
    return between(GRID_ERRORS.get(size, {}))


SOLUTION_ERROR = errors_on(GRID)
