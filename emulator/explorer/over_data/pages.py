"""What the page shows of an answer over data: picture, notes, table and controls."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from flask import render_template
from markupsafe import Markup

from emulator.errors import EmulatorError
from emulator.explorer.economies import Economies
from emulator.explorer.looks import title
from emulator.explorer.over_data import bars, fan
from emulator.explorer.over_data.asking import OverData, ask, conditionable, rows
from emulator.explorer.panel import Limits, refuse_unknown
from emulator.explorer.state import State
from emulator.explorer.tables import BUNDLED
from emulator.explorer.views import LONGEST_AHEAD, STARTS
from emulator.inference.figures import in_words
from emulator.worlds.figures import unit_in_words

SHOCKS = "Shocks that meet the condition"


class Panel(NamedTuple):
    title: str
    unit: str
    drawing: Markup


class Sample(NamedTuple):
    """An entry of the legend: the shape that it shows, and its classes; part: the number of a part
    that can be looked at alone.
    """

    name: str
    shape: str
    kind: str
    part: int | None = None


def shown(
    state: State,
    economies: Economies,
    width: int,
    height: int,
    *,
    patient: bool = True,
    gone: Callable[[], bool] = lambda: False,
    held: Mapping[str, Limits] | None = None,
    before: State | None = None,
) -> dict[str, Any]:
    """What the templates of picture and notes take. held: axes to keep, by panel; before: what was
    shown before a move.

    Raises `UnknownNameError` for an axis of what cannot be shown.
    """
    answer = ask(state, economies, patient, gone)
    limits = held or {}
    if answer.equations:
        refuse_unknown(limits, [*conditionable(answer), bars.SHOCKS])
    if answer.answer is None:
        heading = "Nothing is drawn" + ("" if answer.notes else " yet")
        drawn: dict[str, Any] = {"heading": heading, "panels": [], "legend": [], "labels": []}
    elif state.view.kind == "history":
        drawn = _history(answer, width, height, limits)
    else:
        old = None if before is None else ask(before, economies, patient=False).answer
        drawn = _forecast(answer, width, height, limits, old)
    return {"answer": answer, "state": state, **drawn}


def _history(
    shown: OverData, width: int, height: int, held: Mapping[str, Limits]
) -> dict[str, Any]:
    answer = shown.answer
    assert answer is not None
    parts = bars.parts_of(answer)
    legend = [
        Sample(bars.name_of(part), "bar", bars.kind_of(part, answer), k)
        for k, part in enumerate(parts)
    ]
    return {
        "heading": f"What moved the series, {answer.attrs['sample'].replace(':', ' to ')}",
        "panels": [
            Panel(title(t), _unit(answer, t), bars.panel(answer, t, width, height, held.get(t)))
            for t in shown.targets
        ],
        "legend": [Sample("data, around their level", "line", "line around"), *legend],
        "labels": [str(period) for period in answer["period"].values],
    }


def _forecast(
    shown: OverData, width: int, height: int, held: Mapping[str, Limits], before: Any
) -> dict[str, Any]:
    """before: the answer before a move, whose medians are drawn behind, or None."""
    answer = shown.answer
    assert answer is not None
    if before is not None and before.sizes["period"] != answer.sizes["period"]:
        before = None
    conditions = dict(shown.state.view.conditions)
    labels = fan.labels_of(answer)
    panels = []
    for target in shown.targets:
        drawing = fan.panel(
            answer,
            target,
            conditions,
            width,
            height,
            held=held.get(target),
            ghost=None if before is None else fan.median_of(before, target),
        )
        panels.append(Panel(title(target), _unit(answer, target), drawing))
    legend = [
        Sample("data", "line", "line plain"),
        Sample("median", "line", "line c0"),
        Sample("68 and 90 % bands", "bar", "band c0"),
        *([] if before is None else [Sample("before this move", "line", "ghost")]),
    ]
    heading = f"Forecast from {answer['period'].values[0]} on"
    if "conditions" in answer.attrs:
        heading += f", condition {answer.attrs['conditions']}"
        legend.append(Sample("condition", "point", "condition"))
        drawing = bars.shocks_panel(answer, labels, width, height, held.get(bars.SHOCKS))
        panels.append(Panel(SHOCKS, "standard deviations", drawing))
        names = [str(name) for name in answer["shock"].values]
        path = answer["shock_path"].values
        legend += [
            Sample(in_words(name), "bar", bars.kind_of(name, answer))
            for k, name in enumerate(names)
            if abs(path[..., k]).max() > 0
        ]
    return {"heading": heading, "panels": panels, "legend": legend, "labels": labels}


def _unit(answer: Any, target: str) -> str:
    return str(unit_in_words(str(answer["unit"].sel(target=target).item())))


def table(answer: OverData) -> str:
    heads, lines = rows(answer)
    return render_template("table.html", heads=heads, lines=lines)


def controls(state: State, economies: Economies) -> dict[str, Any]:
    """What the controls of a view are made of; a lack of data is told with its picture."""
    view = state.view
    names = _with(view.data, _with(view.over, [BUNDLED, *economies.tables.data.names]))
    posteriors = economies.tables.posteriors.names
    fields: dict[str, Any] = {
        "posterior_names": _with(view.posterior, posteriors),
        "at_mean": _at_mean(state, economies) if view.posterior in posteriors else "",
        "data_names": names,
        "starts": STARTS,
        "longest_ahead": LONGEST_AHEAD,
        "series": [],
    }
    if view.kind == "responses":
        return fields
    answer = ask(state, economies, patient=False)
    data = answer.series
    if data is None:
        return fields
    said = {what: dict(getattr(view, what)) for what in ("equations", "errors", "transforms")}
    fields["sample"] = data.sample
    fields["series"] = [
        {
            "name": name,
            "unit": unit_in_words(unit),
            "usual": answer.usual.get(name, ""),
            "equation": said["equations"].get(name, answer.usual.get(name, "")),
            "error": said["errors"].get(name, ""),
            "transform": said["transforms"].get(name, ""),
        }
        for name, unit in zip(data.names, data.units, strict=True)
    ]
    if view.kind == "forecast":
        fields |= _condition_fields(state, answer)
    return fields


def _with(name: str, names: Sequence[str]) -> list[str]:
    """The names, and one more where it is chosen and not among them."""
    return [*names, name] if name and name not in names else [*names]


def _at_mean(state: State, economies: Economies) -> str:
    """The address of this state with the sliders at the posterior's mean; empty where the draws are
    not of the live world.
    """
    posterior = economies.tables.posteriors.get(state.view.posterior)
    spec = economies.spec(state.live.world)
    if not posterior.fits(state.live.world, spec):
        return ""
    mean = posterior.mean()
    values = tuple((p.name, mean[p.name]) for p in spec.parameters if p.name in mean)
    return replace(state, live=replace(state.live, values=values)).query()


def _condition_fields(state: State, answer: OverData) -> dict[str, Any]:
    """The targets that a condition can be about, the periods ahead, and the path that is shown."""
    view, data = state.view, answer.series
    assert data is not None
    targets = list(conditionable(answer))
    usual = "rate" if "rate" in targets else targets[0]
    chosen = view.conditions[-1][0] if view.conditions else usual
    path = dict(view.conditions).get(chosen, ())
    try:
        labels = (data.window(view.sample) if view.sample else data).labels_after(view.ahead)
    except EmulatorError:  # which the picture says
        labels = data.labels_after(view.ahead)
    values = [path[k] if k < len(path) else math.nan for k in range(view.ahead)]
    return {
        "targets": targets,
        "chosen": chosen,
        "path": [
            (label, "" if math.isnan(value) else f"{value:g}")
            for label, value in zip(labels, values, strict=True)
        ],
    }
