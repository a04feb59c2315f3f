"""What a person sees: progress with rate and time left, tables, and errors as messages with an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from emulator.errors import EmulatorError

out = Console()
err = Console(stderr=True)


class RateColumn(ProgressColumn):
    """Units of work a second, as the task names them."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        unit = task.fields.get("unit", "it")
        return Text("" if speed is None else f"{speed:,.3g} {unit}/s", style="progress.data.speed")


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress display with count, rate, time elapsed and time left; `add_task(name, total=, unit=)`."""
    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=err) as display:
        yield display


def report_error(error: EmulatorError) -> int:
    """Print an error as a message and return the exit code that goes with it."""
    err.print(f"error: {error}", style="bold red", markup=False, highlight=False, soft_wrap=True)
    return error.exit_code


def run(command: Callable[..., Any]) -> None:
    """Run one function as a command line: its arguments become options, its errors a message and an exit code."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    exit_with(app)


def exit_with(app: typer.Typer) -> None:
    """Run a command line to its end; an `EmulatorError` ends in its message and code, never in a traceback."""
    try:
        app()
    except EmulatorError as error:
        sys.exit(report_error(error))
    except OSError as error:  # a full disk, a folder that cannot be written
        err.print(f"error: {error}", style="bold red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
