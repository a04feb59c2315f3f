"""Reading a file: bytes to lines of text without comments, each line knowing where it stands."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from emulator.errors import ModFileError
from emulator.modfile.reading.syntax import Place

LARGEST_FILE = 4_000_000
"""Bytes; the largest published models are below one million."""

# A quote after a name, a bracket or another quote is MATLAB's transpose and opens nothing.
QUOTED = r"""(?<![\w)\]}.'])'(?:[^'\n]|'')*'|"[^"\n]*"|\$[^$\n]*\$"""
_COMMENT = re.compile(rf"(?P<quoted>{QUOTED})|(?P<line>//[^\n]*|%[^\n]*)|(?P<block>/\*)")


# No statement needs a control character, and a terminal obeys them: they are read as blanks.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


_FIRST_LINE = re.compile(r"\s*//\s*--\+\s*options:([^+]*)\+--")


class Line(NamedTuple):
    """One line of text and its place in the file of the user."""

    text: str
    place: Place


@dataclass(frozen=True)
class Span:
    """A piece of text that may run over several lines, with the place of each of them."""

    text: str
    places: tuple[Place, ...]

    @property
    def place(self) -> Place:
        return self.places[0]

    @property
    def words(self) -> str:
        """The text on one line, single blanks between its words."""
        return " ".join(self.text.split())

    @cached_property
    def _breaks(self) -> list[int]:
        """Where the lines end: pieces are cut from a text of many lines many times."""
        return [match.start() for match in re.finditer("\n", self.text)]

    def place_of(self, offset: int) -> Place:
        return self.places[min(bisect_left(self._breaks, offset), len(self.places) - 1)]

    def part(self, start: int, stop: int | None = None) -> Span:
        """The text from `start` to `stop` without blanks around it."""
        if len(self.places) == 1:
            return Span(self.text[start:stop].strip(), self.places)
        text = self.text[start:stop]
        start += len(text) - len(text.lstrip())
        text = text.strip()
        first = bisect_left(self._breaks, start)
        return Span(text, self.places[first : first + text.count("\n") + 1] or self.places[-1:])


def read_lines(path: Path) -> list[Line]:
    """The lines of a file, comments removed; see `read_text`."""
    return strip_comments(read_text(path), str(path))


def first_line_options(text: str) -> tuple[str, ...]:
    """Options of Dynare's command line in a first line `// --+ options: nostrict, -DN=3 +--`."""
    lines = (line for line in text.splitlines() if line.strip())
    match = _FIRST_LINE.match(next(lines, ""))
    return tuple(re.findall(r"[^,\s]+", match[1])) if match else ()


def read_text(path: Path) -> str:
    """The text of a file in UTF-8 or Latin-1 (Windows-1252); ModFileError if it cannot be read as
    text.
    """
    try:
        if path.is_dir():
            raise ModFileError("this is a folder; a .mod file was expected.", path)
        if path.exists() and not path.is_file():
            raise ModFileError("this is not a regular file; a .mod file was expected.", path)
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ModFileError("there is no such file.", path) from None
    except (OSError, ValueError) as error:
        raise ModFileError(
            f"the file cannot be read: {getattr(error, 'strerror', None) or error}.", path
        ) from None
    if len(data) > LARGEST_FILE:
        raise ModFileError(
            f"the file has more than {LARGEST_FILE:,} bytes; that is not a .mod file.", path
        )
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise ModFileError(
            "a zero byte was found; a text file was expected (in UTF-8 or Latin-1).",
            Place(str(path), line),
        )
    return _decoded(data)


def strip_comments(text: str, name: str) -> list[Line]:
    """The lines of `text` with `//`, `%` and `/* */` comments taken out; those inside of strings
    stay.
    """
    text = _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    pieces: list[str] = []
    position = 0
    while match := _COMMENT.search(text, position):
        pieces.append(text[position : match.start()])
        position = match.end()
        if match["quoted"]:
            pieces.append(match[0])
        elif match["block"]:
            end = text.find("*/", position)
            if end < 0:
                line = text.count("\n", 0, match.start()) + 1
                raise ModFileError(
                    "the comment '/*' that begins here is not closed with '*/'.", Place(name, line)
                )
            pieces.append(" " + "\n" * text.count("\n", position, end))
            position = end + 2
    pieces.append(text[position:])
    return [
        Line(line, Place(name, number))
        for number, line in enumerate("".join(pieces).split("\n"), 1)
    ]


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # The five bytes that Windows-1252 leaves undefined can only stand in comments; they must
        # not stop the reading.
        return data.decode("cp1252", errors="replace")
