"""Figures of answers: a panel for each shock and observable, with units on the axes."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from emulator.errors import ParameterError, unknown_name
from emulator.spec import BAND_LEVEL, units_agree
from emulator.worlds.figures import check_format, grid_of, label, new_figure, periods, save

BAND_IN_WORDS = f"{100 * BAND_LEVEL:g} % band"

FEW = 6
"""Up to so many draws are drawn each as a line; more as their distribution."""

SWEEP = 200
"""Up to so many values of one parameter or of two, the rest held, are drawn each as a line."""

NAMED = 24
"""Up to so many lines are all named in the legend; of more some, evenly spaced."""

COLOURS = 10
"""Up to so many lines have colours of their own; more are shades from the first to the last."""

FAN = (0.9, 0.5)
"""Shares of the draws that lie within the shaded areas, horizon by horizon."""

SETTLED = 0.02
"""Where all responses stay below this share of their peak, a figure ends."""

SHORTEST = 12
"""A figure shows at least so many periods after impact, if there are as many."""

LETTERS, TITLE_LETTERS = 15, 11
"""Letters of small print and of a title on an inch."""

MOST_COLUMNS = 4
"""Panels side by side."""


@dataclass(frozen=True)
class View:
    """What of an answer is drawn: shocks and observables by name, all by default; the last horizon,
    by default where the responses have settled; in which axes (one panel), under which title.
    """

    shocks: Sequence[str] | str | None = None
    observables: Sequence[str] | str | None = None
    horizon: int | None = None
    ax: Any = None
    title: str | None = None


def draw(
    data: xr.Dataset, beside: xr.Dataset | None, path: Path | None, view: View | None = None
) -> Figure:
    """Responses, bands and, dashed, another answer beside them; written to `path` if there is one.

    Raises `ParameterError` for a format that cannot be drawn, a horizon beyond the answer's, or
    several panels for one `ax`; `UnknownNameError` for a shock or observable that is not there.
    """
    if path is not None:
        check_format(path)
    view = view or View()
    data = _chosen(data, view)
    left_out: list[str] = []
    if beside is not None:
        data, left_out = _shared(data, beside)
    last = _last(data, view)
    panels = [(s, o) for s in data["shock"].values for o in data["observable"].values]
    figure, axes = _axes(panels, data.sizes["observable"], view)
    for axis, (shock, observable) in zip(axes, panels, strict=True):
        here = data.sel(shock=shock, observable=observable)
        own, others = ("", "") if beside is None else _told_apart(data, beside)
        _draw_panel(axis, here, _names_of_lines(data, own))
        if beside is not None:
            other = beside["irf"].sel(shock=shock, observable=observable)
            axis.plot(
                other["horizon"],
                other.values.T,
                color="black",
                linestyle="--",
                linewidth=1.0,
                label=others,
            )
        label(axis, _panel_title(here, shock, observable), str(here["unit"].values))
        periods(axis, str(data["horizon"].attrs.get("units", "")))
        if last:
            axis.set_xlim(0, last)
    _finish(figure, axes, data, view, left_out)
    if path is not None:
        save(figure, path, dpi=120)
    return figure


def _panel_title(here: xr.Dataset, shock: str, observable: str) -> str:
    size = str(here["size"].values)
    named = f"{in_words(shock)} ({size})" if not size.startswith("path:") else in_words(shock)
    return f"{named} → {in_words(observable)}"


def _shared(data: xr.Dataset, beside: xr.Dataset) -> tuple[xr.Dataset, list[str]]:
    """An answer with the observables that another has too, by name and unit, and the names of the
    observables that only one of them has.

    Raises `ParameterError` unless they are about the same shocks and periods, and share one.
    """
    for what, ours, theirs in (
        ("shocks", *(", ".join(map(str, one["shock"].values)) for one in (data, beside))),
        ("periods", *(str(one["horizon"].attrs.get("units", "")) for one in (data, beside))),
    ):
        if ours != theirs:
            raise ParameterError(f"The answers are about different {what}: {ours} and {theirs}.")
    units, others = (
        dict(zip(map(str, one["observable"].values), map(str, one["unit"].values), strict=True))
        for one in (data, beside)
    )
    shared = [name for name in units if name in others and units_agree(units[name], others[name])]
    if not shared:
        raise ParameterError(
            f"The answers are about different observables: {', '.join(units)} and"
            f" {', '.join(others)}."
        )
    left_out = [name for name in {**units, **others} if name not in shared]
    return data.sel(observable=shared), left_out


def _told_apart(data: xr.Dataset, beside: xr.Dataset) -> tuple[str, str]:
    """What two answers are called in one legend: by who answers, the model, or the parameters,
    whichever differs first.
    """
    for attribute in ("source", "title", "parameters"):
        ours, theirs = (str(one.attrs.get(attribute, "")) for one in (data, beside))
        if attribute == "title":
            ours, theirs = (title.partition(":")[0] for title in (ours, theirs))
        if ours != theirs:
            return ours, theirs
    return "this answer", "the one beside it"


def in_words(name: str) -> str:
    """A name of the code as it is written in a text; a symbol such as e_m stays what it is."""
    parts = str(name).split("_")
    return str(name) if min(map(len, parts)) < 2 else " ".join(parts)


def _chosen(data: xr.Dataset, view: View) -> xr.Dataset:
    for axis, wanted in (("shock", view.shocks), ("observable", view.observables)):
        if wanted is None:
            continue
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        known = [str(name) for name in data[axis].values]
        for name in names:
            if name not in known:
                raise unknown_name(f"{axis} of this answer", str(name), known)
        data = data.sel({axis: names})
    return data


def _last(data: xr.Dataset, view: View) -> int:
    """The last horizon that is drawn."""
    most = data.sizes["horizon"] - 1
    if view.horizon is not None:
        if not 0 <= view.horizon <= most:
            raise ParameterError(
                f"plot(horizon={view.horizon}): the answer has horizons 0 to {most}. Ask irf("
                "horizon=...) for more."
            )
        return view.horizon
    size = np.abs(np.nan_to_num(data["irf"].values)).max(axis=0)  # shock, horizon, observable
    peak = size.max(axis=1, keepdims=True)
    moving = np.flatnonzero((size > SETTLED * peak).any(axis=(0, 2)))
    settled = int(moving[-1]) if moving.size else most
    return min(most, max(SHORTEST, 4 * math.ceil(settled / 4)))


def _axes(
    panels: list[tuple[str, str]], n_observables: int, view: View
) -> tuple[Figure, list[Any]]:
    if view.ax is not None:
        if len(panels) != 1:
            raise ParameterError(
                f"plot(ax=...) draws one panel; found {len(panels)}. Choose a shock and an"
                " observable: plot(shocks='monetary', observables='output', ax=ax)."
            )
        return view.ax.figure, [view.ax]
    rows_of_shock, columns = grid_of(n_observables, MOST_COLUMNS)
    rows = rows_of_shock * (len(panels) // n_observables)
    figure = new_figure(3.0 * max(columns, 2), 2.4 * rows + 0.6)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    shock_grids = grid.reshape(-1, rows_of_shock * columns)
    for unused in shock_grids[:, n_observables:].ravel():
        unused.set_visible(False)
    if rows_of_shock > 1:  # a long figure is read in parts: each shock's panels have their numbers
        for part in grid.reshape(-1, rows_of_shock, columns):
            for column in part.T:
                lowest = [axis for axis in column if axis.get_visible()][-1]
                lowest.tick_params(labelbottom=True)
    return figure, list(shock_grids[:, :n_observables].ravel())


def _names_of_lines(data: xr.Dataset, own: str) -> list[str] | None:
    """What each draw's line is called: the value of the one parameter that varies, or `own` where
    another answer stands beside; None where draws are too many for lines of their own.
    """
    n = data.sizes["draw"]
    if n == 1:
        return [own]
    theta = data["theta"].values
    varies = np.flatnonzero(np.ptp(theta, axis=0) > 0)
    if 1 <= len(varies) <= 2 and n <= SWEEP:
        names = data["parameter"].values[varies]
        lines = [
            ", ".join(f"{name} = {value:.4g}" for name, value in zip(names, row, strict=True))
            for row in theta[:, varies]
        ]
        shown = set(np.linspace(0, n - 1, n if n <= NAMED else FEW, dtype=int))
        return [line if k in shown else "" for k, line in enumerate(lines)]
    return [f"draw {name}" for name in data["draw"].values] if n <= FEW else None


def _draw_panel(axis: Any, here: xr.Dataset, names: list[str] | None) -> None:
    if names is None:
        _fan(axis, here["irf"])
        return
    colours = _colours(len(names))
    for k, (name, colour) in enumerate(zip(names, colours, strict=True)):
        one = here.isel(draw=k)
        marker = "o" if one.sizes["horizon"] == 1 else None
        axis.plot(
            one["horizon"],
            one["irf"],
            color=colour,
            marker=marker,
            linewidth=1.5 if len(names) <= COLOURS else 0.9,
            label=name or None,
        )
        if "lower" in one and not bool(one["exact"]):
            axis.fill_between(
                one["horizon"], one["lower"], one["upper"], color=colour, alpha=0.2, linewidth=0
            )


def _colours(n: int) -> list[Any]:
    """Of n lines: each its own, or shades in the order of the draws."""
    if n <= COLOURS:
        return [f"C{k}" for k in range(n)]
    from matplotlib import colormaps

    return [colormaps["viridis"](0.95 * k / (n - 1)) for k in range(n)]


def _fan(axis: Any, irf: xr.DataArray) -> None:
    for share in FAN:
        low, high = np.nanquantile(irf.values, ((1 - share) / 2, (1 + share) / 2), axis=0)
        axis.fill_between(
            irf["horizon"],
            low,
            high,
            color="C0",
            alpha=0.25,
            linewidth=0,
            label=f"{share:.0%} of the draws".replace("%", " %"),
        )
    axis.plot(irf["horizon"], np.nanmedian(irf.values, axis=0), color="C0", label="median")


def _finish(
    figure: Figure, axes: list[Any], data: xr.Dataset, view: View, left_out: Sequence[str]
) -> None:
    """Title, legend and, in small print below, the parameters and sizes of shocks."""
    if view.ax is not None:
        if view.title is not None:
            axes[0].set_title(view.title, fontsize=9)
        return
    title = _title(data) if view.title is None else view.title
    room = int(TITLE_LETTERS * figure.get_figwidth())
    figure.suptitle(textwrap.fill(title, room), fontsize=10)
    handles, names = axes[0].get_legend_handles_labels()
    unique = dict(zip(names, handles, strict=True))  # draws of one answer share its name
    caption = textwrap.fill(_caption(data, left_out), int(LETTERS * figure.get_figwidth()))
    if unique:
        figure.legend(
            list(unique.values()),
            list(unique),
            loc="outside lower center",
            ncols=min(len(unique), 6),
            fontsize=8,
            frameon=False,
            title=caption,
            title_fontsize=7,
        )
    else:
        figure.supxlabel(caption, fontsize=7)


def _caption(data: xr.Dataset, left_out: Sequence[str]) -> str:
    sizes = list(dict.fromkeys(str(size) for size in data["size"].values))
    size = "; ".join(sizes) if len(sizes) == 1 else "sizes of shocks as named"
    parameters = data.attrs.get("parameters", "")
    lone = f" Left out, as one of the two has it alone: {', '.join(left_out)}." if left_out else ""
    caption = f"Shock: {size}. {parameters}".replace("Shock: path:", "Path of shocks:").strip()
    return caption + lone


def _doubted(data: xr.Dataset) -> np.ndarray:
    """Which draws (n,) of an answer its network doubts: flagged, with a solution, not solved."""
    if "flagged" not in data:
        return np.zeros(data.sizes["draw"], dtype=bool)
    solved = data["determinate"].values if "determinate" in data else True
    return np.asarray(data["flagged"].values & ~data["exact"].values & solved)


def _title(data: xr.Dataset) -> str:
    title = f"{data.attrs['title']}: {data.attrs['source']}"
    if "lower" in data and not bool(data["exact"].all()) and data.sizes["draw"] <= FEW:
        title += f", {BAND_IN_WORDS}"
    if data.sizes["draw"] > FEW:
        title += f", {data.sizes['draw']:,} draws"
    solved = data.get("determinate", xr.ones_like(data["exact"]))
    counts = (
        (int((~solved).sum()), "without a solution"),
        (int(_doubted(data).sum()), "flagged: doubt it"),
    )
    for count, words in counts:
        if count:
            title += f", {words}" if data.sizes["draw"] == 1 else f", {count:,} {words}"
    return title
