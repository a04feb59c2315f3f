"""`emulator moments`, `emulator fevd` and `emulator simulate`: second moments, shares of shocks and
paths of an economy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emulator.console import say, show
from emulator.errors import ParameterError
from emulator.inference.command_line import (
    DEFAULT_NETWORK,
    OBSERVABLES_HELP,
    ORDER_HELP,
    WithFigure,
    check_outputs,
    economy_of,
    names_of,
    on_failure_of,
)
from emulator.inference.moments.printed import (
    moments_tables,
    notes,
    share_tables,
    show_path,
)
from emulator.inference.notes import note_each, note_prior
from emulator.inference.options import Checkpoint, Grid, Plot, Run, Set, World
from emulator.inference.sweep import pair, swept

if TYPE_CHECKING:
    import xarray as xr

    from emulator.inference.economy import Economy

Observables = Annotated[
    list[str] | None, typer.Option("--observables", "--variables", help=OBSERVABLES_HELP)
]
Hp = Annotated[
    float | None,
    typer.Option("--hp", help="Of the HP filter's cycle with this lambda; 1600 for quarters."),
]
Difference = Annotated[bool, typer.Option("--difference", help="Of first differences.")]
Horizon = Annotated[
    int | None,
    typer.Option(min=0, max=10_000, help="Where responses are cut that stand for a state space."),
]
Order = Annotated[int | None, typer.Option(help=ORDER_HELP)]
Output = Annotated[
    list[Path] | None,
    typer.Option(
        "--output", "--csv", help="Write all numbers (.csv, .tex, .nc or .json). May be repeated."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the random shocks.")]


def moments(
    world: World,
    set_: Set = None,
    grid: Grid = False,
    hp: Hp = None,
    difference: Difference = False,
    lags: Annotated[int, typer.Option(min=0, help="Lags of autocorrelations.")] = 5,
    observables: Observables = None,
    horizon: Horizon = None,
    simulated: Annotated[
        int | None,
        typer.Option(min=1, help="Sample moments of a path of so many periods, not theory."),
    ] = None,
    seed: Seed = 0,
    order: Order = None,
    checkpoint: Checkpoint = "",
    run: Run = None,
    plot: Plot = None,
    output: Output = None,
) -> None:
    """Theoretical means, standard deviations, correlations and autocorrelations.

    The world's solver answers. Several values of a parameter (--set phi_pi=1.1:2.5:15) give a row
    and a point of the figure each.
    """
    from emulator.inference.moments.tables import FORMATS

    check_outputs(plot, output or [], FORMATS)
    values = swept(set_ or [], grid)
    economy = _answering(world, checkpoint, run)
    data = economy.moments(
        values,
        lags=lags,
        hp=hp,
        difference=difference,
        observables=names_of(observables or []),
        horizon=horizon,
        simulated=simulated,
        seed=seed,
        order=order,
        on_failure=on_failure_of(economy, values),
    )
    _write(data, plot, output or [])
    for table in moments_tables(data, economy.spec):
        show(table)
    notes(data, economy.spec)
    if hp is None and not difference and simulated is None:
        note_each(economy.answerer.moments_notes)


def fevd(
    world: World,
    set_: Set = None,
    grid: Grid = False,
    horizons: Annotated[
        list[str] | None,
        typer.Option(
            "--horizons",
            "--horizon",
            help="Periods ahead, separated by commas; 1 is the impact alone, inf the variance"
            " itself.  [default: 1,4,8,20,inf]",
        ),
    ] = None,
    hp: Hp = None,
    difference: Difference = False,
    observables: Observables = None,
    checkpoint: Checkpoint = "",
    run: Run = None,
    plot: Plot = None,
    output: Output = None,
) -> None:
    """Shares of the shocks in the variance of forecast errors, in percent.

    The world's solver answers. With several values of a parameter the last horizon is printed.
    """
    from emulator.inference.moments.tables import FORMATS

    check_outputs(plot, output or [], FORMATS)
    values = swept(set_ or [], grid)
    ahead = names_of(horizons or [])
    economy = _answering(world, checkpoint, run)
    data = economy.variance_decomposition(
        values,
        horizons=None if ahead is None else [_ahead(text) for text in ahead],
        hp=hp,
        difference=difference,
        observables=names_of(observables or []),
        on_failure=on_failure_of(economy, values),
    )
    _write(data, plot, output or [])
    for table in share_tables(data, economy.spec):
        show(table)
    notes(data, economy.spec)
    note_each(economy.answerer.order_notes)
    if hp is None and not difference:
        note_each(economy.answerer.filter_notes)


def simulate(
    world: World,
    set_: Set = None,
    grid: Grid = False,
    periods: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Of the path.  [default: 200]")
    ] = None,
    shock: Annotated[
        list[str] | None,
        typer.Option(
            help="Given shocks instead of random ones, in standard deviations: name=1,0,0.5. May be"
            " repeated."
        ),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(help="A state before the first period: name=value. May be repeated."),
    ] = None,
    observables: Observables = None,
    seed: Seed = 0,
    order: Order = None,
    run: Run = None,
    plot: Plot = None,
    output: Output = None,
) -> None:
    """Simulated paths, from the steady state or a given state, under random or given shocks."""
    from emulator.inference.moments.tables import PATH_FORMATS

    check_outputs(plot, output or [], PATH_FORMATS)
    values = swept(set_ or [], grid)
    economy = economy_of(world, DEFAULT_NETWORK, True, run)
    paths = economy.simulate(
        values,
        periods=periods,
        shocks={name: _shocks(name, text) for name, text in map(pair, shock)} if shock else None,
        state={name: _shocks(name, text)[0] for name, text in map(pair, state)} if state else None,
        observables=names_of(observables or []),
        seed=seed,
        order=order,
        on_failure=on_failure_of(economy, values),
    )
    _write_paths(paths, plot, output or [])
    show_path(paths)
    note_prior(economy.spec, economy.asking.theta(values, {}))


# Read by emulator.cli.
moments.command_class = WithFigure  # type: ignore[attr-defined]
fevd.command_class = WithFigure  # type: ignore[attr-defined]
simulate.command_class = WithFigure  # type: ignore[attr-defined]


def _answering(world: str, checkpoint: str, run: int | None) -> Economy:
    """The solver, or the network that is asked for."""
    if checkpoint:
        return economy_of(world, checkpoint, False, run)
    return economy_of(world, DEFAULT_NETWORK, True, run)


def _ahead(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if value != math.inf and not value.is_integer():
        raise ParameterError(
            f"--horizons {text}: expected whole numbers of periods, or inf, separated by commas."
        )
    return value if math.isinf(value) else int(value)


def _shocks(name: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ParameterError(
            f"{name}={text}: expected numbers separated by commas, such as {name}=1,0,0.5."
        ) from None


def _write(data: xr.Dataset, plot: Path | None, output: Sequence[Path]) -> None:
    for path in output:
        data.tables.write(path)
        say(f"Numbers: {path}")
    if plot is not None:
        data.tables.plot(plot)
        say(f"Figure: {plot}")


def _write_paths(paths: Any, plot: Path | None, output: Sequence[Path]) -> None:
    from emulator.inference.files import write
    from emulator.inference.moments.tables import PATH_FORMATS

    for path in output:
        write(paths.to_dataset(), path, PATH_FORMATS)
        say(f"Numbers: {path}")
    if plot is not None:
        from emulator.inference.moments.figures import draw_paths

        draw_paths(paths, plot)
        say(f"Figure: {plot}")
