"""Targets on disk: CSV with standard deviations, as a person writes it; NPZ with the whole
covariance.

    horizon,output,inflation,rate,output_sd,inflation_sd,rate_sd
    0,0,0,0.87,0,0,0.06
    1,0.05,0.51,0.73,0.07,0.18,0.12

An empty cell is an entry that is not matched. The value 0 with the standard deviation 0 is a
response that the target's identification sets to zero, as a recursive VAR does on impact: it is not
matched, but what the world does there is checked. An observable may be missing, with its column of
standard deviations.
"""

from __future__ import annotations

import csv
import io
import math
import zipfile
import zlib
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from emulator.errors import EmulatorError, TargetError, nearest
from emulator.estimation.settings import LONGEST
from emulator.estimation.target import Target
from emulator.files import read_regular, write_bytes
from emulator.spec import OBSERVABLES

LARGEST = 50_000_000
"""Bytes of a file at most, and of all that an NPZ unpacks to; the covariance of the longest target
has twelve millions.
"""

COLUMNS = ("horizon", *OBSERVABLES, *(f"{name}_sd" for name in OBSERVABLES))
ARRAYS = ("irf", "covariance", "matched", "about")
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
    )
    write_bytes(path, held.getvalue())


def frame(target: Target) -> pd.DataFrame:
    """A row a horizon, the columns of this module's text; empty where an entry is neither matched
    nor restricted to zero.
    """
    stated = target.matched | target.restricted
    columns = {"horizon": np.arange(target.horizon + 1)}
    for suffix, values in (("", target.irf), ("_sd", target.sd)):
        for k, name in enumerate(OBSERVABLES):
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
    irf, sd = np.full((2, horizons.max() + 1, 3), np.nan)
    for k, name in enumerate(OBSERVABLES):
        if name in numbers:
            irf[horizons, k], sd[horizons, k] = numbers[name], numbers[f"{name}_sd"]
    lone = np.isnan(irf) != np.isnan(sd)
    if lone.any():
        horizon, observable = np.argwhere(lone)[0]
        raise TargetError(
            f"'{path}': {OBSERVABLES[observable]} at horizon {horizon} has a value without a"
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
    )


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
        for row in islice(lines, LONGEST + 1):
            if len(row) > width:
                raise TargetError(
                    f"'{path}', line {lines.line_num}: {len(row)} cells under {width} names of"
                    " columns; expected as many cells as columns. Is there a comma too many?"
                )
        table = pd.read_csv(io.StringIO(text), skipinitialspace=True, nrows=LONGEST + 1, dtype=str)
    except (ValueError, csv.Error) as error:
        raise TargetError(
            f"'{path}' cannot be read as CSV: {error}. Expected the columns {', '.join(COLUMNS)}."
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
    for name in table.columns:
        if name not in COLUMNS:
            raise TargetError(
                f"'{path}' has a column {_clipped(name)} that a target has not."
                f" {nearest(name, COLUMNS)}"
            )
    given = [name for name in OBSERVABLES if name in table]
    missing = [name for name in ("horizon", *(f"{name}_sd" for name in given)) if name not in table]
    if missing or not given:
        raise TargetError(
            f"'{path}' has no column '{(missing or list(OBSERVABLES))[0]}'; expected"
            f" {', '.join(COLUMNS)}, of which an observable may be missing with its column of"
            " standard deviations."
        )
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


def _arrays(path: Path, content: bytes) -> list[np.ndarray]:
    """The `ARRAYS` of an NPZ file, none of which is unpacked before their sizes are known: from the
    headers of the zip, and from those of the arrays.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
        missing = [name for name in ARRAYS if f"{name}.npy" not in sizes]
        if missing:
            raise TargetError(
                f"'{path}' holds no array '{missing[0]}'; expected {', '.join(ARRAYS)}, as"
                " `write_target` writes them."
            )
        unpacked = sum(sizes[f"{name}.npy"] for name in ARRAYS)
        if unpacked > LARGEST:
            raise TargetError(
                f"'{path}' would unpack to {unpacked:,} bytes; expected at most {LARGEST:,}. Is it"
                " a file that `write_target` made?"
            )
        return [_array(archive.read(f"{name}.npy")) for name in ARRAYS]


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
        irf, covariance, matched, about = _arrays(path, content)
    except (ValueError, OSError, EOFError, *UNZIPPING) as error:
        raise TargetError(f"'{path}' is damaged or no NPZ file of arrays: {error}.") from None
    if (
        about.shape != (3,)
        or about.dtype.kind != "U"
        or matched.dtype != bool
        or irf.dtype.kind != "f"
        or covariance.dtype.kind != "f"
    ):
        raise TargetError(
            f"'{path}' holds arrays of other types than a target's: irf and covariance of numbers,"
            " matched of truth values, about of three texts."
        )
    return Target(str(about[0]), str(about[1]), irf, covariance, matched, str(about[2]))
