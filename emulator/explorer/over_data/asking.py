"""From a state of the page to an answer over data: who answers, what is observed how, and what a
reader should know before believing it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from emulator.console import number
from emulator.errors import EmulatorError, ParameterError, unknown_name
from emulator.explorer.curves import beyond_sliders, in_words
from emulator.explorer.economies import Economies
from emulator.explorer.over_data import questions
from emulator.explorer.state import Scenario, State
from emulator.explorer.uploads import Upload
from emulator.explorer.views import MOST_SERIES
from emulator.explorer.wording import on_the_page
from emulator.inference.economy import Economy
from emulator.series import TimeSeries, read_data
from emulator.spec import Status, WorldSpec

AT_ONCE = 0.25
"""Seconds: an answer that took no longer is given while a slider moves."""

NO_HISTORY = (
    "its series have no distribution before the data, as with a unit root. Choose 'levels unknown"
    " (unit roots)' under 'Before the data'. Nothing is drawn."
)

ASKS = {"history": "decompose", "forecast": "forecast"}
"""The method of an economy that answers a view."""


@dataclass
class OverData:
    """An answer of `Economy.decompose` or `Economy.forecast` at the live values, None where there
    is none; complete: nothing is left to be answered while the page rests.

    equations: how each series of the data is observed, empty where it is not; usual: how it is
    unless something is said.
    """

    state: State
    spec: WorldSpec
    series: TimeSeries | None = None
    usual: dict[str, str] = field(default_factory=dict)
    equations: dict[str, str] = field(default_factory=dict)
    answer: xr.Dataset | None = None
    notes: list[str] = field(default_factory=list)
    complete: bool = True

    @property
    def targets(self) -> list[str]:
        """The series that are answered."""
        return [] if self.answer is None else [str(t) for t in self.answer["target"].values]


def ask(
    state: State,
    economies: Economies,
    patient: bool = True,
    gone: Callable[[], bool] = lambda: False,
) -> OverData:
    """The answer that a state asks for; where there is none a note says why.

    patient: wait for it, unless whoever asks is `gone`; otherwise it may be incomplete.
    """
    world, view = state.live.world, state.view
    shown = OverData(state, economies.spec(world))
    try:
        shown.series = economies.tables.series(view.data)
        start = _observing(shown, economies, gone)
        if start is None:
            shown.complete = False
            return shown
        shown.usual = start["equations"]
        shown.equations = {**shown.usual, **dict(view.equations)}
        if start["why_none"] and not any(text.strip() for text in shown.equations.values()):
            raise EmulatorError(start["why_none"])
        if start["left"] and not view.equations:
            shown.notes.append(
                f"{world}: it has {shown.spec.n_shocks} shocks, and is held to as many series:"
                f" {', '.join(shown.usual)}. Others ({', '.join(start['left'])}) need an error of"
                " measurement."
            )
        shown.answer = _answer(shown, economies, patient, gone)
        shown.complete = shown.answer is not None
    except EmulatorError as error:
        shown.notes.append(f"{world}: {on_the_page(error)}")
    if shown.answer is not None:
        _note_method(shown, economies)
    return shown


def who(world: str, economies: Economies) -> Economy | Upload:
    """Who answers over data: a solver with a state space, else the network that knows the world.

    Raises `UnknownNameError`.
    """
    solver = economies.solver(world)
    if isinstance(solver, Upload) or solver.answerer.has_state_space:
        return solver
    if economies.network is not None and economies.emulated(world):
        return economies.network[world]
    return solver


def _observing(
    shown: OverData, economies: Economies, gone: Callable[[], bool]
) -> dict[str, Any] | None:
    """See `questions.observing`; None where whoever asks has gone. It is waited for, as the fields
    of the page begin with it.
    """
    world, data = shown.state.live.world, shown.series
    assert data is not None
    asked = who(world, economies)
    if not isinstance(asked, Upload):
        return questions.observing(asked, data)
    question = {"ask": "observing", "data": questions.document_of(data)}
    answer: dict[str, Any] | None = economies.once(
        ("observing", world, shown.state.view.data),
        world,
        lambda: asked.over_data(question)["observing"],
        pace=f"data {world}",
        at_once=AT_ONCE,
        gone=gone,
    )
    return answer


def _answer(
    shown: OverData, economies: Economies, patient: bool, gone: Callable[[], bool]
) -> xr.Dataset | None:
    state, view, world = shown.state, shown.state.view, shown.state.live.world
    assert shown.series is not None
    data = _transformed(shown)
    question = question_of(shown)
    asked = who(world, economies)

    def compute() -> xr.Dataset:
        question["values"] = dict(state.live.values)
        if isinstance(asked, Upload):
            whole = {**question, "data": questions.document_of(data)}
            return xr.Dataset.from_dict(asked.over_data(whole)["answer"])
        return questions.answered(asked, question, data)

    exact = isinstance(asked, Upload) or asked.answerer.exact
    live = Scenario(world, "", "1", state.live.values)
    key = (view.kind, live, view, tuple(shown.equations.items()))
    answer: xr.Dataset | None = economies.once(
        key,
        world if exact else "network",
        compute,
        pace=f"data {world}",
        at_once=AT_ONCE,
        patient=patient,
        gone=gone,
    )
    return answer


def _transformed(shown: OverData) -> TimeSeries:
    """The data of the question, transformed over the whole sample and then cut."""
    view = shown.state.view
    series = shown.series
    assert series is not None
    for name, _ in (*view.equations, *view.errors, *view.transforms):
        series.column(name)
    return read_data(
        series,
        transform={name: text for name, text in view.transforms if text.strip()},
        sample=view.sample or None,
    )


def question_of(shown: OverData) -> dict[str, Any]:
    """The arguments of an economy's method, but values and data. Raises `ParameterError`."""
    view = shown.state.view
    observe = {name: text for name, text in shown.equations.items() if text.strip()}
    if not observe:
        raise ParameterError(
            "No series of the data is observed. Write the equation of one, such as"
            f" {shown.spec.observable_names[0]} + mean, beside it."
        )
    if len(observe) > MOST_SERIES:
        raise ParameterError(
            f"{len(observe)} series are observed; the explorer takes up to {MOST_SERIES}."
        )
    question: dict[str, Any] = {
        "ask": ASKS[view.kind],
        "observe": observe,
        "errors": {n: text for n, text in view.errors if text.strip() and n in observe},
        "start": view.start,
        "on_failure": "nan",
    }
    if view.kind == "forecast":
        paths = {name: list(path) for name, path in view.conditions}
        targets = conditionable(shown)
        for name in paths:
            if name not in targets:
                raise unknown_name("series or observable of the forecast", name, targets)
        beside = [targets[name] for name in paths if targets[name]]
        question |= {
            "horizon": view.ahead,
            "condition": paths,
            "by": list(view.by) if view.by and paths else None,
            "anticipated": view.announced and bool(paths),
            "observables": beside or None,
        }
    return question


