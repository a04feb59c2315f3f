"""`emulator foresight`: the path of a model under perfect foresight."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emulator.console import say
from emulator.errors import ParameterError
from emulator.inference.command_line import (
    DEFAULT_NETWORK,
    RUN_HELP,
    WithFigure,
    check_outputs,
    economy_of,
    names_of,
)
from emulator.inference.moments.printed import show_path
from emulator.inference.notes import note
from emulator.inference.sweep import GRID_HELP, SET_HELP, pair, swept

if TYPE_CHECKING:
    import xarray as xr


def foresight(
    world: Annotated[
        str, typer.Argument(help="The path of a .mod file, or a world that is read from one.")
    ],
    set_: Annotated[list[str] | None, typer.Option("--set", help=SET_HELP)] = None,
    grid: Annotated[bool, typer.Option("--grid", help=GRID_HELP)] = False,
    shock: Annotated[
        list[str] | None,
        typer.Option(
            help="Values of an exogenous variable from period 1 on, in the units of the file:"
            " e=0.1,0.1,0.05; an empty place, e=,,0.1, leaves a period as it is. May be repeated."
            " In place of the file's shocks."
        ),
    ] = None,
    initial: Annotated[
        list[str] | None,
        typer.Option(help="A variable before the first period: k=9. May be repeated."),
    ] = None,
    terminal: Annotated[
        list[str] | None,
        typer.Option(help="An exogenous variable from period 1 on, for good: tau=0.3."),
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(
            help="Values of a variable from period 1 on, and the exogenous variable that is solved"
            " for in its place: y:e=1.02,1.01; an empty place, y:e=,,1.02, leaves a period free."
            " May be repeated."
        ),
    ] = None,
    periods: Annotated[
        int | None,
        typer.Option(min=1, max=10_000, help="Of the path, by default the file's, or 200."),
    ] = None,
    variables: Annotated[
        list[str] | None,
        typer.Option(
            "--variables",
            "--observables",
            help="Which variables, separated by commas; all of them if left out.",
        ),
    ] = None,
    run: Annotated[int | None, typer.Option(help=RUN_HELP)] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Write a figure (.png, .pdf or .svg); foresight.png if no path follows."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "--csv", help="Write all numbers (.csv, .nc or .json). May be repeated."
        ),
    ] = None,
) -> None:
    """The path of a model whose shocks are all known from the first period on, in levels.

    A file's own blocks (initval, endval, histval, shocks) say which path; of a file without any it
    begins and ends in the steady state. Options stand in their place.
    """
    from emulator.inference.foresight_answer import FORMATS
    from emulator.modfile.compiling.reading_notes import PLAN_PASSED_OVER

    check_outputs(plot, output or [], FORMATS)
    unsaid = PLAN_PASSED_OVER if control else None
    economy = economy_of(world, DEFAULT_NETWORK, True, run, unsaid)
    values = swept(set_ or [], grid)
    data = economy.perfect_foresight(
        values,
        shocks=_paths(shock),
        initial=_numbers(initial),
        terminal=_numbers(terminal),
        controls=_controls(control),
        periods=periods,
        variables=names_of(variables or []),
        on_failure="nan",
    )
    for file in output or []:
        data.foresight.write(file)
        say(f"Numbers: {file}")
    if plot is not None:
        data.foresight.plot(plot)
        say(f"Figure: {plot}")
    show_path(_as_path(data))
    failed = int((~data["solved"].values).sum())
    if failed:
        note(f"{failed:,} of {data['solved'].size:,} paths were not found.")


foresight.command_class = WithFigure  # type: ignore[attr-defined]  # read by emulator.cli


def _as_path(data: xr.Dataset) -> Any:
    """The first scenario as `show_path` takes it."""
    path = data["path"].isel(scenario=0).rename(variable="observable")
    units = ["level"] * path.sizes["observable"]
    return path.assign_coords(unit=("observable", units)).assign_attrs(data.attrs)


_Path = list[float] | dict[int, float]


def _paths(texts: list[str] | None) -> dict[str, _Path] | None:
    return {name: _path(name, text) for name, text in map(pair, texts)} if texts else None


def _controls(texts: list[str] | None) -> dict[str, tuple[str, _Path]] | None:
    controls = {}
    for name, text in map(pair, texts or []):
        variable, colon, shock = (part.strip() for part in name.partition(":"))
        if not (variable and colon and shock):
            raise ParameterError(
                f"--control {name}={text}: the exogenous variable that is solved for is missing;"
                f" expected --control {variable or 'y'}:e=1.02,1.01."
            )
        controls[variable] = shock, _path(name, text)
    return controls or None


def _numbers(texts: list[str] | None) -> dict[str, float] | None:
    if not texts:
        return None
    values = {}
    for name, text in map(pair, texts):
        numbers = _floats(name, text)
        if len(numbers) != 1:
            raise ParameterError(f"{name}={text}: expected one number, such as {name}=0.3.")
        values[name] = numbers[0]
    return values


def _path(name: str, text: str) -> _Path:
    """Values from period 1 on; by period where there is nothing between two commas."""
    places = dict(enumerate(map(str.strip, text.split(",")), start=1))
    given = {period: place for period, place in places.items() if place}
    if not given or len(given) == len(places):
        return _floats(name, text)
    return dict(zip(given, _floats(name, ",".join(given.values())), strict=True))


def _floats(name: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ParameterError(
            f"{name}={text}: expected numbers separated by commas, such as {name}=1,0,0.5."
        ) from None
