"""What pictures over data share: frames whose periods are dates, grids, areas and the numbers that
the page reads off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import escape

from emulator.explorer.panel import BOTTOM, LARGEST, LEFT, RIGHT, SMALLEST, Frame, Limits, ticks

YEARS = (1, 2, 5, 10, 20, 50)
"""Between two dates that are written out."""

ROUNDED = 30
"""Steps to which the ends of an axis are rounded, of three times its length."""

DIGITS = 3
"""Decimals of a number that is read off."""

APART = 62
"""Pixels between two dates that are written out, at least."""


def framed(
    values: Iterable[np.ndarray],
    periods: int,
    width: int,
    height: int,
    *,
    zero: bool = False,
    held: Limits | None = None,
) -> Frame:
    """A frame that holds all finite values; zero: and zero. Its ends are round, so that it stays
    where a value moves a little; held: those to keep as long as everything lies within them.
    """
    known = np.concatenate([np.ravel(np.asarray(part, dtype=np.float64)) for part in values])
    known = np.concatenate([known[np.isfinite(known)], [0.0] if zero else []])
    low, high = (known.min(), known.max()) if len(known) else (-1.0, 1.0)
    if high - low < 1e-9:
        low, high = low - 1.0, high + 1.0
    low, high = _round_ends(low, high) if held is None else _kept(low, high, held)
    wide, tall = (
        min(max(size, least), most)
        for size, least, most in zip((width, height), SMALLEST, LARGEST, strict=True)
    )
    return Frame(wide, tall, periods - 1, float(low), float(high))


def _round_ends(low: float, high: float) -> Limits:
    lines = ticks(low - (high - low), high + (high - low), ROUNDED)
    step = lines[1] - lines[0]
    ends = (step * np.floor(low / step - 0.05), step * np.ceil(high / step + 0.05))
    return float(f"{ends[0]:.10g}"), float(f"{ends[1]:.10g}")


def _kept(low: float, high: float, held: Limits) -> Limits:
    """The limits that are held, wider ones where something lies beyond them."""
    if held[0] <= low and high <= held[1]:
        return held
    wide = _round_ends(low, high)
    return min(held[0], wide[0]), max(held[1], wide[1])


def grid(frame: Frame, labels: Sequence[str]) -> str:
    """Lines at round values, and dates along the axis."""
    parts = []
    for value in ticks(frame.low, frame.high, max(2, frame.height // 45)):
        y = frame.y(value)
        kind = "zero" if abs(value) < 1e-12 else "grid"
        parts.append(
            f'<path class="{kind}" d="M{LEFT} {y:.1f}H{frame.width - RIGHT}"/><text x="{LEFT - 5}"'
            f' y="{y + 3.5:.1f}" text-anchor="end">{value:.6g}</text>'
        )
    for place, text in dates(labels, max(2, (frame.width - LEFT) // APART)):
        x = min(max(frame.x(place), LEFT + 12), frame.width - RIGHT - 16)
        parts.append(
            f'<path class="tick" d="M{frame.x(place):.1f} {frame.height - BOTTOM}v4"/>'
            f'<text x="{x:.1f}" y="{frame.height - 6}" text-anchor="middle">{escape(text)}</text>'
        )
    return "".join(parts)


def dates(labels: Sequence[str], most: int) -> list[tuple[int, str]]:
    """Which periods are written out, and how: first periods of round years, else some in full."""
    years = [label[:4] for label in labels]
    starts = [k for k in range(1, len(labels)) if years[k] != years[k - 1]]
    if labels and labels[0][4:] in ("", "Q1", "M01"):
        starts.insert(0, 0)
    for step in YEARS:
        chosen = [k for k in starts if int(years[k]) % step == 0]
        if 2 <= len(chosen) <= most:
            return [(k, years[k]) for k in chosen]
    places = np.unique(np.linspace(0, len(labels) - 1, min(most, len(labels), 5)).astype(int))
    return [(int(k), labels[k]) for k in places]


def line(frame: Frame, values: np.ndarray, kind: str, first: int = 0) -> str:
    """A line through finite values, from a period on; broken where there is none."""
    pieces: list[str] = []
    drawing = False
    for k, value in enumerate(values.tolist(), start=first):
        if np.isfinite(value):
            pieces.append(f"{'L' if drawing else 'M'}{frame.x(k):.1f} {frame.y(value):.1f}")
        drawing = bool(np.isfinite(value))
    return f'<path class="{kind}" d="{"".join(pieces)}"/>' if pieces else ""


def read_off(
    label: str,
    values: np.ndarray,
    kind: str = "line plain",
    band: tuple[np.ndarray, np.ndarray] | None = None,
) -> str:
    """Numbers that the page reads off under the mouse, with the ends of their band where they have
    one, without a shape of their own.
    """
    parts = {"values": values} | (
        {} if band is None else dict(zip(("lower", "upper"), band, strict=True))
    )
    numbers = "".join(
        f' data-{name}="{" ".join(f"{value:.{DIGITS}f}" for value in part.tolist())}"'
        for name, part in parts.items()
    )
    return f'<path class="{kind}" data-label="{escape(label)}"{numbers}/>'


def svg(frame: Frame, name: str, description: str, shapes: Iterable[str], extra: str = "") -> str:
    """The picture of a panel, with what the page asks of it."""
    return (
        f'<svg viewBox="0 0 {frame.width} {frame.height}" role="img"'
        f' aria-label="{escape(description)}" data-name="{escape(name)}"'
        f' data-low="{frame.low!r}" data-high="{frame.high!r}" data-last="{frame.last}"{extra}>'
        f"{''.join(shapes)}</svg>"
    )
