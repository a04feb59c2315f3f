"""The data card: what a data set holds, in Markdown, with a picture of some of its responses."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import zarr
from jinja2 import Environment
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from emulator.data.schema import DEFAULT_VERDICTS, SPLITS, Manifest, Request
from emulator.data.splits import SLICE, read_splits
from emulator.data.storage import Folder
from emulator.data.verdicts import read_verdicts
from emulator.spec import ANNUAL_POINTS, Status, WorldSpec
from emulator.worlds import get_world, is_known

CARD, FIGURES = "README.md", "figures"
SHOWN, SUMMARISED = 20, 512
PANELS_ACROSS = 4
"""Panels in a row of the picture; a shock with more observables takes several rows."""
MOST_SHOCKS, MOST_OBSERVABLES = 12, 24
"""Shocks and observables that the picture shows; of more, the first."""
SHORT_UNITS = {ANNUAL_POINTS: "pp, annualised"}
"""Units as the picture writes them, where they are too long for the side of a panel."""

TEMPLATE = Path(__file__).with_name("card.md.j2")


def files(manifest: Manifest) -> list[str]:
    """Names of the card and its figures in a finished data set."""
    return [CARD, *map(_figure, manifest.worlds)]


def _figure(world: str) -> str:
    return f"{FIGURES}/{world}.png"


def command(request: Request) -> str:
    """The command line of a request; options at their defaults are left out."""
    if request.imported:
        name, given = next(iter(request.imported.items()))
        if not given.sha256:
            return f"emulator.data.import_draws(theta, irf, name={name!r}, ..., output=PATH)"
        return f"emulator import {given.origin} --name {name} ... --output PATH"
    named = ",".join(
        request.sources[name].file if name in request.sources else name for name in request.worlds
    )
    n_samples = ",".join(
        [str(request.n_samples), *(f"{name}={n}" for name, n in request.samples.items())]
    )
    options: dict[str, object] = {"world": named, "n_samples": n_samples, "seed": request.seed}
    chosen, usual = (
        _optional(request),
        _optional(
            Request(
                worlds=request.worlds,
                n_samples=request.n_samples,
                seed=0,
                verdicts=DEFAULT_VERDICTS,
                specs_sha256={},
                made_by="",
            )
        ),
    )
    options |= {name: value for name, value in chosen.items() if value != usual[name]}
    for until in request.until.values():
        options |= {"n_samples": until.most, "until": f"{until.error:g}"}
        for follows in ("periods", "chunk", "shard", "verdicts"):  # from the draws
            options.pop(follows, None)
    listed = [f"--{name} {value}" for name, value in options.items()]
    listed += [f"--setting {setting}" for setting in _other_settings(request)]
    return f"emulator generate {' '.join(listed)} --output PATH"


def _other_settings(request: Request) -> list[str]:
    """Settings that are not those which a world has by itself, as the command line takes them."""
    return [
        f"{name}.{setting}={value:g}"
        for name, settings in request.settings.items()
        if is_known(name)
        for setting, value in settings.items()
        if get_world(name).settings[setting] != value
    ]


def _optional(request: Request) -> dict[str, object]:
    shares = request.fractions
    return {
        "hard": ",".join(f"{name}={n}" for name, n in request.hard.items()),
        "draws-per-group": max((g.draws for g in request.groups.values()), default=1),
        "horizon": request.horizon,
        "periods": request.periods,
        "verdicts": request.verdicts,
        "val": shares.val,
        "test": shares.test,
        "slice": shares.test_extrapolation_slice,
        "corner": shares.test_extrapolation_corner,
        "chunk": request.chunk,
        "shard": request.shard,
    }


def write(folder: Folder, manifest: Manifest) -> None:
    """Write the card and its figures into a data set whose arrays and splits are finished."""
    counts = {
        name: {s: len(rows) for s, rows in read_splits(folder, name).items()}
        for name in manifest.worlds
    }
    rules = {name: {s: _rule(manifest, name, s) for s in SPLITS} for name in manifest.worlds}
    # Markdown, not HTML: nothing here is escaped, and every value is our own.
    text = (
        Environment(autoescape=False)
        .from_string(TEMPLATE.read_text(encoding="utf-8"))
        .render(
            manifest=manifest,
            request=manifest.request,
            command=command(manifest.request),
            counts=counts,
            rules=rules,
            splits=SPLITS,
            sizes=_sizes(manifest.request),
            verdicts={name: _verdicts(folder, manifest.request, name) for name in manifest.worlds},
            solved_with={name: _solved_with(manifest.request, name) for name in manifest.worlds},
            regimes={name: _regimes(folder, name) for name in manifest.request.regimes},
        )
    )
    for name, world in manifest.worlds.items():
        irfs = np.asarray(zarr.open_group(folder.store(name), mode="r")["irfs"][:SUMMARISED])  # type: ignore[index]
        folder.write_bytes(_figure(name), picture(world.spec, irfs))
    folder.write_bytes(CARD, text.encode("utf-8"))


def _sizes(request: Request) -> dict[int, list[str]]:
    """Numbers of draws and the worlds that have so many."""
    worlds_by_size: dict[int, list[str]] = {}
    for name in request.worlds:
        worlds_by_size.setdefault(request.plain_size(name), []).append(name)
    return worlds_by_size


def _verdicts(folder: Folder, request: Request, world: str) -> dict[str, int]:
    """How many draws of a world were judged apart, by status; empty where none were."""
    codes, counts = (
        np.unique(read_verdicts(folder, world)[1], return_counts=True)
        if request.n_verdicts(world)
        else ((), ())
    )
    return {Status(code).label: int(count) for code, count in zip(codes, counts, strict=True)}


def _solved_with(request: Request, world: str) -> str:
    """The settings that a world was solved with and what its solution errs by, as sentences; empty
    where there is nothing to say.
    """
    settings = request.settings.get(world)
    if not settings:
        return ""
    named = ", ".join(f"{name} {value:g}" for name, value in settings.items())
    errors = request.world(world).solution_error
    listed = ", ".join(f"`{name}` {max(shares):.2g}" for name, shares in errors.items())
    band = (
        " Nine of ten responses err by less than these shares of their path's peak, and by less"
        f" still as a shock dies down: {listed}."
    )
    return f"Solved with {named}.{band if errors else ''}"


def _regimes(folder: Folder, world: str) -> dict[int, int]:
    """How many draws of a world are in each regime."""
    regime = np.asarray(zarr.open_group(folder.store(world), mode="r")["regime"][:])  # type: ignore[index]
    numbers, counts = np.unique(regime, return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


def _rule(manifest: Manifest, world: str, split: str) -> str:
    regions = manifest.worlds[world].regions
    if split not in regions:
        return "outside both regions, at random"
    rule = " and ".join(f"`{c.parameter}` >= {c.at_least:.4g}" for c in regions[split].all_of)
    return f"{rule}, outside the corner" if split == SLICE else rule


def picture(spec: WorldSpec, irf_BSHO: np.ndarray) -> bytes:
    """PNG of sample responses: a panel a shock and observable, single draws over their median and
    middle 80 %.

    Every single draw is shown whole: the axes are as wide as the draws.
    """
    shocks, observables = spec.shocks[:MOST_SHOCKS], spec.observables[:MOST_OBSERVABLES]
    across = min(len(observables), PANELS_ACROSS)
    down = math.ceil(len(observables) / across)
    height = 2.1 * len(shocks) * down + 1.1
    figure = Figure(figsize=(max(6.5, 3.0 * across), height))
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(shocks) * down, across, squeeze=False, sharex=True)
    figure.subplots_adjust(
        left=0.075 if across > 1 else 0.12,
        right=0.99,
        bottom=0.75 / height,
        top=1 - 0.6 / height,
        wspace=0.3,
        hspace=0.25,
    )
    for row, shock in enumerate(shocks):
        panels = axes[row * down : (row + 1) * down].ravel()
        for column, (axis, observable) in enumerate(zip(panels, observables, strict=False)):
            _panel(axis, irf_BSHO[:, row, :, column])
            axis.set_title(f"{shock.name} → {observable.name}", fontsize=9)
            axis.set_ylabel(SHORT_UNITS.get(observable.unit, observable.unit), fontsize=8)
        for axis in panels[len(observables) :]:
            axis.set_visible(False)
    for axis in panels[max(0, len(observables) - across) : len(observables)]:  # of the last shock
        axis.set_xlabel(f"{spec.periods} after impact", fontsize=8)
        axis.tick_params(labelbottom=True)
    figure.suptitle(
        f"{spec.title}: responses to shocks of one standard deviation{_left_out(spec)}",
        fontsize=10,
        y=1 - 0.15 / height,
    )
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(),
        loc="lower center",
        ncols=3,
        fontsize=8,
        frameon=False,
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def _left_out(spec: WorldSpec) -> str:
    """How much of a world the picture shows, where it is too large; else empty."""
    if spec.n_shocks <= MOST_SHOCKS and spec.n_observables <= MOST_OBSERVABLES:
        return ""
    return (
        f" (the first {min(spec.n_shocks, MOST_SHOCKS)} of {spec.n_shocks} shocks,"
        f" {min(spec.n_observables, MOST_OBSERVABLES)} of {spec.n_observables} observables)"
    )


def _panel(axis: Axes, series_BH: np.ndarray) -> None:
    """One response of many draws: single draws, median and the middle 80 %."""
    shown = min(SHOWN, len(series_BH))
    horizon = np.arange(series_BH.shape[1])
    low, middle, high = np.quantile(series_BH, [0.1, 0.5, 0.9], axis=0)
    axis.axhline(0.0, color="black", linewidth=0.6)
    axis.fill_between(
        horizon,
        low,
        high,
        color="tab:blue",
        alpha=0.25,
        linewidth=0,
        label=f"middle 80 % of {len(series_BH)} draws",
    )
    axis.plot(
        *_one_line(horizon, series_BH[:shown]),
        color="0.45",
        linewidth=0.5,
        alpha=0.8,
        label=f"{shown} single draws",
    )
    axis.plot(horizon, middle, color="tab:blue", linewidth=1.6, label="median")
    axis.margins(x=0.01, y=0.06)
    axis.tick_params(labelsize=8)


def _one_line(horizon: np.ndarray, series_BH: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Many curves as one with gaps, which is drawn much faster."""
    gap = np.full((len(series_BH), 1), np.nan)
    return np.tile(np.append(horizon, np.nan), len(series_BH)), np.hstack([series_BH, gap]).ravel()
