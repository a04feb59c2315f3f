"""Statements that change what was read before them: equations taken out of the model or replaced,
and parameters from a file beside the model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from emulator.errors import ModFileError
from emulator.modfile.reading.declarations import Declarations
from emulator.modfile.reading.scanner import closing_bracket, split
from emulator.modfile.reading.source import Span, read_lines
from emulator.modfile.reading.syntax import (
    Assignment,
    Equation,
    InitvalBlock,
    Model,
    Number,
    Place,
    Statement,
    Symbol,
    symbols,
)

_QUOTED = re.compile(r"""(['"])(.*)\1$""")
_VALUE = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?|[-+]?(?:inf|nan)$", re.IGNORECASE)

Tags = dict[str, str]


def selections(span: Span, word: str) -> list[Tags]:
    """What `model_remove(...)` or `model_replace(...)` selects: for each item the tags that an
    equation must have. `'a'` is the tag name, `type = 'b'` any other, `[type = 'b', x = 'c']` all
    of several.
    """
    rest = span.part(len(word))
    end = closing_bracket(rest.text) if rest.text.startswith("(") else -1
    if end < 0:
        raise ModFileError(f"'{word}' needs tags in brackets: {word}('NAME').", span.place)
    wanted = []
    for item in split(rest.part(1, end), ","):
        inner = item.part(1, len(item.text) - 1) if item.text.startswith("[") else item
        wanted.append(dict(_pair(pair, word) for pair in split(inner, ",")))
    return wanted


def _pair(pair: Span, word: str) -> tuple[str, str]:
    name, equal, value = pair.text.partition("=")
    quoted = _QUOTED.match((value if equal else name).strip())
    if quoted is None:
        raise ModFileError(
            f"in '{word}', 'NAME' or tag = 'VALUE' was expected; found '{pair.words}'.", pair.place
        )
    return (name.strip() if equal else "name"), quoted[2]


def without(
    models: Sequence[Model], wanted: Sequence[Tags], word: str, place: Place
) -> tuple[list[Model], list[Equation]]:
    """The models without the equations selected, and those equations. Raises `ModFileError` for a
    selection that no equation meets.
    """
    taken: list[Equation] = []
    for tags in wanted:
        chosen = [e for model in models for e in model.equations if tags.items() <= e.tags.items()]
        if not chosen:
            listed = ", ".join(f"{name} = '{value}'" for name, value in tags.items())
            raise ModFileError(f"'{word}': no equation has the tag {listed}.", place)
        taken += [e for e in chosen if e not in taken]
    left = [
        replace(model, equations=tuple(e for e in model.equations if e not in taken))
        for model in models
    ]
    return left, taken


def release(
    removed: Sequence[Equation], models: Sequence[Model], declarations: Declarations, place: Place
) -> None:
    """The variable that a removed equation stood for (its left side, or its tag `endogenous`) is
    exogenous where other equations hold it, and else no variable any more, as in Dynare.
    """
    for equation in removed:
        left = equation.left
        name = equation.tags.get("endogenous") or (
            left.name if isinstance(left, Symbol) and not left.shift else ""
        )
        if declarations.reader.kinds.get(name) != "variable":
            raise ModFileError(
                "'model_remove' takes a variable out with its equation, but this equation is not"
                " of the kind 'variable = ...' and has no tag endogenous = 'NAME'.",
                equation.place,
            )
        if any(name in _names(model) for model in models):
            declarations.change(name, "varexo", place)
        else:
            declarations.remove(name, place)


def _names(model: Model) -> set[str]:
    sides = [side for e in model.equations for side in (e.left, e.right)]
    return {s.name for side in (*sides, *(v.value for v in model.locals)) for s in symbols(side)}


def loaded_values(
    span: Span, word: str, folder: Path | None, declarations: Declarations
) -> list[Statement]:
    """`load_params_and_steady_state('FILE')`: a line `name value` for each parameter, variable or
    shock. The file lies in the folder of the model or below it.
    """
    rest = span.part(len(word)).text.strip("() \n\t'\"")
    if folder is None:
        raise ModFileError(
            f"'{word}' reads the file '{rest}', but the text stands alone and reads none.",
            span.place,
        )
    path = (folder / rest).resolve()
    if folder.resolve() not in path.parents:
        raise ModFileError(f"'{rest}' lies outside of the model's folder.", span.place)
    parameters: list[Statement] = []
    initial: list[Assignment] = []
    try:
        lines = read_lines(path)
    except ModFileError as error:
        raise ModFileError(
            f"'{word}' reads parameters from another file: {error}", span.place
        ) from None
    for line in lines:
        name, _, text = line.text.strip().partition(" ")
        kind = declarations.reader.kinds.get(name)
        if kind is None:  # blank, or of another model: Dynare warns and goes on
            continue
        if not _VALUE.match(text.strip()):
            raise ModFileError(f"'{name} NUMBER' was expected, found '{line.text}'.", line.place)
        value = Number(float(text.strip().lower().replace("d", "e")))
        into = parameters if kind == "parameter" else initial
        into.append(Assignment(name, value, span.place))
    block = InitvalBlock("initval", tuple(initial), span.place)
    return [*parameters, block] if initial else parameters
