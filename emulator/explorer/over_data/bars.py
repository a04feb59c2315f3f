"""A history as stacked bars: what each shock contributed to a series, around its level, with the
data as a line.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from markupsafe import Markup

from emulator.explorer.over_data.axes import framed, grid, line, read_off, svg
from emulator.explorer.panel import LEFT, RIGHT, Frame, Limits
from emulator.inference.figures import in_words
from emulator.inference.history.answers import BEYOND_SHOCKS

NAMES = {"initial": "before the data", "measurement": "error of measurement"}
"""How parts that are no shocks are called on the page."""

NOTHING = 1e-9
"""Share of the largest contribution below which a part is not drawn: rounding."""

SHOCKS = "shocks"
"""The name of the panel of a forecast's shocks."""

COLOURS = 5
"""Colours of shocks; beyond them the same come again, hatched."""

GAP = 0.14
"""Share of a period between two bars."""


def parts_of(answer: xr.Dataset) -> list[str]:
    """The parts that are drawn, in their order: those that move a series, the level left out."""
    whole = np.abs(answer["contribution"].isel(draw=0).transpose("part", "period", "target").values)
    most = whole.max(initial=0.0)
    return [
        str(part)
        for k, part in enumerate(answer["part"].values)
        if part != "level" and whole[k].max(initial=0.0) > NOTHING * most
    ]


def name_of(part: str) -> str:
    return NAMES.get(part) or in_words(part)


def kind_of(part: str, answer: xr.Dataset) -> str:
    """The classes of a part's bars: a colour for each shock, greys for the others."""
    if part in BEYOND_SHOCKS:
        return f"part grey-{BEYOND_SHOCKS.index(part)}"
    names = answer["part" if "part" in answer.coords else "shock"].values
    place = [str(name) for name in names].index(part)
    hatched = " hatched" if place >= COLOURS else ""
    return f"part c{place % COLOURS}{hatched}"


def panel(
    answer: xr.Dataset, target: str, width: int, height: int, held: Limits | None = None
) -> Markup:
    """The bars of one series, and around its level the line of the data; held: as in `framed`."""
    here = answer.sel(target=target).isel(draw=0)
    parts = parts_of(answer)
    bars = here["contribution"].sel(part=parts).transpose("part", "period").values
    level = here["contribution"].sel(part="level").values
    labels = [str(period) for period in answer["period"].values]
    above, below = _stacked(bars)
    frame = framed([above, below], len(labels), width, height, zero=True, held=held)
    around = bars.sum(axis=0)
    shapes = [grid(frame, labels), *_stack(frame, bars, [kind_of(p, answer) for p in parts])]
    shapes.append(line(frame, around, "line around"))
    data = here["data"].values
    shapes.append(read_off("data", np.where(np.isfinite(data), data, around + level)))
    shapes.append(read_off("around its level", around, "line around"))
    shapes += [
        read_off(name_of(part), bars[k], f"swatch {kind_of(part, answer)}")
        for k, part in enumerate(parts)
    ]
    return Markup(svg(frame, target, _description(answer, target, parts, bars, labels), shapes))


def shocks_panel(
    answer: xr.Dataset, labels: list[str], width: int, height: int, held: Limits | None = None
) -> Markup:
    """The shocks that meet the condition of a forecast, in standard deviations, as stacked bars
    over the periods of the forecast, which are the last of `labels`.
    """
    path = answer["shock_path"].isel(draw=0).transpose("shock", "period")
    names = [str(name) for name in answer["shock"].values if np.abs(path.sel(shock=name)).max() > 0]
    bars = np.zeros((len(names), len(labels)))
    bars[:, len(labels) - path.sizes["period"] :] = path.sel(shock=names).values
    frame = framed([*_stacked(bars)], len(labels), width, height, zero=True, held=held)
    kinds = [kind_of(name, answer) for name in names]
    shapes = [grid(frame, labels), *_stack(frame, bars, kinds)]
    shapes += [
        read_off(in_words(name), bars[k], f"swatch {kinds[k]}") for k, name in enumerate(names)
    ]
    each = "; ".join(
        f"{in_words(name)} {bars[k, -path.sizes['period']]:+.2f}" for k, name in enumerate(names)
    )
    about = f"Shocks that meet the condition, standard deviations, in its first period: {each}."
    return Markup(svg(frame, SHOCKS, about, shapes))


def _stacked(bars: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far bars (part, T) reach, one upon the other: above zero, and below it."""
    return np.cumsum(np.fmax(bars, 0.0), axis=0), np.cumsum(np.fmin(bars, 0.0), axis=0)


def _stack(frame: Frame, bars: np.ndarray, kinds: list[str]) -> list[str]:
    """A path for each part, of one class."""
    above, below = _stacked(bars)
    start = np.where(bars >= 0, above - np.fmax(bars, 0.0), below - np.fmin(bars, 0.0))
    return [
        f'<path class="{kind} p{k}" d="{_bars(frame, start[k], start[k] + bars[k])}"/>'
        for k, kind in enumerate(kinds)
    ]


def _bars(frame: Frame, start: np.ndarray, end: np.ndarray) -> str:
    """Bars from one value to another, a period each; those at the ends are cut by the frame."""
    half = (1 - GAP) * (frame.width - LEFT - RIGHT) / max(frame.last, 1) / 2
    pieces = []
    for k, (low, high) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        left = max(frame.x(k) - half, LEFT)
        right = min(frame.x(k) + half, frame.width - RIGHT)
        tall = frame.y(high) - frame.y(low)
        if abs(tall) >= 0.05:
            pieces.append(
                f"M{left:.1f} {frame.y(low):.1f}h{right - left:.1f}v{tall:.1f}h{left - right:.1f}z"
            )
    return "".join(pieces)


def _description(
    answer: xr.Dataset, target: str, parts: list[str], bars: np.ndarray, labels: list[str]
) -> str:
    """In words: over which periods, and what each part did where the series was farthest from its
    level.
    """
    around = bars.sum(axis=0)
    if not np.isfinite(around).all():
        return f"{target}: nothing is drawn."
    farthest = int(np.abs(around).argmax())
    each = ", ".join(f"{name_of(part)} {bars[k, farthest]:+.2f}" for k, part in enumerate(parts))
    return (
        f"{target}, {answer['unit'].sel(target=target).item()}, {labels[0]} to {labels[-1]}:"
        f" contributions around its level. Farthest from it in {labels[farthest]},"
        f" {around[farthest]:+.2f}: {each}."
    )
