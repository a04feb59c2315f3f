"""Docstrings as the project writes them, for Sphinx: `names` in single backticks become links,
indented lines are shown as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
LISTED = re.compile(r"\s*([-*]|\d+\.)\s")


def setup(app: Any) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _process)
    return {"parallel_read_safe": True}


def _process(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = list(restructured(lines))


def restructured(lines: list[str]) -> Iterator[str]:
    """Lines of a docstring as reStructuredText; what is indented, and does not go on with a list,
    is a literal block.
    """
    literal = in_list = False
    for line in lines:
        if not line.strip():
            yield ""
            in_list = False
            continue
        indented = line.startswith(" ") and not in_list
        if indented and not literal:
            yield from ("", "::", "")
        elif literal and not indented:
            yield ""
        literal = indented
        if LISTED.match(line) and not indented and not in_list:
            yield ""
            in_list = True
        yield line if literal else inline(line)


def inline(text: str) -> str:
    """One line with its names linked, other code in fixed width, and all else taken literally."""
    parts = re.split(r"``?([^`]+)``?", text)
    return "".join(
        _code(part) if k % 2 else re.sub(r"(?<!^)([\\*|])|_(?=\W|$)", r"\\\g<0>", part)
        for k, part in enumerate(parts)
    )


def _code(text: str) -> str:
    return f":py:obj:`{text}`" if NAME.fullmatch(text) else f"``{text}``"
