"""`perfect_foresight_controlled_paths` (Dynare 7): values of endogenous variables that are given,
and the exogenous variables that are solved for in their place.

    perfect_foresight_controlled_paths;
      exogenize y; periods 1:3 5; values 1.02 1.01; endogenize e;
    end;
"""

from __future__ import annotations

import re

from emulator.errors import ModFileError
from emulator.modfile.reading.given_paths import learnt_in, read_periods, read_values
from emulator.modfile.reading.grammar import Reader
from emulator.modfile.reading.scanner import Block
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.statements import header
from emulator.modfile.reading.syntax import ControlledPath, ControlledPaths, Expression

_WORD = re.compile(r"(exogenize|endogenize|periods|values)\b\s*", re.IGNORECASE)
_KINDS = {"exogenize": ("variable",), "endogenize": ("shock", "deterministic shock")}
_CALLED = {"exogenize": "endogenous variable (var)", "endogenize": "exogenous variable (varexo)"}


def read_controlled_paths(block: Block, reader: Reader) -> ControlledPaths:
    """The paths of a block. Raises `ModFileError` for a line that is not understood and for one
    that is missing.
    """
    place = block.head.place
    period = learnt_in(header(block.word, block.head).options, place)
    paths: list[ControlledPath] = []
    name = ""
    periods: tuple[tuple[int, int], ...] = ()
    values: tuple[Expression, ...] = ()
    for item in block.items:
        match = _WORD.match(item.text)
        if match is None:
            raise ModFileError(
                f"the line is not understood in the block '{block.word}'; expected: exogenize y;"
                " periods 1:3; values 1.02; endogenize e;",
                item.place,
            )
        word = match[1].lower()
        if word == "exogenize":
            name = _declared(word, item, match.end(), reader)
            periods, values = (), ()
        elif word == "periods":
            periods = read_periods(item)
        elif word == "values":
            values = read_values(item, match[1], reader)
        else:
            shock = _declared(word, item, match.end(), reader)
            paths.append(_path(name, shock, periods, values, item))
            name = ""
    if name:
        raise ModFileError(f"'exogenize {name};' stands without 'endogenize' behind it.", place)
    return ControlledPaths(period, tuple(paths), place)


def _declared(word: str, item: Span, start: int, reader: Reader) -> str:
    name = item.text[start:].strip()
    if reader.kinds.get(name) not in _KINDS[word]:
        raise ModFileError(f"'{word} {name}': '{name}' is no {_CALLED[word]}.", item.place)
    return name


def _path(
    name: str,
    shock: str,
    periods: tuple[tuple[int, int], ...],
    values: tuple[Expression, ...],
    item: Span,
) -> ControlledPath:
    if not name or not periods or not values:
        missing = "exogenize" if not name else "periods" if not periods else "values"
        raise ModFileError(
            f"'endogenize {shock};' stands without '{missing}' before it.", item.place
        )
    if len(values) == 1:
        values = values * len(periods)
    if len(values) != len(periods):
        raise ModFileError(
            f"'{name}' is given {len(periods)} ranges of periods and {len(values)} values; expected"
            " a value for each.",
            item.place,
        )
    return ControlledPath(name, shock, periods, values, item.place)
