"""Targets on disk: CSV with standard deviations, as a person writes it; NPZ with the whole
covariance.

    horizon,output,inflation,rate,output_sd,inflation_sd,rate_sd
    0,0,0,0.87,0,0,0.06
    1,0.05,0.51,0.73,0.07,0.18,0.12

An empty cell is an entry that is not matched. The value 0 with the standard deviation 0 is a
response that the target's identification sets to zero, as a recursive VAR does on impact: it is not
matched, but what the world does there is checked. The columns name the observables under which
worlds know them, any and as many as there are; each has a column of standard deviations, and is in
the world's unit.
"""

from __future__ import annotations

import csv
import io
import math
import zipfile
import zlib
from itertools import islice
from pathlib import Path
from typing import cast, get_args

import numpy as np
import pandas as pd

from emulator.errors import EmulatorError, TargetError, nearest
from emulator.estimation.indirect.procedure import Procedure
from emulator.estimation.settings import LONGEST
from emulator.estimation.target import Target
from emulator.files import read_regular, write_bytes
from emulator.spec import OBSERVABLES, Frequency

LARGEST = 50_000_000
"""Bytes of a file at most, and of all that an NPZ unpacks to; the covariance of the longest target
has twelve millions.
"""

COLUMNS = "'horizon', and for each observable NAME and NAME_sd"
ARRAYS = ("irf", "covariance", "matched", "about")
OBSERVED = ("observables", "units", "frequency", "procedure")
"""Further arrays of an NPZ; files of before have none, and hold output, inflation and the rate."""

ENDINGS = (".csv", ".npz")

UNZIPPING = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, MemoryError)
"""What `zipfile` raises for damaged, encrypted and unknown kinds of archives."""


