"""What a reader takes away: /responses.* with all observables, /picture.* with those that are
shown; of a view over data both give what is shown.
"""

from __future__ import annotations

from flask import Flask, Response, abort, request

from emulator.explorer import downloads
from emulator.explorer.curves import Answer, ask
from emulator.explorer.economies import Economies
from emulator.explorer.exported import PICTURES, picture
from emulator.explorer.over_data import overlay, taking
from emulator.explorer.over_data.asking import OverData
from emulator.explorer.over_data.asking import ask as ask_over_data
from emulator.explorer.state import State


def add_downloads(app: Flask, economies: Economies) -> None:
    """Add the addresses of what can be taken away."""

    def answer() -> Answer:
        shown = ask(State.read(query(), economies.spec), economies)
        overlay.add(shown, economies)
        return shown

    def viewed() -> OverData | None:
        """The answer over data, where the address is about one."""
        state = State.read(query(), economies.spec)
        return None if state.view.kind == "responses" else ask_over_data(state, economies)

    @app.get("/responses.csv")
    def csv() -> Response:
        view = viewed()
        if view is not None:
            return _file(taking.csv(view), "text/csv", taking.file_name(view, "csv"))
        return _file(downloads.table(answer()), "text/csv", downloads.CSV)

    @app.get("/responses.png")
    def png() -> Response:
        view = viewed()
        if view is not None:
            return _file(taking.figure(view, "png"), "image/png", taking.file_name(view, "png"))
        return _file(picture(answer()), "image/png", "responses.png")

    @app.get("/picture.<kind>")
    def shown(kind: str) -> Response:
        if kind not in PICTURES:
            abort(404)
        view = viewed()
        if view is not None:
            content = taking.figure(view, kind)
            return _file(content, PICTURES[kind], taking.file_name(view, kind))
        content = picture(answer(), kind=kind, shown_alone=True)
        return _file(content, PICTURES[kind], f"picture.{kind}")

    @app.get("/responses.py")
    def code() -> Response:
        view = viewed()
        if view is not None:
            recipe = taking.recipe(view, economies)
            return _file(recipe, "text/x-python", taking.file_name(view, "py"))
        return _file(downloads.recipe(answer(), economies), "text/x-python", "responses.py")


def query() -> str:
    return request.query_string.decode("utf-8", errors="replace")


def _file(content: str | bytes, kind: str, name: str) -> Response:
    return Response(
        content, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
