"""Histories and forecasts as files: a table in CSV, everything in NetCDF and JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from emulator.inference.files import to_json, to_netcdf

if TYPE_CHECKING:
    import pandas as pd


def smoothed_table(data: xr.Dataset) -> pd.DataFrame:
    """A row a draw and period; a column a shock, then a target."""
    return _by_name(data, "shock_path", "shock").join(_by_name(data, "target_path", "target"))


def decomposition_table(data: xr.Dataset) -> pd.DataFrame:
    """A row a draw, period and target; a column a part, then the data."""
    import pandas as pd

    parts = data["contribution"].transpose("draw", "period", "target", "part")
    rows = parts.stack(row=("draw", "period", "target"))
    values = rows.transpose("row", "part").values
    index = pd.MultiIndex.from_tuples(rows["row"].values, names=["draw", "period", "target"])
    table = pd.DataFrame(values, index=index, columns=[str(p) for p in data["part"].values])
    table["data"] = np.tile(data["data"].values.ravel(), data.sizes["draw"])
    return table


def forecast_table(data: xr.Dataset) -> pd.DataFrame:
    """A row a period and target; the mean over draws, then a column a quantile."""
    import pandas as pd

    quantiles = data["quantile"].transpose("period", "target", "probability")
    rows = quantiles.stack(row=("period", "target"))
    index = pd.MultiIndex.from_tuples(rows["row"].values, names=["period", "target"])
    columns = [f"q{100 * p:g}" for p in data["probability"].values]
    table = pd.DataFrame(rows.transpose("row", "probability").values, index=index, columns=columns)
    mean = (data["mean"] * data["weight"]).sum("draw").transpose("period", "target")
    table.insert(0, "mean", mean.values.ravel())
    return table


def counterfactual_table(data: xr.Dataset) -> pd.DataFrame:
    """A row a draw and period; a column a target."""
    return _by_name(data, "path", "target")


def _by_name(data: xr.Dataset, variable: str, axis: str) -> pd.DataFrame:
    import pandas as pd

    values = data[variable].transpose("draw", "period", axis)
    index = pd.MultiIndex.from_product(
        [values["draw"].values, values["period"].values], names=["draw", "period"]
    )
    columns = [str(name) for name in values[axis].values]
    return pd.DataFrame(values.values.reshape(len(index), -1), index=index, columns=columns)


def _formats(
    table: Callable[[xr.Dataset], pd.DataFrame],
) -> dict[str, Callable[[xr.Dataset], bytes]]:
    def csv(data: xr.Dataset) -> bytes:
        text: str = table(data).to_csv(lineterminator="\n")
        return text.encode()

    return {".csv": csv, ".nc": to_netcdf, ".json": to_json}


SMOOTHED = _formats(smoothed_table)
DECOMPOSITION = _formats(decomposition_table)
FORECAST = _formats(forecast_table)
COUNTERFACTUAL = _formats(counterfactual_table)
