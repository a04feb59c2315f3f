"""Histories and forecasts as printed tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.console import head, number, show
from emulator.inference.notes import note
from emulator.spec import UNKNOWN_UNIT

if TYPE_CHECKING:
    import xarray as xr
    from rich.table import Table

LAST = 12
"""Periods that are printed, the last ones of a history."""

MOST_COLUMNS = 7
"""Columns of a table beside the periods."""


def show_smoothed(answer: xr.Dataset) -> None:
    """The last shocks; of several draws their medians."""
    path = answer["shock_path"].median("draw")
    columns = {str(name): path.sel(shock=name).values for name in path["shock"].values}
    _tables(answer, "smoothed shocks, standard deviations", columns)
    _notes(answer)


def show_decomposition(answer: xr.Dataset) -> None:
    """A table a target; of several draws the means."""
    for target in answer["target"].values:
        here = answer.sel(target=target)
        parts = here["contribution"].mean("draw")
        columns = {str(part): parts.sel(part=part).values for part in parts["part"].values}
        _tables(answer, _titled(str(target), here), columns)
    _notes(answer)


def show_forecast(answer: xr.Dataset) -> None:
    """Quantiles of each target, all periods."""
    for target in answer["target"].values:
        here = answer["quantile"].sel(target=target)
        columns = {
            f"{100 * float(p):g} %": here.sel(probability=p).values
            for p in here["probability"].values
        }
        title = f"forecast of {_titled(str(target), answer.sel(target=target))}"
        _tables(answer, title, columns, everything=True)
    if "conditions" in answer.attrs:
        note(f"Conditions {answer.attrs['conditions']}.")
    _notes(answer)


def show_counterfactual(answer: xr.Dataset) -> None:
    """The data and the other path of each series; of several draws the medians."""
    path = answer["path"].median("draw")
    columns: dict[str, np.ndarray] = {}
    for target in answer["target"].values:
        columns[f"{target}: data"] = answer["data"].sel(target=target).values
        columns["otherwise"] = path.sel(target=target).values
        _tables(answer, f"{target}: {answer.attrs['under']}", columns)
        columns = {}
    _notes(answer)


def _titled(target: str, answer: xr.Dataset) -> str:
    """A target with its unit, where that is known."""
    unit = str(answer["unit"].values)
    return target if unit == UNKNOWN_UNIT else f"{target}, {unit}"


def _tables(
    answer: xr.Dataset, title: str, columns: dict[str, np.ndarray], everything: bool = False
) -> None:
    """Rows of periods, in tables of at most `MOST_COLUMNS`."""
    names = list(columns)
    periods = [str(period) for period in answer["period"].values]
    first = 0 if everything else max(0, len(periods) - LAST)
    for start in range(0, len(names), MOST_COLUMNS):
        part = names[start : start + MOST_COLUMNS]
        table = _empty(f"{answer.attrs['world']}: {title}", part)
        for k in range(first, len(periods)):
            table.add_row(periods[k], *(number(float(columns[n][k]), ".3f") for n in part))
        if first:
            table.caption = f"{first} periods before; --output writes all"
        show(table)


def _empty(title: str, names: list[str]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column("period")
    for name in names:
        table.add_column(head(name, ""), justify="right")
    return table


def _notes(answer: xr.Dataset) -> None:
    about: Any = answer.attrs
    draws = answer.sizes["draw"]
    over = f", {draws} draws" if draws > 1 else ""
    note(f"{about['source']}; {about['data']}, {about['sample']}; {about['method']}{over}.")
    if about.get("notes"):
        note(about["notes"])
