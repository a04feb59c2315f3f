"""Moments, decompositions and paths as they are printed, and what is said beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.console import head, number, show
from emulator.inference.notes import MOST_ROWS, note, note_prior, values_in_words
from emulator.spec import WorldSpec
from emulator.worlds.response_tables import packed

if TYPE_CHECKING:
    import xarray as xr
    from rich.table import Table

MOST_CORRELATED = 12
"""Observables up to which their correlations are printed."""


def _title(data: xr.Dataset, what: str) -> str:
    parts = [f"{data.attrs['world']}: {what}", data.attrs["source"]]
    if "filter" in data.attrs:
        parts.append(data.attrs["filter"])
    return ", ".join(parts)


def _cell(value: float, form: str = ".4g") -> str:
    if math.isinf(value):
        return "∞"
    return "" if math.isnan(value) else number(value, form)


def _heads(data: xr.Dataset) -> list[str]:
    return [
        head(str(name), str(unit))
        for name, unit in zip(data["observable"].values, data["unit"].values, strict=True)
    ]


def moments_tables(data: xr.Dataset, spec: WorldSpec) -> list[Table]:
    if data.sizes["draw"] > 1:
        return _swept_table(data, spec)
    names = [str(name) for name in data["observable"].values]
    one = data.isel(draw=0)
    columns = [
        (title, [_cell(value) for value in one[name].values])
        for title, name in (("mean", "mean"), ("std. dev.", "std"), ("variance", "variance"))
    ]
    units = [str(unit) for unit in data["unit"].values]
    caption = units[0] if len(set(units)) == 1 else None
    if caption is None:
        columns.append(("unit", units))
    tables = packed(_title(data, "moments"), "observable", names, columns, caption)
    of_lags = [
        (f"lag {lag}", [_cell(value, ".3f") for value in one["autocorrelation"].values[k]])
        for k, lag in enumerate(data["lag"].values)
    ]
    if of_lags:
        tables += packed(_title(data, "autocorrelations"), "observable", names, of_lags, None)
    if 1 < len(names) <= MOST_CORRELATED:
        correlations = [
            (name, [_cell(value, ".3f") for value in one["correlation"].values[:, k]])
            for k, name in enumerate(names)
        ]
        tables += packed(_title(data, "correlations"), "observable", names, correlations, None)
    return tables


def _swept_table(data: xr.Dataset, spec: WorldSpec) -> list[Table]:
    """Standard deviations, a row a draw."""
    names, rows = values_in_words(spec, data["theta"].values)
    shown, caption = _rows(rows)
    columns = [
        (title, [_cell(value) for value in data["std"].values[: len(shown), k]])
        for k, title in enumerate(_heads(data))
    ]
    return packed(_title(data, "standard deviations"), names, shown, columns, caption)


def _rows(rows: list[str]) -> tuple[list[str], str | None]:
    left = len(rows) - MOST_ROWS
    more = f"and {left:,} draws more; --output writes all" if left > 0 else None
    return rows[:MOST_ROWS], more


def share_tables(data: xr.Dataset, spec: WorldSpec) -> list[Table]:
    shocks = [str(shock) for shock in data["shock"].values]
    if data.sizes["draw"] > 1:
        return _swept_shares(data, spec, shocks)
    names = [str(name) for name in data["observable"].values]
    tables: list[Table] = []
    for k, ahead in enumerate(data["ahead"].values):
        share = data["share"].values[0, k]
        columns = [
            (shock, [_cell(value, ".2f") for value in share[:, s]])
            for s, shock in enumerate(shocks)
        ]
        title = _title(data, f"shares in percent of {_of(data, ahead)}")
        tables += packed(title, "observable", names, columns, None)
    return tables


def _of(data: xr.Dataset, ahead: float) -> str:
    if math.isinf(ahead):
        return "the variance"
    periods = str(data["ahead"].attrs.get("units", "periods"))
    return f"the error {ahead:g} {periods if ahead > 1 else periods.removesuffix('s')} ahead"


def _swept_shares(data: xr.Dataset, spec: WorldSpec, shocks: list[str]) -> list[Table]:
    """A table an observable, a row a draw, at the last horizon."""
    names, rows = values_in_words(spec, data["theta"].values)
    shown, caption = _rows(rows)
    tables: list[Table] = []
    for k, observable in enumerate(data["observable"].values):
        share = data["share"].values[: len(shown), -1, k]
        columns = [
            (shock, [_cell(value, ".2f") for value in share[:, s]])
            for s, shock in enumerate(shocks)
        ]
        last = float(data["ahead"].values[-1])
        title = _title(data, f"{observable}, shares in percent of {_of(data, last)}")
        tables += packed(title, names, shown, columns, caption)
    return tables


def show_path(paths: Any) -> None:
    """Print the first periods of the first draw's path."""
    values = paths.values[0][:MOST_ROWS]
    rows = [str(period) for period in paths["period"].values[: len(values)]]
    columns = [
        (head(str(name), str(unit)), [_cell(value) for value in values[:, k]])
        for k, (name, unit) in enumerate(
            zip(paths["observable"].values, paths["unit"].values, strict=True)
        )
    ]
    left = paths.sizes["period"] - len(values)
    draws = paths.sizes["draw"]
    more = [f"{left:,} periods"] * (left > 0) + [f"{draws - 1:,} draws"] * (draws > 1)
    caption = f"and {' and '.join(more)} more; --output writes all" if more else None
    title = f"{paths.attrs['world']}: path, {paths.attrs['source']}"
    for table in packed(title, "period", rows, columns, caption):
        show(table)


SAID: Mapping[str, str] = {
    "non_stationary": "not stationary, so that the variance is infinite",
    "constant": "constant",
}


def notes(data: xr.Dataset, spec: WorldSpec) -> None:
    theta = data["theta"].values
    note_prior(spec, theta)
    for attribute, words in SAID.items():
        if attribute in data.attrs:
            note(f"{words}: {data.attrs[attribute]}.")
    if data.attrs["method"] != "state space":
        note(f"method: {data.attrs['method']}.")
    if "cut" in data.attrs:
        note(f"{data.attrs['cut']}.")
    name = "std" if "std" in data else "variance"
    failed = np.isnan(data[name].values).reshape(len(theta), -1).all(axis=1)
    if failed.any():
        names, values = values_in_words(spec, theta)
        first = values[int(np.flatnonzero(failed)[0])]
        note(
            f"{failed.sum():,} of {len(failed):,} draws have no unique stable solution, the first"
            f" at {names} = {first}."
        )
