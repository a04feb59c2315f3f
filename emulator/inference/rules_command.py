"""`emulator rules`: the decision rules of a `.mod` file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emulator.console import number, say, show
from emulator.inference.command_line import (
    DEFAULT_NETWORK,
    OBSERVABLES_HELP,
    ORDER_HELP,
    RUN_HELP,
    check_outputs,
    economy_of,
    names_of,
    on_failure_of,
)
from emulator.inference.notes import MOST_ROWS, note
from emulator.inference.sweep import GRID_HELP, SET_HELP, swept
from emulator.worlds.response_tables import packed

if TYPE_CHECKING:
    import xarray as xr
    from rich.table import Table


def rules(
    file: Annotated[str, typer.Argument(help="The path of a .mod file.")],
    set_: Annotated[list[str] | None, typer.Option("--set", help=SET_HELP)] = None,
    grid: Annotated[bool, typer.Option("--grid", help=GRID_HELP)] = False,
    order: Annotated[int | None, typer.Option(help=ORDER_HELP)] = None,
    observables: Annotated[
        list[str] | None, typer.Option("--observables", "--variables", help=OBSERVABLES_HELP)
    ] = None,
    run: Annotated[int | None, typer.Option(help=RUN_HELP)] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", "--csv", help="Write all numbers (.csv, .nc or .json)."),
    ] = None,
) -> None:
    """Decision rules of first, second or third order, and the stochastic steady state.

    A row is a product of states before the period and of shocks of one standard deviation, a column
    a variable. At second and third order the size of risk adds terms of its own.
    """
    from emulator.inference.decision_rules import FORMATS
    from emulator.inference.files import write

    check_outputs(None, output or [], FORMATS)
    values = swept(set_ or [], grid)
    economy = economy_of(file, DEFAULT_NETWORK, True, run)
    data = economy.decision_rules(
        values,
        order=order,
        observables=names_of(observables or []),
        on_failure=on_failure_of(economy, values),
    )
    for path in output or []:
        write(data, path, FORMATS)
        say(f"Numbers: {path}")
    for table in tables(data):
        show(table)
    if data.sizes["draw"] > 1:
        note(f"the first of {data.sizes['draw']:,} draws; --output writes all.")


def tables(data: xr.Dataset) -> list[Table]:
    """The rules of draw 0, a row a term."""
    from emulator.inference.decision_rules import terms

    listed = terms(data)
    shown = listed[:MOST_ROWS]
    rows = [name for name, _ in shown]
    columns = [
        (str(name), [number(values[0, k], ".4g") for _, values in shown])
        for k, name in enumerate(data["observable"].values)
    ]
    if "stochastic_steady_state" in data:
        rows.insert(1, "stochastic steady state")
        for (_, cells), value in zip(
            columns, data["stochastic_steady_state"].values[0], strict=True
        ):
            cells.insert(1, number(value, ".4g"))
    left = len(listed) - len(shown)
    caption = f"and {left:,} terms more; --output writes all" if left else None
    title = f"{data.attrs['world']}: decision rules, {data.attrs['source']}"
    return packed(title, "term", rows, columns, caption)
