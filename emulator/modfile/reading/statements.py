"""The parts of a statement that all share: the word it begins with, its options in brackets, and
the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.errors import ModFileError
from emulator.modfile.reading.scanner import closing_bracket, split
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax import Command


@dataclass(frozen=True)
class Header:
    """`options` maps names to their text, '' where there is no value; `rest` is what follows the
    brackets.
    """

    options: dict[str, str]
    rest: Span


def header(word: str, span: Span) -> Header:
    """Takes `word(option = value, flag) rest` apart."""
    rest = span.part(len(word))
    if not rest.text.startswith("("):
        return Header({}, rest)
    end = closing_bracket(rest.text)
    if end < 0:
        raise ModFileError(f"'(' behind '{word}' is not closed before the next ';'.", rest.place)
    options: dict[str, str] = {}
    for part in split(rest.part(1, end), ","):
        name, _, value = part.text.partition("=")
        if name.strip():
            options[name.strip().lower()] = " ".join(value.split())
    return Header(options, rest.part(end + 1))


def command(word: str, span: Span) -> Command:
    """A statement of which we keep the options and the names behind them."""
    head = header(word, span)
    names = (part.text for piece in split(head.rest, ",") for part in split(piece, " \n\t"))
    return Command(word, head.options, tuple(name for name in names if name), span.place)
