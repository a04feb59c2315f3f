"""The `emulator` command: one door to what each room offers on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.table import Table

from emulator import provenance
from emulator.console import err, exit_with, out, say
from emulator.data.command import generate, validate
from emulator.errors import NoSolutionError, ParameterError
from emulator.spec import DEFAULT_HORIZON, IRF_AXES, OBSERVABLES, Status, WorldSpec
from emulator.worlds import WORLDS, World, get_world

FORMATS = (".png", ".pdf", ".svg")
NO_SOLUTION = {
    Status.INDETERMINATE: "many stable solutions",
    Status.EXPLOSIVE: "no stable solution",
}

app = typer.Typer(
    name="emulator",
    help="Exact impulse responses of macroeconomic models in batches, and networks that emulate them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(generate)
app.command()(validate)


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        out.print(provenance.package_version())
        raise typer.Exit


@app.command()
def worlds(name: Annotated[str | None, typer.Argument(help="A world, for its parameters and shocks.")] = None) -> None:
    """List the worlds, or show one world's parameters, shocks and units."""
    if name is not None:
        _describe(get_world(name).spec)
        return
    table = Table("world", "title", "parameters", "shocks")
    for key in WORLDS:
        spec = get_world(key).spec
        table.add_row(key, spec.title, str(spec.n_parameters), ", ".join(spec.shock_names))
    out.print(table)


def _describe(spec: WorldSpec) -> None:
    out.print(f"[bold]{spec.name}[/bold]: {spec.title}. {spec.summary}\nPrior: {spec.prior}\nSource: {spec.source}")
    table = Table("parameter", "default", "range", "meaning")
    for p in spec.parameters:
        meaning = p.meaning if p.unit == "1" else f"{p.meaning}, {p.unit}"
        table.add_row(p.name, f"{p.default:g}", f"{p.low:g} to {p.high:g}", meaning)
    out.print(table)
    table = Table("shock (one standard deviation)", "meaning")
    for shock in spec.shocks:
        table.add_row(shock.name, shock.meaning)
    out.print(table)
    out.print("Observables: " + "; ".join(f"{o.name} in {o.unit} ({o.meaning})" for o in spec.observables))


@app.command()
def irf(
    world: Annotated[str, typer.Argument(help="A world; `emulator worlds` lists them.")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="A parameter: name=value. May be repeated; the rest is at its default.")] = None,
    shock: Annotated[str | None, typer.Option(help="One shock; all of them if left out.")] = None,
    horizon: Annotated[int, typer.Option(min=0, max=10_000, help="Last horizon, in quarters.")] = DEFAULT_HORIZON,
    plot: Annotated[Path | None, typer.Option(help="Write a figure (.png, .pdf or .svg).")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all numbers as CSV.")] = None,
) -> None:
    """Exact impulse responses to shocks of one standard deviation, from the world's solver."""
    economy = get_world(world)
    spec = economy.spec
    if plot is not None and plot.suffix.lower() not in FORMATS:
        raise ParameterError(f"The figure '{plot}' must end in {', '.join(FORMATS)}.")
    values: dict[str, str] = {}
    for item in set_ or []:
        name, sign, value = item.partition("=")
        if not sign:
            raise ParameterError(f"'{item}' is not of the form name=value.")
        values[name.strip()] = value
    shocks = list(spec.shock_names) if shock is None else [spec.shock_names[spec.shock_index(shock)]]
    theta = spec.theta(values)  # type: ignore[arg-type]  # text becomes numbers there, with a clear error
    responses = xr.DataArray(
        _solve(economy, theta, horizon),
        dims=IRF_AXES,
        coords={"shock": list(spec.shock_names), "horizon": np.arange(horizon + 1), "observable": list(OBSERVABLES)},
        name="irf",
    )[0].sel(shock=shocks)
    frame = responses.to_series().unstack("observable")[list(OBSERVABLES)]
    if csv is not None:
        frame.to_csv(csv)
        say(f"Numbers: {csv}")
    if plot is not None:
        _plot(responses, spec, plot)
        say(f"Figure: {plot}")
    _print(frame, spec)
    for p, value in zip(spec.parameters, theta[0], strict=True):
        if not p.low <= value <= p.high:
            err.print(f"note: {p.name} = {value:g} lies outside the range of the prior, {p.low:g} to {p.high:g}.", markup=False, highlight=False)


def _solve(economy: World, theta: np.ndarray, horizon: int) -> np.ndarray:
    """Responses at one theta. Raises `NoSolutionError` that says why there are none."""
    with np.errstate(all="ignore"):  # a parameter at which the model divides by zero has no solution, which is said below
        responses = economy.irf(theta, horizon=horizon, on_failure="nan")
        if not np.isfinite(responses).all():
            status = Status(economy.status(theta)[0])
            why = NO_SOLUTION.get(status, "the solver finds none")
            raise NoSolutionError(
                f"World '{economy.spec.name}' has no unique stable solution at these parameters: {status.label} ({why}). "
                f"Change them with --set; `emulator worlds {economy.spec.name}` shows defaults and ranges."
            )
    return responses


def _print(frame: pd.DataFrame, spec: WorldSpec) -> None:
    for shock, part in frame.groupby(level="shock", sort=False):
        table = Table("quarter", *(f"{o.name} ({o.unit})" for o in spec.observables), title=f"{spec.name}: {shock}, one standard deviation")
        shown = part.droplevel("shock")
        for horizon, row in shown[shown.index.isin([0, 1, 2, 3, 4, 8, 12, 20, 40])].iterrows():
            table.add_row(str(horizon), *(f"{value:+.4f}" for value in row))
        out.print(table)


def _plot(responses: xr.DataArray, spec: WorldSpec, path: Path) -> None:
    rows = responses.sizes["shock"]
    figure = Figure(figsize=(9.0, 2.4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 3, squeeze=False, sharex=True)
    for row, shock in enumerate(responses["shock"].values):
        for column, observable in enumerate(spec.observables):
            axis = axes[row, column]
            axis.plot(responses["horizon"], responses.sel(shock=shock, observable=observable.name), color="tab:blue")
            axis.axhline(0.0, color="black", linewidth=0.6)
            axis.set_title(f"{shock} → {observable.name}", fontsize=9)
            axis.set_ylabel(observable.unit, fontsize=8)
    for axis in axes[-1]:
        axis.set_xlabel("quarters after impact", fontsize=8)
    figure.suptitle(f"{spec.title}: responses to shocks of one standard deviation", fontsize=10)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Entry point of the console command."""
    _add_learning_commands()
    exit_with(app)


def _add_learning_commands() -> None:
    """Commands that need PyTorch, added when the command line starts."""
    from emulator.eval.command import evaluate, leaderboard
    from emulator.training.command import train

    app.command()(train)
    app.command()(evaluate)
    app.command()(leaderboard)
