"""The page and its addresses: / shows a state; /upload, /data and /posterior take a file. Other
addresses are in `picture_page`, `take_page` and `model_page`.

Flask answers; nothing is kept between requests but the worlds of uploaded files. The page runs no
script but its own, and other sites can neither read it nor post to it (see `guard`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from emulator.errors import EmulatorError, ServerBusyError
from emulator.explorer import looks
from emulator.explorer.about import About
from emulator.explorer.curves import ask
from emulator.explorer.economies import Economies
from emulator.explorer.guard import OwnNames, guard
from emulator.explorer.model_page import add_model, of_the_page
from emulator.explorer.over_data import overlay
from emulator.explorer.over_data import pages as over_data
from emulator.explorer.picture_page import PLOT, add_picture, drawn
from emulator.explorer.state import (
    FIRST_SHOWN,
    LONGEST_HORIZON,
    MOST_PINS,
    MOST_SHOWN,
    State,
)
from emulator.explorer.tables import LARGEST_TABLE
from emulator.explorer.take_page import add_downloads, query
from emulator.explorer.uploads import LARGEST, LARGEST_BODY, Upload
from emulator.explorer.views import TITLES
from emulator.explorer.wording import on_the_page
from emulator.inference.shock_size import impact_example, impact_examples, units_of
from emulator.spec import Parameter, WorldSpec
from emulator.worlds.figures import unit_in_words

SIZES = ("1", "2 sd", "25bp", "1%")
"""Sizes of a shock that the page proposes, beside an impact on each observable that it draws; any
other that `emulator.inference.shock_size` reads may be typed.
"""


def create_app(economies: Economies, host: str = "127.0.0.1", names: Iterable[str] = ()) -> Flask:
    """The application of a server that listens on `host`; `names`: further names under which it may
    be asked for.
    """
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_PARTS=8)
    app.jinja_env.globals.update(
        symbol=looks.symbol,
        colour_of=looks.colour_of,
        mark_of=looks.mark_of,
        marks=looks.MARKS,
        title=looks.title,
        unit_in_words=unit_in_words,
        step=step,
    )
    guard(app, OwnNames.of(host, names))
    app.register_error_handler(
        ServerBusyError, lambda error: (jsonify(error=on_the_page(error)), 503)
    )
    app.register_error_handler(
        EmulatorError, lambda error: (jsonify(error=on_the_page(error)), 400)
    )
    app.register_error_handler(HTTPException, _http_error)
    about = About(economies)
    _add_page(app, economies, about)
    add_picture(app, economies)
    add_downloads(app, economies)
    add_model(app, about)
    return app


def step(parameter: Parameter) -> float:
    """To what a slider's values are rounded: a power of ten below a two-hundredth of the range,
    which has to have ends.
    """
    return 10.0 ** math.floor(math.log10((parameter.high - parameter.low) / 200))


def _add_page(app: Flask, economies: Economies, about: About) -> None:
    @app.get("/")
    def page() -> tuple[str, int]:
        error = ""
        try:
            state = State.read(query(), economies.spec)
        except EmulatorError as refusal:
            error = on_the_page(refusal)
            state = State.read("", economies.spec)
        shown = _context(state, economies) | of_the_page(about, state.live.world)
        if state.view.kind == "responses":
            answer = ask(state, economies, patient=False)
            overlay.add(answer, economies, patient=False)
            shown |= drawn(answer, *PLOT)
        else:
            shown |= over_data.shown(state, economies, *PLOT, patient=False)
        return render_template("page.html", **shown, error=error), 400 if error else 200

    @app.post("/upload")
    def upload() -> Response:
        file = request.files.get("mod")
        mapping = request.files.get("mapping")
        if file is None or not file.filename:
            raise EmulatorError("No file was chosen; expected a Dynare file, such as model.mod.")
        upload = Upload(file.filename, file.read(), mapping.read() if mapping is not None else b"")
        return jsonify(world=economies.load(upload))

    @app.post("/data")
    def data() -> Response:
        file = _posted("data", "a table of time series, such as series.csv")
        return jsonify(data=economies.tables.load_data(str(file.filename), file.read()))

    @app.post("/posterior")
    def posterior() -> Response:
        file = _posted("draws", "a table of draws, such as draws.csv")
        return jsonify(posterior=economies.tables.load_posterior(str(file.filename), file.read()))

    @app.get("/palette.css")
    def colours() -> Response:
        return Response(looks.css(), mimetype="text/css")


def _posted(field: str, expected: str) -> Any:
    """A file that was sent. Raises `EmulatorError` where there is none."""
    file = request.files.get(field)
    if file is None or not file.filename:
        raise EmulatorError(f"No file was chosen; expected {expected}.")
    return file


def _context(state: State, economies: Economies) -> dict[str, Any]:
    """What the controls are made of."""
    spec = economies.spec(state.live.world)
    specs = {name: economies.spec(name) for name in economies.names}
    upload = economies.upload(state.live.world)
    shown = state.shown(spec)
    return {
        "state": state,
        "spec": spec,
        "specs": specs,
        "values": dict(state.live.values),
        "groups": _by_role(spec),
        "ranged": [p.name for p in spec.parameters if math.isfinite(p.high - p.low)],
        "sizes": (*SIZES, *impact_examples(spec.observing([o.name for o in shown]))),
        "impact": impact_example(units_of(spec)),
        "shown": shown,
        "first_shown": FIRST_SHOWN,
        "most_shown": MOST_SHOWN,
        "proposal": upload.proposal if upload is not None else "",
        "longest_horizon": LONGEST_HORIZON,
        "most_pins": MOST_PINS,
        "largest_kb": LARGEST // 1000,
        "emulated": economies.emulated(state.live.world),
        "views": TITLES,
        "largest_table_kb": LARGEST_TABLE // 1000,
        **over_data.controls(state, economies),
    }


def _by_role(spec: WorldSpec) -> list[tuple[str, list[Parameter]]]:
    """Parameters by what they are about, in the order in which the world names them first."""
    order = list(dict.fromkeys(p.role for p in spec.parameters))
    listed = sorted(spec.parameters, key=lambda p: order.index(p.role))
    return [
        (role.replace("_", " "), list(group))
        for role, group in groupby(listed, key=lambda p: p.role)
    ]


def _http_error(error: HTTPException) -> tuple[Response, int]:
    large = (
        f"The files are too large; the explorer takes up to {LARGEST:,} bytes of a model file, and"
        f" {LARGEST_TABLE:,} of a table."
    )
    return jsonify(error=large if error.code == 413 else str(error.description)), error.code or 500
