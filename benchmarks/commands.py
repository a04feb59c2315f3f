"""Every command of a folder of `.mod` files that solves its model: answered or refused, by kind.

    python benchmarks/commands.py FOLDER [--only PATTERN] [--csv commands.csv] [--limit 120]
        [--order 1]

Each run of each file (`model.runs`) is asked as its kind answers: `Economy.perfect_foresight` for
paths that are known, `Economy.irf` for the rest, at the order that the run asks for or at the one
of --order. A file without a run is asked for its responses. Nothing is compared here:
`modfiles.py`, `orders.py`, `moments.py`, `foresight.py` and `policy.py` hold the numbers to
Dynare's.
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

HORIZON = 20


class Row(NamedTuple):
    """One run of one file; `order` of the answer, '' where there is none."""

    file: str
    run: int
    command: str
    outcome: str
    order: str
    reason: str


def asked(path: Path) -> list[tuple[int | None, str]]:
    """The runs of a file by number and command; one without a number of a file without any."""
    from emulator.modfile.compiling.runs import runs_of
    from emulator.modfile.compiling.script import carried_out
    from emulator.modfile.reading.budget import Budget
    from emulator.modfile.reading.parser import parse

    budget = Budget()
    file = carried_out(parse(path, budget), budget, path.parent)
    runs: list[tuple[int | None, str]] = [
        (run.number, run.command) for run in runs_of(file, budget)
    ]
    return runs or [(None, "none")]


def answer(path: Path, run: int | None, order: int | None) -> str:
    """Asks one run; the order of the answer. Raises `EmulatorError`."""
    import emulator
    from emulator.modfile.compiling.kinds import SCENARIOS

    economy = emulator.world(path, run=run)
    model: Any = economy.solver.model  # type: ignore[attr-defined]  # of a file
    if model.kind in SCENARIOS:
        path_of = economy.perfect_foresight()["path"]
        if not np.isfinite(path_of.values).all():
            raise FloatingPointError("a path that is not finite")
        return ""
    data = economy.irf(horizon=HORIZON, order=order)
    if not np.isfinite(data["irf"].values).all():
        raise FloatingPointError("responses that are not finite")
    return str(data.attrs.get("order", "1"))


def rows_of(path: Path, name: str, limit: int, order: int | None) -> list[Row]:
    from emulator.errors import EmulatorError

    def late(*_: Any) -> None:
        raise TimeoutError(f"no answer within {limit} s of processor time")

    signal.signal(signal.SIGVTALRM, late)
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            listed = asked(path)
        except EmulatorError as error:
            return [Row(name, 0, "none", "refused", "", str(error))]
        for run, command in listed:
            signal.setitimer(signal.ITIMER_VIRTUAL, limit)
            try:
                given = answer(path, run, order)
                row = Row(name, run or 0, command, "answered", given, "")
            except EmulatorError as error:
                row = Row(name, run or 0, command, "refused", "", str(error))
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                row = Row(name, run or 0, command, "crashed", "", reason)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            rows.append(row)
    return rows


def report(rows: list[Row], console: Console) -> None:
    table = Table("command", "runs", "files", "answered", "refused", "crashed", header_style="bold")
    for command in sorted({row.command for row in rows}):
        of = [row for row in rows if row.command == command]
        count = Counter(row.outcome for row in of)
        files = len({row.file for row in of})
        cells = (len(of), files, count["answered"], count["refused"], count["crashed"])
        table.add_row(command, *map(str, cells))
    console.print(table)
    for row in rows:
        if row.outcome != "answered":
            reason = " ".join(row.reason.split())[:200]
            console.print(f"{row.file} run {row.run} {row.command}: {row.outcome}: {reason}")


def main(options: argparse.Namespace) -> None:
    root = options.folder.resolve()
    files = [path for path in sorted(root.rglob("*.mod")) if path.match(options.only)]
    rows = []
    for path in files:
        name = str(path.relative_to(root))
        of_file = rows_of(path, name, options.limit, options.order)
        rows += [row._replace(reason=row.reason.replace(f"{root}/", "")) for row in of_file]
        if options.csv:
            with options.csv.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(Row._fields)
                writer.writerows(rows)
    report(rows, Console(width=200))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of .mod files, searched with all folders")
    parser.add_argument("--only", default="*.mod", help="pattern of the file's name")
    parser.add_argument("--csv", type=Path, help="write the table here, too")
    parser.add_argument("--limit", type=int, default=120, help="seconds of processor time a run")
    parser.add_argument("--order", type=int, help="of approximation; the run's own if left out")
    main(parser.parse_args())
