"""Files of draws by their endings, and what is refused before they are read."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from emulator.console import say
from emulator.data.importing.arrays import given_arrays, world_name
from emulator.data.importing.given import Given
from emulator.data.importing.write import Plan, write_dataset
from emulator.data.store import DataSet
from emulator.errors import DatasetError, nearest
from emulator.files import sha256_file

TABLES = (".csv", ".parquet", ".pq")
NETCDF = (".nc", ".nc4", ".h5")
ENDINGS = (".npz", *TABLES, *NETCDF, ".zarr")


@dataclass(frozen=True)
class Reading:
    """How a file of draws is read; what is None is as the file says.

    theta: table of parameters beside responses in long form; axes: of an array in `.npz`.
    """

    parameters: Sequence[str] | None = None
    shocks: Sequence[str] | None = None
    observables: Sequence[str] | None = None
    axes: Sequence[str] | None = None
    drop: Sequence[str] = ()
    theta: Path | None = None
    separator: str = ","
    decimal: str = "."


def import_file(source: Path, output: str | Path, plan: Plan, reading: Reading) -> DataSet:
    """Make a data set of a file of draws, and return it opened.

    Raises `DatasetError` for a file that cannot be read, for draws that make no data set, and for
    a folder that is not free.
    """
    for path in (source, reading.theta):
        if path is not None:
            check_file(path)
    world_name(plan.name, output)
    return write_dataset(output, plan, lambda aside: read_file(source, reading, aside))


def check_file(path: Path) -> None:
    """Refuse what is no ordinary file, which may never end, and endings that stand for no format.

    A folder is a Zarr group or nothing. Raises `DatasetError`.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise DatasetError(f"'{path}' cannot be read: {error.strerror or error}.") from None
    if stat.S_ISDIR(status.st_mode):
        if any((path / name).is_file() for name in ("zarr.json", ".zgroup")):
            return
        if (path / "manifest.json").is_file():
            raise DatasetError(f"'{path}' is a data set already; there is nothing to import.")
        raise DatasetError(f"'{path}' is a folder and no Zarr group; expected a file of draws.")
    if not stat.S_ISREG(status.st_mode):
        raise DatasetError(f"'{path}' is a pipe or a device; expected an ordinary file of draws.")
    if path.suffix.lower() not in ENDINGS:
        raise DatasetError(
            f"'{path}' ends in '{path.suffix}'; expected {', '.join(ENDINGS)}."
            f" {nearest(path.suffix.lower(), ENDINGS)}"
        )


def read_file(source: Path, reading: Reading, aside: Path) -> Given:
    """The draws of a file; `aside` is a folder for files of our own. Raises `DatasetError`."""
    suffix = source.suffix.lower()
    if reading.theta is not None and suffix not in TABLES:
        raise DatasetError(f"--theta belongs to tables in long form; {source.name} is none.")
    if source.is_dir():
        return replace(_labelled(source, reading), origin=source.name)
    if suffix == ".npz":
        given = _npz(source, reading)
    elif suffix in TABLES:
        given = _table(source, reading, aside)
    else:
        given = _labelled(source, reading)
    return replace(given, origin=source.name, sha256=sha256_file(source))


def _npz(source: Path, reading: Reading) -> Given:
    from emulator.data.importing import npz

    file = npz.NpzFile(source)
    irf = next((name for name in npz.IRF if name in file.names), npz.IRF[0])
    passed = [name for name in file.names if name not in (npz.THETA, irf, *npz.NAMES)]
    if passed:
        say(f"Not read: {', '.join(passed)}. Known: {', '.join((npz.THETA, irf, *npz.NAMES))}.")
    names = {
        name: given if given is not None else _texts(file.small(name))
        for name, given in (
            ("parameters", reading.parameters),
            ("shocks", reading.shocks),
            ("observables", reading.observables),
            ("axes", reading.axes),
        )
    }
    given = given_arrays(
        file.member(npz.THETA).whole(npz.LARGEST_IN_MEMORY),
        file.member(irf),
        status=file.small("status"),
        drop=reading.drop,
        **names,
    )
    units, frequency = _texts(file.small("units")), _texts(file.small("frequency"))
    if units is not None and len(units) != len(given.observables):
        raise DatasetError(
            f"{source} has {len(units)} units and {len(given.observables)} observables; expected"
            " a unit for each."
        )
    return replace(
        given,
        units=dict(zip(given.observables, units or (), strict=False)),
        frequency=frequency[0] if frequency else None,
    )


def _texts(array: np.ndarray | None) -> list[str] | None:
    if array is None:
        return None
    return [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for value in np.atleast_1d(array).ravel()
    ]


def _table(source: Path, reading: Reading, aside: Path) -> Given:
    from emulator.data.importing.forms import Names, read_table
    from emulator.data.importing.tables import Table

    tables = [
        None if path is None else Table(path, reading.separator, reading.decimal)
        for path in (source, reading.theta)
    ]
    assert tables[0] is not None
    names = Names(reading.parameters, reading.shocks, reading.observables, reading.drop)
    return read_table(tables[0], tables[1], names, aside)


def _labelled(source: Path, reading: Reading) -> Given:
    from emulator.data.importing.forms import Names
    from emulator.data.importing.labelled import read_labelled

    if reading.axes is not None:
        raise DatasetError(f"{source.name} names its axes itself; leave --axes out.")
    names = Names(reading.parameters, reading.shocks, reading.observables, reading.drop)
    return read_labelled(source, names)
