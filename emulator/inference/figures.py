"""Figures of answers: a row a shock, a column an observable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from emulator.inference.answers import check_same_shocks
from emulator.worlds.figures import check_format, label, new_figure, save

FEW = 6
"""Up to so many draws are drawn each as a line; more as their distribution."""

FAN = (0.9, 0.5)
"""Shares of the draws that lie within the shaded areas, horizon by horizon."""


def draw(data: xr.Dataset, beside: xr.Dataset | None, path: Path | None) -> Figure:
    """Responses, bands and, dashed, another answer beside them; written to `path` if there is
    one.
    """
    if path is not None:
        check_format(path)
    if beside is not None:
        check_same_shocks(data, beside)
    shocks = data["shock"].values
    figure = new_figure(9.0, 2.4 * len(shocks) + 0.3)
    axes = figure.subplots(len(shocks), 3, squeeze=False, sharex=True)
    for row, shock in enumerate(shocks):
        for column, observable in enumerate(data["observable"].values):
            axis = axes[row, column]
            here = data.sel(shock=shock, observable=observable)
            _lines(axis, here) if data.sizes["draw"] <= FEW else _fan(axis, here["irf"])
            if beside is not None:
                other = beside["irf"].sel(shock=shock, observable=observable)
                axis.plot(
                    other["horizon"], other.values.T, color="black", linestyle="--", linewidth=1.0
                )
            label(
                axis,
                f"{shock} ({data['size'].values[row]}) → {observable}",
                str(data["unit"].values[column]),
            )
    for axis in axes[-1]:
        axis.set_xlabel("quarters after impact", fontsize=8)
    figure.suptitle(_title(data, beside), fontsize=10)
    if path is not None:
        save(figure, path, dpi=120)
    return figure


def _lines(axis: Any, here: xr.Dataset) -> None:
    for k in range(here.sizes["draw"]):
        one = here.isel(draw=k)
        axis.plot(
            one["horizon"],
            one["irf"],
            color=f"C{k}",
            marker="o" if one.sizes["horizon"] == 1 else None,
        )
        if "lower" in one:
            axis.fill_between(
                one["horizon"], one["lower"], one["upper"], color=f"C{k}", alpha=0.2, linewidth=0
            )


def _fan(axis: Any, irf: xr.DataArray) -> None:
    for share in FAN:
        low, high = np.nanquantile(irf.values, ((1 - share) / 2, (1 + share) / 2), axis=0)
        axis.fill_between(irf["horizon"], low, high, color="C0", alpha=0.25, linewidth=0)
    axis.plot(irf["horizon"], np.nanmedian(irf.values, axis=0), color="C0")


def _title(data: xr.Dataset, beside: xr.Dataset | None) -> str:
    title = f"{data.attrs['title']}: {data.attrs['source']}"
    if data.sizes["draw"] > FEW:
        title += f", {data.sizes['draw']:,} draws (median, 50 and 90 %)"
    elif "lower" in data and not bool(data["exact"].all()):
        title += ", 90 % band"
    solved = data.get("determinate", xr.ones_like(data["exact"]))
    doubted = solved & ~data["exact"] & data.get("flagged", xr.zeros_like(solved))
    for count, words in (
        (int((~solved).sum()), "without a solution"),
        (int(doubted.sum()), "flagged: doubt it"),
    ):
        if count:
            title += f", {words}" if data.sizes["draw"] == 1 else f", {count:,} {words}"
    return title if beside is None else f"{title}; dashed: {beside.attrs['source']}"
