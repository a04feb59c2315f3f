"""The picture that a reader takes away, as PNG or SVG: panels with lines and bands, and, so that it
can stand alone, its title, its parameters, and what is to be said of it.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from typing import Any

from emulator.console import number
from emulator.explorer.curves import Answer, Curve
from emulator.explorer.fit import FitData
from emulator.explorer.looks import CURVES, MARKS, colour_of, mark_of
from emulator.explorer.state import MOST_SHOWN, Scenario
from emulator.spec import Observable, WorldSpec
from emulator.version import __version__
from emulator.worlds.figures import label, panel_figure, periods

PICTURES = {"png": "image/png", "svg": "image/svg+xml"}
"""Kinds of a picture, and what a browser calls them."""

BAND = "90 % band of the network"

SMALL, LETTERS_AN_INCH = 6.5, 19
"""Points, and letters on a line, of the small text below the panels."""

LINE = 1.35 * SMALL / 72
"""Inches from one line of it to the next."""

ABREAST, ROW = 3, 0.22
"""Entries of the legend side by side, and inches of one row of them."""

MOST_NOTES = 3
"""Notes below a picture."""

MADE_BY = f"universal-macro-emulator {__version__}, emulator explore"
"""What made a picture."""


def picture(answer: Answer, kind: str = "png", shown_alone: bool = False) -> bytes:
    """The picture, on white: every observable of the world, or those that the page draws
    (`shown_alone`, or where there are more than `MOST_SHOWN`).
    """
    whole = answer.spec.observables
    observables = answer.shown if shown_alone or len(whole) > MOST_SHOWN else whole
    figure, axes = panel_figure(len(observables))
    for axis, observable in zip(axes, observables, strict=True):
        _panel(axis, answer, observable)
    figure.suptitle(title_of(answer), fontsize=10, parse_math=False)
    below(figure, axes, said_below(answer))
    stream = io.BytesIO()
    metadata = {"Title": title_of(answer)} | ({"Date": None} if kind == "svg" else {})
    figure.savefig(stream, format=kind, dpi=150, metadata=metadata)
    return stream.getvalue()


def below(figure: Any, axes: list[Any], texts: list[str]) -> None:
    """Make the figure taller, for its legend and for texts in small letters below it."""
    width, height = figure.get_size_inches()
    letters = round(LETTERS_AN_INCH * width)
    below = "\n".join(textwrap.fill(text, letters) for text in texts)
    depth = LINE * (below.count("\n") + 2)
    whole = height + depth
    figure.set_size_inches(width, whole)
    figure.text(
        0.01, (depth - LINE) / whole, below, fontsize=SMALL, va="top", ha="left", parse_math=False
    )
    rows = _legend(figure, axes, depth / whole)
    bottom = (depth + ROW * rows) / whole
    figure.get_layout_engine().set(rect=(0.0, bottom, 1.0, 1.0 - bottom))


def title_of(answer: Answer) -> str:
    """The world, the shock and its size."""
    order = f", {answer.order}" if answer.order else ""
    shock = answer.state.live.shock.replace("_", " ")
    return f"{answer.spec.title}\n{shock} shock, {answer.size}{order}"


def said_below(answer: Answer) -> list[str]:
    """The parameters of every scenario, notes, and what made the picture, a text each."""
    state = answer.state
    texts = [parameters_in_words(state.live, answer.spec)]
    texts += [
        f"{state.label(scenario)}: {_changed(scenario) or 'all parameters at their defaults'}."
        for place, scenario in state.scenarios().items()
        if place > 0
    ]
    texts += notes_in_words(answer.notes)
    return [*texts, MADE_BY]


def notes_in_words(notes: Sequence[str]) -> list[str]:
    """The first notes, and how many more there are."""
    more = len(notes) - MOST_NOTES
    texts = [f"Note: {note}" for note in notes[:MOST_NOTES]]
    return texts + ([f"And {more} more notes."] if more > 0 else [])


def _changed(scenario: Scenario) -> str:
    return ", ".join(f"{name} = {number(value, '.6g')}" for name, value in scenario.values)


def parameters_in_words(live: Scenario, spec: WorldSpec) -> str:
    """Every parameter of the live scenario: those that were changed, then the others."""
    changed = dict(live.values)
    rest = ", ".join(
        f"{p.name} = {number(p.default, '.6g')}" for p in spec.parameters if p.name not in changed
    )
    first = f"{_changed(live)}; at their defaults " if changed else "parameters at their defaults: "
    return f"{live.world}: {first}{rest}."


def _legend(figure: Any, axes: list[Any], bottom: float) -> int:
    """What the lines and areas are, each once, above `bottom` (share of the height); its rows."""
    entries: dict[str, Any] = {}
    for axis in axes:
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(name, handle)
    if not entries:
        return 0
    legend = figure.legend(
        list(entries.values()),
        list(entries),
        loc="lower center",
        bbox_to_anchor=(0.5, bottom),
        ncols=min(len(entries), ABREAST),
        fontsize=8,
        frameon=False,
        borderaxespad=0.0,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    return math.ceil(len(entries) / ABREAST)


def _panel(axis: Any, answer: Answer, observable: Observable) -> None:
    label(axis, observable.name, observable.unit)
    periods(axis, f"{answer.spec.periods} after impact")
    for text in (axis.title, axis.yaxis.label):
        text.set_parse_math(False)  # a unit is free text
    data = None if answer.fit is None else answer.fit.of(observable)
    if answer.fit is not None and data is not None:
        _draw_data(axis, data, answer.state.horizon, f"data: {answer.fit.name}")
    for curve in answer.curves:
        _draw(axis, curve, observable)


def _draw(axis: Any, curve: Curve, observable: Observable) -> None:
    line = curve.line(observable)
    if line is None:
        return
    colour = CURVES["light"][colour_of(curve.place)]
    horizon = curve.data["horizon"].values
    band = curve.band_of(observable)
    if band is not None:
        axis.fill_between(
            horizon,
            *band,
            color=colour,
            alpha=0.2,
            linewidth=0,
            label="what the method of solution errs by" if curve.exact else BAND,
        )
    mark = None if curve.dashed else MARKS[mark_of(curve.place)][1]
    axis.plot(
        horizon,
        line,
        color=colour,
        linestyle="--" if curve.dashed else "-",
        marker=mark,
        markersize=4,
        markevery=4,
        label=curve.name,
    )


def _draw_data(axis: Any, data: FitData, last: int, name: str) -> None:
    lower, upper, irf = (part[: last + 1] for part in (data.lower, data.upper, data.irf))
    axis.fill_between(range(len(irf)), lower, upper, color="black", alpha=0.15, linewidth=0)
    axis.plot(
        range(len(irf)),
        irf,
        color="black",
        linestyle="none",
        marker="o",
        markersize=3,
        label=name,
    )
