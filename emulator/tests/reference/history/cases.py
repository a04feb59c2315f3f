"""The models and data at which histories and forecasts are held to Dynare's; see README.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from emulator.tests.reference.likelihood import cases as likelihood_cases

HERE = Path(__file__).resolve().parent
HORIZON = 8


@dataclass(frozen=True)
class HistoryCase:
    """A model with data, the variables that are compared, and a condition of a forecast with the
    shocks that meet it.
    """

    likelihood: likelihood_cases.Case
    watched: tuple[str, ...]
    condition: dict[str, tuple[float, ...]] = field(default_factory=dict)
    controlled: tuple[str, ...] = ()


def _of(name: str) -> likelihood_cases.Case:
    return likelihood_cases.CASES[name]()


CASES = {
    "nk": HistoryCase(_of("nk"), ("x", "pi", "r"), {"i": (0.5, 0.25, 0.25)}, ("e_m",)),
    "nk_gaps": HistoryCase(_of("nk_gaps"), ("x", "pi", "i")),
    "rbc": HistoryCase(_of("rbc"), ("y", "c"), {"Pi": (1.01, 1.008)}, ("e_m",)),
    "sw07_mode": HistoryCase(_of("sw07_mode"), ("y", "robs")),
    "walk_gaps": HistoryCase(_of("walk_gaps"), ("level", "pi")),
}


def table(name: str) -> pd.DataFrame:
    """The data (T, V) of a case."""
    path = likelihood_cases.HERE / f"{name}_data.csv"
    return pd.read_csv(path, index_col="period")
