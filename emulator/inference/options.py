"""Options that several commands take: a world, its parameters, who answers, and a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emulator.inference.command_line import RUN_HELP, WORLD_HELP
from emulator.inference.sweep import GRID_HELP, SET_HELP

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
