"""What a reader may know of a model: its equations, what its file passes over or asks for, its
mapping, and sets of parameters to start from.

Of a `.mod` file all of it is read where the file is (for one from the page, in its process). Of a
world written in Python the equations are those of its module's text.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from emulator.explorer.maths import Writer
from emulator.inference.economy import Economy
from emulator.inference.orders import IN_WORDS
from emulator.modfile import CompiledModel
from emulator.modfile.reading.syntax import Equation, Symbol
from emulator.worlds.base import World
from emulator.worlds.guess import proposed_mapping
from emulator.worlds.modworld import ModWorld

MOST_EQUATIONS = 400
"""Equations of a file that are shown."""

ROOM = "emulator.worlds"

BESIDE = ("household", "equilibrium")
"""Modules of a world's own folder that state its equations."""


class WrittenEquation(BaseModel):
    """One equation: its name in the file, its line, and MathML, empty where it is too long."""

    model_config = ConfigDict(frozen=True)

    name: str
    line: int
    maths: str


class Card(BaseModel):
    """What is said of a model beside its `WorldSpec`."""

    model_config = ConfigDict(frozen=True)

    equations: tuple[WrittenEquation, ...] = ()
    n_equations: int = 0
    text: tuple[str, ...] = ()
    """Texts of modules, where the model is written in Python."""
    file: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    """The file's variables, and what it calls them."""
    mapping: str = ""
    """The mapping that it is answered with; of a file without one, a mapping to start from."""
    mapped: bool = False


def card_of(economy: Economy) -> Card:
    """The card of a model whose solver is at hand."""
    world = economy.solver
    model = getattr(world, "model", None)
    if isinstance(model, CompiledModel):
        return _of_file(world, model)
    return Card(text=texts_of(type(world).__module__))


def _of_file(world: World, model: CompiledModel) -> Card:
    mapped = isinstance(world, ModWorld)
    texts = world.source
    return Card(
        equations=equations_of(model),
        n_equations=len(model.file.model.locals) + len(model.file.model.equations),
        file=model.file.path.name,
        variables=tuple((d.name, d.long_name) for d in model.file.variables),
        mapping=texts.mapping if texts is not None and mapped else proposed_mapping(model),
        mapped=mapped,
    )


def equations_of(model: CompiledModel) -> tuple[WrittenEquation, ...]:
    """The equations of a file's model block, after what it defines for them, as many as are
    shown.
    """
    file = model.file
    dated = [*file.variables, *file.shocks, *file.deterministic_shocks, *file.trends]
    names = {d.name: d.tex for d in (*dated, *file.parameters)}
    writer = Writer(names, frozenset(d.name for d in dated))
    named = [
        Equation(Symbol(local.name), local.value, local.place, {"name": "definition"})
        for local in file.model.locals
    ]
    return tuple(
        WrittenEquation(
            name=equation.tags.get("name", ""),
            line=equation.place.line,
            maths=str(writer.equation(equation)),
        )
        for equation in [*named, *file.model.equations][:MOST_EQUATIONS]
    )


def remarks_on(world: World) -> list[str]:
    """What belongs to every answer of a file: at which order it is, where the file asks for another
    one, and what was passed over.
    """
    model = getattr(world, "model", None)
    if not isinstance(model, CompiledModel):
        return list(world.notes)
    others = [note for note in world.notes if note not in model.notes_on_order(1)]
    order = _on_order(model, world.order)
    return [*([order] if order else []), *others]


def _on_order(model: CompiledModel, answered: int) -> str:
    """What to say where a file's own command asks for another order than it is answered at."""
    run = model.calibration.run
    if run is None or (model.order == answered and not model.notes_on_order(answered)):
        return ""
    text = run.options.get("order", "")
    asked = f"order={text}" if text else "no order, which is Dynare's second"
    why = (
        " Its mapping leaves out a shock, whose risk would be felt at second order: name all shocks"
        " for the order that it asks for."
        if answered == 1 and model.order > 1
        else ""
    )
    return (
        f"This is the answer of {IN_WORDS[answered]}. The file's own command asks for another:"
        f" {run.command} in line {run.place.line} names {asked}.{why}"
    )


def texts_of(module: str) -> tuple[str, ...]:
    """The texts of a world's module, and of those in its folder that state its equations; they are
    read and not imported.
    """
    folder = module.rpartition(".")[0]
    beside = () if folder == ROOM else tuple(f"{folder}.{name}" for name in BESIDE)
    return tuple(filter(None, map(_text, (module, *beside))))


def _text(module: str) -> str:
    try:
        spec = find_spec(module)
        origin = None if spec is None else spec.origin
        source = "" if origin is None else Path(origin).read_text(encoding="utf-8")
        return ast.get_docstring(ast.parse(source)) or ""
    except (ImportError, OSError, SyntaxError, ValueError):
        return ""


def blocks(text: str) -> list[tuple[bool, str]]:
    """A module's text in paragraphs, each with whether it is indented, as equations are."""
    paragraphs = [part for part in text.split("\n\n") if part.strip()]
    return [(part.startswith("    "), part.strip("\n")) for part in paragraphs]
