"""The picture's address: /picture draws a state anew, in the size that the page has room for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, jsonify, render_template, request

from emulator.explorer.curves import Answer, ask, rows
from emulator.explorer.economies import Economies
from emulator.explorer.over_data import overlay
from emulator.explorer.over_data import pages as over_data
from emulator.explorer.panel import Limits, held_limits, panel
from emulator.explorer.state import MOST_SHOWN, Scenario, State

PLOT = (420, 240)
"""Width and height of a panel in pixels, until the page says how large its panels are."""


def add_picture(app: Flask, economies: Economies) -> None:
    """Add the picture's address."""

    @app.get("/picture")
    def picture() -> Response:
        fields = request.args
        state = State.read(fields.get("state", ""), economies.spec)
        if state.view.kind != "responses":
            return _over_data(state, economies)
        before = fields.get("ghost")
        patient = fields.get("patient") == "1"
        answer = ask(
            state,
            economies,
            patient=patient,
            gone=_gone(),
            ghost=Scenario.parse(before, economies.spec) if before else None,
        )
        overlay.add(answer, economies, patient, _gone())
        width = fields.get("w", PLOT[0], type=int) or PLOT[0]
        height = fields.get("h", PLOT[1], type=int) or PLOT[1]
        shown = drawn(answer, width, height, held_limits(fields.getlist("hold")[:MOST_SHOWN]))
        numbers = (
            render_template("table.html", **_table(answer)) if fields.get("table") == "1" else ""
        )
        return jsonify(
            picture=render_template("picture.html", **shown),
            notes=render_template("notes.html", **shown),
            table=numbers,
            complete=answer.complete,
            live=state.live.text,
        )


def _over_data(state: State, economies: Economies) -> Response:
    """The picture of a view over data."""
    fields = request.args
    drawn = over_data.shown(
        state,
        economies,
        width=fields.get("w", PLOT[0], type=int) or PLOT[0],
        height=fields.get("h", PLOT[1], type=int) or PLOT[1],
        patient=fields.get("patient") == "1",
        gone=_gone(),
    )
    answer = drawn["answer"]
    return jsonify(
        picture=render_template("over_data.html", **drawn) if drawn["panels"] else "",
        notes=render_template("notes.html", **drawn),
        table=over_data.table(answer) if fields.get("table") == "1" else "",
        complete=answer.complete,
        live=state.live.text,
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
