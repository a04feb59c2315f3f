"""The picture's address: /picture draws a state anew, in the size that the page has room for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.datastructures import MultiDict

from emulator.errors import ParameterError, nearest
from emulator.explorer.curves import Answer, ask, rows
from emulator.explorer.economies import Economies
from emulator.explorer.over_data import overlay
from emulator.explorer.over_data import pages as over_data
from emulator.explorer.panel import Limits, held_limits, panel, refuse_unknown
from emulator.explorer.state import Scenario, SpecOf, State

PLOT = (420, 240)
"""Width and height of a panel in pixels, until the page says how large its panels are."""


FIELDS = ("state", "ghost", "hold", "patient", "w", "h", "table")
"""Of the picture's address: what to show, what was shown before a slider was moved, the axes to
keep, whether slow answers are waited for, the size of a panel, whether the numbers are wanted too.
"""


@dataclass(frozen=True)
class Wanted:
    """A question for a picture. held: axes to keep, by what a panel shows; before: the state before
    a slider was moved, of the same world and view.
    """

    state: State
    width: int
    height: int
    patient: bool
    table: bool
    held: Mapping[str, Limits]
    before: State | None

    @classmethod
    def read(cls, fields: MultiDict[str, str], spec_of: SpecOf) -> Wanted:
        """Raises `UnknownNameError`, `ParameterError`."""
        unknown = next((name for name in fields if name not in FIELDS), None)
        if unknown is not None:
            raise ParameterError(
                f"The picture's address has an unknown field '{unknown[:60]}'."
                f" {nearest(unknown[:60], FIELDS)}"
            )
        state = State.read(fields.get("state", ""), spec_of)
        ghost = fields.get("ghost", "")
        return cls(
            state=state,
            width=fields.get("w", PLOT[0], type=int) or PLOT[0],
            height=fields.get("h", PLOT[1], type=int) or PLOT[1],
            patient=fields.get("patient") == "1",
            table=fields.get("table") == "1",
            held=held_limits(fields.getlist("hold")),
            before=_before(State.read(ghost, spec_of), state) if ghost else None,
        )


def _before(before: State, now: State) -> State:
    if (before.live.world, before.view.kind) != (now.live.world, now.view.kind):
        raise ParameterError(
            f"The ghost is about {before.view.kind} of world '{before.live.world}'; expected"
            f" {now.view.kind} of '{now.live.world}', which is shown."
        )
    return before


def add_picture(app: Flask, economies: Economies) -> None:
    """Add the picture's address."""

    @app.get("/picture")
    def picture() -> Response:
        wanted = Wanted.read(request.args, economies.spec)
        view = _responses if wanted.state.view.kind == "responses" else _over_data
        return view(wanted, economies)


def _responses(wanted: Wanted, economies: Economies) -> Response:
    """The picture of responses."""
    state, before = wanted.state, wanted.before
    refuse_unknown(wanted.held, economies.spec(state.live.world).observable_names)
    answer = ask(
        state,
        economies,
        patient=wanted.patient,
        gone=_gone(),
        ghost=before.live if before is not None else None,
    )
    overlay.add(answer, economies, wanted.patient, _gone())
    shown = drawn(answer, wanted.width, wanted.height, wanted.held)
    return jsonify(
        picture=render_template("picture.html", **shown),
        notes=render_template("notes.html", **shown),
        table=render_template("table.html", **_table(answer)) if wanted.table else "",
        complete=answer.complete,
        live=state.live.text,
    )


def _over_data(wanted: Wanted, economies: Economies) -> Response:
    """The picture of a view over data; empty where there is none, so that the old one stays, dimmed
    where none is to come.
    """
    shown = over_data.shown(
        wanted.state,
        economies,
        wanted.width,
        wanted.height,
        patient=wanted.patient,
        gone=_gone(),
        held=wanted.held,
        before=wanted.before,
    )
    answer = shown["answer"]
    return jsonify(
        picture=render_template("over_data.html", **shown) if shown["panels"] else "",
        notes=render_template("notes.html", **shown),
        table=over_data.table(answer) if wanted.table else "",
        complete=answer.complete,
        live=wanted.state.live.text,
    )


def _gone() -> Callable[[], bool]:
    """Tells whether whoever asked has gone, where the server knows."""
    known: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)
    return known


def drawn(
    answer: Answer, width: int, height: int, held: Mapping[str, Limits] | None = None
) -> dict[str, Any]:
    """What the picture and its notes are made of; held: axes to keep, by observable."""
    state = answer.state
    limits = held or {}
    panels = [
        (observable, panel(answer, observable, width, height, limits.get(observable.name)))
        for observable in answer.shown
    ]
    unpin: dict[Scenario, str] = {pin: state.without_pin(pin).query() for pin in state.pins}
    return {
        "answer": answer,
        "state": state,
        "panels": panels,
        "scenarios": state.scenarios(),
        "unpin": unpin,
    }


def _table(answer: Answer) -> dict[str, Any]:
    heads, lines = rows(answer)
    return {"heads": heads, "lines": lines}