def read_target(path: str | Path, shock: str = "monetary") -> Target:
    """A target from `.csv` or `.npz`; shock: the name under which worlds know the shock, which a
    CSV does not say.

    Raises `TargetError` for a file that is missing, too large, empty or not of the form that this
    module's text shows.
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise TargetError(
            f"The target '{path}' must end in {' or '.join(ENDINGS)}, or be the name us-monetary."
        )
    try:
        content = read_regular(path, LARGEST)
    except OSError as error:
        raise TargetError(
            f"The target '{path}' cannot be read: {error.strerror or error}."
        ) from None
    except (EmulatorError, ValueError) as error:  # no ordinary file; a NUL in the path
        raise TargetError(f"The target cannot be read: {str(error).rstrip('.')}.") from None
    return (
        _from_csv(path, content, shock)
        if path.suffix.lower() == ".csv"
        else _from_npz(path, content)
    )


def write_target(target: Target, path: Path) -> None:
    """Write a target: `.csv` (values and standard deviations of matched entries) or `.npz`
    (everything). Raises `TargetError` for another ending.
    """
    if path.suffix.lower() not in ENDINGS:
        raise TargetError(f"The target '{path}' must end in {' or '.join(ENDINGS)}.")
    if path.suffix.lower() == ".csv":
        write_bytes(path, frame(target).to_csv(index=False, lineterminator="\n").encode())
        return
    held = io.BytesIO()
    about = np.array([target.name, target.shock, target.source])
    np.savez_compressed(
        held,
        allow_pickle=False,
        irf=target.irf,
        covariance=target.covariance,
        matched=target.matched,
        about=about,
        observables=np.array(target.observables),
        units=np.array(target.units),
        frequency=np.array(target.frequency or ""),
        procedure=np.array("" if target.procedure is None else target.procedure.text()),
    )
    write_bytes(path, held.getvalue())


def frame(target: Target) -> pd.DataFrame:
    """A row a horizon, the columns of this module's text; empty where an entry is neither matched
    nor restricted to zero.
    """
    stated = target.matched | target.restricted
    columns = {"horizon": np.arange(target.horizon + 1)}
    for suffix, values in (("", target.irf), ("_sd", target.sd)):
        for k, name in enumerate(target.observables):
            columns[name + suffix] = np.where(stated[:, k], values[:, k], np.nan)
    return pd.DataFrame(columns)


def _from_csv(path: Path, content: bytes, shock: str) -> Target:
    numbers = _numbers(path, content)
    if np.isinf(numbers.to_numpy()).any():
        raise TargetError(
            f"'{path}' holds an infinite number; expected finite numbers, or an empty cell for what"
            " is not matched."
        )
    horizons = _horizons(path, numbers["horizon"])
    observables = _observables(numbers)
    irf, sd = np.full((2, horizons.max() + 1, len(observables)), np.nan)
    for k, name in enumerate(observables):
        irf[horizons, k] = numbers[name]
        sd[horizons, k] = numbers[f"{name}_sd"]
    lone = np.isnan(irf) != np.isnan(sd)
    if lone.any():
        horizon, observable = np.argwhere(lone)[0]
        raise TargetError(
            f"'{path}': {observables[observable]} at horizon {horizon} has a value without a"
            " standard deviation, or the reverse; expected both or neither."
        )
    if (sd < 0).any():
        raise TargetError(
            f"'{path}' holds a negative standard deviation, at horizon"
            f" {int(np.argwhere(sd < 0)[0, 0])}; expected positive numbers."
        )
    return Target.of(
        path.stem,
        shock,
        irf,
        sd,
        f"{path.name}: responses and standard deviations, errors taken as independent",
        observables,
    )


def _observables(table: pd.DataFrame) -> list[str]:
    """The observables of a table: columns that have another with their standard deviations."""
    return [name for name in table.columns if f"{name}_sd" in table and name != "horizon"]


def _numbers(path: Path, content: bytes) -> pd.DataFrame:
    """The table's columns as numbers, NaN where a cell is empty."""
    try:
        text = content.decode("utf-8-sig")
        lines = csv.reader(io.StringIO(text), skipinitialspace=True)
        names = next(lines, [])
        if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
            raise TargetError(
                f"'{path}' parts its columns by {'semicolons' if ';' in names[0] else 'tabs'};"
                " expected commas between columns, and points in decimal numbers."
            )
        width = len(names)
        twice = [
            name for name in map(str.strip, names) if list(map(str.strip, names)).count(name) > 1
        ]
        if twice:
            raise TargetError(
                f"'{path}' names the column {_clipped(twice[0])} twice; expected each once."
            )
        for row in islice(lines, LONGEST + 1):
            if len(row) > width:
                raise TargetError(
                    f"'{path}', line {lines.line_num}: {len(row)} cells under {width} names of"
                    " columns; expected as many cells as columns. Is there a comma too many?"
                )
        table = pd.read_csv(io.StringIO(text), skipinitialspace=True, nrows=LONGEST + 1, dtype=str)
    except (ValueError, csv.Error) as error:
        raise TargetError(
            f"'{path}' cannot be read as CSV: {error}. Expected the columns {COLUMNS}."
        ) from None
    table.columns = [str(name).strip() for name in table.columns]
    _check_columns(path, table)
    numbers = table.apply(pd.to_numeric, errors="coerce").astype(np.float64)
    bad = (numbers.isna() & table.notna()).to_numpy()
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise TargetError(
            f"'{path}': column '{table.columns[column]}' holds"
            f" {_clipped(table.to_numpy()[row, column])} in row {row + 1}; expected numbers, or an"
            " empty cell for what is not matched."
        )
    return numbers


def _clipped(text: str, longest: int = 40) -> str:
    return repr(text if len(text) <= longest else text[:longest] + "...")


def _check_columns(path: Path, table: pd.DataFrame) -> None:
    if "horizon" not in table:
        raise TargetError(f"'{path}' has no column 'horizon'; expected {COLUMNS}.")
    given = _observables(table)
    whole = {"horizon", *given, *(f"{name}_sd" for name in given)}
    lone = [name for name in table.columns if name not in whole]
    if lone:
        name = lone[0]
        of_sd = name.endswith("_sd")
        other = name.removesuffix("_sd") if of_sd else f"{name}_sd"
        others = {column.removesuffix("_sd") for column in lone if column.endswith("_sd") != of_sd}
        hint = f" {nearest(name.removesuffix('_sd'), others)}" if others else ""
        raise TargetError(
            f"'{path}' has a column {_clipped(name)} and no column {_clipped(other)}; expected"
            f" {COLUMNS}.{hint}"
        )
    if not given:
        raise TargetError(f"'{path}' has no column of an observable; expected {COLUMNS}.")
    if not 1 <= len(table) <= LONGEST:
        raise TargetError(
            f"'{path}' has {'no rows' if len(table) == 0 else f'more than {LONGEST} rows'};"
            f" expected a row a horizon, {LONGEST} at most."
        )


