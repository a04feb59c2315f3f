"""Draws in NetCDF and Zarr, with names on their axes, as xarray and our own answers write them."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from emulator.data.importing.arrays import LABELS, given_arrays
from emulator.data.importing.forms import Names
from emulator.data.importing.given import Given, Unread
from emulator.data.importing.npz import IRF, LARGEST, THETA
from emulator.errors import DatasetError
from emulator.spec import IRF_AXES, PERIODS_A_YEAR

METADATA = (".zarray", ".zmetadata", "zarr.json")
PICKLE = re.compile(rb"pickle", re.IGNORECASE)
UNITS = ("unit", "observable_unit")
PARAMETER_UNITS = ("parameter_unit",)


class Lazy(Unread):
    """A variable of an opened file, with its axes in the order of ours."""

    def __init__(self, path: Path, variable: Any) -> None:
        self._path, self._variable = path, variable
        self.shape, self.dtype = tuple(variable.shape), variable.dtype

    def __getitem__(self, rows: tuple[slice, ...]) -> np.ndarray:
        try:
            return np.asarray(self._variable[rows].values)
        except Exception as error:  # each layer below has its own family
            raise DatasetError(f"{self._path} is damaged: {error}") from None


def read_labelled(path: Path, names: Names) -> Given:
    """The draws of a NetCDF file or a Zarr folder.

    Raises `DatasetError` for one that cannot be read, or does not hold responses and parameters.
    """
    data = _opened(path)
    data = data.rename(
        {label: axis for label, axis in LABELS.items() if label in data.dims and axis not in data}
    )
    irf = data[_one_of(path, data, IRF)]
    irf = irf.expand_dims(  # of an axis of which one entry was selected its name remains
        [axis for axis in IRF_AXES if axis in irf.coords and axis not in irf.dims]
    )
    missing = [axis for axis in IRF_AXES if axis not in irf.dims]
    if missing or irf.ndim != len(IRF_AXES):
        raise DatasetError(
            f"The responses '{irf.name}' in {path} have the axes {', '.join(map(str, irf.dims))};"
            f" expected {', '.join(IRF_AXES)}."
        )
    if irf.size * irf.dtype.itemsize > LARGEST:
        raise DatasetError(f"{path} holds more than {LARGEST:,} bytes of responses.")
    irf = irf.transpose(*IRF_AXES)
    theta = data[_one_of(path, data, (THETA,))]
    if set(theta.dims) != {"sample", "parameter"}:
        raise DatasetError(
            f"The parameters 'theta' in {path} have the axes {', '.join(map(str, theta.dims))};"
            " expected sample, parameter."
        )
    _check_horizons(path, data)
    by_option = {
        "parameter": names.parameters,
        "shock": names.shocks,
        "observable": names.observables,
    }
    labels = {
        axis: given if given is not None else _texts(data, axis)
        for axis, given in by_option.items()
    }
    given = given_arrays(
        theta.transpose("sample", "parameter").values,
        Lazy(path, irf),
        parameters=labels["parameter"],
        shocks=labels["shock"],
        observables=labels["observable"],
        status=data["status"].values if "status" in data else None,
        axes=IRF_AXES,
        drop=names.drop,
    )
    return _described(given, data, labels)


def _described(given: Given, data: Any, labels: dict[str, Any]) -> Given:
    """With units, sizes of shocks and frequency, where the file has them."""
    units = {
        name: unit
        for axis, coordinates in (("observable", UNITS), ("parameter", PARAMETER_UNITS))
        for coordinate in coordinates
        if coordinate in data and data[coordinate].dims == (axis,)
        for name, unit in zip(labels[axis], _texts(data, coordinate) or (), strict=True)
        if unit
    }
    sizes = _texts(data, "size") if "size" in data and data["size"].dims == ("shock",) else None
    meanings = {
        shock: f"{shock}, {size}"
        for shock, size in zip(labels["shock"] or (), sizes or (), strict=False)
    }
    said = str(data.attrs.get("frequency", "")) or str(
        data["horizon"].attrs.get("units", "") if "horizon" in data else ""
    )
    frequency = next((name for name in PERIODS_A_YEAR if said.startswith(name)), None)
    return replace(given, units=units, meanings=meanings, frequency=frequency)


def _opened(path: Path) -> Any:
    import xarray as xr

    try:
        if path.is_dir():
            _refuse_pickles(path)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that metadata are in many files costs some time
                return xr.open_zarr(path, chunks=None, decode_times=False)
        return xr.open_dataset(path, engine="h5netcdf", decode_times=False, cache=False)
    except DatasetError:
        raise
    except Exception as error:  # each layer below has its own family
        kind = "Zarr group" if path.is_dir() else "NetCDF file"
        raise DatasetError(f"{path} cannot be read as a {kind}: {error!s:.300}") from None


def _refuse_pickles(path: Path) -> None:
    """Refuse arrays of Python objects, which run code when they are read."""
    for name in METADATA:
        for file in path.rglob(name):
            if file.is_file() and PICKLE.search(file.read_bytes()):
                raise DatasetError(
                    f"{file} says that an array holds Python objects, which are not read, since"
                    " they may run code. Write numbers and texts."
                )


def _one_of(path: Path, data: Any, names: tuple[str, ...]) -> str:
    for name in names:
        if name in data.data_vars:
            return name
    raise DatasetError(
        f"{path} holds {', '.join(map(str, data.data_vars)) or 'nothing'}; expected"
        f" {' or '.join(names)} among them."
    )


def _check_horizons(path: Path, data: Any) -> None:
    if "horizon" in data.coords:
        values = np.asarray(data["horizon"].values)
        if values.dtype.kind not in "fiu" or not np.array_equal(values, np.arange(len(values))):
            raise DatasetError(
                f"{path} has the horizons {', '.join(map(str, values[:3]))} ...; expected 0 (the"
                " impact period), 1, 2 ... without a gap."
            )


def _texts(data: Any, name: str) -> list[str] | None:
    """A coordinate of names; None where the file does not have it."""
    if name not in data.coords and name not in data.data_vars:
        return None
    return [
        value.decode() if isinstance(value, bytes) else str(value)
        for value in np.asarray(data[name].values).ravel()
    ]
