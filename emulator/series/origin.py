"""Where numbers were read, so that a later question reads the same ones again, or says that it
cannot.

The origin of a time series is a dictionary that JSON takes: `files`, a path and its SHA-256 each,
or the name `us` without one; and the options of `read_data` that make the numbers of them. It is
empty of tables in memory, and where transformations were done in another order than `read_data`
does them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator.errors import SeriesError
from emulator.files import sha256_file
from emulator.series.container import TimeSeries
from emulator.series.doors import read_data


def read_again(origin: Mapping[str, Any], name: str, source: str) -> TimeSeries:
    """The series of an origin; name and source: of the data, for messages.

    Raises `SeriesError` where the origin says no files, or a file is gone or another one by now.
    """
    files = origin.get("files", [])
    if not files:
        raise SeriesError(
            f"The data '{name}' ({source}) cannot be read again: no file is known from which they"
            " were read. Say which they are, on the command line --data."
        )
    for file in files:
        path = Path(file["path"])
        if file["sha256"] is None:
            continue
        if not path.is_file():
            raise SeriesError(
                f"The data '{name}' were read from '{path}', which is not there any more. Say where"
                " they are, on the command line --data."
            )
        if sha256_file(path) != file["sha256"]:
            raise SeriesError(
                f"'{path}' has changed since the data '{name}' were read from it (its SHA-256 is"
                " another). Estimate again, or say which data are meant, on the command line"
                " --data."
            )
    options = {key: value for key, value in origin.items() if key != "files"}
    return read_data(",".join(file["path"] for file in files), **options)
