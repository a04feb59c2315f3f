"""Thousands of damaged `.mod` files: each ends in an answer or in an error of ours, within bounds
of time and memory.

    python benchmarks/mutations.py FOLDER [--count 10000] [--seed 0] [--memory 3] [--limit 60]
        [--keep FOLDER] [--programs]

Each mutation takes a file of the folder at random, damages it (pieces cut, doubled or swapped,
lines of MATLAB where none belong: `emulator.tests.modfile.mutilation`) and asks for its responses,
from a a copy of the folder, so that what it includes is there. A process solves one after the
other under a limit of address space; a new one takes its place where it dies or takes too long.
The damage depends on the seed and on the mutation's number alone, so that each can be made again
(`--only K`).

With `--programs` the files that are damaged are the `NAME_steadystate.m` of models whose program is
followed, and what is asked for are steady states at one draw and at three.

Printed: how many were answered and refused, refusals without the name of the file and a line, and
every traceback, death, lapse of time or memory by its number. Exit code 1 if there is any of these.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import resource
import shutil
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from emulator.tests.modfile.mutilation import mutilated, with_matlab

if TYPE_CHECKING:
    from emulator.modfile import CompiledModel

GIB = 2**30
HORIZON = 2
"""Quarters of the responses that are asked for."""

MATLAB_SHARE = 0.3
"""Share of the mutations that get lines of MATLAB."""

EXAMPLES = 5
"""Refusals without a line that are shown."""


class Ending(NamedTuple):
    """How one mutation ended: `kind` is 'answered', 'refused', 'traceback', 'died', 'too long' or
    'out of memory'; `text` is the message.
    """

    kind: str
    text: str = ""


def damaged(files: list[Path], seed: int, number: int) -> tuple[Path, str]:
    """The file that mutation `number` takes, and its damaged text."""
    rng = Random(f"{seed} {number}")
    file = rng.choice(files)
    text = file.read_bytes().decode("latin-1")
    return file, (with_matlab if rng.random() < MATLAB_SHARE else mutilated)(text, rng)


def solve(file: Path, text: str) -> Ending:
    """Ask for the responses of a text, or for the steady states of a program, from a copy beside
    the file that it was made of.
    """
    from emulator.errors import EmulatorError
    from emulator.modfile import irf

    copy = file.with_name(f"damaged_{file.name}")
    copy.write_bytes(text.encode("latin-1"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if file.suffix == ".mod":
                irf(copy, horizon=HORIZON)
            else:
                steady_states(file, copy)
    except EmulatorError as error:
        return Ending("refused", str(error))
    except MemoryError as error:
        return Ending("out of memory", str(error))
    except Exception:
        return Ending("traceback", traceback.format_exc())
    return Ending("answered")


@cache
def model_of(program: Path) -> CompiledModel:
    from emulator.modfile import load

    return load(program.with_name(f"{program.stem.removesuffix('_steadystate')}.mod"))


def steady_states(program: Path, damaged_program: Path) -> None:
    """Follow a damaged program at one draw and at three. Raises `ModFileError` where it is not
    followed.
    """
    from emulator.errors import ModFileError
    from emulator.modfile.compiling.steady_file import with_formulas_beside
    from emulator.modfile.compiling.steady_program import program_beside

    model = model_of(program)
    name = damaged_program.name.replace("_steadystate.m", ".mod")
    file = replace(model.file, path=damaged_program.with_name(name))
    with_formulas_beside(file)
    followed = program_beside(file)
    if followed is None:
        raise ModFileError("it is not followed", f"{damaged_program.name}:1")
    parameters = model.theta()[:, : len(file.parameters)]
    for draws in (1, 3):
        shocks = np.zeros((draws, len(followed.shocks)))
        followed(np.repeat(parameters, draws, axis=0), shocks)


def followed_programs(folder: Path) -> list[Path]:
    """The programs in a folder whose model is answered with them."""
    from emulator.errors import EmulatorError

    programs = []
    for path in sorted(folder.rglob("*_steadystate.m")):
        with warnings.catch_warnings(), suppress(EmulatorError):
            warnings.simplefilter("ignore")
            if model_of(path).program is not None:
                programs.append(path)
    return programs


def work(files: list[Path], seed: int, memory: float, orders: Connection) -> None:
    """In a process of its own: solve the mutations whose numbers come through the pipe."""
    resource.setrlimit(resource.RLIMIT_AS, (int(memory * GIB), int(memory * GIB)))
    with suppress(EOFError):
        while True:
            orders.send(solve(*damaged(files, seed, orders.recv())))


class Worker:
    """A process that solves mutations, started again where it died or took too long."""

    def __init__(self, files: list[Path], seed: int, memory: float, limit: float) -> None:
        self.settings = (files, seed, memory)
        self.limit = limit
        self.start()

    def start(self) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(
            target=work, args=(*self.settings, theirs), daemon=True
        )
        self.process.start()
        theirs.close()

    def ending(self, number: int) -> Ending:
        self.pipe.send(number)
        try:
            if self.pipe.poll(self.limit):
                return self.pipe.recv()
            ending = Ending("too long", f"no answer within {self.limit:.0f} s")
        except EOFError:
            self.process.join()
            ending = Ending("died", f"the process ended with code {self.process.exitcode}")
        self.process.kill()
        self.process.join()
        self.start()
        return ending


def endings(worker: Worker, numbers: range, console: Console) -> Iterator[tuple[int, Ending]]:
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        for number in progress.track(numbers, description="mutations"):
            yield number, worker.ending(number)


def report(outcome: dict[int, Ending], files: list[Path], seed: int, console: Console) -> bool:
    """Print the table and what it should not hold; whether all ended as they should."""
    counts = Counter(ending.kind for ending in outcome.values())
    table = Table("ended", "mutations", header_style="bold")
    for kind, count in counts.most_common():
        table.add_row(kind, str(count))
    console.print(table)
    refused = {number: e.text for number, e in outcome.items() if e.kind == "refused"}
    without = {n: text for n, text in refused.items() if not re.search(r"\.\w+:\d+", text)}
    console.print(f"Refusals without a file and a line: {len(without)} of {len(refused)}.")
    for number, text in list(without.items())[:EXAMPLES]:
        console.print(f"  {number}: {' '.join(text.split())[:200]}", markup=False)
    bad = {n: e for n, e in outcome.items() if e.kind not in ("answered", "refused")}
    for number, ending in bad.items():
        name = damaged(files, seed, number)[0].name
        console.print(f"{number} ({name}): {ending.kind}: {ending.text}", markup=False)
    return not bad


def main(options: argparse.Namespace) -> int:
    if not any(options.folder.rglob("*.mod")):
        raise SystemExit(f"No .mod file in {options.folder}.")
    with tempfile.TemporaryDirectory() as scratch:
        copied = Path(shutil.copytree(options.folder, Path(scratch) / "files"))
        files = followed_programs(copied) if options.programs else sorted(copied.rglob("*.mod"))
        if not files:
            raise SystemExit(f"No NAME_steadystate.m that is followed in {options.folder}.")
        return run(files, options)


def run(files: list[Path], options: argparse.Namespace) -> int:
    console = Console(width=None if sys.stdout.isatty() else 160)
    if options.only is not None:
        file, text = damaged(files, options.seed, options.only)
        options.keep.mkdir(parents=True, exist_ok=True)
        (options.keep / f"{options.only}_{file.name}").write_bytes(text.encode("latin-1"))
    numbers = (
        range(options.count) if options.only is None else range(options.only, options.only + 1)
    )
    worker = Worker(files, options.seed, options.memory, options.limit)
    outcome = dict(endings(worker, numbers, console))
    return int(not report(outcome, files, options.seed, console))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of .mod files, with all its folders")
    parser.add_argument(
        "--programs", action="store_true", help="damage NAME_steadystate.m files instead"
    )
    parser.add_argument("--count", type=int, default=10_000, help="mutations")
    parser.add_argument("--seed", type=int, default=0, help="of the damage")
    parser.add_argument("--memory", type=float, default=3.0, help="address space, GiB")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one mutation")
    parser.add_argument("--only", type=int, help="the number of one mutation, to make it again")
    parser.add_argument(
        "--keep",
        type=Path,
        default=Path(tempfile.gettempdir()) / "mutations",
        help="where the text of `--only` is written",
    )
    sys.exit(main(parser.parse_args()))
