"""From data back to parameters: by their full likelihood, or by matching impulse responses; a point
estimate, a posterior, and what the exact solver makes of a network's.
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
    from emulator.estimation.data_target import target_from_data
    from emulator.estimation.full_information.files import write_posterior
    from emulator.estimation.full_information.result import PosteriorEstimate
    from emulator.estimation.full_information.solving import estimate_from_data
    from emulator.estimation.full_information.worlds import draw_worlds, world_table
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
    "PosteriorEstimate": "full_information.result",
    "draw_worlds": "full_information.worlds",
    "estimate": "matching",
    "estimate_from_data": "full_information.solving",
    "fit_table": "comparison",
    "from_var": "var_target",
    "parameter_table": "comparison",
    "posterior_distance": "comparison",
    "SavedEstimate": "result_files",
    "check_estimates": "result_files",
    "read_estimate": "result_files",
    "read_target": "target_files",
    "target_from_data": "data_target",
    "us_monetary": "var_target",
    "write_posterior": "full_information.files",
    "world_table": "full_information.worlds",
    "weighted_distance": "comparison",
    "write_target": "target_files",
}
"""The module of each public name; it is imported when the name is first used."""

__all__ = [
    "Budget",
    "Estimate",
    "PosteriorEstimate",
    "SavedEstimate",
    "Target",
    "check_estimates",
    "draw_fit",
    "draw_worlds",
    "estimate",
    "estimate_from_data",
    "fit_table",
    "from_var",
    "parameter_table",
    "posterior_distance",
    "read_estimate",
    "read_target",
    "target_from_data",
    "us_monetary",
    "weighted_distance",
    "world_table",
    "write_posterior",
    "write_target",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
