"""Code in Markdown pages, run in order in a folder of its own, as a reader would, and held against
what the pages show.

A `text` block right below a block of code is what that code prints. A picture whose name is that
of a file that a page's code draws is that file.

    python -m emulator.tests.documents README.md docs/start.md     # write both anew
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

SHARED = ("configs", "examples")
"""Folders of the repository that code on pages may read."""

CODE = re.compile(
    r"^```(?P<language>python|console)\n(?P<code>.*?)^```\n"
    r"(?:\s*^```text\n(?P<shown>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)
INDENTED = re.compile(r"^ {4}(emulator [a-z].*)$", re.MULTILINE)
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+\.png)\)")
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")

LAST_PLACES = 2
"""Printed numbers may differ by so many units of their last place from machine to machine."""


@dataclass(frozen=True)
class Block:
    """A fenced block of Python or of commands, with what the page says it prints, or None.

    Python stands on the lines where the page has it, so that an error names the page's line. `end`
    is where the block ends in the page, before what is shown.
    """

    language: str
    code: str
    shown: str | None
    start: int
    end: int


def blocks(text: str) -> list[Block]:
    """The blocks of a page, in order."""
    return [
        Block(
            language=match["language"],
            code="\n" * (text[: match.start("code")].count("\n")) * (match["language"] == "python")
            + match["code"],
            shown=match["shown"],
            start=match.start(),
            end=match.end("code") + len("```\n"),
        )
        for match in CODE.finditer(text)
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


def run_page(text: str, name: str, command: Callable[[list[str]], None]) -> list[str]:
    """Run a page's blocks in the current folder, Python in one namespace, each command by
    `command`; what each block prints. Whatever fails, raises.
    """
    namespace: dict[str, Any] = {"__name__": name}
    printed = []
    for block in blocks(text):
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            if block.language == "python":
                exec(compile(block.code, name, "exec"), namespace)
            else:
                for words in commands(block.code):
                    command(words)
        printed.append(stream.getvalue())
    return printed


def differences(text: str, printed: list[str]) -> list[str]:
    """Where a page shows other output than its blocks print: a line each. Python that prints shows
    what; of commands only what is shown is compared.
    """
    wrong = []
    for block, real in zip(blocks(text), printed, strict=True):
        if block.shown is None and (block.language == "console" or not real.strip()):
            continue
        shown = (block.shown or "").rstrip().splitlines()
        for line, now in zip_longest(shown, real.rstrip().splitlines(), fillvalue=""):
            if not same(line, now):
                wrong.append(f"shown: {line}\nnow:   {now}")
    return wrong


def same(line: str, other: str) -> bool:
    """Whether two printed lines say the same: equal texts, but for spaces, and equal numbers, but
    for their last place.
    """
    if NUMBER.sub("#", line).split() != NUMBER.sub("#", other).split():
        return False
    pairs = zip(NUMBER.findall(line), NUMBER.findall(other), strict=True)
    return all(_close(*pair) for pair in pairs)


def _close(one: str, other: str) -> bool:
    place = max(_last_place(one), _last_place(other))
    first, second = (float(number.replace(",", "")) for number in (one, other))
    if place >= 1:
        return first == second  # a count
    return math.isclose(first, second, rel_tol=1e-9, abs_tol=(LAST_PLACES + 0.01) * place)


def _last_place(number: str) -> float:
    mantissa, _, exponent = number.replace(",", "").partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals)


def pictures(text: str, folder: Path) -> list[tuple[str, Path]]:
    """Pictures of a page, as it names them, that its code has drawn in `folder`, and where."""
    return [
        (name, folder / Path(name).name)
        for name in PICTURE.findall(text)
        if (folder / Path(name).name).exists()
    ]


def difference(one: Path, other: Path) -> float:
    """Mean absolute difference of two pictures, of 1; infinite for other sizes."""
    from matplotlib.image import imread

    first, second = imread(one), imread(other)
    return abs(first - second).mean() if first.shape == second.shape else math.inf


def updated(text: str, printed: list[str]) -> str:
    """A page with what its blocks print now: below every block of Python that prints, and below
    blocks of commands that show something already.
    """
    parts = []
    place = 0
    for block, match, real in zip(blocks(text), CODE.finditer(text), printed, strict=True):
        parts.append(text[place : block.end])
        place = match.end() if block.shown is not None else block.end
        shows = block.language == "python" and real.strip()
        if shows or block.shown is not None:
            lines = "\n".join(line.rstrip() for line in real.rstrip().splitlines())
            parts.append(f"\n```text\n{lines}\n```\n")
    return "".join(parts) + text[place:]


def run_command(words: list[str]) -> None:
    """`emulator ...` in this process. Raises `AssertionError` if it fails."""
    from emulator.cli import app
    from emulator.console import exit_with

    before = sys.argv
    sys.argv = ["emulator", *words]
    code: object = None
    try:
        exit_with(app)
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = before
    if code:
        raise AssertionError(f"emulator {shlex.join(words)} ends with {code}")


def _rewrite(page: Path, root: Path, folder: Path) -> None:
    text = page.read_text(encoding="utf-8")
    prepare(folder, root)
    with contextlib.chdir(folder):
        printed = run_page(text, page.name, run_command)
    page.write_text(updated(text, printed), encoding="utf-8")
    for name, drawn in pictures(text, folder):
        shutil.copyfile(drawn, page.parent / name)


if __name__ == "__main__":
    import tempfile

    for argument in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as scratch:
            _rewrite(Path(argument).resolve(), Path(__file__).parents[2], Path(scratch))
