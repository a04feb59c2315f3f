"""Series in a file beside the model: those of `initval_file` and `histval_file`, and what is learnt
when (`perfect_foresight_with_expectation_errors_setup(datafile = ...)`).

A file is data: of MATLAB (`.m`) its assignments of numbers, vectors and matrices are read and
everything else is passed over; `.mat` and `.csv` besides. Axes: R row of a file, V variable, K
exogenous variable.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emulator.errors import ModFileError, unknown_name
from emulator.modfile.compiling.mat_file import LARGEST_FILE, loaded
from emulator.modfile.compiling.matlab import value_of
from emulator.modfile.compiling.matlab_values import Beyond, cells_of, plain
from emulator.modfile.reading.matlab import read_code
from emulator.modfile.reading.source import strip_comments
from emulator.modfile.reading.syntax import Command, ModFile, Place

ENDINGS = (".m", ".mat", ".csv")
"""Of files that are read; tried in this order where the model gives none."""

COUNTS = ("first_obs", "last_obs", "nobs", "first_simulation_period")
"""Options that select rows."""


def series_of(
    file: ModFile, command: Command, names: Sequence[str], lags: int
) -> dict[str, np.ndarray]:
    """Columns (R,) of the names that a command's file must hold, from the row on with which the
    past begins; lags: the periods of the past.

    Raises `ModFileError` for a file that cannot be read or lacks a name.
    """
    options = command.options
    if "series" in options:
        raise ModFileError(
            f"'{command.name}': series of MATLAB's workspace are not known here. Save them in a"
            " .csv file, a column a variable, and give datafile = 'NAME.csv'.",
            command.place,
        )
    path = data_path(file, options.get("datafile") or options.get("filename", ""), command)
    columns = _columns(path, command.place)
    for name in names:
        if name not in columns:
            raise ModFileError(
                f"'{command.name}': {path.name} has no series '{name}'. "
                + str(unknown_name("series", name, list(columns))),
                command.place,
            )
    lengths = {len(columns[name]) for name in names}
    if len(lengths) > 1:
        raise ModFileError(
            f"'{command.name}': the series of {path.name} have different lengths,"
            f" {min(lengths)} to {max(lengths)}.",
            command.place,
        )
    first, last = _rows(command, min(lengths, default=0), lags)
    return {name: columns[name][first:last] for name in names}


def data_path(file: ModFile, text: str, command: Command) -> Path:
    """Where a data file of a command lies. Raises `ModFileError` for one that is not there or
    outside of the model's folder, and for a model that is a text without a folder.
    """
    name = text.strip("'\" ")
    if file.folder is None:
        raise ModFileError(
            f"'{command.name}' reads the file '{name}', but the text stands alone and reads none.",
            command.place,
        )
    path = (file.folder / name).resolve()
    if not name or file.folder.resolve() not in path.parents:
        raise ModFileError(
            f"'{command.name}': '{name}' is no file in the model's folder.", command.place
        )
    if path.suffix in (".xls", ".xlsx"):
        raise ModFileError(
            f"'{command.name}': spreadsheets are not read. Save '{name}' as .csv, a column a"
            " variable.",
            command.place,
        )
    tried = [path] if path.suffix else [path.with_suffix(ending) for ending in ENDINGS]
    there = next((candidate for candidate in tried if candidate.is_file()), None)
    if there is None or there.suffix not in ENDINGS:
        raise ModFileError(
            f"'{command.name}': there is no file '{name}' of the kinds {', '.join(ENDINGS)} beside"
            " the model.",
            command.place,
        )
    if there.stat().st_size > LARGEST_FILE:
        raise ModFileError(
            f"'{command.name}': {there.name} has more than {LARGEST_FILE:,} bytes.", command.place
        )
    return there


def _columns(path: Path, place: Place) -> dict[str, np.ndarray]:
    if path.suffix == ".csv":
        return _of_table(path, place)
    if path.suffix == ".m":
        return _of_script(path)
    matrices = loaded(f"load {path.name}", path.parent, place) or {}
    return {name: _vector(value_of(value, {})) for name, value in matrices.items()}


def _of_script(path: Path) -> dict[str, np.ndarray]:
    """What the plain assignments of a script come to."""
    workspace: dict[str, Any] = {}
    lines = strip_comments(path.read_text("utf-8", "replace"), str(path))
    pending = ""
    for line in lines:
        pending += line.text + "\n"
        if pending.count("[") > pending.count("]") or pending.rstrip().endswith("..."):
            continue
        for code in read_code(pending) or ():
            if code.word == "=" and code.index is None and code.value is not None:
                try:
                    workspace[code.name] = plain(value_of(code.value, workspace))
                except (Beyond, ModFileError, KeyError):
                    workspace.pop(code.name, None)
        pending = ""
    cells = {name: cells_of(value) for name, value in workspace.items()}
    return {name: _vector(v) for name, v in cells.items() if isinstance(v, np.ndarray)}


def _vector(cells: Any) -> np.ndarray:
    """Cells (rows, columns, 1) as numbers in MATLAB's order."""
    return np.asarray(cells, dtype=float)[:, :, 0].ravel(order="F")


def table_of(path: Path) -> list[list[str]]:
    """The cells of a `.csv` file, without blank lines."""
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        return [[cell.strip() for cell in row] for row in csv.reader(file) if any(row)]


def _of_table(path: Path, place: Place) -> dict[str, np.ndarray]:
    rows = table_of(path)
    header = rows[0] if rows else []
    columns: dict[str, np.ndarray] = {}
    for k, name in enumerate(header):
        cells = [row[k] if k < len(row) else "" for row in rows[1:]]
        values = [number(cell) for cell in cells]
        if name and not (k == 0 and np.isnan(values).all()):  # the first column may hold dates
            columns[name] = np.array(values)
    if not columns:
        raise ModFileError(
            f"{path.name} has no series; a first line with names, and a column of numbers under"
            " each, was expected.",
            place,
        )
    return columns


def number(cell: str) -> float:
    """NaN for what is none."""
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _rows(command: Command, length: int, lags: int) -> tuple[int, int]:
    """The rows that a command selects, from 0 and one past the last."""
    given: dict[str, int] = {}
    for option in (*COUNTS, "firstobs", "lastobs", "firstsimulationperiod"):
        text = command.options.get(option)
        if text is None:
            continue
        if not text.isdigit() or not 1 <= int(text) <= length:
            raise ModFileError(
                f"'{command.name}': {option} is {text}; the number of a row, 1 to {length}, was"
                " expected. Dates are not read.",
                command.place,
            )
        given[option] = int(text)
    first = _first(command, given, lags)
    last = given.get("last_obs", length if "nobs" not in given else first + given["nobs"])
    if "first_obs" not in given and {"last_obs", "nobs"} <= given.keys():
        first = last - given["nobs"]
    consistent = "nobs" not in given or last == first + given["nobs"]
    if not consistent or not 0 <= first < last <= length:
        raise ModFileError(
            f"'{command.name}': its options select no rows of the {length} there are; give two of"
            " first_obs, last_obs and nobs.",
            command.place,
        )
    return first, last


def _first(command: Command, given: Mapping[str, int], lags: int) -> int:
    if "first_simulation_period" not in given:
        return given.get("first_obs", 1) - 1
    first = given["first_simulation_period"] - lags - 1
    if first < 0 or given.get("first_obs", first + 1) != first + 1:
        raise ModFileError(
            f"'{command.name}': the first period that is solved needs {lags} row(s) before it, from"
            " first_obs on.",
            command.place,
        )
    return first
