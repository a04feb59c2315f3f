"""`us`: quarterly series of the United States, 1959Q2 to 2009Q3, made of `macrodata`, which comes
with statsmodels (from the Federal Reserve Bank of St. Louis; prices of 2005).

Growth is of real quantities per head, as models have it, in percent a quarter; inflation and the
bill rate are annualised, as observables are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from emulator.errors import MissingExtraError
from emulator.series.container import TimeSeries

SOURCE = "statsmodels macrodata (FRED), United States"


class Recipe(NamedTuple):
    """How a series is made: of which columns, by which transformations, and how worlds see it."""

    column: str
    steps: str
    unit: str
    observing: str = ""
    a_head: bool = False


RECIPES = {
    "output": Recipe("realgdp", "log, percent", "percent", "", True),
    "output_growth": Recipe(
        "realgdp", "log, difference, percent", "percent a quarter", "diff(output) + mean", True
    ),
    "consumption_growth": Recipe(
        "realcons",
        "log, difference, percent",
        "percent a quarter",
        "diff(consumption) + mean",
        True,
    ),
    "investment_growth": Recipe(
        "realinv", "log, difference, percent", "percent a quarter", "diff(investment) + mean", True
    ),
    "inflation": Recipe(
        "cpi",
        "log, difference, percent, annualised",
        "annualised percentage points",
        "inflation + mean",
    ),
    "rate": Recipe("tbilrate", "", "annualised percentage points", "rate + mean"),
    "unemployment": Recipe("unemp", "", "percent"),
}


def us() -> TimeSeries:
    """The series of `RECIPES`. Raises `MissingExtraError` without statsmodels."""
    import pandas as pd

    try:
        from statsmodels.datasets import macrodata
    except ImportError:
        raise MissingExtraError("statsmodels", "estimation") from None
    raw = macrodata.load_pandas().data
    periods = pd.PeriodIndex(
        [
            pd.Period(year=int(year), quarter=int(quarter), freq="Q")
            for year, quarter in zip(raw["year"], raw["quarter"], strict=True)
        ]
    )
    heads = raw["pop"].to_numpy()
    columns = {
        name: raw[recipe.column].to_numpy() / (heads if recipe.a_head else 1.0)
        for name, recipe in RECIPES.items()
    }
    units = {name: recipe.unit for name, recipe in RECIPES.items()}
    series = TimeSeries.of("us", SOURCE, periods, columns, units)
    series = series.transformed({name: recipe.steps for name, recipe in RECIPES.items()})
    done = tuple(
        ", ".join(part for part in ("per head" if recipe.a_head else "", words) if part)
        for recipe, words in zip(RECIPES.values(), series.done, strict=True)
    )
    return replace(
        series,
        periods=series.periods[1:],
        values=series.values[1:],
        done=done,
        observing=tuple(recipe.observing for recipe in RECIPES.values()),
    )
