"""Figures of moments and decompositions: a panel for each observable."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from emulator.inference.figures import in_words
from emulator.worlds.figures import check_format, label, panel_figure, periods, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LINES = 10
"""Draws that are drawn each as a line, where no single parameter varies."""


def draw(data: xr.Dataset, path: Path | None) -> Figure:
    """The figure that suits an answer, written to `path` if there is one. Raises `ParameterError`
    for a format that cannot be drawn.
    """
    if path is not None:
        check_format(path)
    names = [str(name) for name in data["observable"].values]
    figure, axes = panel_figure(len(names))
    swept = _swept(data)
    panel = _panel_of(data, swept)
    for axis, name in zip(axes, names, strict=True):
        panel(axis, data.sel(observable=name), swept)
    _finish(figure, axes, data)
    if path is not None:
        save(figure, path, dpi=120)
    return figure


class _Sweep(NamedTuple):
    """The parameter that varies over draws, its values (n,), and groups of draws: what each is
    called and which it has, one for each value of a second parameter.
    """

    parameter: str
    values: np.ndarray
    groups: dict[str, np.ndarray]


def _swept(data: xr.Dataset) -> _Sweep | None:
    theta = data["theta"].values
    varies = np.flatnonzero(np.ptp(theta, axis=0) > 0)
    names = [str(name) for name in data["parameter"].values[varies]]
    if len(varies) == 1:
        return _Sweep(names[0], theta[:, varies[0]], {"": np.arange(len(theta))})
    if len(varies) != 2:
        return None
    counts = [len(np.unique(theta[:, column])) for column in varies]
    across, other = (0, 1) if counts[0] >= counts[1] else (1, 0)
    second = theta[:, varies[other]]
    if counts[other] > MOST_LINES:
        return None
    groups = {
        f"{names[other]} = {value:.4g}": np.flatnonzero(second == value)
        for value in np.unique(second)
    }
    return _Sweep(names[across], theta[:, varies[across]], groups)


def _panel_of(data: xr.Dataset, swept: _Sweep | None) -> Any:
    if "share" in data:
        alone = swept is not None and len(swept.groups) == 1
        return _shares_by_parameter if alone else _shares_by_horizon
    return _autocorrelations if swept is None else _deviations


def _autocorrelations(axis: Any, here: xr.Dataset, _: Any) -> None:
    lags = np.concatenate([[0], here["lag"].values])
    for k in range(min(here.sizes["draw"], MOST_LINES)):
        values = np.concatenate([[1.0], here["autocorrelation"].values[k]])
        axis.plot(lags, values, marker="o", markersize=3, label=_draw_name(here, k))
    name = in_words(str(here["observable"].values))
    deviation = f", sd {float(here['std'][0]):.3g}" if here.sizes["draw"] == 1 else ""
    label(axis, name + deviation, "autocorrelation")
    periods(axis, f"{here['lag'].attrs.get('units', 'periods')} between")


def _draw_name(here: xr.Dataset, k: int) -> str:
    return f"draw {here['draw'].values[k]}" if here.sizes["draw"] > 1 else ""


def _deviations(axis: Any, here: xr.Dataset, swept: _Sweep) -> None:
    deviation = np.where(np.isinf(here["std"]), np.nan, here["std"])
    for name, rows in swept.groups.items():
        order = rows[np.argsort(swept.values[rows])]
        axis.plot(swept.values[order], deviation[order], marker="o", markersize=3, label=name)
    label(axis, f"{in_words(str(here['observable'].values))}: sd", str(here["unit"].values))
    axis.set_xlabel(swept.parameter, fontsize=8)
    axis.set_ylim(bottom=0)


def _shares_by_horizon(axis: Any, here: xr.Dataset, _: Any) -> None:
    """Stacked bars of the first draw."""
    ahead = here["ahead"].values
    at = np.arange(len(ahead))
    below = np.zeros(len(ahead))
    for k, shock in enumerate(here["shock"].values):
        share = np.nan_to_num(here["share"].sel(shock=shock).values[0])
        axis.bar(at, share, bottom=below, color=f"C{k % 10}", label=in_words(str(shock)))
        below = below + share
    label(axis, in_words(str(here["observable"].values)), "percent of the variance")
    axis.set_xticks(at, ["all" if math.isinf(h) else f"{h:g}" for h in ahead])
    axis.set_xlabel(f"{here['ahead'].attrs.get('units', 'periods')} ahead", fontsize=8)


def _shares_by_parameter(axis: Any, here: xr.Dataset, swept: _Sweep) -> None:
    """Stacked areas of the last horizon."""
    values = swept.values
    order = np.argsort(values)
    last = here.isel(ahead=-1)
    shares = [last["share"].sel(shock=shock).values[order] for shock in last["shock"].values]
    names = [in_words(str(shock)) for shock in last["shock"].values]
    axis.stackplot(values[order], *shares, labels=names)
    ahead = float(last["ahead"])
    what = "the variance" if math.isinf(ahead) else f"the error {ahead:g} ahead"
    label(axis, in_words(str(here["observable"].values)), f"percent of {what}")
    axis.set_xlabel(swept.parameter, fontsize=8)


def _finish(figure: Figure, axes: list[Any], data: xr.Dataset) -> None:
    """Title, legend, and in the title the filter."""
    by = f", {data.attrs['filter']}" if "filter" in data.attrs else ""
    figure.suptitle(f"{data.attrs['title']}: {data.attrs['source']}{by}", fontsize=10)
    handles, names = axes[0].get_legend_handles_labels()
    shown = {name: handle for name, handle in zip(names, handles, strict=True) if name}
    if shown:
        figure.legend(
            list(shown.values()),
            list(shown),
            loc="outside lower center",
            ncols=min(len(shown), 6),
            fontsize=8,
            frameon=False,
            title=data.attrs.get("parameters", ""),
            title_fontsize=7,
        )
    else:
        figure.supxlabel(data.attrs.get("parameters", ""), fontsize=7)


def draw_paths(paths: xr.DataArray, path: Path) -> None:
    """Simulated paths (draw, period, observable), a panel an observable, the first draws as lines,
    written to `path`. Raises `ParameterError` for a format that cannot be drawn.
    """
    check_format(path)
    names = [str(name) for name in paths["observable"].values]
    figure, axes = panel_figure(len(names))
    for axis, name in zip(axes, names, strict=True):
        here = paths.sel(observable=name)
        for line in here.values[:MOST_LINES]:
            axis.plot(here["period"], line, linewidth=0.9)
        label(axis, in_words(name), str(here["unit"].values))
        periods(axis, str(paths["period"].attrs.get("units", "")))
    figure.suptitle(f"{paths.attrs['title']}: {paths.attrs['source']}, simulated", fontsize=10)
    save(figure, path, dpi=120)
