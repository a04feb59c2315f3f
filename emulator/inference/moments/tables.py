"""Tables of moments and decompositions: pandas, LaTeX, files and figures.

`moments.tables` has "moments" (mean, standard deviation, variance, autocorrelations) and
"correlations", `variance_decomposition.tables` has "decomposition".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from emulator.errors import unknown_name
from emulator.inference import files

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

DIGITS = 6

ESCAPED = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{letter: "\\" + letter for letter in "&%$#_{}"},
}


@xr.register_dataset_accessor("tables")
class Tables:
    """`answer.tables`: frames, LaTeX, files and a figure of moments or of a decomposition."""

    def __init__(self, data: xr.Dataset) -> None:
        self.data = data

    def __repr__(self) -> str:
        return f"Tables ({', '.join(self.names)}): frame(), latex(), plot(), write(path)"

    @property
    def names(self) -> tuple[str, ...]:
        """The tables that there are, the first being the one that is meant if none is named."""
        return tuple(name for name, (needed, _) in FRAMES.items() if needed in self.data)

    def frame(self, table: str | None = None) -> pd.DataFrame:
        """A table (pandas): "moments" and "correlations" with a row a draw and observable,
        "decomposition" with a row a draw, horizon and observable. Raises `UnknownNameError`.
        """
        return FRAMES[self._named(table)][1](self.data)

    def latex(self, table: str | None = None) -> str:
        """The table as LaTeX's `tabular`, for the package booktabs. Raises `UnknownNameError`."""
        return _latex(self.frame(table), self.data)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Autocorrelations at one draw, or standard deviations by the parameter that varies; shares
        of shocks by horizon, or by the parameter. path: where to write it (.png, .pdf, .svg).

        Raises `ParameterError` for a format that cannot be drawn.
        """
        from emulator.inference.moments.figures import draw

        return draw(self.data, None if path is None else Path(path))

    def write(self, path: str | Path) -> None:
        """Write `.csv` (the first table), `.tex` (all tables), `.nc` or `.json` (everything).

        Raises `ParameterError` for another ending.
        """
        files.write(self.data, Path(path), FORMATS)

    def _named(self, table: str | None) -> str:
        if table is None:
            return self.names[0]
        if table not in self.names:
            raise unknown_name("table of this answer", table, self.names)
        return table


def _moments(data: xr.Dataset) -> pd.DataFrame:
    columns = {name: data[name] for name in ("mean", "std", "variance")}
    columns |= {
        f"autocorrelation_{lag}": data["autocorrelation"].sel(lag=lag, drop=True)
        for lag in data["lag"].values
    }
    frame = xr.Dataset(columns).drop_vars("unit").to_dataframe(dim_order=["draw", "observable"])
    frame["stationary"] = data["stationary"].values.ravel()
    return frame


def _correlations(data: xr.Dataset) -> pd.DataFrame:
    table = data["correlation"].drop_vars("unit").rename(other="with")
    frame = table.to_dataframe("correlation", dim_order=["draw", "observable", "with"])
    wide = frame["correlation"].unstack("with")  # a table of names by names
    names = list(data["observable"].values)
    return wide[names].reindex(names, level="observable")


def _decomposition(data: xr.Dataset) -> pd.DataFrame:
    shocks = {
        str(shock): data["share"].sel(shock=shock, drop=True) for shock in data["shock"].values
    }
    frame = xr.Dataset(shocks).drop_vars("unit")
    return frame.to_dataframe(dim_order=["draw", "ahead", "observable"])


FRAMES: dict[str, tuple[str, Callable[[xr.Dataset], Any]]] = {
    "moments": ("std", _moments),
    "correlations": ("correlation", _correlations),
    "decomposition": ("share", _decomposition),
}
"""For each table the variable that an answer with it has, and what makes it."""


def _latex(frame: pd.DataFrame, data: xr.Dataset) -> str:
    """A `tabular` of the frame; the index of a single draw is left out."""
    if data.sizes.get("draw", 1) == 1:
        frame = frame.droplevel("draw")
    frame = frame.drop(columns="stationary", errors="ignore")
    index = [str(name) for name in frame.index.names]
    lines = [
        r"\begin{tabular}{" + "l" * len(index) + "r" * frame.shape[1] + "}",
        r"\toprule",
        _row([*index, *map(str, frame.columns)]),
        r"\midrule",
    ]
    for key, values in zip(frame.index, frame.to_numpy(dtype=float), strict=True):
        keys = key if isinstance(key, tuple) else (key,)
        lines.append(_row([*map(_key, keys), *map(_number, values)]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _row(cells: list[str]) -> str:
    return " & ".join(cell if cell.startswith("$") else _escaped(cell) for cell in cells) + r" \\"


def _escaped(text: str) -> str:
    return "".join(ESCAPED.get(letter, letter) for letter in text)


def _key(value: Any) -> str:
    return _number(float(value)) if isinstance(value, float | np.floating) else str(value)


def _number(value: float) -> str:
    if math.isinf(value):
        return r"$\infty$"
    return "" if math.isnan(value) else f"{value:.{DIGITS}g}"


def _csv(data: xr.Dataset) -> bytes:
    text: str = data.tables.frame().to_csv(lineterminator="\n")
    return text.encode()


def _tex(data: xr.Dataset) -> bytes:
    tables = [f"% {name}\n{data.tables.latex(name)}" for name in data.tables.names]
    return "\n".join(tables).encode()


FORMATS: files.Formats = {
    ".csv": _csv,
    ".tex": _tex,
    ".nc": files.to_netcdf,
    ".json": files.to_json,
}


def _path_csv(data: xr.Dataset) -> bytes:
    """A row a draw and period, a column an observable."""
    table = data["simulation"].drop_vars("unit").to_dataframe()["simulation"]
    wide = table.unstack("observable")[list(data["observable"].values)]
    text: str = wide.to_csv(lineterminator="\n")
    return text.encode()


PATH_FORMATS: files.Formats = {
    ".csv": _path_csv,
    ".nc": files.to_netcdf,
    ".json": files.to_json,
}
