"""Figures of histories and forecasts: a panel a series."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from emulator.inference.figures import in_words
from emulator.inference.history.answers import BEYOND_SHOCKS
from emulator.worlds.figures import check_format, label, panel_figure, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAST = 24
"""Periods of the data before a forecast that are drawn."""

LABELS = 5
"""Periods that are written out along an axis."""

NOTHING = 1e-9
"""Share of the largest contribution below which a part is not drawn: rounding."""

GREYS = ("0.55", "0.75", "0.9")
"""Colours of the parts that are no shocks, in their order."""


def draw_smoothed(data: xr.Dataset, path: Path | None = None) -> Figure:
    """A panel a shock: its path, the median and a band of 90 percent over draws."""
    names = [str(name) for name in data["shock"].values]
    figure, axes = _begin(len(names), path)
    for axis, name in zip(axes, names, strict=True):
        _over_draws(axis, data["shock_path"].sel(shock=name).values, "C0", "")
        axis.axhline(0, color="black", linewidth=0.5)
        label(axis, in_words(name), "standard deviations")
        _periods(axis, data["period"].values)
    return _finish(figure, axes, data, "smoothed shocks", path)


def draw_decomposition(data: xr.Dataset, path: Path | None = None) -> Figure:
    """A panel a target: bars of what each shock and the past contributed, around the level, and
    the data as a line; of several draws the means.
    """
    names = [str(name) for name in data["target"].values]
    figure, axes = _begin(len(names), path)
    parts = [str(part) for part in data["part"].values if part != "level"]
    for axis, name in zip(axes, names, strict=True):
        here = data.sel(target=name)
        bars = here["contribution"].mean("draw").sel(part=parts).values
        axis.plot(bars.sum(axis=0), color="black", linewidth=1.2, label="around its level")
        label(axis, in_words(name), str(here["unit"].values))
        axis.set_ylim(*_stack(axis, bars, parts))
        _periods(axis, data["period"].values)
    return _finish(figure, axes, data, "historical decomposition", path)


def draw_forecast(data: xr.Dataset, path: Path | None = None) -> Figure:
    """A panel a target: the last data, the median and bands between symmetric quantiles."""
    names = [str(name) for name in data["target"].values]
    figure, axes = _begin(len(names), path)
    shown = min(PAST, data.sizes["past"])
    periods = [*data["past"].values[-shown:], *data["period"].values]
    ahead = np.arange(shown, len(periods))
    for axis, name in zip(axes, names, strict=True):
        here = data.sel(target=name)
        axis.plot(here["data"].values[-shown:], color="black", label="data")
        last = float(here["data"].values[-1])
        _fan(axis, ahead, last, here["quantile"].transpose("probability", "period"))
        label(axis, in_words(name), str(here["unit"].values))
        _periods(axis, periods)
    said = f"forecast, {data.attrs['conditions']}" if "conditions" in data.attrs else "forecast"
    return _finish(figure, axes, data, said, path)


def draw_counterfactual(data: xr.Dataset, path: Path | None = None) -> Figure:
    """A panel a target: the data, and the path that it would have taken."""
    names = [str(name) for name in data["target"].values]
    figure, axes = _begin(len(names), path)
    for axis, name in zip(axes, names, strict=True):
        here = data.sel(target=name)
        axis.plot(here["data"].values, color="black", linewidth=1.0, label="data")
        _over_draws(axis, here["path"].values, "C3", str(data.attrs["under"]))
        label(axis, in_words(name), str(here["unit"].values))
        _periods(axis, data["period"].values)
    return _finish(figure, axes, data, "the same shocks", path)


def _begin(panels: int, path: Path | None) -> tuple[Figure, list[Any]]:
    if path is not None:
        check_format(path)
    return panel_figure(panels)


def _over_draws(axis: Any, values: np.ndarray, color: str, name: str) -> None:
    """Paths (n, T): the median over draws, and a band of 90 percent where there are several."""
    axis.plot(np.nanmedian(values, axis=0), color=color, linewidth=1.2, label=name)
    if len(values) > 1:
        low, high = np.nanquantile(values, [0.05, 0.95], axis=0)
        axis.fill_between(np.arange(values.shape[1]), low, high, color=color, alpha=0.25)


def _stack(axis: Any, bars: np.ndarray, parts: list[str]) -> tuple[float, float]:
    """Stacked bars (part, T), above zero what is positive and below it what is negative; the ends
    of an axis that holds them.
    """
    at = np.arange(bars.shape[1])
    above, below = np.zeros(len(at)), np.zeros(len(at))
    greys = dict(zip(BEYOND_SHOCKS, GREYS, strict=True))
    for k, (part, values) in enumerate(zip(parts, bars, strict=True)):
        if np.abs(values).max(initial=0.0) < NOTHING * np.abs(bars).max():
            continue
        start = np.where(values >= 0, above, below)
        name = {"initial": "before the data", "measurement": "error of measurement"}.get(part)
        color = greys.get(part, f"C{k % 10}")
        axis.bar(at, values, 1.0, bottom=start, color=color, label=name or in_words(part))
        above, below = above + np.fmax(values, 0.0), below + np.fmin(values, 0.0)
    axis.axhline(0, color="black", linewidth=0.5)
    margin = 0.05 * float(above.max() - below.min())
    return float(below.min()) - margin, float(above.max()) + margin


def _fan(axis: Any, at: np.ndarray, last: float, quantiles: xr.DataArray) -> None:
    """Bands between quantiles (probability, period) whose probabilities sum up to one, from the
    last of the data on.
    """
    at = np.concatenate([[at[0] - 1], at])
    probabilities = [float(p) for p in quantiles["probability"].values]
    for low in [p for p in probabilities if p < 0.5]:
        high = next((p for p in probabilities if abs(p + low - 1) < 1e-9), None)
        if high is not None:
            edges = [[last, *quantiles.sel(probability=p).values] for p in (low, high)]
            name = f"{100 * (high - low):.0f} percent"
            axis.fill_between(at, *edges, color="C0", alpha=0.25, linewidth=0, label=name)
    if 0.5 in probabilities:
        middle = quantiles.sel(probability=0.5).values
        axis.plot(at, [last, *middle], color="C0", label="median")


def _periods(axis: Any, names: Any) -> None:
    """A few periods written out along the axis."""
    at = np.unique(np.linspace(0, len(names) - 1, LABELS).astype(int))
    axis.set_xticks(at, [str(names[k]) for k in at], fontsize=7)
    axis.tick_params(axis="y", labelsize=7)


def _finish(
    figure: Figure, axes: list[Any], data: xr.Dataset, what: str, path: Path | None
) -> Figure:
    handles, names = axes[0].get_legend_handles_labels()
    texts = [text for axis in axes for text in (axis.title, axis.yaxis.label)]
    if handles:
        legend = figure.legend(
            handles, names, loc="outside lower center", ncols=4, fontsize=8, frameon=False
        )
        texts += legend.get_texts()
    about = data.attrs
    draws = f", {data.sizes['draw']:,} draws" if data.sizes.get("draw", 1) > 1 else ""
    source = str(about["data"]).partition(" (")[0]
    title = f"{about['world']} on {source}, {about['sample']}: {what}{draws}"
    texts.append(figure.suptitle(title, fontsize=9))
    for text in texts:
        text.set_parse_math(False)  # names of series, units and files are free text
    if path is not None:
        save(figure, path, dpi=120)
    return figure
