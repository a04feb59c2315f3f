"""One panel of the picture as SVG: small enough to be made and shown anew at each step of a slider,
coloured by the page's style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from emulator.explorer.curves import Answer, Curve
from emulator.explorer.fit import FitData
from emulator.explorer.looks import MARKS, colour_of, mark_of
from emulator.spec import Observable
from emulator.worlds.figures import unit_in_words

LEFT, RIGHT, TOP, BOTTOM = 46, 8, 8, 22
"""Pixels around the plot, for the labels of the axes."""

SMALLEST, LARGEST = (120, 70), (2000, 1200)
"""Pixels: width and height that a page may ask for."""

MARKED = 8
"""Marks a curve."""

DESCRIBED = (0, 4, 8)
"""Periods that the picture's description names."""


@dataclass(frozen=True)
class Frame:
    """Where values lie in the panel."""

    width: int
    height: int
    last: int
    low: float
    high: float

    def x(self, period: float) -> float:
        return LEFT + (self.width - LEFT - RIGHT) * period / max(self.last, 1)

    def y(self, value: float) -> float:
        return TOP + (self.height - TOP - BOTTOM) * (self.high - value) / (self.high - self.low)

    def line(self, values: np.ndarray) -> str:
        return "L".join(f"{self.x(h):.1f} {self.y(v):.1f}" for h, v in enumerate(values))


def panel(answer: Answer, observable: Observable, width: int, height: int) -> Markup:
    """An observable's responses: data, bands, lines, marks, axes, and a description for those who
    do not see it.
    """
    drawn = [curve for curve in answer.curves if curve.line(observable) is not None]
    last = answer.state.horizon
    data = None if answer.fit is None else answer.fit.of(observable)
    frame = _frame(drawn, data, observable, last, width, height)
    shapes = [
        _grid(frame),
        "" if data is None else _data(frame, data),
        *(_band(frame, curve, observable) for curve in drawn),
        *(_line(frame, curve, observable) for curve in drawn),
    ]
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        frame.width,
        frame.height,
        _description(drawn, observable, answer.spec.frequency, last),
        Markup("".join(shapes)),
    )


def _frame(
    curves: Sequence[Curve],
    data: FitData | None,
    observable: Observable,
    last: int,
    width: int,
    height: int,
) -> Frame:
    """Axes that hold every line and band, and zero."""
    lines = [curve.line(observable) for curve in curves]
    ends = [end for curve in curves for end in curve.band_of(observable) or ()]
    if data is not None:
        ends += [data.lower[: last + 1], data.upper[: last + 1]]
    known = np.concatenate([[0.0], *(line for line in lines if line is not None), *ends])
    low = float(np.nanmin(known))
    high = float(np.nanmax(known))
    if high - low < 1e-9:
        low -= 1.0
        high += 1.0
    margin = 0.04 * (high - low)
    wide, tall = (
        min(max(size, least), most)
        for size, least, most in zip((width, height), SMALLEST, LARGEST, strict=True)
    )
    return Frame(wide, tall, last, low - margin, high + margin)


def _grid(frame: Frame) -> str:
    parts = []
    for value in _ticks(frame.low, frame.high, max(2, frame.height // 45)):
        y = frame.y(value)
        kind = "zero" if abs(value) < 1e-12 else "grid"
        parts.append(
            f'<path class="{kind}" d="M{LEFT} {y:.1f}H{frame.width - RIGHT}"/><text x="{LEFT - 5}"'
            f' y="{y + 3.5:.1f}" text-anchor="end">{value:.6g}</text>'
        )
    for period in _ticks(0, max(frame.last, 1), max(2, frame.width // 60), whole=True):
        x = frame.x(period)
        parts.append(
            f'<text x="{x:.1f}" y="{frame.height - 6}" text-anchor="middle">{period:g}</text>'
        )
    return "".join(parts)


def _ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    ticks = MaxNLocator(most, steps=[1, 2, 4, 5, 10], integer=whole).tick_values(low, high)
    return [
        0.0 if abs(value) < 1e-12 * (high - low) else float(value)
        for value in ticks
        if low <= value <= high
    ]


def _data(frame: Frame, data: FitData) -> str:
    """The data's responses as points, within their interval."""
    lower, upper, irf = (part[: frame.last + 1] for part in (data.lower, data.upper, data.irf))
    points = "".join(
        f"M{frame.x(h):.1f} {frame.y(irf[h]):.1f}{MARKS[0][2]}"
        for h in np.flatnonzero(np.isfinite(irf)).tolist()
    )
    return _area(frame, lower, upper, "band plain") + (
        f'<path class="mark plain" d="{points}"/>' if points else ""
    )


def _band(frame: Frame, curve: Curve, observable: Observable) -> str:
    band = curve.band_of(observable)
    return "" if band is None else _area(frame, *band, f"band c{colour_of(curve.place)}")


def _area(frame: Frame, lower: np.ndarray, upper: np.ndarray, kind: str) -> str:
    known = np.flatnonzero(np.isfinite(lower) & np.isfinite(upper)).tolist()
    if not known:
        return ""
    there = [f"{frame.x(h):.1f} {frame.y(upper[h]):.1f}" for h in known]
    back = [f"{frame.x(h):.1f} {frame.y(lower[h]):.1f}" for h in known[::-1]]
    return f'<path class="{kind}" d="M{"L".join(there + back)}Z"/>'


def _line(frame: Frame, curve: Curve, observable: Observable) -> str:
    values = curve.line(observable)
    if values is None:
        return ""
    kind = f"c{colour_of(curve.place)}"
    line = (
        f'<path class="line {kind}{" dashed" if curve.dashed else ""}" d="M{frame.line(values)}"/>'
    )
    if curve.dashed:
        return line
    mark = MARKS[mark_of(curve.place)][2]
    marked = range(0, frame.last + 1, max(1, -(-frame.last // MARKED)))
    points = "".join(f"M{frame.x(h):.1f} {frame.y(values[h]):.1f}{mark}" for h in marked)
    return line + f'<path class="mark {kind}" d="{points}"/>'


def _description(curves: Sequence[Curve], observable: Observable, frequency: str, last: int) -> str:
    described = [h for h in DESCRIBED if h <= last]
    responses = []
    for curve in curves:
        line = curve.line(observable)
        if line is not None:
            values = ", ".join(f"{line[h]:+.3f} in {frequency} {h}" for h in described)
            responses.append(f"{curve.name}: {values}")
    about = f"{observable.name}, {unit_in_words(observable.unit)}. "
    return about + ("; ".join(responses) or "No response is drawn") + "."
