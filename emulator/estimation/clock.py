"""How long the stages of an estimate take."""

from __future__ import annotations

import time


class Clock:
    """Seconds by stage, on the wall and of this process."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor_seconds: dict[str, float] = {}
        self.wall = time.perf_counter()
        self.processor = time.process_time()

    def lap(self, name: str) -> None:
        """End a stage of this name; the next begins."""
        wall = time.perf_counter()
        processor = time.process_time()
        self.seconds[name] = wall - self.wall
        self.processor_seconds[name] = processor - self.processor
        self.wall = wall
        self.processor = processor
