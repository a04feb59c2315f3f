"""How far forecasts are to be trusted: bands on simulated histories, errors on US data.

    python benchmarks/history.py --coverage [--histories 200]
    python benchmarks/history.py --us [--world nk] [--every 4] [--csv benchmarks/forecasts.csv]

--coverage: histories that `nk` itself generates, of 80 quarters, at draws of its prior; at the
parameters that made them, how often the next quarters lie within the bands of 90 and 68 percent.

--us: from 1985Q1 on, forecasts of US output growth, inflation and the rate by the data up to each
quarter alone: a world at its posterior mode, found anew every fourth quarter; a Bayesian VAR with
the prior of Litterman (1986, doi:10.1080/07350015.1986.10509491); a random walk. Root mean squared
errors by horizon, in the units of the series, revised data.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from rich.console import Console
from rich.progress import track
from rich.table import Table

import emulator
from emulator.series import TimeSeries

AHEAD = 8
SHOWN = (1, 4, 8)
FIRST = "1985Q1"
SERIES = ("output_growth", "inflation", "rate")
LAGS, TIGHTNESS = 4, 0.2
"""Of the Bayesian VAR: lags, and the prior's deviation of a series' own first lag."""

QUARTERS = 80


def coverage(histories: int, console: Console) -> None:
    """Shares of the series that lie within their bands, by horizon."""
    nk = emulator.world("nk")
    draws = nk.sample(histories, seed=0)
    paths = nk.simulate(draws, periods=QUARTERS + AHEAD, seed=1)
    assert isinstance(paths, xr.DataArray)  # without states
    within: dict[float, list[np.ndarray]] = {0.90: [], 0.68: []}
    names = [str(name) for name in paths["observable"].values]
    index = pd.period_range("1990Q1", periods=QUARTERS, freq="Q")
    for k in track(range(histories), console=console, description="histories"):
        values = paths.values[k]
        data = pd.DataFrame(values[:QUARTERS], index=index, columns=names)
        answer = nk.forecast(data, draws.iloc[k], horizon=AHEAD)
        quantile = answer["quantile"].sel(target=names).transpose("probability", "period", "target")
        for level, (low, high) in {0.90: (0.05, 0.95), 0.68: (0.16, 0.84)}.items():
            low_edge, high_edge = (quantile.sel(probability=p).values for p in (low, high))
            later = values[QUARTERS:]
            within[level].append((later >= low_edge) & (later <= high_edge))
    table = Table("horizon", *(f"{name}, {100 * p:.0f} %" for p in within for name in names))
    for h in SHOWN:
        shares = [np.mean([w[h - 1, k] for w in within[p]]) for p in within for k in range(3)]
        table.add_row(str(h), *(f"{100 * share:.1f}" for share in shares))
    console.print(table)


Forecaster = Callable[[TimeSeries], np.ndarray]
"""Mean (AHEAD, V) of the quarters after the data."""


class AtMode:
    """A world at its posterior mode, which is found anew every so many quarters."""

    def __init__(self, world: str, every: int) -> None:
        self.world, self.every = world, every
        self.economy = emulator.world(world)
        self.asked = 0
        self.theta: np.ndarray | None = None

    def __call__(self, data: TimeSeries) -> np.ndarray:
        from emulator.estimation.full_information.mode import find_mode
        from emulator.estimation.full_information.question import DataProblem

        if self.asked % self.every == 0:
            density = DataProblem.of(data, self.world).density
            self.theta = find_mode(density, 2, np.random.default_rng(0)).theta
        self.asked += 1
        answer = self.economy.forecast(data, self.theta, horizon=AHEAD)
        return answer["mean"].isel(draw=0).sel(target=list(SERIES)).values


def random_walk(data: TimeSeries) -> np.ndarray:
    return np.repeat(data.values[-1:], AHEAD, axis=0)


def bayesian_var(data: TimeSeries) -> np.ndarray:
    """Equation by equation: coefficients are normal a priori around a random walk of inflation and
    the rate and around no persistence of growth, with deviations TIGHTNESS / lag times the ratio of
    the series' residual deviations.
    """
    y = data.values
    count = y.shape[1]
    lags = np.hstack([y[LAGS - lag : len(y) - lag] for lag in range(1, LAGS + 1)])
    x = np.column_stack([lags, np.ones(len(lags))])
    left = y[LAGS:]
    sizes = np.array([_residual(y[:, k]) for k in range(count)])
    weights = np.empty((x.shape[1], count))
    for k in range(count):
        deviation = np.concatenate(
            [TIGHTNESS / lag * sizes[k] / sizes for lag in range(1, LAGS + 1)] + [[1e3]]
        )
        mean = np.zeros(x.shape[1])
        mean[k] = 0.0 if SERIES[k] == "output_growth" else 1.0
        precision = np.diag(deviation**-2.0)
        information = x.T @ x / sizes[k] ** 2 + precision
        weights[:, k] = np.linalg.solve(
            information, x.T @ left[:, k] / sizes[k] ** 2 + precision @ mean
        )
    recent = list(y[-LAGS:][::-1])
    answers = []
    for _ in range(AHEAD):
        answers.append(np.concatenate([*recent, [1.0]]) @ weights)
        recent = [answers[-1], *recent[:-1]]
    return np.array(answers)


def _residual(series: np.ndarray) -> float:
    """Deviation of the residuals of an autoregression."""
    x = np.column_stack(
        [series[LAGS - lag : len(series) - lag] for lag in range(1, LAGS + 1)]
        + [np.ones(len(series) - LAGS)]
    )
    weights = np.linalg.lstsq(x, series[LAGS:], rcond=None)[0]
    return float(np.std(series[LAGS:] - x @ weights))


def us(world: str, every: int, csv: Path | None, console: Console) -> None:
    data = emulator.read_data("us", series=list(SERIES))
    forecasters: dict[str, Forecaster] = {
        f"{world} at its mode": AtMode(world, every),
        "Bayesian VAR": bayesian_var,
        "random walk": random_walk,
    }
    begin = data.labels.index(FIRST)
    errors: dict[str, list[np.ndarray]] = {name: [] for name in forecasters}
    for end in track(range(begin, len(data) - 1), console=console, description="quarters"):
        known = data.window(f"{data.labels[0]}:{data.labels[end]}")
        later = np.full((AHEAD, len(SERIES)), np.nan)
        rest = data.values[end + 1 : end + 1 + AHEAD]
        later[: len(rest)] = rest
        for name, forecaster in forecasters.items():
            errors[name].append(forecaster(known) - later)
    rows: list[dict[str, Any]] = [
        {
            "forecast": name,
            "horizon": h,
            **{
                series: float(np.sqrt(np.nanmean(np.array(all_errors)[:, h - 1, k] ** 2)))
                for k, series in enumerate(SERIES)
            },
        }
        for h in SHOWN
        for name, all_errors in errors.items()
    ]
    table = Table("quarters ahead", "forecast", *SERIES, title="Root mean squared errors")
    for row in rows:
        values = (f"{row[series]:.3f}" for series in SERIES)
        table.add_row(str(row["horizon"]), row["forecast"], *values)
    console.print(table)
    if csv is not None:
        pd.DataFrame(rows).to_csv(csv, index=False, float_format="%.6g")


def main(options: argparse.Namespace) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120)
    if options.coverage:
        coverage(options.histories, console)
    if options.us:
        us(options.world, options.every, options.csv, console)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--coverage", action="store_true", help="bands on simulated histories")
    parser.add_argument("--histories", type=int, default=200, help="simulated ones")
    parser.add_argument("--us", action="store_true", help="errors on US data from 1985 on")
    parser.add_argument("--world", default="nk", help="a linear world that observes the series")
    parser.add_argument("--every", type=int, default=4, help="quarters between two estimates")
    parser.add_argument("--csv", type=Path, help="write the table of errors here, too")
    main(parser.parse_args())
