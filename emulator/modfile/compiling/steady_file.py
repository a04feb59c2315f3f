"""`NAME_steadystate.m` beside a model: read where it is plain assignments, as a steady_state_model
is; never run.

The frame that Dynare's manual gives such a file (loops with `eval` that copy parameters in and
variables out) is passed over. Whatever else is no assignment of a formula makes the file one that
is not read.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from emulator.errors import ModFileError
from emulator.modfile.compiling.functions import MATLAB, NUMERIC
from emulator.modfile.compiling.runs import external_steady_state
from emulator.modfile.reading.grammar import Reader
from emulator.modfile.reading.scanner import split
from emulator.modfile.reading.source import Span, read_lines
from emulator.modfile.reading.syntax import (
    Assignment,
    ModFile,
    Place,
    SteadyStateModel,
    calls,
)

_FRAME = re.compile(
    r"(?:function|global|eval|for|if|end|check|params|ys|exo|info|NumberOf\w*|\w*name\w*|junk|return"
    r"|options_|M_|Parameters|endif|endfor)\b"
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)")


def with_formulas_beside(file: ModFile) -> ModFile:
    """The file with the formulas of the MATLAB file beside it, as it is where there are none or
    they are not plain.
    """
    path = external_steady_state(file.path)
    if path is None or any(isinstance(s, SteadyStateModel) for s in file.statements):
        return file
    try:
        formulas = _formulas(path, file)
    except ModFileError:
        return file
    if formulas is None:
        return file
    block = SteadyStateModel(formulas, Place(str(path), 1))
    return replace(file, statements=(*file.statements, block))


def _formulas(path: Path, file: ModFile) -> tuple[Assignment, ...] | None:
    """The assignments in order; None where a line is none, or a variable is not set. Raises
    `ModFileError` for an expression that is beyond the language.
    """
    reader = Reader()
    known = {*NUMERIC, *MATLAB}
    assignments: list[Assignment] = []
    for line in read_lines(path):
        for piece in split(Span(line.text, (line.place,)), ";"):
            if not piece.text or _FRAME.match(piece.text):
                continue
            match = _ASSIGNMENT.match(piece.text)
            if match is None:
                return None
            value = reader.expression(piece.part(match.end()), "a formula")
            if any(call.function not in known for call in calls(value)):
                return None
            assignments.append(Assignment(match[1], value, piece.place))
    missing = {d.name for d in file.variables} - {a.name for a in assignments}
    return None if missing or not assignments else tuple(assignments)
