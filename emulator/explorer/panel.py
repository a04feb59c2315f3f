"""One panel of the picture as SVG: small enough to be made and shown anew at each step of a slider,
coloured by the page's style.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from matplotlib.ticker import MaxNLocator

from emulator.errors import ParameterError, unknown_name
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

MOST_TICKS = 10
"""On each axis, however large a panel is."""

DESCRIBED = (0, 4, 8)
"""Periods that the picture's description names."""


Limits = tuple[float, float]
"""Lower and upper end of a panel's values."""


def held_limits(texts: Iterable[str]) -> dict[str, Limits]:
    """The axes that a page holds while a slider is moved, of texts `observable:low:high`.

    Raises `ParameterError` for a text that is not one.
    """
    limits = {}
    for text in texts:
        name, *ends = text.rsplit(":", 2)
        try:
            low, high = map(float, ends)
        except ValueError:
            low, high = math.nan, math.nan
        if not (low < high and math.isfinite(high - low)):
            raise ParameterError(
                f"The axis to be held is '{text[:60]}'; expected observable:low:high, such as"
                " output:-1:0.5."
            )
        limits[name] = (low, high)
    return limits


def refuse_unknown(held: Mapping[str, Limits], known: Iterable[str]) -> None:
    """Raise `UnknownNameError` for an axis of what no panel shows."""
    names = list(known)
    for name in held:
        if name not in names:
            raise unknown_name("panel whose axis is to be held", name[:60], names)


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


def panel(
    answer: Answer,
    observable: Observable,
    width: int,
    height: int,
    held: Limits | None = None,
) -> Markup:
    """An observable's responses: data, bands, lines, marks, axes, and a description for those who
    do not see it.

    held: limits to keep as long as everything lies within them. The attributes of the SVG and of
    its lines say the limits and the numbers, for the page's read-out.
    """
    drawn = [curve for curve in answer.curves if curve.line(observable) is not None]
    last = answer.state.horizon
    data = None if answer.fit is None else answer.fit.of(observable)
    ghost = answer.ghost
    shadows = [ghost] if ghost is not None and ghost.line(observable) is not None else []
    size = tuple(
        min(max(side, least), most)
        for side, least, most in zip((width, height), SMALLEST, LARGEST, strict=True)
    )
    low, high = _limits([*drawn, *shadows], data, observable, last, held)
    frame = Frame(size[0], size[1], last, low, high)
    shapes = [
        _grid(frame),
        "" if data is None else _data(frame, data, f"data: {answer.fit.name}"),  # type: ignore[union-attr]  # of the fit
        *(_band(frame, curve, observable) for curve in drawn),
        *(_ghost(frame, curve, observable) for curve in shadows),
        *(_line(frame, curve, observable) for curve in drawn),
    ]
    return Markup(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" data-name="{}" data-low="{!r}"'
        ' data-high="{!r}" data-last="{}">{}</svg>'
    ).format(
        frame.width,
        frame.height,
        _description(drawn, observable, answer.spec.frequency, last),
        observable.name,
        frame.low,
        frame.high,
        last,
        Markup("".join(shapes)),
    )


def _limits(
    curves: Sequence[Curve],
    data: FitData | None,
    observable: Observable,
    last: int,
    held: Limits | None,
) -> Limits:
    """Limits that hold every line and band, and zero; those that are held where they do, wider
    ones where they do not.
    """
    lines = [curve.line(observable) for curve in curves]
    ends = [end for curve in curves for end in curve.band_of(observable) or ()]
    if data is not None:
        ends += [data.lower[: last + 1], data.upper[: last + 1]]
    known = np.concatenate([[0.0], *(line for line in lines if line is not None), *ends])
    low = float(np.nanmin(known))
    high = float(np.nanmax(known))
    if held is not None and held[0] <= low and high <= held[1]:
        return held
    if high - low < 1e-9:
        low -= 1.0
        high += 1.0
    margin = 0.04 * (high - low)
    first, final = held or (low, high)
    return min(low - margin, first), max(high + margin, final)


def _grid(frame: Frame) -> str:
    parts = []
    for value in ticks(frame.low, frame.high, min(max(2, frame.height // 45), MOST_TICKS)):
        y = frame.y(value)
        kind = "zero" if abs(value) < 1e-12 else "grid"
        parts.append(
            f'<path class="{kind}" d="M{LEFT} {y:.1f}H{frame.width - RIGHT}"/><text x="{LEFT - 5}"'
            f' y="{y + 3.5:.1f}" text-anchor="end">{value:.6g}</text>'
        )
    for period in ticks(
        0, max(frame.last, 1), min(max(2, frame.width // 60), MOST_TICKS), whole=True
    ):
        x = frame.x(period)
        parts.append(
            f'<text x="{x:.1f}" y="{frame.height - 6}" text-anchor="middle">{period:g}</text>'
        )
    return "".join(parts)


def ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    places = MaxNLocator(most, steps=[1, 2, 4, 5, 10], integer=whole).tick_values(low, high)
    return [
        0.0 if abs(value) < 1e-12 * (high - low) else float(value)
        for value in places
        if low <= value <= high
    ]


def _numbers(name: str, values: np.ndarray) -> str:
    """An attribute that holds the numbers of a line."""
    return f' data-{name}="{" ".join(f"{value:.5g}" for value in values)}"'


def _said(curve: Curve, observable: Observable) -> str:
    """What a line's attributes say: whose it is, its numbers, and those of its band."""
    line = curve.line(observable)
    band = curve.band_of(observable)
    ends = () if band is None else zip(("lower", "upper"), band, strict=True)
    return (
        f' data-label="{escape(curve.name)}"'
        + ("" if line is None else _numbers("values", line))
        + "".join(_numbers(name, end) for name, end in ends)
    )


def _ghost(frame: Frame, curve: Curve, observable: Observable) -> str:
    line = curve.line(observable)
    if line is None:
        return ""
    return f'<path class="ghost" d="M{frame.line(line)}"{_said(curve, observable)}/>'


def _data(frame: Frame, data: FitData, name: str) -> str:
    """The data's responses as points, within their interval."""
    lower, upper, irf = (part[: frame.last + 1] for part in (data.lower, data.upper, data.irf))
    points = "".join(
        f"M{frame.x(h):.1f} {frame.y(irf[h]):.1f}{MARKS[0][2]}"
        for h in np.flatnonzero(np.isfinite(irf)).tolist()
    )
    return _area(frame, lower, upper, "band plain") + (
        f'<path class="mark plain" d="{points}" data-label="{escape(name)}"'
        f"{_numbers('values', irf)}{_numbers('lower', lower)}{_numbers('upper', upper)}/>"
        if points
        else ""
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
        f'<path class="line {kind}{" dashed" if curve.dashed else ""}" d="M{frame.line(values)}"'
        f"{_said(curve, observable)}/>"
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
