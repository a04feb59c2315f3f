"""Code in Markdown pages, run in order in a folder of its own, as a reader would."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SHARED = ("configs", "examples")
"""Folders of the repository that code on pages may read."""

BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"^ {4}(emulator [a-z].*)$", re.MULTILINE)


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and content of each fenced block of Python or of commands, in order; Python on the
    lines where the page has it.
    """
    return [
        (
            found[1],
            "\n" * (text[: found.start(2)].count("\n") if found[1] == "python" else 0) + found[2],
        )
        for found in BLOCK.finditer(text)
    ]


def commands(block: str) -> Iterator[list[str]]:
    """The words of each command of a console block, without the program's name, which is
    `emulator`.
    """
    for line in block.strip().splitlines():
        program, *words = shlex.split(line)
        assert program == "emulator", f"'{line}' is no command of this project"
        yield words


def prepare(folder: Path, root: Path) -> None:
    """What of the repository a page's code may read, linked into a folder."""
    for name in SHARED:
        (folder / name).symlink_to(root / name)


def run_page(text: str, name: str, command: Callable[[list[str]], None]) -> None:
    """Run a page's blocks in the current folder, Python in one namespace, each command by
    `command`; whatever fails, raises.
    """
    namespace: dict[str, Any] = {"__name__": name}
    for language, block in blocks(text):
        if language == "python":
            exec(compile(block, name, "exec"), namespace)
        else:
            for words in commands(block):
                command(words)
