"""A folder of `.mod` files before the referee: ours against Dynare's own first-order answer, one
row a file.

    python benchmarks/modfiles.py FOLDER [--dynare /usr/lib/dynare/matlab] [--cache DIR] [--horizon
    20]
        [--only PATTERN] [--csv out.csv] [--limit 180] [--workers 1]

Ours is `emulator.world(file).irf(variables=...)`, asked for every variable of the file. Compared
are the responses to every shock with a variance, level deviations from steady state, one standard
deviation (lower Cholesky factor), horizon 0 = impact; `abs` is the largest difference, `rel` the
largest relative to max(1, |Dynare's response|). Dynare's slow side is kept in the cache by content.
Exit code 1 if a file is mismatched or crashes.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, fields
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

import numpy as np
from referee import Answer, Octave, Verdict, ask
from rich.console import Console
from rich.table import Table

TOLERANCE = 1e-6
CLOSE = 1e-8
"""What rounding alone should move; the summary counts the files within it."""
SMALLEST = 1e-13
"""Shocks of a standard deviation up to this one have no response, as in Dynare."""
OUR_LIMIT = 120.0
STYLE = {
    "solved": "green",
    "mismatched": "bold red",
    "crashed": "bold red",
    "refused": "yellow",
    "not compared": "dim",
}

Outcome = Literal["solved", "mismatched", "refused", "crashed", "not compared"]


@dataclass(frozen=True)
class Ours:
    """What the package said: responses (shock, horizon + 1, variable) by name, or `error`, the
    reason; `refused` if it was meant.
    """

    shocks: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    irf: np.ndarray | None = None
    error: str = ""
    refused: bool = False


@dataclass(frozen=True)
class Row:
    """One file of the table."""

    file: str
    outcome: Outcome
    reason: str
    absolute: float | None
    relative: float | None
    variables: int
    """How many are compared."""
    dynare: str
    counted: bool
    """Dynare solves the file and it needs no external MATLAB."""


def respond(path: Path, horizon: int, sink: Connection) -> None:
    """In a process of its own: our answer, or the reason why there is none, into the pipe."""
    from emulator.errors import EmulatorError
    from emulator.inference import Economy
    from emulator.inference.over_solver import SolverAnswerer
    from emulator.worlds.filemodel import FileModel

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            economy = Economy(SolverAnswerer(FileModel.read(path)))
        spec, sizes = economy.spec, economy.spec.theta()[0]
        shocks = [s.name for s in spec.shocks if sizes[spec.index(str(s.size))] > SMALLEST]
        variables = spec.observable_names
        irf = np.empty((0, horizon + 1, len(variables)))
        if shocks:
            answer = economy.irf(shocks=shocks, variables=variables, horizon=horizon, order=1)
            irf = answer["irf"].transpose("draw", "shock", "horizon", "observable").values[0]
        sink.send(Ours(tuple(shocks), variables, irf))
    except EmulatorError as error:
        sink.send(Ours(error=str(error), refused=True))
    except BaseException as error:  # whatever it is, it is a row of the table
        sink.send(Ours(error=f"{type(error).__name__}: {error}"))


def ours(path: Path, horizon: int) -> Ours:
    """Our answer, from a process that may crash or hang."""
    source, sink = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=respond, args=(path, horizon, sink))
    process.start()
    sink.close()
    try:
        answer = (
            source.recv()
            if source.poll(OUR_LIMIT)
            else Ours(error=f"no answer within {OUR_LIMIT:.0f} s")
        )
    except EOFError:
        process.join()
        answer = Ours(error=f"the process died with exit code {process.exitcode}")
    process.kill()
    process.join()
    return answer


def compare(mine: Ours, theirs: Answer) -> tuple[str, float | None, float | None]:
    """Why the answers differ ('' where they agree), with the largest absolute and relative
    difference.
    """
    for kind, own, other in (
        ("shocks", mine.shocks, theirs.shocks),
        ("variables", mine.variables, theirs.variables),
    ):
        if set(own) != set(other):
            return f"{kind} differ: {', '.join(sorted(set(own) ^ set(other)))}", None, None
    assert mine.irf is not None
    order = np.ix_(
        [mine.shocks.index(s) for s in theirs.shocks],
        range(mine.irf.shape[1]),
        [mine.variables.index(v) for v in theirs.variables],
    )
    own_irf, expected = mine.irf[order], np.array(theirs.irf)
    if own_irf.shape != expected.shape:
        return f"shapes differ: {own_irf.shape} and {expected.shape}", None, None
    difference = np.abs(own_irf - expected)
    relative = difference / np.maximum(1, np.abs(expected))
    if not np.isfinite(difference).all():
        return "responses that are not finite", None, None
    where = np.unravel_index(relative.argmax(), relative.shape)
    reason = (
        f"{theirs.variables[where[2]]} to {theirs.shocks[where[0]]} at horizon {where[1]}"
        if relative.max() > TOLERANCE
        else ""
    )
    return reason, float(difference.max()), float(relative.max())


def row(name: str, mine: Ours, verdict: Verdict) -> Row:
    """The verdict on one file."""
    theirs = verdict.answer
    said = "; ".join(
        [
            theirs.kind if theirs.kind == "solved" else f"{theirs.kind}: {theirs.message}",
            *verdict.external,
            *verdict.notes,
        ]
    )
    counted = theirs.kind == "solved" and not verdict.external
    absolute = relative = None
    outcome: Outcome = "not compared"
    if mine.irf is None:
        outcome, reason = "refused" if mine.refused else "crashed", mine.error
    elif theirs.kind == "solved":
        reason, absolute, relative = compare(mine, theirs)
        outcome = "mismatched" if reason else "solved"
    elif theirs.kind == "no_solution" and theirs.details["info"] in (3, 4, 5):
        outcome, reason = "mismatched", "solved by us where Dynare finds no unique stable solution"
    else:
        reason = "solved by us alone" if len(mine.shocks) else "no shock has a variance"
    variables = len(theirs.variables) if absolute is not None else 0
    return Row(name, outcome, reason, absolute, relative, variables, said, counted)


def report(rows: list[Row], console: Console) -> None:
    table = Table(
        "file",
        "ours",
        "variables",
        "abs",
        "rel",
        "why",
        "Dynare",
        header_style="bold",
        expand=False,
    )
    for line in rows:
        numbers = ["" if x is None else f"{x:.1e}" for x in (line.absolute, line.relative)]
        why = " ".join(line.reason.split())
        table.add_row(
            line.file,
            f"[{STYLE[line.outcome]}]{line.outcome}[/]",
            str(line.variables or ""),
            *numbers,
            why[:160],
            " ".join(line.dynare.split())[:120],
        )
    console.print(table)
    counted = [line for line in rows if line.counted]
    solved = [line for line in counted if line.outcome == "solved"]
    close = sum(line.relative <= CLOSE for line in solved if line.relative is not None)
    console.print(
        f"{len(rows)} files, {sum(line.variables for line in rows)} variables compared. Dynare"
        f" solves {sum(line.dynare.startswith('solved') for line in rows)}, {len(counted)} without"
        f" external MATLAB; of these {len(solved)} are solved within {TOLERANCE:g}"
        + (f" ({100 * len(solved) / len(counted):.0f} %)" if counted else "")
        + f", {close} within {CLOSE:g}"
        + f", {sum(line.outcome == 'refused' for line in counted)} refused."
    )
    console.print(
        f"Mismatched: {sum(line.outcome == 'mismatched' for line in rows)}. Crashed:"
        f" {sum(line.outcome == 'crashed' for line in rows)}."
    )


def write(rows: list[Row], path: Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in fields(Row)])
        writer.writerows(astuple(line) for line in rows)


def main(options: argparse.Namespace) -> int:
    import emulator.inference.over_solver
    import emulator.worlds.filemodel  # noqa: F401  # processes that are forked have it

    root = options.folder.resolve()
    files = [path for path in sorted(root.rglob("*.mod")) if path.match(options.only)]
    if not files:
        raise SystemExit(f"No file of {root} matches '{options.only}'.")
    octave = Octave(options.dynare, options.horizon, options.limit)

    def judged(file: Path) -> Verdict:
        beside = file.relative_to(root).parts[0]
        return ask(octave, root if beside == file.name else root / beside, file, options.cache)

    with ThreadPoolExecutor(min(options.workers, 2)) as pool:
        verdicts = list(pool.map(judged, files))
    rows = [
        row(str(file.relative_to(root)), ours(file, options.horizon), verdict)
        for file, verdict in zip(files, verdicts, strict=True)
    ]
    report(rows, Console(width=None if sys.stdout.isatty() else 240))
    if options.csv:
        write(rows, options.csv)
    return int(any(line.outcome in ("mismatched", "crashed") for line in rows))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", type=Path, help="folder of .mod files, searched with all its folders"
    )
    parser.add_argument(
        "--dynare", type=Path, default=Path("/usr/lib/dynare/matlab"), help="Dynare's matlab folder"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "dynare_answers",
        help="where Dynare's answers are kept",
    )
    parser.add_argument("--horizon", type=int, default=20, help="quarters after the impact")
    parser.add_argument("--only", default="*.mod", help="pattern of the file's name")
    parser.add_argument("--csv", type=Path, help="write the table here, too")
    parser.add_argument(
        "--limit", type=float, default=180.0, help="seconds that one run of Dynare may take"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="runs of Dynare at once, two at most"
    )
    sys.exit(main(parser.parse_args()))
