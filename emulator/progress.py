"""Progress of long work: a line a task with bar, count, rate and time left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.cells import cell_len
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from emulator.console import err

SHORTEST_BAR = 6


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
