"""`read_data`: time series from wherever they come."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.errors import SeriesError
from emulator.files import sha256_file
from emulator.series.container import TimeSeries

if TYPE_CHECKING:
    import xarray as xr

    from emulator.series.container import How

GAPS = ("error", "missing")

US = "us"
"""The quarterly US series, `emulator.series.us`."""

YEARS = 1000
"""Whole numbers below are numbers of periods, as a simulation has them, and not years."""


def read_data(
    source: Any,
    *,
    series: list[str] | tuple[str, ...] | None = None,
    sample: str | None = None,
    transform: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    frequency: str | None = None,
    how: Mapping[str, How] | How = "average",
    gaps: str = "error",
) -> TimeSeries:
    """Time series from "us" (see `emulator.series.us`), a file (.csv, .xlsx, .parquet; several
    separated by commas are joined), a table of pandas, an xarray DataArray over (period, series),
    one draw of what `Economy.simulate` answers, or `TimeSeries`.

    series: names, all by default; transform: by series, "log, difference, percent" (see
    `emulator.series.transforms`), done over the whole sample that the source has; sample:
    "1984Q1:2007Q4"; frequency: year, quarter or month, of shorter periods by `how` (average, sum,
    first, last, one or by series), after the transformations; units: by series; gaps: "missing"
    takes periods without a row as missing, which is an error otherwise. Raises `SeriesError`,
    `UnknownNameError`, `MissingExtraError`.
    """
    if gaps not in GAPS:
        raise SeriesError(f"gaps is {gaps!r}; expected one of {', '.join(GAPS)}.")
    data = _read(source, gaps)
    if series is not None:
        data = data.select([series] if isinstance(series, str) else series)
    data = data.transformed(transform or {}).with_units(units or {})
    if frequency is not None:
        data = data.at_frequency(frequency, how)
    return data if sample is None else data.window(sample)


def _files(parts: list[str]) -> list[dict[str, str | None]]:
    """A path and its SHA-256 each; the US series have none."""
    return [
        {"path": US, "sha256": None}
        if part == US
        else {"path": str(Path(part).absolute()), "sha256": sha256_file(Path(part))}
        for part in parts
    ]


def _read(source: Any, gaps: str) -> TimeSeries:
    if isinstance(source, TimeSeries):
        return source
    if isinstance(source, str | Path):
        parts = [part.strip() for part in str(source).split(",") if part.strip()]
        if not parts:
            raise SeriesError("No data are named; expected 'us', or the path of a file.")
        data = _named(parts[0], gaps)
        for part in parts[1:]:
            data = data.joined(_named(part, gaps))
        return replace(data, origin={"files": _files(parts), "gaps": gaps})
    from emulator.series.reading import of_frame

    if _is(source, "pandas", "Series"):
        source = source.to_frame(source.name or "series")
    if _is(source, "pandas", "DataFrame"):
        return of_frame(source, "data", "the table", gaps)
    if _is(source, "xarray", "DataArray"):
        return _of_array(source, gaps)
    raise SeriesError(
        f"The data are a {type(source).__name__}; expected 'us', the path of a file, a table of"
        " pandas with periods as its index, or an xarray DataArray over (period, series)."
    )


def _of_array(array: xr.DataArray, gaps: str) -> TimeSeries:
    """The series of a DataArray over (period, series), or of one draw of what `Economy.simulate`
    answers, over (draw, period, observable) with periods that are numbered from 0.
    """
    import pandas as pd

    from emulator.series.periods import PANDAS
    from emulator.series.reading import of_frame

    if "draw" in array.dims:
        if array.sizes["draw"] != 1:
            raise SeriesError(
                f"The DataArray holds histories of {array.sizes['draw']} draws; expected one. Take"
                " one of them: .isel(draw=0)."
            )
        array = array.isel(draw=0, drop=True)
    if "observable" in array.dims:
        array = array.rename(observable="series")
    if set(array.dims) != {"period", "series"}:
        raise SeriesError(
            f"The DataArray has the axes {', '.join(map(str, array.dims))}; expected period and"
            " series, or those of a simulation: draw, period and observable."
        )
    frame = pd.DataFrame(array.transpose("period", "series").to_pandas())
    if frame.index.dtype.kind in "iu" and (frame.index < YEARS).all() and (frame.index >= 0).all():
        code = PANDAS[array.attrs.get("frequency", "quarter")]
        first = pd.Period(year=1, month=1, freq=code).ordinal
        frame.index = pd.PeriodIndex.from_ordinals(  # type: ignore[attr-defined]
            first + frame.index.to_numpy(), freq=code
        )
    units = {}
    if "unit" in array.coords:
        names = array["series"].values
        units = dict(zip(map(str, names), map(str, array["unit"].values), strict=True))
    return of_frame(frame, str(array.name or "data"), "the DataArray", gaps).with_units(units)


def _named(name: str, gaps: str) -> TimeSeries:
    if name == US:
        from emulator.series.us import us

        return us()
    from emulator.series.reading import read

    return read(Path(name), gaps)


def _is(source: Any, package: str, kind: str) -> bool:
    """Whether the source is of a class of a package, which is not imported to know that."""
    module = sys.modules.get(package)
    return module is not None and isinstance(source, getattr(module, kind))
