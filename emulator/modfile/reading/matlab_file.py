"""The functions of a file of MATLAB, as statements of the subset that `matlab` reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from emulator.modfile.reading.matlab import CONTINUED, Code, read_code
from emulator.modfile.reading.source import read_lines

_HEAD = re.compile(
    r"^[ \t]*function\b[ \t\v]*(?:\[?(?P<outputs>[\w, \t\v]*)\]?[ \t\v]*=)?[ \t\v]*(?P<name>\w+)"
    r"[ \t\v]*(?:\((?P<inputs>[^)]*)\))?[ \t]*[;,]?",
    re.MULTILINE,
)
_SAID = re.compile(
    r"^[ \t]*(?:global|persistent|clear|close|format|tic|toc|more)\b[^\n]*$"
    r"|\b(?:fprintf|disp|warning|display|error)[ \t]*\((?:[^()\n]|\([^()\n]*\))*\)[ \t]*[;,]?",
    re.MULTILINE,
)
_CONTINUED = re.compile(r"\.\.\.[^\n]*\n")
_OPENS = ("if", "for", "while", "switch")


@dataclass(frozen=True)
class Function:
    """One function: names of what goes in and comes out, and its statements; `text` as written."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    codes: tuple[Code, ...]
    text: str


def read_functions(path: Path) -> Mapping[str, Function] | None:
    """The functions of a file by name, its main one first; None where a statement is beyond the
    subset. What a function prints is left out.
    """
    lines = read_lines(path)
    text = _CONTINUED.sub(CONTINUED, "\n".join(line.text for line in lines))
    heads = list(_HEAD.finditer(text))
    functions: dict[str, Function] = {}
    for head, following in zip_longest(heads, heads[1:]):
        body = text[head.end() : None if following is None else following.start()]
        body = _SAID.sub("", body)
        codes = read_code(body)
        if codes is None:
            return None
        opened = sum(code.word in _OPENS for code in codes) - sum(c.word == "end" for c in codes)
        if opened == -1 and codes[-1].word == "end":  # a function may end in a word of its own
            codes = codes[:-1]
        elif opened:
            return None
        first = len(re.findall(r"[\n\v]", text[: head.end()]))
        codes = tuple(
            replace(code, line=lines[min(first + code.line, len(lines) - 1)].place.line)
            for code in codes
        )
        functions[head["name"]] = Function(
            head["name"], _names(head["inputs"]), _names(head["outputs"]), codes, body
        )
    return functions or None


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(re.findall(r"~|\w+", text or ""))
