"""`emulator worlds` and `emulator compare`: the worlds on the command line."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emulator.console import err, out, say, show
from emulator.errors import (
    EmulatorError,
    MissingExtraError,
    ModFileWarning,
    ParameterError,
    SimulatorWarning,
    UnknownNameError,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.table import Table

    from emulator.spec import Parameter
    from emulator.worlds.base import World

OURS = (ModFileWarning, SimulatorWarning)
"""Warnings that are printed as notes."""

DRAWS = 64
"""Draws on which a world is checked."""

COMPARED_TO = 20
"""The last horizon of a comparison unless another is asked for."""

DEAR_DRAWS = 16
"""The same where a draw may take long."""


def worlds(
    name: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME | show NAME | check NAME]",
            help=(
                "A world, a .mod file or a Python file (mysim.py:economy, which is run), for its"
                " parameters and shocks; with 'check' before it, to test it."
            ),
        ),
    ] = None,
) -> None:
    """List the worlds; show one world's parameters, shocks and units; or check a world, such as a
    .mod file or a simulator of your own.
    """
    from emulator.worlds import open_world

    if not name:
        _list()
    elif name[0] == "check" and len(name) == 2:
        with noted():
            _check(named(name[1]))
    elif (len(name) == 1 and name[0] not in ("check", "show")) or (
        len(name) == 2 and name[0] == "show"
    ):
        with noted():
            _describe(open_world(name[-1]))
    else:
        raise ParameterError(
            f"Found 'emulator worlds {' '.join(name)}'; expected 'emulator worlds', 'emulator"
            " worlds NAME' or 'emulator worlds check NAME'."
        )


def _list() -> None:
    """A row a world; of the worlds that others brought only whose they are, since to say more is to
    import them.
    """
    from rich.table import Table

    from emulator.worlds import WORLDS, get_world, registry

    table = Table("world", "title", "parameters", "shocks")
    for key in WORLDS:
        spec = get_world(key).spec
        table.add_row(key, spec.title, str(spec.n_parameters), ", ".join(spec.shock_names))
    for key, owner in registry.names().items():
        table.add_row(key, f"of {owner}", "", "")
    show(table)
    for key, owner in registry.clashes().items():
        err.print(
            f"note: '{key}' of {owner} is left out: a world of this package has that name.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


@contextmanager
def noted(unsaid: str | None = None) -> Iterator[None]:
    """Print what is noted while a file is read, and while a simulator fails at draws; `unsaid`:
    words of a note that the question has answered already.
    """
    with warnings.catch_warnings(record=True) as notes:
        for category in OURS:
            warnings.simplefilter("always", category)
        try:
            yield
        finally:  # an error may follow from what was passed over
            for note in notes:
                if unsaid is not None and unsaid in str(note.message):
                    continue
                if issubclass(note.category, OURS):
                    text = f"note: {note.message}"
                    err.print(text, markup=False, highlight=False, soft_wrap=True)
                else:
                    warnings.showwarning(note.message, note.category, note.filename, note.lineno)


def named(name: str) -> World:
    """A world by name or path; what was noted while reading a file is printed."""
    from emulator.worlds import get_world

    with noted():
        return get_world(name)


def with_shock(shock: str) -> list[World]:
    """Every world with a shock of this name; one whose packages are not installed is left out, and
    named on the error stream.

    Raises `UnknownNameError` if no world has the shock.
    """
    from emulator.worlds import WORLDS, get_world

    having = [world for world in map(get_world, WORLDS) if shock in world.spec.shock_names]
    if not having:
        raise UnknownNameError(
            f"No world has a shock '{shock}'; `emulator worlds` lists the shocks of each."
        )
    opened = []
    for world in having:
        try:
            world.require()
            opened.append(world)
        except MissingExtraError as error:
            err.print(
                f"note: '{world.spec.name}' is left out. {error}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
    return opened


def _describe(world: World) -> None:
    # Text of a file is shown as it stands: Text reads no markup in it.
    from rich.table import Table
    from rich.text import Text

    spec = world.spec
    out.print(
        Text(spec.name, style="bold")
        + Text(f": {spec.title}. {spec.summary}\nPrior: {spec.prior}\nSource: {spec.source}")
    )
    table = Table("parameter", "default", "range", "meaning")
    for p in spec.parameters:
        meaning = p.meaning if p.unit == "1" else f"{p.meaning}, {p.unit}"
        default = "none" if math.isnan(p.default) else f"{p.default:g}"
        table.add_row(p.name, default, _range(p), Text(meaning))
    show(table)
    out.print(f"One period is a {spec.frequency}.")
    table = Table("shock (one standard deviation)", "meaning")
    for shock in spec.shocks:
        table.add_row(shock.name, Text(shock.meaning))
    show(table)
    out.print(
        "Observables: "
        + "; ".join(f"{o.name} in {o.unit} ({o.meaning})" for o in spec.observables),
        markup=False,
    )
    if world.settings:
        named = ", ".join(f"{name} {value:g}" for name, value in world.settings.items())
        out.print(f"Solved with the settings {named}.", markup=False)
    if world.regimes is not None:
        out.print(f"Regimes, between which responses jump: {world.regimes.counts}.", markup=False)


def _range(parameter: Parameter) -> str:
    if parameter.high < float("inf"):
        return f"{parameter.low:g} to {parameter.high:g}"
    return "any" if parameter.low < 0 else "0 or more"


def _check(world: World) -> None:
    """The conformance suite on draws from the prior, and how often the prior has a solution."""
    import numpy as np

    from emulator.worlds import check_world
    from emulator.worlds.comparison import responses_of

    spec = world.spec
    n = DRAWS if world.draws_per_task >= 1000 else DEAR_DRAWS
    say(
        f"{spec.name}: {spec.n_parameters} parameters, shocks {', '.join(spec.shock_names)},"
        f" observables {', '.join(spec.observable_names)}, {len(spec.states)} states."
    )
    responses_of(world, spec.theta(), world.horizon)
    draws = world.draw(n, np.random.default_rng(0))
    refused = ", ".join(f"{count} {reason}" for reason, count in draws.rejections.items()) or "none"
    say(
        f"The defaults have a solution. Of {n + len(draws.rejected_theta)} draws from the prior {n}"
        f" have one; refused: {refused}."
    )
    remarks = check_world(world, n=n)
    say(f"{spec.name} passes every check of the conformance suite on {n} draws.")
    for remark in remarks:
        say(f"- {remark}")


def compare(
    shock: Annotated[
        str, typer.Option(help="A shock that every one of the worlds has.")
    ] = "monetary",
    worlds: Annotated[
        str,
        typer.Option(
            "--world",
            "--worlds",
            help=(
                "Worlds and paths of .mod files, separated by commas; 'all': every world with this"
                " shock."
            ),
        ),
    ] = "all",
    horizon: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=10_000,
            help="Last horizon, in periods of the worlds.  [default: 20, or where a world ends]",
        ),
    ] = None,
    plot: Annotated[Path, typer.Option(help="The figure (.png, .pdf or .svg).")] = Path(
        "compare.png"
    ),
    csv: Annotated[Path, typer.Option(help="All numbers as CSV.")] = Path("compare.csv"),
) -> None:
    """Several worlds under the same shock of one standard deviation, each at its defaults: one
    picture and its numbers.
    """
    from emulator.worlds import split_names
    from emulator.worlds.comparison import compare as compare_worlds
    from emulator.worlds.comparison import usual_horizon
    from emulator.worlds.figures import check_format, draw_comparison

    check_format(plot)
    if csv.suffix.lower() != ".csv":
        raise ParameterError(f"The file '{csv}' must end in .csv.")
    names = split_names(worlds)
    chosen = with_shock(shock) if worlds == "all" else [named(name) for name in names]
    last = usual_horizon(chosen, COMPARED_TO) if horizon is None else horizon
    responses = compare_worlds(chosen, shock, last)
    frame = responses.to_series().unstack("observable")[list(responses["observable"].values)]
    _write(frame, csv)
    draw_comparison(
        responses,
        f"Responses to a {shock.replace('_', ' ')} shock of one standard deviation, each world at"
        " its defaults",
        plot,
    )
    say(f"Figure: {plot}")
    if responses.attrs["left_out"]:
        say(f"Not compared, since not every world has them in one unit: {responses.left_out}.")
    for world in responses["world"].values:
        for table in _tables(
            responses.sel(world=world), f"{shock}, one standard deviation: {world}"
        ):
            show(table)


def _write(frame: pd.DataFrame, path: Path) -> None:
    try:
        frame.to_csv(path)
    except OSError as error:
        raise EmulatorError(f"'{path}' cannot be written: {error.strerror or error}.") from None
    say(f"Numbers: {path}")


def _tables(responses: xr.DataArray, title: str) -> list[Table]:
    """One world's responses (horizon, observable)."""
    from emulator.worlds.response_tables import ResponseTable, response_tables

    period = str(responses["horizon"].attrs["units"]).partition("s ")[0]
    names, units = (list(map(str, responses[axis].values)) for axis in ("observable", "unit"))
    return response_tables(ResponseTable(title, period, names, units, responses.values))
