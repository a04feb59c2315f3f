"""Figures of a leaderboard as PNG: error by world against every rival, few-draw curves, coverage of
the band.
"""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emulator.eval.figures import STYLE, WIDTH, log_axis, png, save_all
from emulator.eval.tables import Row, records
from emulator.eval.trust import NOMINAL
from emulator.leaderboard.outcomes import the_universal
from emulator.leaderboard.runs import UNIVERSAL, UNIVERSAL_MODEL
from emulator.leaderboard.same_data import on_same_draws
from emulator.leaderboard.studies import FINE_TUNED, FROM_SCRATCH, averaged
from emulator.leaderboard.targets import Targets

__all__ = ["coverage", "draw_all", "error_by_world", "few_draws", "save_all"]

MARKS = (
    ("o", "#0072B2"),
    ("s", "#D55E00"),
    ("^", "#009E73"),
    ("D", "#CC79A7"),
    ("v", "#E69F00"),
    ("P", "#56B4E9"),
    ("X", "#666666"),
    ("*", "#B8A800"),
    ("<", "#000000"),
    (">", "#8A5A2B"),
    ("h", "#7B6FD0"),
)
"""Marker and colour of each kind of network in turn, after Okabe and Ito (2008); the universal one
comes first.
"""
ONE_WORLD = "the same network, one world"
STARTS = {FINE_TUNED: ("o", "-", "#0072B2"), FROM_SCRATCH: ("s", "--", "#D55E00")}
SPLITS = {
    "test": ("o", "#0072B2"),
    "test_extrapolation_slice": ("s", "#E69F00"),
    "test_extrapolation_corner": ("^", "#CC79A7"),
}
SPLIT_TITLES = {
    "test": "test draws",
    "test_extrapolation_slice": "beyond training: slice",
    "test_extrapolation_corner": "beyond training: corner",
}
MODEL_TITLES = {
    "PerWorldMLP": "MLP, one a world",
    "PooledMLP": "MLP, pooled",
    "PCAMLP": "PCA + MLP",
    "GaussianProcess": "Gaussian process",
    "PerWorldGRU": "GRU, one a world",
    "LightGBM": "boosted trees",
    "Linear": "linear",
    "StructureEmulator": "structure: exact closure",
}
"""How legends name models; others by the name of their class."""


def draw_all(
    entries: pd.DataFrame, few: pd.DataFrame | None, targets: Targets | None = None
) -> dict[str, bytes]:
    """Every figure that the entries (`seeds.entries`) and the few-draw study allow: file name to
    the bytes of a PNG.
    """
    chosen = the_universal(entries, targets)
    order = () if targets is None else tuple(targets.nrmse)
    images = {}
    with rc_context(STYLE):
        if chosen is not None:
            images["error_by_world.png"] = png(error_by_world(entries, chosen, targets))
            if entries.loc[entries["entry"] == chosen, "coverage"].notna().any():
                own = entries[entries["entry"] == chosen]
                images["coverage.png"] = png(coverage(own, targets))
        if few is not None:
            images["few_draws.png"] = png(few_draws(few, order))
    return images


def error_by_world(entries: pd.DataFrame, chosen: str, targets: Targets | None = None) -> Figure:
    """Mean NRMSE on test of the chosen entry and of all others on its data; one group a world,
    targets as lines.
    """
    limits = {} if targets is None else targets.nrmse
    rows = entries[entries["split"] == "test"]
    own = rows[rows["entry"] == chosen]
    rows = rows[
        on_same_draws(rows, own) & ((rows["role"] != UNIVERSAL) | (rows["entry"] == chosen))
    ]
    worlds = _ordered(own["world"], tuple(limits))
    series = rows.apply(_title, axis=1)
    titles = list(dict.fromkeys(series[rows["entry"] == chosen])) + sorted(
        set(series[rows["entry"] != chosen]), key=lambda title: (title != ONE_WORLD, title)
    )
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    axes = figure.subplots()
    log_axis(axes, "clip")
    axes.grid(visible=False, axis="x")
    for title, offset, mark in zip(titles, _spread(len(titles)), cycle(MARKS), strict=False):
        for row in records(rows[(series == title) & rows["world"].isin(worlds)]):
            _point(axes, worlds.index(row["world"]) + offset, row, "nrmse", *mark)
        axes.plot([], [], marker=mark[0], color=mark[1], ls="none", label=title)
    for k, world in enumerate(worlds):
        if world in limits:
            axes.plot([k - 0.42, k + 0.42], [limits[world]] * 2, color="#222222", lw=1.4, ls="--")
    if limits:
        axes.plot([], [], color="#222222", ls="--", label="target")
    axes.set_ylim(*_reach(pd.Series([*rows["nrmse"], *limits.values()])))
    axes.set_xticks(range(len(worlds)), worlds)
    axes.set_xlabel("world")
    axes.set_ylabel("mean NRMSE\n(standard deviations of the training split)")
    figure.legend(loc="outside upper center", ncols=4)
    return figure


