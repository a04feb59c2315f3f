"""What `moments.py` and `orders.py` share: a folder of `.mod` files, Dynare's record of each from a
cache, and a table with a row a file.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from referee import Octave, recorded
from rich.console import Console
from rich.table import Table
from scipy.io import loadmat

from emulator.errors import EmulatorError

MATLAB_FOLDER = Path("/usr/lib/dynare/matlab")
Row = TypeVar("Row")


def record_of(
    tree: Path,
    file: Path,
    octave: Octave,
    cache: Path,
    scripts: Path,
    changed: Callable[[str], str] | None = None,
    asked: str = "",
) -> dict[str, Any] | None:
    """What the scripts of a folder say of a file of the folder `tree`, from the cache where they
    were asked the same of the same content before; None where they say nothing. The scripts leave
    `NAME.mat`, by their folder's name. changed: how the text of the file is rewritten first; asked:
    what the scripts read of their environment.
    """
    cache.mkdir(parents=True, exist_ok=True)
    text = "" if changed is None else changed(file.read_text("latin-1"))
    stored = cache / f"{octave.key(tree, file, scripts, asked + text)}.mat"
    if not stored.exists():
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(shutil.copytree(tree, Path(scratch) / "copy"))
            work = copy / file.relative_to(tree).parent
            if changed is not None:
                (work / file.name).write_text(text, "latin-1")
            answer = recorded(octave, work, file.name, scripts, f"{scripts.name}.mat")
            if answer is None:
                return None
            shutil.copy(answer, stored)
    record: dict[str, Any] = loadmat(stored, simplify_cells=True)["record"]
    return record


def rows_of(
    names: Iterable[str],
    options: argparse.Namespace,
    ask: Callable[[Path, Path, Path, Octave], dict[str, Any] | None],
    compare: Callable[[Path, str, dict[str, Any]], Sequence[Row]],
    without: Callable[[str, str], Row],
) -> list[Row]:
    """The rows of the files of a folder: what `compare` says of each beside Dynare's record, or one
    row `without` an answer, with a note.
    """
    root = options.folder.resolve()
    octave = Octave(options.dynare, 1, options.limit)
    rows: list[Row] = []
    for name in names:
        path = root / name
        if not path.match(options.only):
            continue
        tree = root if len(Path(name).parts) == 1 else root / Path(name).parts[0]
        try:
            theirs = ask(tree, path, options.cache, octave)
            if theirs is None:
                rows.append(without(name, "Dynare gives no answer"))
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rows += compare(path, name, theirs)
        except (EmulatorError, ValueError) as error:
            rows.append(without(name, f"{type(error).__name__}: {error}"))
    return rows


def show(rows: Sequence[Any], kind: type, console: Console) -> None:
    """The rows as a table; the last column of each is a note."""
    shown = Table(*(column.name for column in fields(kind)), header_style="bold")
    for row in rows:
        cells = [
            f"{value:.1e}" if isinstance(value, float) else "" if value is None else str(value)
            for value in asdict(row).values()
        ]
        shown.add_row(*cells[:-1], cells[-1][:80])
    console.print(shown)


def console(width: int) -> Console:
    return Console(width=None if sys.stdout.isatty() else width)


def write(rows: Sequence[Any], kind: type, path: Path | None) -> None:
    """The rows as CSV, where a path is given."""
    if path is not None:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [column.name for column in fields(kind)])
            writer.writeheader()
            writer.writerows(map(asdict, rows))


def add_options(parser: argparse.ArgumentParser, cache: str) -> None:
    """The options of a comparison of a folder."""
    parser.add_argument("--dynare", type=Path, default=MATLAB_FOLDER, help="its matlab folder")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / cache)
    parser.add_argument("--only", default="*.mod", help="pattern of the file's name")
    parser.add_argument("--csv", type=Path, help="write the table here, too")
    parser.add_argument("--limit", type=float, default=400.0, help="seconds of one run of Dynare")
