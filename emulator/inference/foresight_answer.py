"""`answer.foresight`: what is drawn, tabulated and written of paths under perfect foresight; see
`emulator.inference.foresight`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from emulator.inference import files

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@xr.register_dataset_accessor("foresight")
class ForesightAnswer:
    """`answer.foresight`: a figure, a long table and files of paths under perfect foresight."""

    def __init__(self, data: xr.Dataset) -> None:
        self.data = data

    def __repr__(self) -> str:
        return "Foresight: plot(), frame(), write(path)"

    def plot(
        self,
        path: str | Path | None = None,
        *,
        variables: Sequence[str] | str | None = None,
        periods: int | None = None,
        title: str | None = None,
    ) -> Figure:
        """A panel a variable, a line a scenario and draw. path: where to write it (.png, .pdf,
        .svg); periods: how many to draw, by default until the paths have settled.

        Raises `ParameterError` for a format that cannot be drawn, `UnknownNameError`.
        """
        from emulator.inference.foresight_figures import draw

        names = [variables] if isinstance(variables, str) else variables
        return draw(self.data, None if path is None else Path(path), names, periods, title)

    def frame(self) -> pd.DataFrame:
        """A long table (pandas): draw, scenario and period as index, a column a variable, then one
        an exogenous variable.
        """
        columns: dict[str, xr.DataArray] = {}
        for name, axis in (("path", "variable"), ("exogenous", "shock")):
            for label in self.data[axis].values:
                columns[str(label)] = self.data[name].sel({axis: label}, drop=True)
        return xr.Dataset(columns).to_dataframe(dim_order=["draw", "scenario", "period"])

    def write(self, path: str | Path) -> None:
        """Write `.csv` (the long table), `.nc` or `.json` (everything).

        Raises `ParameterError` for another ending.
        """
        files.write(self.data, Path(path), FORMATS)


def _csv(data: xr.Dataset) -> bytes:
    text: str = data.foresight.frame().to_csv(lineterminator="\n")
    return text.encode()


FORMATS = {".csv": _csv, ".nc": files.to_netcdf, ".json": files.to_json}
