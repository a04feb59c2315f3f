"""Cuts the expanded text into Dynare's statements, blocks and lines of MATLAB, as Dynare's own
lexer does.

At the beginning of a statement a keyword or a declared name opens a statement that goes to the next
`;` (a block: to `end;`). Anything else is MATLAB and goes to the end of the line.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from emulator.errors import ModFileError
from emulator.modfile.reading.keywords import BLOCKS, COMMANDS, DECLARATIONS
from emulator.modfile.reading.source import QUOTED, Line, Span

_WORD = re.compile(r"[A-Za-z_]\w*")
_BLANK = re.compile(r"[\s;]*")
_UNTIL_SEMICOLON = re.compile(rf"{QUOTED}|;")
_PIECES = re.compile(rf"{QUOTED}|[;,()\[\]{{}}\s]")
_TOKENS = re.compile(rf"{QUOTED}|\.?[A-Za-z_]\w*|[()\[\]{{}}]")
_LETTER = re.compile(r"\S")
_HEAD = re.compile(
    rf"(?:{'|'.join(sorted(BLOCKS))})\s*(?:\([^)]*\))?$"
    rf"|(?:{'|'.join(sorted(DECLARATIONS - {'var'}))})\s",
    re.IGNORECASE,
)
_WITH_DECLARATIONS = frozenset({"matched_irfs"})
"""Blocks whose lines begin with words that declare elsewhere."""
_TRAILING_END = re.compile(r"\send$", re.IGNORECASE)
_VERBATIM_END = re.compile(r"\bend\s*;", re.IGNORECASE)
_OPENING = frozenset(
    {"if", "for", "while", "switch", "try", "parfor", "function", "unwind_protect"}
)
_CLOSING = frozenset(
    {
        "end",
        "endif",
        "endfor",
        "endwhile",
        "endswitch",
        "end_try_catch",
        "endfunction",
        "end_unwind_protect",
    }
)


@dataclass(frozen=True)
class Sentence:
    """A statement of Dynare's without its `;`.

    `word` is the keyword in small letters, or the declared name, that it begins with.
    """

    word: str
    span: Span


@dataclass(frozen=True)
class Block:
    """A block; `head` is what stands before its first `;`, `items` what stands between the others,
    `span` all of it.
    """

    word: str
    head: Span
    items: tuple[Span, ...]
    span: Span


@dataclass(frozen=True)
class Native:
    """A line of MATLAB with its continuation lines."""

    span: Span


Segment = Sentence | Block | Native


def scan(lines: Sequence[Line], declared: Collection[str]) -> Iterator[Segment]:
    """The segments in order.

    `declared` is looked at while the iteration goes on: who reads a declaration adds its names.
    """
    whole = Span("\n".join(line.text for line in lines), tuple(line.place for line in lines))
    position = 0
    cursor = Cursor(whole)
    while True:
        position = cursor.skip(position)
        if position >= len(whole.text):
            return
        written = cursor.word(position)
        word = written.lower()
        segment: Segment
        if _is_block(cursor, word, position):
            segment, position = (_verbatim if word == "verbatim" else _block)(
                cursor, word, position
            )
        elif written in declared:
            segment, position = _sentence(cursor, written, position)
        elif _is_command(cursor, word, position):
            segment, position = _sentence(cursor, word, position)
        else:
            segment, position = _native(cursor, position)
        yield segment


class Cursor:
    """Cuts pieces out of a long text and knows the line of each."""

    def __init__(self, whole: Span) -> None:
        self.whole = whole
        self.text = whole.text
        self._ends = [match.start() for match in re.finditer("\n", whole.text)]

    def skip(self, position: int) -> int:
        """The next position that is neither a blank nor an empty statement."""
        match = _BLANK.match(self.text, position)
        return match.end() if match else position

    def word(self, position: int) -> str:
        match = _WORD.match(self.text, position)
        return match[0] if match else ""

    def next_letter(self, position: int) -> str:
        match = _LETTER.search(self.text, position)
        return match[0] if match else ""

    def semicolon(self, position: int) -> int:
        """Where the next `;` stands that is not in a string; -1 if there is none."""
        for match in _UNTIL_SEMICOLON.finditer(self.text, position):
            if match[0] == ";":
                return match.start()
        return -1

    def cut(self, start: int, stop: int) -> Span:
        text = self.text[start:stop]
        first = bisect_left(self._ends, start)
        return Span(text, self.whole.places[first : first + text.count("\n") + 1]).part(0)


def split(span: Span, separators: str) -> list[Span]:
    """The parts of a text between separators that stand outside of brackets and strings."""
    parts: list[Span] = []
    depth = start = 0
    for match in _PIECES.finditer(span.text):
        letter = match[0]
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter in separators and depth <= 0:
            parts.append(span.part(start, match.start()))
            start = match.end()
    return [*parts, span.part(start)]


def closing_bracket(text: str) -> int:
    """Where the bracket closes with which the text begins; -1 if it does not."""
    depth = 0
    for match in _PIECES.finditer(text):
        depth += (match[0] in ("(", "[", "{")) - (match[0] in (")", "]", "}"))
        if depth == 0:
            return match.start()
    return -1


def nesting(span: Span) -> int:
    """How many `if`, `for` ... a line of MATLAB opens, less the `end`s it has; an `end` inside of
    brackets is an index.
    """
    level = depth = 0
    for match in _TOKENS.finditer(span.text):
        word = match[0]
        if word in ("(", "[", "{"):
            depth += 1
        elif word in (")", "]", "}"):
            depth -= 1
        elif depth <= 0:
            level += (word in _OPENING) - (word in _CLOSING)
    return level


def _is_block(cursor: Cursor, word: str, position: int) -> bool:
    if word not in BLOCKS:
        return False
    following = cursor.next_letter(position + len(word))
    if following in (";", "("):
        return True
    if following in ("=", "."):
        return False
    raise ModFileError(
        f"';' was expected after '{word}'.", cursor.cut(position, position + 1).place
    )


def _is_command(cursor: Cursor, word: str, position: int) -> bool:
    """Whether a Dynare statement begins here; `check = 3` and `data.x` are MATLAB for all that."""
    if word not in COMMANDS and word not in DECLARATIONS:
        return False
    return word == "sigma_e" or cursor.next_letter(position + len(word)) not in ("=", ".")


def _sentence(cursor: Cursor, word: str, position: int) -> tuple[Sentence, int]:
    end = cursor.semicolon(position)
    if word == "sigma_e":
        opening = cursor.text.find("[", position, end)
        closing = closing_bracket(cursor.text[opening:]) if opening >= 0 else -1
        end = cursor.semicolon(opening + closing) if closing >= 0 else end
    if end < 0:
        place = cursor.cut(position, position + 1).place
        raise ModFileError(
            f"the statement '{word}' that begins here has no ';' before the end of the file.", place
        )
    return Sentence(word, cursor.cut(position, end)), end + 1


def _block(cursor: Cursor, word: str, begin: int) -> tuple[Block, int]:
    place = cursor.cut(begin, begin + 1).place
    position = begin
    pieces: list[Span] = []
    while (end := cursor.semicolon(position)) >= 0:
        piece = cursor.cut(position, end)
        position = end + 1
        if pieces and piece.text.lower() == "end":
            return (
                Block(
                    word,
                    pieces[0],
                    tuple(item for item in pieces[1:] if item.text),
                    cursor.cut(begin, position),
                ),
                position,
            )
        if pieces and word not in _WITH_DECLARATIONS and _HEAD.match(piece.text):
            raise ModFileError(
                f"'end;' of the block '{word}' that begins at line {place.line} was expected before"
                f" '{piece.words[:40]}'.",
                piece.place,
            )
        if pieces and _TRAILING_END.search(piece.text):
            raise ModFileError(
                f"';' was expected before 'end' of the block '{word}' that begins at line"
                f" {place.line}.",
                piece.places[-1],
            )
        pieces.append(piece)
    raise ModFileError(
        f"the block '{word}' that begins here has no 'end;' before the end of the file.", place
    )


def _verbatim(cursor: Cursor, word: str, begin: int) -> tuple[Block, int]:
    """A `verbatim` block has one item: its text as it stands."""
    first = cursor.semicolon(begin)
    last = _VERBATIM_END.search(cursor.text, max(first, begin))
    if last is None:
        raise ModFileError(
            "the block 'verbatim' that begins here has no 'end;' before the end of the file.",
            cursor.cut(begin, begin + 1).place,
        )
    inside = cursor.cut(first + 1, last.start())
    return (
        Block(word, cursor.cut(begin, first), (inside,), cursor.cut(begin, last.end())),
        last.end(),
    )


def _native(cursor: Cursor, position: int) -> tuple[Native, int]:
    end = cursor.text.find("\n", position)
    start = position
    # What stands behind three dots is a comment.
    while end >= 0 and "..." in re.sub(QUOTED, "", cursor.text[start:end]):
        start = end + 1
        end = cursor.text.find("\n", start)
    end = len(cursor.text) if end < 0 else end
    return Native(cursor.cut(position, end)), end
