"""What is given of a path under perfect foresight: shocks at periods, values before the first
period, and what is learnt later of the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from emulator.errors import ModFileError
from emulator.modfile.reading.grammar import Reader, check_depth
from emulator.modfile.reading.scanner import Block, split
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.statements import header
from emulator.modfile.reading.syntax import (
    Expression,
    HistoricalValue,
    HistvalBlock,
    LearntEnd,
    LearntEnds,
    Operation,
    Place,
    ShockPath,
    Symbol,
)

PATH_WORDS = ("periods", "values", "scales", "add", "multiply")
"""The words with which the lines of a shock's path begin."""

LATEST = 100_000
"""The last period at which a shock may come."""

_RANGE = re.compile(r"(\d+)\s*(?::\s*(\d+))?")
_CHANGE = re.compile(r"\s*([A-Za-z_]\w*)\s*([+*]?=)(?!=)\s*")
_SIGNED = re.compile(r"[+-]\s+")


def path_word(item: Span) -> str:
    """The word with which a line of a path begins; '' for other lines."""
    match = re.match(r"[A-Za-z]+", item.text)
    word = match[0].lower() if match else ""
    return word if word in PATH_WORDS else ""


def read_periods(item: Span) -> tuple[tuple[int, int], ...]:
    """`periods 1:3 5, 7;` as (first, last)."""
    ranges: list[tuple[int, int]] = []
    rest = item.text[len("periods") :].replace(",", " ").strip()
    while rest:
        match = _RANGE.match(rest)
        if match is None:
            raise ModFileError(
                f"whole numbers of periods, such as 1:4 6, were expected; found '{rest[:20]}'.",
                item.place,
            )
        first = int(match[1])
        last = int(match[2] or first)
        if last < first or last > LATEST:
            raise ModFileError(
                f"the periods {match[0]} are not an increasing range up to {LATEST:,}.", item.place
            )
        ranges.append((first, last))
        rest = rest[match.end() :].strip()
    return tuple(ranges)


def read_values(item: Span, word: str, reader: Reader) -> tuple[Expression, ...]:
    """`values 1, -0.5 (2*a);`: numbers, or expressions in brackets."""
    text = _SIGNED.sub(lambda match: match[0][0], item.text[len(word) :])
    span = Span(text, (item.place,) * (text.count("\n") + 1))
    parts = [part for piece in split(span, ",") for part in split(piece, " \n\t")]
    return tuple(reader.expression(part, f"the '{word}' of a shock") for part in parts if part.text)


def shock_path(
    name: str,
    periods: tuple[tuple[int, int], ...],
    word: str,
    values: Sequence[Expression],
    item: Span,
    learnt: bool = False,
) -> ShockPath:
    """A shock's path; one that is `learnt` later may add to what was expected before. Raises
    `ModFileError` unless there is a value for each range of periods.
    """
    if not periods:
        raise ModFileError(f"'{word}' of '{name}' stands without 'periods' before it.", item.place)
    if word == "add" and not learnt:
        raise ModFileError(
            "'add' is not supported; write 'values' with the sum of the value in the steady state"
            " and of what is added.",
            item.place,
        )
    if len(values) == 1:
        values = list(values) * len(periods)
    if len(values) != len(periods):
        raise ModFileError(
            f"'{name}' is given {len(periods)} ranges of periods and {len(values)} values; expected"
            " a value for each.",
            item.place,
        )
    factors = word in ("scales", "multiply")
    return ShockPath(name, periods, tuple(values), factors, item.place, word == "add")


def learnt_in(options: Mapping[str, str], place: Place) -> int:
    """The period of an option `learnt_in`, 1 without one. Raises `ModFileError`."""
    text = options.get("learnt_in", "1")
    if not text.isdigit() or not 1 <= int(text) <= LATEST:
        raise ModFileError(f"learnt_in is {text}; the number of a period was expected.", place)
    return int(text)


def read_learnt_ends(block: Block, reader: Reader) -> LearntEnds:
    """`endval(learnt_in = 4); x = 1; y += 0.1; z *= 1.1; end;`, of exogenous variables."""
    place = block.head.place
    period = learnt_in(header(block.word, block.head).options, place)
    ends: list[LearntEnd] = []
    for item in block.items:
        match = _CHANGE.match(item.text)
        if match is None:
            raise ModFileError(
                "'name = value;', 'name += value;' or 'name *= value;' was expected in the block"
                " 'endval'.",
                item.place,
            )
        if reader.kinds.get(match[1]) not in ("shock", "deterministic shock"):
            raise ModFileError(
                f"'{match[1]}' is no exogenous variable (varexo); endval(learnt_in) says what is"
                " learnt of those, and the steady state follows.",
                item.place,
            )
        value = reader.expression(item.part(match.end()), "the value in the block 'endval'")
        check_depth(value, item)
        ends.append(LearntEnd(match[1], match[2], value, item.place))
    return LearntEnds(period, tuple(ends), place)


def read_histval(block: Block, reader: Reader) -> HistvalBlock:
    """`histval; k(0) = 1; y(-1) = 2; end;`: values before the first period, which is 1."""
    values: list[HistoricalValue] = []
    for item in block.items:
        name, equal, _ = item.text.partition("=")
        symbol = reader.expression(item.part(0, len(name)), "the name of a past value")
        shift = 0
        if isinstance(symbol, Operation) or not isinstance(symbol, Symbol) or not equal:
            raise ModFileError(
                "'name(0) = value;' was expected in the block 'histval'.", item.place
            )
        shift = symbol.shift
        if symbol.name not in reader.kinds:
            raise ModFileError(
                f"'{symbol.name}' in the block 'histval' is not declared.", item.place
            )
        if shift > 0:
            raise ModFileError(
                f"'{symbol.name}({shift})': histval gives values of the periods before the first"
                " one, 0, -1 and so on.",
                item.place,
            )
        value = reader.expression(item.part(len(name) + 1), "the value in the block 'histval'")
        check_depth(value, item)
        values.append(HistoricalValue(symbol.name, shift, value, item.place))
    return HistvalBlock(tuple(values), block.head.place)
