"""An answer as a file for other programs: CSV, NetCDF or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from emulator.errors import EmulatorError, ParameterError
from emulator.files import netcdf_bytes, write_bytes


def write(data: xr.Dataset, path: Path) -> None:
    """Write an answer in the format that the ending names.

    Raises `ParameterError` for another ending, `EmulatorError` if it cannot be written.
    """
    make = check_format(path)
    try:
        write_bytes(path, make(data))
    except OSError as error:
        raise EmulatorError(f"'{path}' cannot be written: {error.strerror or error}.") from None


def check_format(path: Path) -> Callable[[xr.Dataset], bytes]:
    """What writes files of this ending.

    Raises `ParameterError` for an ending that stands for no format.
    """
    if path.suffix.lower() not in FORMATS:
        raise ParameterError(f"The file '{path}' must end in {', '.join(FORMATS)}.")
    return FORMATS[path.suffix.lower()]


def _csv(data: xr.Dataset) -> bytes:
    text: str = data.responses.frame().to_csv(lineterminator="\n")
    return text.encode()


def _netcdf(data: xr.Dataset) -> bytes:
    return netcdf_bytes({"/": data})


def _json(data: xr.Dataset) -> bytes:
    """The Dataset as `xarray.Dataset.to_dict` gives it; NaN, which JSON has not, as null."""
    return json.dumps(_plain(data.to_dict()), allow_nan=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


FORMATS = {".csv": _csv, ".nc": _netcdf, ".json": _json}
