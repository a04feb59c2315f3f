"""The process in which a file from the page is read and solved: `python -m
emulator.explorer.sandbox`, JSON lines in and out.

First line: file, text, mapping. Then a line a question. The process holds one world, may use so
much memory and write so large files, and whoever started it ends it when an answer takes too long.
Nothing of a file is ever executed (see `emulator.modfile`); this guards against what is merely slow
or large.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, TextIO

from emulator.errors import EmulatorError, ModFileError
from emulator.inference.economy import Economy
from emulator.inference.over_solver import SolverAnswerer
from emulator.worlds import get_world

MEMORY, FILE = 3 << 30, 64 << 20
"""Bytes: of address space, and of a file that it writes."""

INCLUDE = re.compile(r"@#\s*include")
"""A directive that names another file, or where to look for one."""


def main() -> None:
    """Read a world from the first line, then answer line by line until the input ends."""
    _limit()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    try:
        world = _world(json.loads(sys.stdin.readline()))
        _say(answers, {"spec": world.spec.model_dump(mode="json")})
    except (EmulatorError, RecursionError, MemoryError) as error:
        _say(answers, _refusal(error))
        return
    for line in sys.stdin:
        try:
            _say(answers, _answer(world, json.loads(line)))
        except (EmulatorError, RecursionError, MemoryError) as error:
            _say(answers, _refusal(error))


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the limit of time stands
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _world(given: dict[str, str]) -> Economy:
    """The world of the files, which lie alone in a folder and include nothing; its defaults must
    have a solution.
    """
    if INCLUDE.search(given["text"]):
        raise ModFileError(
            "@#include and @#includepath are not supported in the explorer, whose files stand"
            " alone; put the text in their place.",
            given["file"],
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / given["file"]
        path.write_text(given["text"], encoding="utf-8")
        if given["mapping"]:
            path.with_name(f"{path.stem}.world.yaml").write_text(given["mapping"], encoding="utf-8")
        try:
            world = Economy(SolverAnswerer(get_world(path)))
        except EmulatorError as error:
            raise EmulatorError(str(error).replace(f"{folder}{os.sep}", "")) from None
    world.irf(horizon=0)
    return world


def _answer(world: Economy, question: dict[str, Any]) -> dict[str, Any]:
    if "status" in question:
        return {"status": int(world.status(question["status"])[0])}
    return {"irf": world.irf(question.pop("values"), on_failure="nan", **question).to_dict()}


def _refusal(error: BaseException) -> dict[str, str]:
    return {
        "error": (
            str(error)
            if isinstance(error, EmulatorError)
            else f"The file needs too much memory or nests too deep ({type(error).__name__})."
        )
    }


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
