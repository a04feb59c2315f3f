"""From impulse responses back to parameters: a target, a point estimate, a posterior, and the exact
solver's verdict on it.
"""

from __future__ import annotations

from emulator.estimation.compare import (
    fit_table,
    parameter_table,
    posterior_distance,
    weighted_distance,
)
from emulator.estimation.figures import draw_fit
from emulator.estimation.matching import Estimate, estimate
from emulator.estimation.question import Budget
from emulator.estimation.target import Target
from emulator.estimation.target_files import read_target, write_target
from emulator.estimation.us_monetary import us_monetary
from emulator.estimation.var_target import from_var

__all__ = [
    "Budget",
    "Estimate",
    "Target",
    "draw_fit",
    "estimate",
    "fit_table",
    "from_var",
    "parameter_table",
    "posterior_distance",
    "read_target",
    "us_monetary",
    "weighted_distance",
    "write_target",
]
