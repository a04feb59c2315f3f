"""Lines of MATLAB between Dynare's statements: plain assignments are read, of all others we note
what they set.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from emulator.errors import ModFileError
from emulator.modfile.reading.grammar import Reader
from emulator.modfile.reading.keywords import FUNCTIONS
from emulator.modfile.reading.matlab import read_code
from emulator.modfile.reading.scanner import split
from emulator.modfile.reading.source import QUOTED, Span
from emulator.modfile.reading.syntax import Assignment, Skipped, Statement, calls
from emulator.modfile.reading.workspace import read_structure

_PLAIN = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)")
_SETTER = re.compile(r"set_param_value\s*\(\s*(['\"])(?P<name>[A-Za-z_]\w*)\1\s*,")
_ONE = re.compile(r"(?<![\w.)\]}])([A-Za-z_]\w*)\s*(?:\([^()]*\)\s*)?[-+*/^]?=(?!=)")
_SEVERAL = re.compile(r"\[([^\[\]=]*)\]\s*=(?!=)")
# In MATLAB 2^-3^2 is (2^-3)^2, in Dynare 2^(-(3^2)): such a line is not read.
_SIGNED_POWER = re.compile(r"\^\s*[-+]\s*(?:\(|[\w.]+\s*\^)")
_CONTINUED = re.compile(r"\.\.\.[^\n]*")


def read_native(line: Span, reader: Reader) -> list[Statement]:
    """The assignments of one line outside of `if` and loops; what is not within the grammar of
    expressions becomes Skipped.
    """
    statements: list[Statement] = []
    # Blanks keep the columns, so that the lines of the pieces stay known.
    joined = Span(_CONTINUED.sub(lambda dots: " " * len(dots[0]), line.text), line.places)
    for piece in split(joined, ";,"):
        if piece.text:
            statements.append(
                _assignment(piece, reader)
                or read_structure(piece, reader)
                or Skipped(
                    text=piece.words,
                    assigns=assigned_names(piece.text, reader.kinds),
                    nested=False,
                    place=piece.place,
                    code=read_code(piece.text),
                )
            )
    return statements


def assigned_names(text: str, declared: Collection[str]) -> tuple[str, ...]:
    """Names that a text of MATLAB visibly sets: `x = `, `x(3) = `, `[a, b] = `,
    `set_param_value('x', ...)`.

    Only the last of these reaches a declared name: the others set a variable of MATLAB's that
    Dynare does not look at.
    """
    names: list[str] = []
    bare = re.sub(QUOTED, "''", text)
    names += [match[1] for match in _ONE.finditer(bare)]
    for several in _SEVERAL.finditer(bare):
        names += re.findall(r"(?<![\w.])[A-Za-z_]\w*(?![\w.])", several[1])
    names = [name for name in names if name not in declared]
    return tuple(dict.fromkeys([*(setter["name"] for setter in _SETTER.finditer(text)), *names]))


def _assignment(piece: Span, reader: Reader) -> Assignment | None:
    setter = _SETTER.match(piece.text)
    plain = _PLAIN.match(piece.text)
    if setter and piece.text.endswith(")"):
        name = setter["name"]
        value = piece.part(setter.end(), len(piece.text) - 1)
    elif plain:
        name = plain[1]
        value = piece.part(plain.end())
    else:
        return None
    if plain and name in reader.kinds:
        # On a line of MATLAB this sets a variable of the workspace, not Dynare's parameter.
        return None
    if _SIGNED_POWER.search(value.text):
        return None
    try:
        expression = reader.expression(value, "an assignment")
    except ModFileError:
        # More of MATLAB than expressions: a matrix, a string, a field. The caller notes what it
        # sets.
        return None
    # A function that is not of the language may as well be an element of an array.
    return (
        Assignment(name, expression, piece.place)
        if {call.function for call in calls(expression)} <= {*FUNCTIONS} - {"diff", "adl"}
        else None
    )
