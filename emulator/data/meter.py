"""What generation shows of itself: a line a world, right for few slow shards as for many quick
ones.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.progress import Progress, TaskID

from emulator.data.jobs import Task
from emulator.data.schema import Request


class Meter:
    """Draws solved of each world, their mean rate since the world's first task of this run began,
    and the time left.
    """

    def __init__(self, display: Progress, request: Request, todo: Sequence[Task]) -> None:
        self._display, self._request = display, request
        self._bars: dict[str, TaskID] = {}
        self._begun: dict[str, float] = {}
        self._partly: dict[Task, float] = {}
        self._left = dict.fromkeys(request.worlds, 0)
        for task in todo:
            self._left[task[0]] += self._rows(task)
        self._todo = dict(self._left)
        for name, left in self._left.items():
            done = request.size(name) - left
            self._bars[name] = display.add_task(
                name,
                total=request.size(name),
                completed=done,
                start=False,
                unit="draws",
                note="",
                rate=None,
                due=None,
            )

    def _rows(self, task: Task) -> int:
        start, stop = self._request.rows(*task)
        return stop - start

    def begin(self, task: Task) -> None:
        """A task was handed over: the clock of its world runs from its first one."""
        world, shard = task
        if world not in self._begun:
            self._begun[world] = time.monotonic()
            self._display.start_task(self._bars[world])
            self._note(world, shard)

    def hear(self, task: Task, answered: int) -> None:
        """A function of the user's has answered some draws of a task that is under way.

        Where paths are stored it is asked twice for each.
        """
        share = answered / (2 if self._request.periods else 1)
        self._partly[task] = min(self._partly.get(task, 0.0) + share, self._rows(task))
        self._show(task[0])

    def finish(self, task: Task) -> None:
        """A task is done."""
        world, shard = task
        self._left[world] -= self._rows(task)
        self._partly.pop(task, None)
        self._show(world)
        self._note(world, shard)

    def _show(self, world: str) -> None:
        left = self._left[world] - sum(
            share for task, share in self._partly.items() if task[0] == world
        )
        now = time.monotonic()
        rate = (self._todo[world] - left) / max(now - self._begun[world], 1e-9)
        self._display.update(
            self._bars[world],
            completed=self._request.size(world) - left,
            rate=rate,
            due=now + left / rate if rate else None,
        )

    def _note(self, world: str, shard: int) -> None:
        self._display.update(
            self._bars[world], note=f"shard {shard + 1} of {self._request.n_shards(world)}"
        )


class Line:
    """A line of draws that are done part by part, and heard of one by one where a function of the
    user's answers for them.
    """

    def __init__(self, display: Progress, name: str, total: int, note: str = "") -> None:
        self._display, self._total, self._whole = display, total, 0
        self._seen = 0
        self._bar = display.add_task(name, total=total, completed=0, unit="draws", note=note)

    def hear(self, answered: int, failed: int) -> None:
        """Some draws of the part that is under way are done."""
        self._seen = min(self._seen + answered + failed, self._total)
        self._display.update(self._bar, completed=self._seen)

    def finish(self, draws: int) -> None:
        """A part of so many draws is done."""
        self._whole += draws
        self._seen = self._whole
        self._display.update(self._bar, completed=self._whole)
