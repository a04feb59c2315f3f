"""A likelihood as a file: a row a draw in CSV, everything in NetCDF and JSON."""

from __future__ import annotations

import xarray as xr

from emulator.inference.files import to_json, to_netcdf


def _csv(data: xr.Dataset) -> bytes:
    """Columns: parameters, then what is known of each draw, then derivatives `by_NAME`."""
    import pandas as pd

    index = pd.Index(data["draw"].values, name="draw")
    names = [str(name) for name in data["parameter"].values]
    parts = [pd.DataFrame(data["theta"].values, index=index, columns=names)]
    of_draws = [name for name, variable in data.data_vars.items() if variable.dims == ("draw",)]
    parts.append(pd.DataFrame({name: data[name].values for name in of_draws}, index=index))
    if "gradient" in data:
        slopes = [f"by_{name}" for name in names]
        parts.append(pd.DataFrame(data["gradient"].values, index=index, columns=slopes))
    text: str = pd.concat(parts, axis=1).to_csv(lineterminator="\n")
    return text.encode()


FORMATS = {".csv": _csv, ".nc": to_netcdf, ".json": to_json}
