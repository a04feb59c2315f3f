"""`emulator data`: time series as they are read, with units and with what was done to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emulator.console import number, say, show
from emulator.errors import SeriesError

if TYPE_CHECKING:
    from rich.table import Table

    from emulator.series.container import TimeSeries


def data(
    source: Annotated[
        str,
        typer.Argument(
            help=(
                "us (quarterly US series), or files (.csv, .xlsx, .parquet) separated by commas,"
                " which are joined."
            )
        ),
    ] = "us",
    series: Annotated[
        str, typer.Option(help="Names, separated by commas; all of them if left out.")
    ] = "",
    sample: Annotated[
        str | None, typer.Option(help="First and last period: 1984Q1:2007Q4.")
    ] = None,
    transform: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "A series and what is done to it: 'gdp=log, difference, percent'. Also annualised,"
                " demeaned, detrended, hp, standardised. May be repeated."
            )
        ),
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="A series and its unit: gdp=percent. May be repeated.")
    ] = None,
    frequency: Annotated[
        str | None, typer.Option(help="quarter or year: longer periods, made of shorter ones.")
    ] = None,
    how: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "How a longer period is made: average, sum, first or last; of one series: gdp=sum."
                " May be repeated.  [default: average]"
            )
        ),
    ] = None,
    gaps: Annotated[
        str, typer.Option(help="error, or missing: periods without a row are missing values.")
    ] = "error",
    output: Annotated[Path | None, typer.Option(help="Write the numbers (.csv).")] = None,
) -> None:
    """Time series: their sample, units, transformations, means and deviations."""
    from emulator.series.doors import read_data

    if output is not None and output.suffix.lower() != ".csv":
        raise SeriesError(f"--output is '{output}'; expected a name that ends in .csv.")
    names = [name.strip() for name in series.split(",") if name.strip()]
    of_one = [item for item in how or [] if "=" in item]
    of_all = [item for item in how or [] if "=" not in item]
    if len(of_all) > 1 or (of_all and of_one):
        raise SeriesError(
            f"--how is given as {', '.join(how or [])}; expected one for all series, or one of each"
            " series that is named: gdp=sum."
        )
    read = read_data(
        source,
        series=names or None,
        sample=sample,
        transform=pairs(transform, "--transform"),
        units=pairs(unit, "--unit"),
        frequency=frequency,
        how=pairs(of_one, "--how") if of_one else (of_all or ["average"])[0],  # type: ignore[arg-type]
        gaps=gaps,
    )
    if output is not None:
        from emulator.files import write_text

        write_text(output, read.frame().to_csv(lineterminator="\n"))
        say(f"Numbers: {output}")
    show(table(read))


def pairs(items: list[str] | None, option: str) -> dict[str, str]:
    """Names and values of an option of the form name=value. Raises `SeriesError`."""
    values: dict[str, str] = {}
    for item in items or []:
        name, sign, value = item.partition("=")
        if not sign or not name.strip() or name.strip() in values:
            what = "twice about the same series" if sign else "not of the form series=value"
            raise SeriesError(f"{option} '{item}' is {what}.")
        values[name.strip()] = value.strip()
    return values


def table(series: TimeSeries) -> Table:
    """A row a series: unit, transformation, periods that are there, mean and deviation."""
    import numpy as np
    from rich.table import Table

    title = f"{series.name}: {series.sample}, {len(series)} {series.frequency}s ({series.source})"
    rows = Table(title=title, title_justify="left")
    for column in ("series", "unit", "transformation"):
        rows.add_column(column)
    for column in ("there", "mean", "sd"):
        rows.add_column(column, justify="right")
    for k, name in enumerate(series.names):
        there = series.values[np.isfinite(series.values[:, k]), k]
        moments = [number(float(m), ".4g") for m in (there.mean(), there.std())]
        rows.add_row(name, series.units[k], series.done[k], str(len(there)), *moments)
    return rows
