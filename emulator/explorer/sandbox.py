"""The process in which a file from the page is read and solved: `python -m
emulator.explorer.sandbox`, JSON lines in and out.

First line: the texts (file, text, mapping) and the seconds of processor time. Then a line a
question. The process holds one world, reads no file of the machine, may use so much memory and
processor time, and whoever started it ends it when an answer takes too long by the clock. Nothing
of a text is ever executed (see `emulator.modfile`); this guards against what is merely slow or
large.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from typing import Any, TextIO

from emulator.errors import EmulatorError
from emulator.explorer.card import card_of, remarks_on
from emulator.explorer.over_data import questions
from emulator.explorer.presets import presets_of
from emulator.inference.economy import Economy
from emulator.inference.over_solver import SolverAnswerer
from emulator.modfile import load_text
from emulator.worlds import Source, from_source
from emulator.worlds.filemodel import FileModel
from emulator.worlds.filepaths import world_of_file
from emulator.worlds.guess import proposed_mapping

MEMORY, FILE = 3 << 30, 64 << 20
"""Bytes: of address space, and of a file that it writes."""


def main() -> None:
    """Read a world from the first line, then answer line by line until the input ends."""
    _limit_memory()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    opening = json.loads(sys.stdin.readline())
    limit_processor_time(opening["seconds"]["read_processor"])
    try:
        world = _world(opening["texts"])
        _say(answers, _opened(world))
    except (EmulatorError, RecursionError, MemoryError) as error:
        _say(answers, _refusal(error))
        return
    for line in sys.stdin:
        limit_processor_time(opening["seconds"]["answer_processor"])
        try:
            _say(answers, _answer(world, json.loads(line)))
        except (EmulatorError, RecursionError, MemoryError) as error:
            _say(answers, _refusal(error))


def limit_processor_time(seconds: float) -> None:
    """Let the system end this process once it has used so many more seconds of processor time."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the limit by the clock stands
        return
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), most))


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _world(texts: dict[str, str]) -> Economy:
    """The world of the texts, which stand alone, or, without a mapping, the model in its own
    variables; its defaults must have a solution.
    """
    file, text, mapping = (texts[name] for name in ("file", "text", "mapping"))
    solved = (
        from_source(Source(file=file, text=text, mapping=mapping))
        if mapping
        else world_of_file(load_text(text, file))
    )
    world = Economy(SolverAnswerer(solved))
    world.irf(horizon=0)
    return world


def _opened(world: Economy) -> dict[str, Any]:
    """What is said of a world once it is read."""
    solver = world.solver
    presets = presets_of(world.spec, getattr(solver, "priors", {}))
    return {
        "spec": world.spec.model_dump(mode="json"),
        "proposal": proposed_mapping(solver.model) if isinstance(solver, FileModel) else "",
        "presets": [preset._asdict() for preset in presets],
        "remarks": remarks_on(solver),
    }


def _answer(world: Economy, question: dict[str, Any]) -> dict[str, Any]:
    if "card" in question:
        return {"card": card_of(world).model_dump()}
    if "status" in question:
        return {"status": int(world.status(question["status"])[0])}
    if "data" in question:
        data = questions.series_of(question.pop("data"))
        if question["ask"] == "observing":
            return {"observing": questions.observing(world, data)}
        return {"answer": questions.answered(world, question, data).to_dict()}
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
