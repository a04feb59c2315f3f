"""What a person sees: progress with rate and time left, tables, and errors as messages with an exit
code.
"""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column, Table
from rich.text import Text

from emulator.errors import EmulatorError

out = Console()
err = Console(stderr=True)

SHORTEST_BAR = 6

UNBOUNDED = 10_000
"""Columns of a place where any table fits."""


class RateColumn(ProgressColumn):
    """Units of work a second, as the task names them."""

    def render(self, task: Task) -> Text:
        speed = task.fields.get("rate") or task.finished_speed or task.speed
        if speed is None:
            return Text("")
        number = f"{speed:,.0f}" if speed >= 100 else f"{speed:.3g}"
        return Text(f"{number} {task.fields.get('unit', 'it')}/s", style="progress.data.speed")


class TimeColumn(ProgressColumn):
    """Time left while the task runs, time taken when it is done.

    A task of few long steps knows best when it will be done: its field `due` (on the clock of
    `time.monotonic`) is counted down, and while `due` is None the time since it began is shown.
    """

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        if task.finished:
            return Text(f"in {_clock(task.finished_time)}", style="progress.elapsed")
        if "due" in task.fields:
            due = task.fields["due"]
            if due is not None:
                return Text(
                    f"{_clock(max(due - time.monotonic(), 0))} left", style="progress.remaining"
                )
            return Text(
                f"{_clock(task.elapsed)} so far" if task.started else "", style="progress.elapsed"
            )
        return Text(f"{_clock(task.time_remaining)} left", style="progress.remaining")


def _clock(seconds: float | None) -> str:
    return "-:--:--" if seconds is None else str(timedelta(seconds=round(seconds)))


class NoteColumn(ProgressColumn):
    """The task's note, cut with an ellipsis where the line has no room for it beside the other
    columns.
    """

    def __init__(self, beside: tuple[ProgressColumn, ...]) -> None:
        super().__init__(Column(no_wrap=True))
        self.beside = beside

    def render(self, task: Task) -> Text:
        used = sum(cell_len(str(column.render(task))) + 1 for column in self.beside)
        note = Text(task.fields.get("note", ""))
        note.truncate(max(err.width - used - SHORTEST_BAR - 1, 0), overflow="ellipsis")
        return note


def say(text: str) -> None:
    """Print a line as it is: no markup is read in it (paths may hold brackets), nothing is folded
    (paths can be copied).
    """
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def show(table: Table) -> None:
    """Print a table whole: where its columns need more room than there is they are wrapped on a
    terminal, and written at their full width into a pipe or a file.
    """
    anywhere = out.options.update(max_width=UNBOUNDED)  # else no table is wider than its place
    natural = Measurement.get(out, anywhere, table).maximum
    if out.is_terminal and natural > out.width:
        for column in table.columns:
            column.overflow = "fold"
            column.no_wrap = False
        out.print(table)
        return
    wide = Console(file=out.file, width=max(natural, out.width))  # `print(width=)` only narrows
    wide.print(table, crop=False, no_wrap=True, overflow="ignore")


def number(value: float, form: str) -> str:
    """A number as a table shows it; what rounds to zero has no sign."""
    text = format(value, form)
    return text.replace("-", "").replace("+", "") if float(text) == 0 else text


@contextmanager
def progress() -> Iterator[Progress]:
    """A line a task with bar, count, rate, time left and a note, never wider than the terminal;
    `add_task(name, total=, unit=, note=)`.

    A task may say itself how fast it is and when it will be done: fields `rate` (units a second)
    and `due`.
    """
    name = TextColumn("[progress.description]{task.description}")
    numbers = tuple(
        kind(table_column=Column(no_wrap=True))
        for kind in (MofNCompleteColumn, RateColumn, TimeColumn)
    )
    note = NoteColumn(beside=(name, *numbers))
    with Progress(
        name, BarColumn(bar_width=None), *numbers, note, console=err, refresh_per_second=4
    ) as display:
        yield display


def report_error(error: EmulatorError) -> int:
    """Print an error as a message and return the exit code that goes with it."""
    err.print(f"error: {error}", style="bold red", markup=False, highlight=False, soft_wrap=True)
    return error.exit_code


def in_words(error: OSError) -> str:
    """What the system refused, for which file, and what to do about it."""
    what = (error.strerror or str(error)).rstrip(".")
    where = f"'{error.filename}': " if error.filename is not None else ""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{where}{what}. A file stands where a folder is to be; choose another name."
    if isinstance(error, PermissionError | FileNotFoundError):
        return f"{where}{what}. Choose a place that exists and that you may write to."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{where}{what}. Free some space and run the command again; files that were written"
            " before are whole."
        )
    return f"{where}{what}."


def run(command: Callable[..., Any]) -> None:
    """Run one function as a command line: its arguments become options, its errors a message and an
    exit code.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    exit_with(app)


def exit_with(app: typer.Typer) -> None:
    """Run a command line to its end; an `EmulatorError` ends in its message and code, never in a
    traceback.
    """
    try:
        app()
    except EmulatorError as error:
        sys.exit(report_error(error))
    except OSError as error:  # a full disk, a folder that cannot be written
        err.print(
            f"error: {in_words(error)}",
            style="bold red",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        sys.exit(1)
