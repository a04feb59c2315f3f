"""Files of draws as somebody else's program would write them, in every format."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from emulator.data import DataSet
from emulator.data.importing.files import Reading, import_file
from emulator.data.importing.spec import Choices
from emulator.data.importing.write import Plan
from emulator.tests.data.drawn import NAMES, Drawn, drawn

LABELS = [
    (s, h, o)
    for s in range(len(NAMES["shocks"]))
    for h in range(7)
    for o in range(len(NAMES["observables"]))
]


def read(source: Path, output: Path, choices: Choices | None = None, **told: Any) -> DataSet:
    plan = Plan("mine", choices=choices or Choices())
    return import_file(source, output, plan, Reading(**told))


def save_npz(path: Path, draws: Drawn | None = None, **changes: Any) -> Path:
    theta, irf = draws or drawn()
    content = {"theta": theta, "irf": irf, **{k: np.array(v) for k, v in NAMES.items()}, **changes}
    np.savez(path, **{key: value for key, value in content.items() if value is not None})
    return path


def long_frame(draws: Drawn | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Responses in long form and the table of parameters."""
    theta, irf = draws or drawn()
    n, n_shocks, periods, n_observables = irf.shape
    index = pd.MultiIndex.from_product(
        [
            [f"d{k}" for k in range(n)],
            NAMES["shocks"][:n_shocks],
            range(periods),
            NAMES["observables"][:n_observables],
        ],
        names=["draw", "shock", "horizon", "observable"],
    )
    frame = pd.DataFrame({"value": irf.ravel()}, index=index).reset_index()
    parameters = pd.DataFrame(theta, columns=list(NAMES["parameters"]))
    parameters.insert(0, "draw", [f"d{k}" for k in range(n)])
    return frame, parameters


def wide_frame(draws: Drawn | None = None) -> pd.DataFrame:
    theta, irf = draws or drawn()
    columns = {
        f"{NAMES['shocks'][s]}/{NAMES['observables'][o]}/{h}": irf[:, s, h, o] for s, h, o in LABELS
    }
    return pd.DataFrame(dict(zip(NAMES["parameters"], theta.T, strict=True)) | columns)


def labelled(draws: Drawn | None = None) -> xr.Dataset:
    theta, irf = draws or drawn()
    return xr.Dataset(
        {
            "irf": (("draw", "shock", "horizon", "observable"), irf),
            "theta": (("draw", "parameter"), theta),
        },
        {
            "parameter": list(NAMES["parameters"]),
            "shock": list(NAMES["shocks"]),
            "observable": list(NAMES["observables"]),
            "horizon": ("horizon", np.arange(irf.shape[2]), {"units": "months after impact"}),
            "unit": ("observable", ["percent", "index", "hours", "percent"]),
        },
    )


def save_long(folder: Path) -> dict[str, Path]:
    frame, parameters = long_frame()
    frame.sample(frac=1, random_state=0).to_csv(folder / "irf.csv", index=False)
    parameters.to_csv(folder / "theta.csv", index=False)
    return {"source": folder / "irf.csv", "theta": folder / "theta.csv"}


def save_parquet(folder: Path) -> dict[str, Path]:
    pytest.importorskip("pyarrow")
    wide_frame().to_parquet(folder / "wide.parquet")
    return {"source": folder / "wide.parquet"}


def save_wide(folder: Path) -> dict[str, Path]:
    wide_frame().to_csv(folder / "wide.csv", index=False)
    return {"source": folder / "wide.csv"}


def save_netcdf(folder: Path) -> dict[str, Path]:
    labelled().to_netcdf(folder / "draws.nc", engine="h5netcdf")
    return {"source": folder / "draws.nc"}


def save_zarr(folder: Path) -> dict[str, Path]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about texts and metadata in Zarr 3
        labelled().to_zarr(folder / "draws.zarr")
    return {"source": folder / "draws.zarr"}
