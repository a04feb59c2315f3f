"""The `emulator` command: one door to what each room offers on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from emulator import provenance
from emulator.console import exit_with, out
from emulator.data.command import generate, validate
from emulator.explorer.command import explore
from emulator.inference.command import WithFigure, export, irf
from emulator.worlds.command import compare, worlds

app = typer.Typer(
    name="emulator",
    help=(
        "Exact impulse responses of macroeconomic models in batches, and networks that emulate"
        " them."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (worlds, compare, explore, generate, validate):
    app.command()(command)
app.command(cls=WithFigure)(irf)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        out.print(provenance.package_version())
        raise typer.Exit


def main() -> None:
    """Entry point of the console command."""
    _add_learning_commands()
    exit_with(app)


def _add_learning_commands() -> None:
    """Commands that need PyTorch, added when the command line starts."""
    from emulator.estimation.command import estimate
    from emulator.eval.command import evaluate
    from emulator.leaderboard.command import leaderboard, release
    from emulator.training.command import calibrate, train

    app.command()(train)
    app.command()(calibrate)
    app.command()(evaluate)
    app.command()(leaderboard)
    app.command()(release)
    app.command()(export)
    app.command()(estimate)
