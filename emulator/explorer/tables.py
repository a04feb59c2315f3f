"""Tables that came from outside and are kept in memory, the last few of each kind: time series, and
draws of a posterior. Nothing of them is put on disk or executed.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from pathlib import PurePath
from typing import Generic, TypeVar

import numpy as np

from emulator.errors import SeriesError, UnknownNameError, printable, unknown_name
from emulator.explorer.posterior import Posterior
from emulator.explorer.uploads import NAME
from emulator.series import TimeSeries, read_data
from emulator.series.reading import of_bytes

MOST_TABLES = 4
"""Of each kind, from the page; the oldest go."""

LARGEST_TABLE = 400_000
"""Bytes."""

MOST_PERIODS, MOST_COLUMNS = 600, 30
"""Periods and series of data: shocks are found from all of them at each step of a slider."""

LARGEST = 1e9
"""Numbers of data beyond this have no axes."""

BUNDLED = "us"

Table = TypeVar("Table")


class Shelf(Generic[Table]):
    """The last `MOST_TABLES` tables of a kind by name; threads may share it. always: names that
    are known without a table.
    """

    def __init__(self, kind: str, always: tuple[str, ...] = ()) -> None:
        self.kind = kind
        self.always = always
        self._tables: OrderedDict[str, Table] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._tables)

    def put(self, name: str, table: Table) -> str:
        with self._lock:
            self._tables[name] = table
            self._tables.move_to_end(name)
            while len(self._tables) > MOST_TABLES:
                self._tables.popitem(last=False)
        return name

    def get(self, name: str) -> Table:
        """Raises `UnknownNameError`."""
        with self._lock:
            if name in self._tables:
                return self._tables[name]
        if "-" in name:
            raise UnknownNameError(
                f"The address is about the {self.kind} '{printable(name[:60])}', which were not"
                " loaded here, or were given up for newer ones. Load the same file below, and open"
                " the address again."
            )
        raise unknown_name(self.kind, name[:60], (*self.always, *self.names))


class Tables:
    """What was loaded from the page, or given on the command line."""

    def __init__(self) -> None:
        self.data: Shelf[TimeSeries] = Shelf("data", (BUNDLED,))
        self.posteriors: Shelf[Posterior] = Shelf("draws of a posterior")

    def load_data(self, file: str, content: bytes) -> str:
        """Keep the time series of a text file, under the name that its content determines. Returns
        the name. Raises `SeriesError` for what cannot be read, or is too large.
        """
        _check_size(content, file)
        own = PurePath(file.replace("\\", "/")).name
        data = of_bytes(content, own.rpartition(".")[0] or own, printable(own)[:80])
        if len(data) > MOST_PERIODS or len(data.names) > MOST_COLUMNS:
            raise SeriesError(
                f"{data.source} has {len(data.names)} series over {len(data):,} periods; the"
                f" explorer takes up to {MOST_COLUMNS} series and {MOST_PERIODS} periods. The"
                " command line takes more: emulator decompose, emulator forecast."
            )
        largest = float(np.nanmax(np.abs(data.values), initial=0.0))
        if largest > LARGEST:
            raise SeriesError(
                f"{data.source} holds {largest:.3g}; the explorer takes numbers up to {LARGEST:.0e}"
                " in size. Give series in percent, logarithms or rates."
            )
        return self.data.put(named_by_content(own, content), data)

    def load_posterior(self, file: str, content: bytes) -> str:
        """Keep the draws of a posterior in a table; see `Posterior.of_table`. Returns the name.

        Raises `SeriesError` for one that is too large, `EmulatorError` as `of_table`.
        """
        _check_size(content, file)
        own = PurePath(file.replace("\\", "/")).name
        name = named_by_content(own, content)
        return self.posteriors.put(name, Posterior.of_table(content, printable(own)[:80]))

    def series(self, name: str) -> TimeSeries:
        """The data of that name, of which `us` comes with the package. Raises `UnknownNameError`,
        `MissingExtraError`.
        """
        return read_data(BUNDLED) if name == BUNDLED else self.data.get(name)


def named_by_content(file: str, content: bytes) -> str:
    """The name of a file and a part of the SHA-256 of its content; `data` where the name is not
    plain letters, digits and dashes.
    """
    stem = file.rpartition(".")[0] or file
    return f"{stem if NAME.fullmatch(stem) else 'data'}-{hashlib.sha256(content).hexdigest()[:12]}"


def _check_size(content: bytes, file: str) -> None:
    if len(content) > LARGEST_TABLE:
        raise SeriesError(
            f"'{printable(file)[:60]}' has {len(content):,} bytes; the explorer takes up to"
            f" {LARGEST_TABLE:,}."
        )
