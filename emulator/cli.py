"""The `emulator` command: one door to what each room offers on the command line.

A command is imported when it is called: `emulator --help` and a typing error pay for none.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from emulator.console import exit_with
from emulator.version import __version__


class Entry(NamedTuple):
    """Where a command is, and what the list of commands says of it."""

    place: str
    summary: str


COMMANDS = {
    "irf": Entry(
        "emulator.inference.command:irf",
        "Impulse responses at these parameters, from a network or exact.",
    ),
    "moments": Entry(
        "emulator.inference.moments_command:moments",
        "Standard deviations, correlations, autocorrelations; HP filter, sweeps.",
    ),
    "fevd": Entry(
        "emulator.inference.moments_command:fevd",
        "Variance decomposition: what share of the variance each shock accounts for.",
    ),
    "simulate": Entry(
        "emulator.inference.moments_command:simulate",
        "Paths under random or given shocks.",
    ),
    "occbin": Entry(
        "emulator.inference.file_command:occbin",
        "Paths of a .mod file under its occasionally binding constraints.",
    ),
    "osr": Entry(
        "emulator.inference.file_command:osr",
        "Optimal simple rules of a .mod file: coefficients and objective.",
    ),
    "foresight": Entry(
        "emulator.inference.foresight_command:foresight",
        "Paths of a .mod file under perfect foresight, its own or under shocks given.",
    ),
    "rules": Entry(
        "emulator.inference.rules_command:rules",
        "Decision rules of a .mod file, of first, second or third order.",
    ),
    "worlds": Entry("emulator.worlds.command:worlds", "List the worlds, show one, or check one."),
    "compare": Entry(
        "emulator.worlds.command:compare", "Several worlds under the same shock: one picture."
    ),
    "explore": Entry(
        "emulator.explorer.command:explore", "Worlds, shocks and sliders in the browser."
    ),
    "estimate": Entry(
        "emulator.estimation.command:estimate", "Parameters that make worlds move like data."
    ),
    "data": Entry(
        "emulator.series.command:data",
        "Time series: US series that come with it, or files, transformed.",
    ),
    "likelihood": Entry(
        "emulator.inference.likelihood_command:likelihood",
        "Log-likelihood of data at these parameters, and log-prior.",
    ),
    "smooth": Entry(
        "emulator.inference.history_command:smooth",
        "Which shocks the data call for: the Kalman smoother.",
    ),
    "decompose": Entry(
        "emulator.inference.history_command:decompose",
        "What happened: the contribution of each shock to each series.",
    ),
    "forecast": Entry(
        "emulator.inference.history_command:forecast",
        "What comes next, with bands; under conditions, over draws and worlds.",
    ),
    "counterfactual": Entry(
        "emulator.inference.history_command:counterfactual",
        "The same shocks under another policy rule, or some shocks alone.",
    ),
    "generate": Entry(
        "emulator.choice.generating:generate", "Draw parameters, solve, and write a data set."
    ),
    "import": Entry(
        "emulator.data.importing.command:import_", "Draws solved elsewhere, as a data set."
    ),
    "validate": Entry("emulator.data.command:validate", "Check a data set against its worlds."),
    "train": Entry(
        "emulator.choice.command:train",
        "Find the best emulator of a data set, or train one network.",
    ),
    "calibrate": Entry(
        "emulator.training.command:calibrate", "Fit a trained network's error band and flags."
    ),
    "evaluate": Entry(
        "emulator.eval.command:evaluate", "Score a network beside trivial baselines."
    ),
    "leaderboard": Entry(
        "emulator.leaderboard.command:leaderboard", "Collect scores into one page of tables."
    ),
    "release": Entry(
        "emulator.leaderboard.command:release", "Write a scored network as the files that ship."
    ),
    "export": Entry(
        "emulator.inference.command:export", "A trained network for other programs (ONNX)."
    ),
}


def function_of(name: str) -> Callable[..., Any]:
    """The function behind a command of the table, imported now."""
    module, _, function = COMMANDS[name].place.partition(":")
    return getattr(importlib.import_module(module), function)


NAMED = {
    "--config": "a configuration",
    "--dataset": "a data set",
    "--checkpoint": "a network",
}
"""Options that name a place, for which it is easily given without one."""


class Command(TyperCommand):
    """A command that says by which option a place is named that was given without one."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        ctx.allow_extra_args = True
        given = {arg.partition("=")[0] for arg in args}
        extra = super().parse_args(ctx, args)
        if extra and not ctx.resilient_parsing:
            known = {option for parameter in self.params for option in parameter.opts} - given
            hints = [f"{what} with {option}" for option, what in NAMED.items() if option in known]
            hint = f" Name {', '.join(hints)}." if hints else ""
            several = "s" if len(extra) > 1 else ""
            ctx.fail(f"Got unexpected extra argument{several} ({' '.join(extra)}).{hint}")
        return extra


class LazyGroup(TyperGroup):
    """The commands of the table, each imported when it is called."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Answer `--version` and typing errors here: Typer's own parser imports pydantic first."""
        first = args[0] if args else "--help"
        if first == "--version":
            typer.echo(__version__)
            ctx.exit()
        if first.startswith("-") and first not in ("--help", "--"):
            ctx.fail(f"No such option '{first}'. Known: --version, --help.")
        if not first.startswith("-") and first not in COMMANDS:
            _refuse_unknown(ctx, first)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, name: str) -> Any:
        if name not in COMMANDS:
            return None
        if ctx.meta.get("emulator.listing"):
            return TyperCommand(name, help=COMMANDS[name].summary)
        command = function_of(name)
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(name, cls=getattr(command, "command_class", Command))(command)
        return get_command(single)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        ctx.meta["emulator.listing"] = True
        super().format_help(ctx, formatter)


def _refuse_unknown(ctx: Any, name: str) -> None:
    """Say which command may have been meant; Typer says the rest."""
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    ctx.fail(f"No such command '{name}'.{hint} Known: {', '.join(COMMANDS)}.")


app = typer.Typer(
    name="emulator",
    cls=LazyGroup,
    help="Exact impulse responses of macroeconomic models in batches, and networks that emulate"
    " them.",
    no_args_is_help=True,
    rich_markup_mode=None,  # the list of commands is plain text: Markdown in it costs a third more
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Entry point of the console command."""
    exit_with(app)
