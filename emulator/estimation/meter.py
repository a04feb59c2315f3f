"""The line that is shown while sequential Monte Carlo samples."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import Progress

from emulator.progress import progress


class Meter:
    """A line for some runs of sequential Monte Carlo, which counts moves of all particles.

    How many moves a run takes is known once one has ended. Until then the power is taken to go on
    rising by the same factor a stage as it has since the first; before the second stage nothing is
    known, and the line shows the time since it began.
    """

    def __init__(self, display: Progress, name: str, runs: int, particles: int) -> None:
        self.display = display
        self.runs = runs
        self.particles = particles
        self.began = time.monotonic()
        self.bar = display.add_task(name, total=None, unit="draws", note="", rate=None, due=None)
        self.ended: list[int] = []
        self.done = 0
        self.in_run = 0
        self.first = 0.0

    def moved(self, stage: int, power: float, left: int, moves: int) -> None:
        """All particles were moved once, in a stage (counted from 1) of so much power, of which so
        many of its moves are left; the last stage has twice as many.
        """
        self.done += 1
        self.in_run += 1
        if stage == 1:
            self.first = power
        note = f"run {len(self.ended) + 1} of {self.runs}, power {power:.2g}"
        if power == 1.0 and left == 0:
            self.ended.append(self.in_run)
            self.in_run = 0
        self._show(self._total(stage, power, left, moves), note)

    def _total(self, stage: int, power: float, left: int, moves: int) -> float | None:
        """Moves of all runs."""
        if len(self.ended) == self.runs:
            return self.done
        if self.ended:
            usual = sum(self.ended) / len(self.ended)
            return (
                self.done
                + max(usual - self.in_run, left)
                + (self.runs - len(self.ended) - 1) * usual
            )
        if power == 1.0:
            ahead = float(left)
        elif stage > 1:
            ahead = left + moves * (
                math.ceil(-math.log(power) / (math.log(power / self.first) / (stage - 1))) + 1
            )
        else:
            return None
        return self.runs * (self.in_run + ahead)

    def _show(self, total: float | None, note: str) -> None:
        now = time.monotonic()
        elapsed = now - self.began
        due = None if total is None else now + elapsed / self.done * (total - self.done)
        self.display.update(
            self.bar,
            completed=self.done,
            total=total,
            note=note,
            due=due,
            rate=self.done * self.particles / max(elapsed, 1e-9),
        )


@contextmanager
def metered(name: str, runs: int, particles: int) -> Iterator[Meter]:
    """A meter on a display of its own."""
    with progress() as display:
        yield Meter(display, name, runs, particles)
