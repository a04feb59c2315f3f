"""A forecast as a fan after the last of the data, with the path that a condition says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from markupsafe import Markup, escape

from emulator.explorer.over_data.axes import framed, grid, line, read_off, svg
from emulator.explorer.panel import BOTTOM, RIGHT, TOP, Frame, Limits

PAST = 24
"""Periods of the data that are drawn before a forecast."""

HANDLE = 5
"""Pixels: radius of a point of a condition."""

DESCRIBED = (0, 3, 7)
"""Periods ahead that the picture's description names."""


def labels_of(answer: xr.Dataset) -> list[str]:
    """The periods that are drawn: the last of the data, then those of the forecast."""
    return [str(p) for p in (*answer["past"].values[-PAST:], *answer["period"].values)]


def shown_past(answer: xr.Dataset) -> int:
    return min(PAST, answer.sizes["past"])


def panel(
    answer: xr.Dataset,
    target: str,
    conditions: Mapping[str, Sequence[float]],
    width: int,
    height: int,
    *,
    held: Limits | None = None,
    ghost: np.ndarray | None = None,
) -> Markup:
    """The last data, the bands and the median of one series or observable, its condition, and the
    field on which one is drawn. held: as in `framed`; ghost: the median before a move.
    """
    here = answer.sel(target=target)
    labels = labels_of(answer)
    past = shown_past(answer)
    data = here["data"].values[-past:]
    bands = here["quantile"].transpose("probability", "period").values
    chances = [float(p) for p in answer["probability"].values]
    path = np.full(len(labels) - past, np.nan)
    given = conditions.get(target, ())
    path[: len(given)] = given
    old = np.full(len(path), np.nan) if ghost is None else ghost
    frame = framed([data, bands, path, old], len(labels), width, height, held=held)
    middle = bands[chances.index(0.5)]
    last = data[-1]
    shapes = [
        grid(frame, labels),
        _field(frame, past),
        *_fan(frame, past, last, bands, chances),
        "" if ghost is None else line(frame, _from(last, ghost), "ghost", first=past - 1),
        line(frame, data, "line plain"),
        line(frame, _from(last, middle), "line c0", first=past - 1),
        _handles(frame, past, path, labels),
        *_numbers(data, bands, chances, path),
    ]
    extra = f' data-first="{past}" data-target="{escape(target)}"'
    return Markup(svg(frame, target, _description(answer, target, bands, chances), shapes, extra))


def _from(last: float, values: np.ndarray) -> np.ndarray:
    """Values from the last of the data on."""
    return np.concatenate([[last], values])


def median_of(answer: xr.Dataset, target: str) -> np.ndarray | None:
    """The median of a forecast, where it has the target."""
    if target not in answer["target"].values:
        return None
    return np.asarray(answer["quantile"].sel(target=target, probability=0.5).values)


def _field(frame: Frame, past: int) -> str:
    """Where a condition is drawn: from half a period before the forecast to the end."""
    left = frame.x(past - 0.5)
    return (
        f'<rect class="field" x="{left:.1f}" y="{TOP}" width="{frame.width - RIGHT - left:.1f}"'
        f' height="{frame.height - TOP - BOTTOM}"/><path class="today"'
        f' d="M{left:.1f} {TOP}V{frame.height - BOTTOM}"/>'
    )


def _fan(
    frame: Frame, past: int, last: float, bands: np.ndarray, chances: Sequence[float]
) -> list[str]:
    """Bands between quantiles whose probabilities sum up to one, from the last of the data on."""
    areas = []
    for k, low in enumerate(chances):
        mirror = next(
            (m for m, p in enumerate(chances) if abs(p + low - 1) < 1e-9 and p > low), None
        )
        if mirror is None:
            continue
        ends = [_from(last, bands[row]) for row in (mirror, k)]
        there = [np.flatnonzero(np.isfinite(end)).tolist() for end in ends]
        if not there[0]:
            continue
        up = [f"{frame.x(past - 1 + h):.1f} {frame.y(ends[0][h]):.1f}" for h in there[0]]
        down = [f"{frame.x(past - 1 + h):.1f} {frame.y(ends[1][h]):.1f}" for h in there[1][::-1]]
        areas.append(f'<path class="band c0" d="M{"L".join(up + down)}Z"/>')
    return areas


def _handles(frame: Frame, past: int, path: np.ndarray, labels: Sequence[str]) -> str:
    """The points of a condition, joined where they follow each other."""
    points = "".join(
        f'<circle class="handle" cx="{frame.x(past + h):.1f}" cy="{frame.y(path[h]):.1f}"'
        f' r="{HANDLE}" data-ahead="{h}"/>'
        for h in np.flatnonzero(np.isfinite(path)).tolist()
    )
    return line(frame, path, "condition", first=past) + points


def _numbers(
    data: np.ndarray, bands: np.ndarray, chances: Sequence[float], path: np.ndarray
) -> list[str]:
    """What is read off: data before today; median, band and condition after it."""
    before, after = np.full(len(data), np.nan), np.full(bands.shape[1], np.nan)

    def later(values: np.ndarray) -> np.ndarray:
        return np.concatenate([before, values])

    low, middle, high = (later(bands[chances.index(p)]) for p in (min(chances), 0.5, max(chances)))
    parts = [
        read_off("data", np.concatenate([data, after])),
        read_off("median, 90 % band", middle, "line c0", (low, high)),
    ]
    if np.isfinite(path).any():
        parts.append(read_off("condition", later(path), "condition"))
    return parts


def _description(
    answer: xr.Dataset, target: str, bands: np.ndarray, chances: Sequence[float]
) -> str:
    unit = answer["unit"].sel(target=target).item()
    if not np.isfinite(bands).all():
        return f"{target}, {unit}: no forecast is drawn."
    middle, low, high = (bands[chances.index(p)] for p in (0.5, min(chances), max(chances)))
    each = "; ".join(
        f"{answer['period'].values[h]}: {middle[h]:.2f} ({low[h]:.2f} to {high[h]:.2f})"
        for h in DESCRIBED
        if h < len(middle)
    )
    share = 100 * (max(chances) - min(chances))
    return f"{target}, {unit}. Median and {share:.0f} % band: {each}."