def _horizons(path: Path, column: pd.Series) -> np.ndarray:
    values = column.to_numpy()
    if not (
        np.isfinite(values).all()
        and (values == np.round(values)).all()
        and (values >= 0).all()
        and (values < LONGEST).all()
    ):
        raise TargetError(
            f"'{path}': the column 'horizon' must hold whole numbers from 0, the impact period, to"
            f" {LONGEST - 1}."
        )
    if len(np.unique(values)) < len(values):
        raise TargetError(f"'{path}' names a horizon twice; expected a row a horizon.")
    return values.astype(int)


def _arrays(path: Path, content: bytes) -> dict[str, np.ndarray]:
    """The `ARRAYS` of an NPZ file, and `OBSERVED` where it has them, none of which is unpacked
    before their sizes are known: from the headers of the zip, and from those of the arrays.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
        missing = [name for name in ARRAYS if f"{name}.npy" not in sizes]
        if missing:
            raise TargetError(
                f"'{path}' holds no array '{missing[0]}'; expected {', '.join(ARRAYS)}, as"
                " `write_target` writes them."
            )
        names = [name for name in (*ARRAYS, *OBSERVED) if f"{name}.npy" in sizes]
        unpacked = sum(sizes[f"{name}.npy"] for name in names)
        if unpacked > LARGEST:
            raise TargetError(
                f"'{path}' would unpack to {unpacked:,} bytes; expected at most {LARGEST:,}. Is it"
                " a file that `write_target` made?"
            )
        return {name: _array(archive.read(f"{name}.npy")) for name in names}


def _array(content: bytes) -> np.ndarray:
    """One NPY file; `ValueError` where its header asks for more than the file holds."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(file)
    asked = math.prod(shape) * dtype.itemsize
    if asked != len(content) - file.tell():
        raise ValueError(
            f"the header of an array asks for {asked:,} bytes, the file holds"
            f" {len(content) - file.tell():,}"
        )
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _from_npz(path: Path, content: bytes) -> Target:
    try:
        arrays = _arrays(path, content)
    except (ValueError, OSError, EOFError, *UNZIPPING) as error:
        raise TargetError(f"'{path}' is damaged or no NPZ file of arrays: {error}.") from None
    irf, covariance, matched, about = (arrays[name] for name in ARRAYS)
    texts = [about, *(arrays[name] for name in OBSERVED if name in arrays)]
    frequency = str(arrays.get("frequency", ""))
    if (
        about.shape != (3,)
        or any(array.dtype.kind != "U" for array in texts)
        or matched.dtype != bool
        or irf.dtype.kind != "f"
        or covariance.dtype.kind != "f"
        or frequency not in ("", *get_args(Frequency))
    ):
        raise TargetError(
            f"'{path}' holds arrays of other types than a target's: irf and covariance of numbers,"
            " matched of truth values, about of three texts, observables and units of a text each,"
            f" frequency one of {', '.join(get_args(Frequency))}."
        )
    name, shock, source = map(str, about)
    said = str(arrays.get("procedure", ""))
    try:
        procedure = Procedure.read(said) if said else None
    except (ValueError, RecursionError) as error:
        raise TargetError(f"'{path}' is damaged: {error}. Make the target again.") from None
    observables = tuple(map(str, arrays.get("observables", OBSERVABLES)))
    units = tuple(map(str, arrays.get("units", ())))
    return Target(
        name=name,
        shock=shock,
        irf=irf,
        covariance=covariance,
        matched=matched,
        source=source,
        observables=observables,
        units=units,
        frequency=cast("Frequency | None", frequency or None),
        procedure=procedure,
    )
