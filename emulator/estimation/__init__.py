"""From impulse responses back to parameters: a target, a point estimate, a posterior, and what the
exact solver makes of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.estimation.comparison import (
        draw_fit,
        fit_table,
        parameter_table,
        posterior_distance,
        weighted_distance,
    )
    from emulator.estimation.matching import estimate
    from emulator.estimation.result import Estimate
    from emulator.estimation.result_files import SavedEstimate, check_estimates, read_estimate
    from emulator.estimation.settings import Budget
    from emulator.estimation.target import Target
    from emulator.estimation.target_files import read_target, write_target
    from emulator.estimation.var_target import from_var, us_monetary

HOMES = {
    "Budget": "settings",
    "Estimate": "result",
    "Target": "target",
    "draw_fit": "comparison",
    "estimate": "matching",
    "fit_table": "comparison",
    "from_var": "var_target",
    "parameter_table": "comparison",
    "posterior_distance": "comparison",
    "SavedEstimate": "result_files",
    "check_estimates": "result_files",
    "read_estimate": "result_files",
    "read_target": "target_files",
    "us_monetary": "var_target",
    "weighted_distance": "comparison",
    "write_target": "target_files",
}
"""The module of each public name; it is imported when the name is first used."""

__all__ = [
    "Budget",
    "Estimate",
    "SavedEstimate",
    "Target",
    "check_estimates",
    "draw_fit",
    "estimate",
    "fit_table",
    "from_var",
    "parameter_table",
    "posterior_distance",
    "read_estimate",
    "read_target",
    "us_monetary",
    "weighted_distance",
    "write_target",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
