"""Lines of MATLAB that reach into Dynare's own structures: `options_.loglinear = true;`,
`M_.params(2) = 0.4;`, `M_.Sigma_e(1, 1) = 0.01;`, and the statement `Sigma_e = [...]`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from emulator.errors import ModFileError
from emulator.modfile.reading.grammar import Reader
from emulator.modfile.reading.scanner import closing_bracket, split
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax import (
    Assignment,
    Number,
    OptionLine,
    ShockMoment,
    ShocksBlock,
)

_OPTION = re.compile(r"options_\.([\w.]+)\s*=(?!=)\s*")
_PARAMETER = re.compile(r"M_\.params\s*\(")
_VARIANCE = re.compile(r"M_\.Sigma_e\s*\(\s*(\d+)\s*,\s*(\d+)\s*\)\s*=(?!=)")
_COVARIANCE = re.compile(r"M_\.Sigma_e\s*=(?!=)\s*\[[^\]]*\]$")
_NAMED = re.compile(r"['\"](\w+)['\"]")


def declared(reader: Reader, kind: str) -> list[str]:
    """Names of a kind in the order of their declaration."""
    return [name for name, known in reader.kinds.items() if known == kind]


def read_structure(piece: Span, reader: Reader) -> Assignment | OptionLine | ShocksBlock | None:
    """What a line sets, None where it is not one of these lines or is not plain."""
    option = _OPTION.match(piece.text)
    if option:
        return OptionLine(option[1], piece.text[option.end() :].strip(), piece.place)
    try:
        return _parameter(piece, reader) or _variance(piece, reader)
    except ModFileError:  # more of MATLAB than an expression
        return None


def _parameter(piece: Span, reader: Reader) -> Assignment | None:
    head = _PARAMETER.match(piece.text)
    if head is None:
        return None
    end = head.end() - 1 + closing_bracket(piece.text[head.end() - 1 :])
    inside = piece.text[head.end() : end]
    equal = re.match(r"\s*=(?!=)", piece.text[end + 1 :])
    names = declared(reader, "parameter")
    if equal is None or end < head.end():
        return None
    named = [name for name in _NAMED.findall(inside) if name in names]
    if inside.strip().isdigit() and 1 <= int(inside) <= len(names):
        name = names[int(inside) - 1]
    elif "param_names" in inside and len(named) == 1:
        name = named[0]
    else:
        return None
    value = piece.part(end + 1 + equal.end())
    return Assignment(name, reader.expression(value, f"the value of '{name}'"), piece.place)


def _variance(piece: Span, reader: Reader) -> ShocksBlock | None:
    head = _VARIANCE.match(piece.text)
    shocks = declared(reader, "shock")
    if _COVARIANCE.match(piece.text):
        return _whole_covariance(piece, reader, shocks)
    if head is None or not 1 <= max(int(head[1]), int(head[2])) <= len(shocks):
        return None
    row, column = int(head[1]) - 1, int(head[2]) - 1
    value = reader.expression(piece.part(head.end()), "an element of M_.Sigma_e")
    if row > column:  # Dynare factors the upper triangle
        return ShocksBlock((), (), False, piece.place)
    names = (shocks[row],) if row == column else (shocks[row], shocks[column])
    moment = ShockMoment("var" if row == column else "covar", names, value, piece.place)
    return ShocksBlock((moment,), (), False, piece.place)


def _whole_covariance(piece: Span, reader: Reader, shocks: Sequence[str]) -> ShocksBlock | None:
    """`M_.Sigma_e = [...]` with all elements, of which Dynare reads the upper triangle."""
    rows = _rows(piece)
    if rows is None or [len(row) for row in rows] != [len(shocks)] * len(shocks):
        return None
    upper = [row[k:] for k, row in enumerate(rows)]
    return ShocksBlock(tuple(_moments(upper, shocks, False, reader)), (), True, piece.place)


def _rows(span: Span) -> list[list[Span]] | None:
    """The elements of a matrix in square brackets, None where there is none."""
    opening = span.text.find("[")
    rest = span.part(max(opening, 0))
    end = closing_bracket(rest.text) if opening >= 0 else -1
    if end < 0:
        return None
    rows = [
        [piece for part in split(row, ",") for piece in split(part, " \n\t") if piece.text]
        for row in split(rest.part(1, end), ";")
    ]
    return [row for row in rows if row]


def read_covariance(span: Span, reader: Reader) -> ShocksBlock:
    """`Sigma_e = [...]`, the upper or lower triangle of the covariance of all shocks, in the order
    of their declaration.
    """
    rows = _rows(span)
    if rows is None:
        raise ModFileError("'Sigma_e = [...];' was expected.", span.place)
    shocks = declared(reader, "shock")
    lengths = [len(row) for row in rows]
    count = len(shocks)
    lower = lengths == list(range(1, count + 1))
    if not lower and lengths != list(range(count, 0, -1)):
        raise ModFileError(
            f"'Sigma_e' has rows of {', '.join(map(str, lengths))} elements; for {count} shock(s)"
            f" a triangle was expected: rows of 1 to {count} or of {count} to 1 elements.",
            span.place,
        )
    return ShocksBlock(tuple(_moments(rows, shocks, lower, reader)), (), True, span.place)


def _moments(
    rows: Sequence[Sequence[Span]], shocks: Sequence[str], lower: bool, reader: Reader
) -> list[ShockMoment]:
    moments = []
    for k, row in enumerate(rows):
        for j, piece in enumerate(row):
            value = reader.expression(piece, "an element of 'Sigma_e'")
            pair = (shocks[j], shocks[k]) if lower else (shocks[k], shocks[k + j])
            if pair[0] == pair[1]:
                moments.append(ShockMoment("var", pair[:1], value, piece.place))
            elif value != Number(0.0):
                moments.append(ShockMoment("covar", pair, value, piece.place))
    return moments
