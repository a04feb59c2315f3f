"""Reads one item (what stands between two semicolons) by the grammar; whatever does not fit is said
with file and line.
"""

from __future__ import annotations

import re
import threading
from importlib.resources import files
from typing import Any

from lark import Lark, Token
from lark.exceptions import UnexpectedInput, UnexpectedToken

from emulator.errors import ModFileError
from emulator.modfile.reading.build import Builder, Complaint, Names
from emulator.modfile.reading.source import QUOTED, Span
from emulator.modfile.reading.syntax import Expression, Place, parts

DEEPEST = 200
"""Brackets or operations inside of one another."""

_BRACKETS = re.compile(rf"{QUOTED}|[()\[\]]")
_CLOSES = {")": "(", "]": "["}
_STARTS = ["model_item", "assignment", "shock", "estimated", "declarations", "value", "weight"]
_WORDS = {
    "NAME": "a name",
    "STRING": "a string in quotes",
    "EQUAL": "'='",
    "COMMA": "','",
    "RPAR": "')'",
    "LPAR": "'('",
    "RSQB": "']'",
    "_VAR": "'var'",
    "_CORR": "'corr'",
    "_STDERR": "'stderr'",
}
_OPERATORS = {"SIGN", "FACTOR", "CIRCUMFLEX", "RELATION", "EQUALITY"}


class _OfThread(threading.local):
    """The grammar of a thread and the builder that its parser calls. To make the parser takes
    longer than to read most files with it.
    """

    def __init__(self) -> None:
        text = files("emulator.modfile.reading").joinpath("grammar.lark").read_text("utf-8")
        self.builder = Builder()
        self.grammar = Lark(
            text,
            parser="lalr",
            start=_STARTS,
            transformer=self.builder,
            maybe_placeholders=True,
        )


_of_thread = _OfThread()


class Reader:
    """Reads items of one text; `kinds` maps the names declared so far to what they are, `external`
    holds the declared functions.
    """

    def __init__(self) -> None:
        self._names = Names()
        self.kinds = self._names.kinds
        self.external = self._names.external

    def read(self, span: Span, start: str, what: str, strict: bool = False) -> Any:
        """What the builder makes of the text by the rule `start`; `what` names it in errors.

        With `strict`, a name that is not declared is an error. Raises ModFileError at the line
        where the text goes wrong.
        """
        names = self._names
        names.undeclared, names.unknown_calls, names.naming = [], [], set()
        _check_brackets(span)
        _of_thread.builder.names = names
        try:
            result = _of_thread.grammar.parse(span.text, start=start)
        except Complaint as complaint:
            raise ModFileError(str(complaint), place_of(span, complaint.token)) from None
        except UnexpectedInput as error:
            raise ModFileError(*_explained(error, span, what)) from None
        if strict:
            self._refuse_unknown(span)
        return result

    def _refuse_unknown(self, span: Span) -> None:
        for token in self._names.undeclared:
            if token in self._names.naming:
                continue
            raise ModFileError(
                f"'{token}' is not declared; declare it with 'var', 'varexo' or 'parameters' before"
                " it is used.",
                place_of(span, token),
            )
        for token in self._names.unknown_calls:
            message = (
                f"'{token}' is neither declared nor a function of Dynare's; a function of MATLAB"
                f" needs external_function(name = {token})."
            )
            raise ModFileError(message, place_of(span, token))

    def expression(self, span: Span, what: str) -> Expression:
        """The text as an expression."""
        value: Expression = self.read(span, "value", what)
        check_depth(value, span)
        return value


def place_of(span: Span, token: Token) -> Place:
    return span.places[min((token.line or 1) - 1, len(span.places) - 1)]


def check_depth(expression: Expression, span: Span, deepest: int = DEEPEST) -> None:
    """Refuses an expression whose operations nest so deep that no program could follow."""
    layer: list[Expression] = [expression]
    for _ in range(deepest):
        layer = [inner for outer in layer for inner in parts(outer)]
        if not layer:
            return
    raise ModFileError(
        f"the expression nests more than {deepest} operations; one that nests too many is to be"
        " written in several steps.",
        span.place,
    )


def _check_brackets(span: Span) -> None:
    opened: list[tuple[str, int]] = []
    for match in _BRACKETS.finditer(span.text):
        letter = match[0]
        if letter in ("(", "["):
            opened.append((letter, match.start()))
            if len(opened) > DEEPEST:
                raise ModFileError(
                    f"brackets nest more than {DEEPEST} deep.", span.place_of(match.start())
                )
        elif letter in _CLOSES and (not opened or opened.pop()[0] != _CLOSES[letter]):
            raise ModFileError(
                f"'{letter}' closes nothing: the '{_CLOSES[letter]}' for it is missing.",
                span.place_of(match.start()),
            )
    if opened:
        letter, offset = opened[-1]
        raise ModFileError(f"'{letter}' is not closed before the next ';'.", span.place_of(offset))


def _explained(error: UnexpectedInput, span: Span, what: str) -> tuple[str, Place]:
    """A message and a place for what the grammar did not expect."""
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    offset = len(span.text) if at_end else error.pos_in_stream or 0
    rest = span.text[offset:]
    expected = set(getattr(error, "expected", None) or getattr(error, "allowed", None) or ())
    wanted = _wanted(expected)
    place = span.place_of(offset)
    if at_end:
        return f"{what} ends too early: {wanted} was expected before ';'.", place
    if rest.startswith("*") and span.text[:offset].rstrip().endswith("*"):
        return "'**' is not an operator of Dynare's; write x^2 for a power.", place
    unexpected = rest.split(None, 1)[0][:30] if rest.strip() else rest
    message = f"in {what}, '{unexpected}' was not expected; {wanted} was."
    before = span.text[:offset].rstrip()
    if "\n" in span.text[len(before) : offset] and expected & _OPERATORS:
        message += f" Is a ';' missing at the end of line {span.place_of(len(before)).line}?"
    return message, place


def _wanted(expected: set[str]) -> str:
    if expected & _OPERATORS and "NUMBER" not in expected:
        return "an operator or ';'"
    if "NUMBER" in expected:
        return "an expression"
    words = sorted(_WORDS[name] for name in expected if name in _WORDS)
    return " or ".join(words) if words else "';'"
