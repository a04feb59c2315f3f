"""What the page says of the model, and its mapping: /model tells both, /mapping takes another
mapping of the same file.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, render_template, request

from emulator.errors import EmulatorError
from emulator.explorer.about import About
from emulator.explorer.card import blocks
from emulator.explorer.uploads import LARGEST
from emulator.spec import UNKNOWN_UNIT
from emulator.worlds.source import mapping_path, plain_name


def add_model(app: Flask, about: About) -> None:
    """Add the addresses of a model's card and mapping."""
    economies = about.economies

    @app.get("/model")
    def model() -> Response:
        world = request.args.get("world", "")
        spec = economies.spec(world)
        card = about.card(world)
        text = render_template(
            "model.html",
            spec=spec,
            card=card,
            texts=[blocks(text) for text in card.text],
            remarks=economies.remarks(world),
            ranged=[p.name for p in spec.parameters if math.isfinite(p.high - p.low)],
            answered_by="a network, and its solver" if economies.emulated(world) else "its solver",
        )
        lines = [(name, meaning, line_of(name)) for name, meaning in card.variables]
        return jsonify(card=text, mapping=card.mapping, variables=lines)

    @app.post("/mapping")
    def mapping() -> Response:
        file = request.files.get("mapping")
        text = b"" if file is None else file.read(LARGEST + 1)
        if not text.strip():
            raise EmulatorError(
                "The mapping is empty; expected observables, parameters and shocks as YAML."
            )
        world = about.remapped(request.form.get("world", ""), text)
        spec = economies.spec(world)
        return jsonify(
            world=world,
            worlds=economies.names,
            parameters=spec.parameter_names,
            shocks=spec.shock_names,
            observables=spec.observable_names,
        )


def line_of(variable: str) -> str:
    """The line of a mapping that observes a variable of the file as it is."""
    return f"  {plain_name(variable)}: {{expression: {variable}, unit: {UNKNOWN_UNIT}}}"


def of_the_page(about: About, world: str) -> dict[str, Any]:
    """What the page's own part on the model is made of."""
    file = about.file(world)
    return {
        "presets": about.presets(world),
        "mappable": bool(file),
        "mapping_file": mapping_path(Path(file)).name if file else "",
    }
