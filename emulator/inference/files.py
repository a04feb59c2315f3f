"""An answer as a file for other programs: CSV, NetCDF or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from emulator.errors import EmulatorError, ParameterError
from emulator.files import netcdf_bytes, write_bytes

Formats = Mapping[str, Callable[[xr.Dataset], bytes]]
"""What writes an answer, by the ending of a file."""


def write(data: xr.Dataset, path: Path, formats: Formats | None = None) -> None:
    """Write an answer in the format that the ending names; formats: by default those of responses.

    Raises `ParameterError` for another ending, `EmulatorError` if it cannot be written.
    """
    make = check_format(path, formats)
    try:
        write_bytes(path, make(data))
    except OSError as error:
        raise EmulatorError(f"'{path}' cannot be written: {error.strerror or error}.") from None


def check_format(path: Path, formats: Formats | None = None) -> Callable[[xr.Dataset], bytes]:
    """What writes files of this ending, of responses unless other formats are given.

    Raises `ParameterError` for an ending that stands for no format.
    """
    known = FORMATS if formats is None else formats
    if path.suffix.lower() not in known:
        raise ParameterError(f"The file '{path}' must end in {', '.join(known)}.")
    return known[path.suffix.lower()]


def _csv(data: xr.Dataset) -> bytes:
    text: str = data.responses.frame().to_csv(lineterminator="\n")
    return text.encode()


def to_netcdf(data: xr.Dataset) -> bytes:
    return netcdf_bytes({"/": data})


def to_json(data: xr.Dataset) -> bytes:
    """The Dataset as `xarray.Dataset.to_dict` gives it; NaN, which JSON has not, as null."""
    return json.dumps(_plain(data.to_dict()), allow_nan=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


FORMATS = {".csv": _csv, ".nc": to_netcdf, ".json": to_json}
