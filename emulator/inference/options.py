"""Options that several commands take: a world, its parameters, data, who answers, and a figure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emulator.inference.command_line import RUN_HELP, WORLD_HELP
from emulator.inference.sweep import GRID_HELP, SET_HELP
from emulator.series.command import pairs

if TYPE_CHECKING:
    from emulator.series import TimeSeries

World = Annotated[str, typer.Argument(help=WORLD_HELP)]
Set = Annotated[list[str] | None, typer.Option("--set", help=SET_HELP)]
Grid = Annotated[bool, typer.Option("--grid", help=GRID_HELP)]
Checkpoint = Annotated[
    str,
    typer.Option(
        help="Ask a network, a name that ships, a file or the folder of a run; else the world's"
        " solver answers."
    ),
]
Run = Annotated[int | None, typer.Option(help=RUN_HELP)]
Plot = Annotated[
    Path | None,
    typer.Option(help="Write a figure (.png, .pdf or .svg); named as the command if no path."),
]


@dataclass(frozen=True)
class TypedData:
    """Data, as they were typed: where they are, how they are read and how observed."""

    data: Annotated[
        str | None,
        typer.Option(help="us (quarterly US series), or files (.csv, .xlsx, .parquet)."),
    ] = "us"
    observe: Annotated[
        list[str] | None,
        typer.Option(
            help="How a series follows from observables: 'growth=diff(output) + mean'. May be"
            " repeated; by default series that are called as observables are."
        ),
    ] = None
    error: Annotated[
        list[str] | None,
        typer.Option(
            help="Standard deviation of a series' error of measurement: rate=0.2. May be repeated."
        ),
    ] = None
    sample: Annotated[str | None, typer.Option(help="First and last period: 1984Q1:2007Q4.")] = None
    transform: Annotated[
        list[str] | None,
        typer.Option(
            help="A series and what is done to it: 'gdp=log, difference, percent'. May be repeated."
        ),
    ] = None
    frequency: Annotated[
        str | None, typer.Option(help="quarter or year: averages over longer periods.")
    ] = None
    gaps: Annotated[
        str, typer.Option(help="error, or missing: periods without a row are missing values.")
    ] = "error"

    def read(self) -> TimeSeries:
        """The series, before they are observed."""
        from emulator.series import read_data

        return read_data(
            self.data or "us",
            transform=pairs(self.transform, "--transform"),
            frequency=self.frequency,
            gaps=self.gaps,
        )
