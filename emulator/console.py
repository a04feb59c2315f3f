"""What a person sees: lines, tables, and errors as messages with an exit code."""

from __future__ import annotations

import errno
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from emulator.errors import EmulatorError

if TYPE_CHECKING:
    from rich.table import Table

out = Console()
err = Console(stderr=True)

UNBOUNDED = 10_000
"""Columns of a place where any table fits."""


def say(text: str) -> None:
    """Print a line as it is: no markup is read in it (paths may hold brackets), nothing is folded
    (paths can be copied).
    """
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def warn(text: str) -> None:
    """Print a warning as it is, beside what is printed to be kept."""
    err.print(f"warning: {text}", style="yellow", markup=False, highlight=False, soft_wrap=True)


def show(table: Table) -> None:
    """Print a table whole: columns of text wrap where there is no room, numbers are never cut.

    A table that needs more room even so is folded on a terminal, and written as wide as it needs to
    be into a pipe or a file.
    """
    from rich.measure import Measurement

    anywhere = out.options.update(max_width=UNBOUNDED)  # else no table is wider than its place
    needed = Measurement.get(out, anywhere, table).minimum
    if needed <= out.width:
        out.print(table)
    elif out.is_terminal:
        for column in table.columns:
            column.overflow = "fold"
            column.no_wrap = False
        out.print(table)
    else:  # `print(width=)` only narrows
        Console(file=out.file, width=needed).print(table, crop=False)


def head(name: str, unit: str) -> str:
    """Name and unit above a column of numbers, on lines so short that three columns fit."""
    return "\n".join([name, *textwrap.wrap(unit, 18)])


def number(value: float, form: str) -> str:
    """A number as a table shows it; what rounds to zero has no sign."""
    text = format(value, form)
    return text.replace("-", "").replace("+", "") if float(text) == 0 else text


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


class _Terminated(KeyboardInterrupt):
    """SIGTERM, with which batch systems end what ran too long."""


@contextmanager
def interruptible(told: str) -> Iterator[None]:
    """Work that may be interrupted by Ctrl-C or SIGTERM: both raise `KeyboardInterrupt` in it, so
    that workers are stopped and files are put in order, and the person is told what is kept. The
    exit code says which of the two it was.
    """
    try:
        with _termination_as_interruption():
            yield
    except KeyboardInterrupt as interrupt:
        err.print(f"Interrupted. {told}", markup=False, highlight=False, soft_wrap=True)
        if isinstance(interrupt, _Terminated):
            raise typer.Exit(128 + signal.SIGTERM) from None
        raise


@contextmanager
def _termination_as_interruption() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise _Terminated

    before = signal.getsignal(signal.SIGTERM)
    in_charge = threading.current_thread() is threading.main_thread()
    if not in_charge or before in (None, signal.SIG_IGN):  # or somebody else decides on it
        yield
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
