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

    def finish(self, task: Task) -> None:
        """A task is done."""
        world, shard = task
        self._left[world] -= self._rows(task)
        now = time.monotonic()
        rate = (self._todo[world] - self._left[world]) / max(now - self._begun[world], 1e-9)
        self._display.update(
            self._bars[world],
            advance=self._rows(task),
            rate=rate,
            due=now + self._left[world] / rate,
        )
        self._note(world, shard)

    def _note(self, world: str, shard: int) -> None:
        self._display.update(
            self._bars[world], note=f"shard {shard + 1} of {self._request.n_shards(world)}"
        )