def conditionable(shown: OverData) -> dict[str, str]:
    """What a forecast can be conditioned on: the series that are observed, then every observable of
    the world, each with the observable to follow beside the series, empty for a series.
    """
    series = [name for name, text in shown.equations.items() if text.strip()]
    observables = {
        f"{name} (observable)" if name in series else name: name
        for name in shown.spec.observable_names
    }
    return dict.fromkeys(series, "") | observables


def _note_method(shown: OverData, economies: Economies) -> None:
    """Add what a reader should know of an answer: who gave it, and why it is not drawn."""
    assert shown.answer is not None
    live = shown.state.live
    world = live.world
    asked = who(world, economies)
    exact = isinstance(asked, Upload) or asked.answerer.exact
    beyond = beyond_sliders(live, shown.spec, exact)
    shown.notes += [f"{world}: {words}" for words in beyond]
    values = shown.answer["contribution" if "contribution" in shown.answer else "mean"].values
    if not np.isfinite(values).all():
        status = int(asked.status(dict(live.values))[0])
        shown.notes.append(f"{world}: {NO_HISTORY if status == Status.OK else _why(status)}")
    elif "moving average" in str(shown.answer.attrs["method"]):
        shown.notes.append(
            f"{world}: a network answers, by the {shown.answer.attrs['method']}; shocks before the"
            " data count as what was before."
        )


def _why(status: int) -> str:
    return (
        f"there is no unique stable solution at these parameters ({in_words(status)}). Nothing is"
        " drawn."
    )


def rows(shown: OverData) -> tuple[list[str], list[list[str]]]:
    """The numbers as a table of text: a row a period, a column a number of each series."""
    answer = shown.answer
    if answer is None:
        return [shown.spec.frequency], []
    heads: list[str] = [shown.spec.frequency]
    columns = []
    for target in shown.targets:
        here = answer.sel(target=target)
        if "contribution" in answer:
            parts = here["contribution"].isel(draw=0)
            heads += [f"{target}, {part}" for part in answer["part"].values]
            columns += [parts.sel(part=part).values for part in answer["part"].values]
        else:
            heads += [f"{target}, {100 * p:g} %" for p in answer["probability"].values]
            columns += list(here["quantile"].transpose("probability", "period").values)
    return heads, [
        [str(period), *(number(column[k], "+.4f") for column in columns)]
        for k, period in enumerate(answer["period"].values)
    ]
