"""`emulator likelihood`: the log-likelihood of data at parameters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emulator.console import number, say, show
from emulator.grouping import grouped
from emulator.inference.command_line import DEFAULT_NETWORK, check_outputs, economy_of
from emulator.inference.notes import MOST_ROWS, note, values_in_words
from emulator.inference.options import Grid, Run, Set, TypedData, World
from emulator.inference.sweep import swept
from emulator.series.command import pairs

if TYPE_CHECKING:
    import xarray as xr
    from rich.table import Table

    from emulator.spec import WorldSpec


@grouped
def likelihood(
    world: World,
    *,
    typed: TypedData,
    set_: Set = None,
    grid: Grid = False,
    start: Annotated[
        str,
        typer.Option(
            help="What is known at first: stationary, diffuse (for unit roots) or wide (Dynare's"
            " lik_init=2)."
        ),
    ] = "stationary",
    presample: Annotated[
        int, typer.Option(min=0, help="Periods at the beginning that do not count.")
    ] = 0,
    horizon: Annotated[
        int | None,
        typer.Option(help="Last horizon of the responses of a world without a state space."),
    ] = None,
    gradient: Annotated[
        bool, typer.Option("--gradient", help="Also the derivatives by the parameters.")
    ] = False,
    exact: Annotated[
        bool, typer.Option("--exact", help="Ask the world's solver, not a network.")
    ] = False,
    checkpoint: Annotated[
        str, typer.Option(help="The network: a name that ships, a file or the folder of a run.")
    ] = DEFAULT_NETWORK,
    run: Run = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(help="Write all numbers (.csv, .nc or .json). May be repeated."),
    ] = None,
) -> None:
    """Log-likelihood of data, by the Kalman filter or through responses, and log-prior.

    The network that ships answers, or with --exact the world's own solver. A file is always solved.
    """
    from emulator.inference.likelihood.files import FORMATS

    check_outputs(None, output or [], FORMATS)
    economy = economy_of(world, checkpoint, exact, run)
    answer = economy.log_likelihood(
        typed.read(),
        swept(set_ or [], grid),
        observe=pairs(typed.observe, "--observe") or None,
        errors=pairs(typed.error, "--error"),
        sample=typed.sample,
        start=start,  # type: ignore[arg-type]  # the filter says what is known
        presample=presample,
        horizon=horizon,
        gradient=gradient,
        by_period=bool(output),
    )
    if output:
        from emulator.inference.files import write

        for path in output:
            write(answer, path, FORMATS)
            say(f"Numbers: {path}")
    _show(answer, economy.spec)


def _show(answer: xr.Dataset, spec: WorldSpec) -> None:
    show(_equations(answer))
    show(_draws(answer, spec))
    if "gradient" in answer:
        show(_slopes(answer))
    if answer.attrs.get("notes"):
        note(answer.attrs["notes"])
    beyond = answer.sizes["draw"] - MOST_ROWS
    if beyond > 0:
        note(f"{beyond} more draws; --output writes all of them.")
    if "flagged" in answer and bool(answer["flagged"].any()):
        flags = int(answer["flagged"].sum())
        note(
            f"the network doubts {flags} of {answer.sizes['draw']} draws; --exact asks the solver."
        )


def _equations(answer: xr.Dataset) -> Table:
    from rich.table import Table

    about = answer.attrs
    rows = Table(
        title=f"{about['world']} on {about['data']}, {about['sample']}: {about['method']}",
        title_justify="left",
    )
    for column in ("series", "equation", "unit", "error"):
        rows.add_column(column)
    for series in answer["series"].values:
        of_series = answer.sel(series=series)
        rows.add_row(
            str(series), *(str(of_series[n].values) for n in ("equation", "unit", "error"))
        )
    return rows


def _draws(answer: xr.Dataset, spec: WorldSpec) -> Table:
    from rich.table import Table

    columns = [c for c in ("log_likelihood", "log_prior", "log_posterior") if c in answer]
    rows = Table(title=f"{answer.attrs['values']} values", title_justify="left")
    names, labels = values_in_words(spec, answer["theta"].values)
    rows.add_column(names)
    for column in columns:
        rows.add_column(column, justify="right")
    for draw, label in enumerate(labels[:MOST_ROWS]):
        rows.add_row(label, *(number(float(answer[c][draw]), ".4f") for c in columns))
    return rows


def _slopes(answer: xr.Dataset) -> Table:
    from rich.table import Table

    rows = Table(title="Derivatives of log_likelihood, draw 0", title_justify="left")
    rows.add_column("parameter")
    rows.add_column("at", justify="right")
    rows.add_column("derivative", justify="right")
    for name in answer["parameter"].values:
        one = answer.isel(draw=0).sel(parameter=name)
        rows.add_row(
            str(name),
            number(float(one["theta"]), ".6g"),
            number(float(one["gradient"]), ".6g"),
        )
    return rows
