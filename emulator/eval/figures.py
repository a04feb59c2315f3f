"""Figures of an evaluation as PNG: bars by world, error by horizon, and true against predicted
responses.

Colours are those of Okabe and Ito (2008), distinct with any colour vision; line styles and
markers repeat what they say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from emulator.eval.cases import NETWORK
from emulator.eval.results import PREDICTOR_TITLES, Evaluation
from emulator.eval.scores import ALL
from emulator.eval.tables import number
from emulator.files import write_bytes

WIDTH = 7.5
HEAD, ROW, FOOT = 0.78, 1.4, 0.52
"""Inches above, of each row of, and below the panels of one draw."""
DPI = 130
USUAL_COLUMNS = 3
"""Panels beside each other in `WIDTH`; a figure of more is wider."""
MOST_COLUMNS, MOST_ROWS = 12, 12
"""Observables and shocks of a draw that are shown; of more, the first."""
FEW_DECADES = 4
TRUTH_COLOUR = "#333333"
COLOURS = {
    NETWORK: "#0072B2",
    "zero": "#999999",
    "training_mean": "#E69F00",
    "linear_regression": "#009E73",
    "nearest_neighbour": "#CC79A7",
}
LINES = {
    NETWORK: "-",
    "zero": ":",
    "training_mean": "--",
    "linear_regression": "-.",
    "nearest_neighbour": (0, (5, 1, 1, 1, 1, 1)),
}
STYLE: Any = {
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.edgecolor": "#666666",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}


def draw_all(evaluation: Evaluation) -> dict[str, bytes]:
    """Every figure of an evaluation: file name to the bytes of a PNG."""
    with rc_context(STYLE):
        images = {
            "nrmse_by_world.png": png(bars(evaluation)),
            "nrmse_by_horizon.png": png(horizons(evaluation)),
        }
        for world, examples in evaluation.examples.items():
            images[f"irf_{world}.png"] = png(responses(examples))
        images["worst_draws.png"] = png(worst(evaluation))
    return images


def save_all(images: dict[str, bytes], folder: Path) -> None:
    """Write the figures into a folder, replacing earlier ones at once."""
    for name, content in images.items():
        write_bytes(folder / name, content)


def bars(evaluation: Evaluation) -> Figure:
    """Mean NRMSE of network and trivial baselines by world, one panel a split, logarithmic, with 95
    % intervals.
    """
    splits = list(evaluation.by_horizon["split"].values)
    worlds = list(evaluation.by_horizon["world"].values)
    rows = evaluation.scores[
        (evaluation.scores["shock"] == ALL) & (evaluation.scores["metric"] == "nrmse")
    ]
    figure = Figure(figsize=(WIDTH, 0.9 + 2.4 * len(splits)), layout="constrained")
    panels = figure.subplots(len(splits), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, split in zip(panels, splits, strict=True):
        _bar_panel(axes, rows[rows["split"] == split], worlds)
        axes.set_title(f"split: {split}")
        axes.set_ylabel("mean NRMSE\n(training standard deviations)")
    positive = rows["value"][rows["value"] > 0]
    if len(positive):
        panels[0].set_ylim(positive.min() / 2.5, positive.max() * 3)
    panels[-1].set_xticks(range(len(worlds)), worlds)
    panels[-1].set_xlabel("world")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=5, columnspacing=1.2, handlelength=1.4
    )
    return figure


def _bar_panel(axes: Axes, rows: pd.DataFrame, worlds: list[str]) -> None:
    width = 0.8 / len(PREDICTOR_TITLES)
    log_axis(axes, "clip")
    axes.grid(visible=False, axis="x")
    for k, (predictor, title) in enumerate(PREDICTOR_TITLES.items()):
        score = rows[rows["predictor"] == predictor].set_index("world").loc[worlds]
        at = np.arange(len(worlds)) + (k - (len(PREDICTOR_TITLES) - 1) / 2) * width
        axes.bar(at, score["value"], 0.9 * width, color=COLOURS[predictor], label=title)
        reach = np.maximum([score["value"] - score["low"], score["high"] - score["value"]], 0.0)
        axes.errorbar(
            at, score["value"], reach, fmt="none", ecolor="#222222", elinewidth=0.9, capsize=2
        )
        for x, value, top in zip(
            at, score["value"], score["high"].fillna(score["value"]), strict=True
        ):
            text = axes.annotate(
                number(value),
                (x, max(top, value)),
                (0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
            )
            text.set_fontweight("bold" if predictor == NETWORK else "normal")


def horizons(evaluation: Evaluation) -> Figure:
    """Pooled NRMSE by horizon on the first split, one panel a world, logarithmic."""
    curves = evaluation.by_horizon.isel(split=0)
    worlds = list(curves["world"].values)
    figure = Figure(figsize=(WIDTH, 0.9 + 2.3 * len(worlds)), layout="constrained")
    panels = figure.subplots(len(worlds), 1, sharex=True, squeeze=False)[:, 0]
    for axes, world in zip(panels, worlds, strict=True):
        log_axis(axes, "mask")
        for predictor, title in PREDICTOR_TITLES.items():
            curve = curves.sel(predictor=predictor, world=world)
            wide = 2.4 if predictor == NETWORK else 1.4
            axes.plot(
                curve["horizon"],
                curve,
                color=COLOURS[predictor],
                ls=LINES[predictor],
                lw=wide,
                label=title,
            )
        axes.set_ylim(bottom=_floor(curves.sel(world=world)))
        axes.set_title(f"{world}, split: {curves['split'].item()}")
        axes.set_ylabel("NRMSE at horizon\n(training standard deviations)")
        axes.margins(x=0.01)
    periods = {evaluation.worlds[world]["periods"] for world in worlds}
    panels[-1].set_xlabel(
        f"horizon ({periods.pop() if len(periods) == 1 else 'periods'} after the shock)"
    )
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=5, columnspacing=1.2, handlelength=2.0
    )
    return figure


class _PlainTicks(LogLocator):
    """Ticks at 1, 2 and 5, but at powers of ten alone where the axis spans more than
    `FEW_DECADES`.
    """

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        self.set_params(subs=(1, 2, 5) if vmax < 10**FEW_DECADES * vmin else (1,))
        return super().tick_values(vmin, vmax)


def log_axis(axes: Axes, nonpositive: Literal["mask", "clip"]) -> None:
    """A logarithmic y axis whose labels are plain numbers."""
    axes.set_yscale("log", nonpositive=nonpositive)
    axes.yaxis.set_major_locator(_PlainTicks(numticks=9))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _floor(curves: xr.DataArray) -> float | None:
    """Lower end of the axis: every curve is seen, less the lowest twentieth of its horizons.

    A baseline that is exact at one horizon (impact is linear in `var`) must not flatten all the
    rest.
    """
    lows = [np.quantile(c[c > 0], 0.05, method="higher") for c in curves.values if (c > 0).any()]
    return min(lows) / 1.5 if lows else None


def responses(examples: xr.Dataset) -> Figure:
    """True against predicted responses of the best, the median and the worst draw of a world, in
    natural units.
    """
    examples = examples.isel(shock=slice(MOST_ROWS), observable=slice(MOST_COLUMNS))
    ranks, rows = list(examples["rank"].values), len(examples["shock"])
    columns = len(examples["observable"])
    block = HEAD + rows * ROW + FOOT
    height = len(ranks) * block
    # placed by hand, in inches: the automatic layout of so many panels takes seconds and lets
    # columns drift apart
    figure = Figure(figsize=(_width(columns), height))
    for k, rank in enumerate(ranks):
        top = height - k * block
        inside = {
            "top": (top - HEAD) / height,
            "bottom": (top - HEAD - rows * ROW) / height,
            "left": 0.12,
            "right": 0.99,
        }
        grid = figure.add_gridspec(rows, columns, **inside, wspace=0.3, hspace=0.22)
        draw = examples.sel(rank=rank)
        error = number(float(draw["relative_error"]), percent=True)
        title = (
            f"{examples.attrs['world']}: {rank} draw of '{examples.attrs['split']}' (relative error"
            f" {error})"
        )
        figure.text(0.01, (top - 0.12) / height, title, fontsize=10.5, fontweight="bold", va="top")
        handles = _draw_panels(grid.subplots(sharex=True, squeeze=False), draw)
        corner = (0.995, (top - 0.02) / height)
        figure.legend(
            handles=handles,
            loc="upper right",
            bbox_to_anchor=corner,
            ncols=2,
            fontsize=9,
            handlelength=2.0,
        )
    return figure


def _width(columns: int) -> float:
    """Inches of a figure of so many panels beside each other."""
    return WIDTH * max(1.0, columns / USUAL_COLUMNS)


def _draw_panels(panels: np.ndarray, draw: xr.Dataset) -> list[Artist]:
    """One draw: a row of panels a shock, a column an observable. Returns what the legend names."""
    units, periods = draw.attrs["units"], draw.attrs["periods"]
    handles: list[Artist] = []
    for (i, j), axes in np.ndenumerate(panels):
        line = draw.isel(shock=i, observable=j)
        axes.axhline(0, color="#999999", lw=0.7)
        truth = axes.plot(
            line["horizon"], line["truth"], color=TRUTH_COLOUR, lw=3.2, alpha=0.45, label="truth"
        )
        network = _prediction(axes, line)
        axes.margins(x=0.01)
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.tick_params(labelsize=8)
        if i == 0:
            axes.set_title(f"{line['observable'].item()}\n({units[j]})", fontsize=8.5, loc="center")
        if i == len(panels) - 1:
            axes.set_xlabel(f"{periods} after the shock", fontsize=8.5)
        if j == 0:
            axes.annotate(
                line["shock"].item().replace("_", "\n"),
                (-0.32, 0.5),
                xycoords="axes fraction",
                rotation=90,
                ha="center",
                va="center",
                fontsize=9,
            )
        handles = [*truth, *network]
    return handles


def _prediction(axes: Axes, line: xr.Dataset) -> list[Artist]:
    """A predicted response and, where the network has one, its 90 % band.

    Returns what the legend names.
    """
    finite = line["prediction"].where(np.isfinite(line["prediction"]))
    drawn: list[Artist] = [
        *axes.plot(
            line["horizon"], finite, color=COLOURS[NETWORK], lw=1.5, ls="--", label="network"
        )
    ]
    if np.isfinite(line["half_width"]).all():
        ends = finite - line["half_width"], finite + line["half_width"]
        drawn.append(
            axes.fill_between(
                line["horizon"], *ends, color=COLOURS[NETWORK], alpha=0.2, lw=0, label="90 % band"
            )
        )
    return drawn


def worst(evaluation: Evaluation) -> Figure:
    """The worst draw of every world, a row each: the shock whose response is missed by most, true
    and predicted, natural units.
    """
    worlds = list(evaluation.examples)
    columns = min(
        MOST_COLUMNS, max(len(shown["observable"]) for shown in evaluation.examples.values())
    )
    figure = Figure(figsize=(_width(columns), 0.7 + 1.75 * len(worlds)), layout="constrained")
    panels = figure.subplots(len(worlds), columns, sharex=True, squeeze=False)
    handles: list[Artist] = []
    for row, (world, examples) in zip(panels, evaluation.examples.items(), strict=True):
        draw = examples.sel(rank="worst")
        shock = _most_missed(draw, evaluation.worlds[world]["sigma"])
        error = number(float(draw["relative_error"]), percent=True)
        for axes in row[len(examples["observable"]) :]:
            axes.set_visible(False)
        for axes, observable, unit in zip(
            row, examples["observable"].values, examples.attrs["units"], strict=False
        ):
            line = draw.sel(shock=shock, observable=observable)
            axes.axhline(0, color="#999999", lw=0.7)
            truth = axes.plot(
                line["horizon"],
                line["truth"],
                color=TRUTH_COLOUR,
                lw=3.2,
                alpha=0.45,
                label="truth",
            )
            handles = [*truth, *_prediction(axes, line)]
            axes.set_title(f"{observable} ({unit})", fontsize=7.5)
            axes.tick_params(labelsize=8)
            axes.margins(x=0.01)
        row[0].set_ylabel(f"{world}: {shock}\n(error of draw {error})", fontsize=8)
    for column in panels.T:
        lowest = max(k for k, axes in enumerate(column) if axes.get_visible())
        periods = evaluation.worlds[worlds[lowest]]["periods"]
        column[lowest].set_xlabel(f"{periods} after the shock", fontsize=8.5)
        column[lowest].tick_params(labelbottom=True)
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


def _most_missed(draw: xr.Dataset, sigma: Mapping[str, float]) -> str:
    """The shock of largest squared error of a draw, in training standard deviations; responses that
    are masked do not count.
    """
    names = draw["shock"].values, draw["observable"].values
    scale = np.array(
        [[sigma[f"{shock}/{observable}"] for observable in names[1]] for shock in names[0]]
    )
    error = np.nan_to_num(
        (draw["prediction"] - draw["truth"]).transpose("shock", "horizon", "observable").values,
        posinf=0.0,
        neginf=0.0,
    )
    return str(names[0][np.nansum((error / scale[:, None]) ** 2, axis=(1, 2)).argmax()])


def png(figure: Figure) -> bytes:
    """A figure as the bytes of a PNG, the same for the same figure."""
    buffer = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()