def _title(row: pd.Series) -> str:
    """How the legend names a network: the universal one, the same network for one world, or its
    model.
    """
    if row["model"] != UNIVERSAL_MODEL:
        name = str(row["model"]).removesuffix("Baseline")
        return MODEL_TITLES.get(name, name)
    return "universal network" if row["role"] == UNIVERSAL else ONE_WORLD


def coverage(own: pd.DataFrame, targets: Targets | None = None) -> Figure:
    """Share of true responses within the band of one entry, by world and split, with intervals; the
    target shaded.
    """
    rows = own[own["coverage"].notna()]
    worlds = _ordered(rows["world"], () if targets is None else tuple(targets.nrmse))
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    if targets is not None:
        low, high = targets.coverage
        axes.axhspan(100 * low, 100 * high, color="#009E73", alpha=0.15, lw=0, label="target")
    axes.axhline(100 * NOMINAL, color="#222222", lw=0.8)
    shown = [split for split in SPLITS if split in set(rows["split"])]
    for split, offset in zip(shown, _spread(len(shown)), strict=True):
        marker, colour = SPLITS[split]
        for row in records(rows[rows["split"] == split]):
            _point(axes, worlds.index(row["world"]) + offset, row, "coverage", marker, colour, 100)
        axes.plot([], [], marker=marker, color=colour, ls="none", label=SPLIT_TITLES[split])
    axes.set_xticks(range(len(worlds)), worlds)
    axes.set_xlabel("world")
    axes.set_ylim(
        min(80.0, 100 * float(rows["coverage_low"].fillna(rows["coverage"]).min()) - 2), 101
    )
    axes.set_ylabel("true responses in the\nnominal 90 % band (percent)")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def few_draws(study: pd.DataFrame, order: tuple[str, ...] = ()) -> Figure:
    """Mean NRMSE by number of draws, fine-tuned against from scratch, one panel a world, both axes
    logarithmic.

    study: columns world, start, draws, seed, nrmse, as `studies.read_study` gives it; order: worlds
    that come first.
    """
    means = averaged(study)
    worlds = _ordered(means["world"], order)
    columns = min(3, len(worlds))
    lines = -(-len(worlds) // columns)
    figure = Figure(figsize=(WIDTH, 0.8 + 2.3 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, sharex=True, squeeze=False)
    for axes in panels.flat[len(worlds) :]:
        axes.set_visible(False)
    for axes, world in zip(panels.flat, worlds, strict=False):
        log_axis(axes, "mask")
        axes.set_xscale("log")
        axes.set_xticks(
            sorted(set(means["draws"])),
            [f"{draws:g}" for draws in sorted(set(means["draws"]))],
            fontsize=8,
        )
        axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        axes.tick_params(axis="x", which="major", labelbottom=True)
        for start, (marker, line, colour) in STARTS.items():
            curve = means[(means["world"] == world) & (means["start"] == start)].sort_values(
                "draws"
            )
            axes.plot(
                curve["draws"], curve["nrmse"], marker=marker, ls=line, color=colour, label=start
            )
            known = curve[curve["low"].notna()]
            axes.fill_between(
                known["draws"],
                known["low"].clip(lower=1e-12),
                known["high"],
                color=colour,
                alpha=0.15,
                lw=0,
            )
        axes.set_title(world)
        axes.set_ylim(*_reach(means.loc[means["world"] == world, "nrmse"]))
    figure.supxlabel("number of draws of the world", fontsize=9.5)
    figure.supylabel("mean NRMSE (standard deviations of the training split)", fontsize=9.5)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def _point(
    axes: Axes, at: float, row: Row, score: str, marker: str, colour: str, factor: float = 1.0
) -> None:
    """A score with its interval."""
    value, low, high = (factor * row[column] for column in (score, f"{score}_low", f"{score}_high"))
    reach = np.nan_to_num([[max(value - low, 0.0)], [max(high - value, 0.0)]])
    axes.errorbar(
        [at],
        [value],
        reach,
        marker=marker,
        color=colour,
        elinewidth=1.0,
        capsize=2,
        markersize=5,
        ls="none",
    )


def _spread(n: int) -> np.ndarray:
    """Offsets of n marks about a tick."""
    return np.zeros(1) if n == 1 else np.linspace(-0.32, 0.32, n)


def _reach(values: pd.Series) -> tuple[float, float]:
    positive = values[values > 0]
    return (0.1, 1.0) if positive.empty else (float(positive.min()) / 2, float(positive.max()) * 2)


def _ordered(worlds: pd.Series, order: tuple[str, ...]) -> list[str]:
    """Worlds, each once: those of `order` in that order, then others as they come."""
    present = list(dict.fromkeys(worlds))
    first = [world for world in order if world in present]
    return first + [world for world in present if world not in order]
