"""`emulator osr` and `emulator occbin`: optimal simple rules and occasionally binding constraints
of a `.mod` file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from emulator.console import say, show
from emulator.errors import NoSolutionError, ParameterError
from emulator.inference.command_line import (
    DEFAULT_NETWORK,
    OBSERVABLES_HELP,
    WithFigure,
    check_outputs,
    economy_of,
    names_of,
    on_failure_of,
)
from emulator.inference.notes import note
from emulator.inference.options import Grid, Run, Set
from emulator.inference.sweep import swept
from emulator.worlds.response_tables import packed

if TYPE_CHECKING:
    import xarray as xr

    from emulator.inference.files import Formats

File = Annotated[str, typer.Argument(help="The path of a .mod file.")]
Output = Annotated[
    list[Path] | None,
    typer.Option(
        "--output", "--csv", help="Write all numbers (.csv, .nc or .json). May be repeated."
    ),
]

MOST_ROWS = 20
"""Draws or periods that are printed."""


def osr(
    file: File,
    set_: Set = None,
    grid: Grid = False,
    run: Run = None,
    output: Output = None,
) -> None:
    """The coefficients of a file's optimal simple rule, and its objective there.

    Several values of another parameter (--set kappa=0.1:0.4:7) give a row each, all minimised at
    once. A coefficient that is set is held.
    """
    check_outputs(None, output or [], _formats())
    economy = economy_of(file, DEFAULT_NETWORK, True, run)
    data = economy.optimal_rule(swept(set_ or [], grid))
    lost = ~np.isfinite(data["objective"].values)
    if lost.all():
        raise NoSolutionError(
            "No simple rule with a unique stable solution was reached from the file's own"
            " coefficients, at which there is none. Begin with coefficients that give one."
        )
    _write(data, output)
    names = [str(name) for name in data["coefficient_name"].values]
    shown = data.isel(draw=slice(MOST_ROWS))
    columns = [
        *(
            (name, [f"{value:.6g}" for value in shown["coefficient"].values[:, k]])
            for k, name in enumerate(names)
        ),
        ("objective", [f"{value:.6g}" for value in shown["objective"].values]),
        ("at the file's", [f"{value:.6g}" for value in shown["at_start"].values]),
    ]
    left = data.sizes["draw"] - shown.sizes["draw"]
    caption = f"and {left:,} draws more; --output writes all" if left else None
    title = f"{data.attrs['world']}: optimal simple rule"
    rows = [str(draw) for draw in shown["draw"].values]
    for table in packed(title, "draw", rows, columns, caption):
        show(table)
    note(f"the objective is {data.attrs['objective']}.")
    if lost.any():
        note(
            f"{lost.sum():,} of {len(lost):,} draws have no unique stable solution at the file's"
            " own coefficients, from which none was reached: their objective is infinite."
        )


def occbin(
    file: File,
    set_: Set = None,
    grid: Grid = False,
    size: Annotated[
        str,
        typer.Option(help="Multiples of the shock, separated by commas, of either sign: 1,-1."),
    ] = "1",
    shock: Annotated[
        str | None,
        typer.Option(
            help="Of a file with several: a shock with a standard deviation, or `surprises`, its"
            " shocks(surprise). The last if left out."
        ),
    ] = None,
    observables: Annotated[
        list[str] | None, typer.Option("--observables", "--variables", help=OBSERVABLES_HELP)
    ] = None,
    horizon: Annotated[int | None, typer.Option(min=0, max=10_000, help="The last period.")] = None,
    run: Run = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Write a figure (.png, .pdf or .svg); named as the command if no path."),
    ] = None,
    output: Output = None,
) -> None:
    """Paths of a file under its occasionally binding constraints, and without them."""
    check_outputs(plot, output or [], _formats())
    values = swept(set_ or [], grid)
    economy = economy_of(file, DEFAULT_NETWORK, True, run)
    data = economy.occbin(
        values,
        size=_sizes(size),
        shock=shock or economy.spec.shock_names[-1],
        observables=names_of(observables or []),
        horizon=horizon,
        on_failure=on_failure_of(economy, values),
    )
    _write(data, output)
    if plot is not None:
        from emulator.inference.binding import draw

        draw(data, plot)
        say(f"Figure: {plot}")
    _show_paths(data)


occbin.command_class = WithFigure  # type: ignore[attr-defined]


def _show_paths(data: xr.Dataset) -> None:
    """The first periods of the first draw's paths, a table a size."""
    here = data.isel(draw=0, shock=0, horizon=slice(MOST_ROWS))
    rows = [str(period) for period in here["horizon"].values]
    left = data.sizes["horizon"] - len(rows)
    caption = f"and {left:,} periods more; --output writes all" if left else None
    for k, size in enumerate(data["size"].values):
        of_size = here.isel(size=k)
        columns = [
            (str(name), [f"{value:.4g}" for value in of_size["piecewise"].sel(observable=name)])
            for name in data["observable"].values
        ]
        columns += [
            (f"{name} binds", ["yes" if value else "" for value in of_size["binding"].values[:, c]])
            for c, name in enumerate(data["constraint"].values)
        ]
        title = f"{data.attrs['world']}: {here['shock'].item()}, {size:g} sd, piecewise linear"
        for table in packed(title, "horizon", rows, columns, caption or data["piecewise"].units):
            show(table)
    binds = data["binding"].values.any(axis=(3, 4))
    if not binds.any():
        note("no constraint binds: the paths are those of the linear model.")


def _sizes(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ParameterError(
            f"--size {text}: expected numbers separated by commas, such as 1,-1."
        ) from None


def _formats() -> Formats:
    from emulator.inference.files import to_json, to_netcdf

    return {".csv": _csv, ".nc": to_netcdf, ".json": to_json}


def _csv(data: xr.Dataset) -> bytes:
    """A long table: of paths a row a period, of rules a row a draw."""
    if "piecewise" in data:
        names = [str(name) for name in data["observable"].values]
        columns = {
            f"{name}{ending}": data[kind].sel(observable=name, drop=True)
            for name in names
            for kind, ending in (("piecewise", ""), ("linear", "_linear"))
        }
        columns |= {
            f"{name}_binds": data["binding"].sel(constraint=name, drop=True)
            for name in data["constraint"].values
        }
    else:
        columns = {
            str(name): data["coefficient"].sel(coefficient_name=name, drop=True)
            for name in data["coefficient_name"].values
        }
        columns |= {"objective": data["objective"], "at_start": data["at_start"]}
    frame = type(data)(columns).to_dataframe()
    text: str = frame.to_csv(lineterminator="\n")
    return text.encode()


def _write(data: xr.Dataset, output: list[Path] | None) -> None:
    from emulator.inference.files import write

    for path in output or []:
        write(data, path, _formats())
        say(f"Numbers: {path}")
