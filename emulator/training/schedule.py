"""The learning rate of every optimiser step, and when to stop."""

from __future__ import annotations

import math
from dataclasses import dataclass

START = 0.01
"""Share of `lr` at the first step of the warm-up."""


def lr_factor(
    step: int, warmup_steps: int, total_steps: int, scheduler: str, end: float = 0.01
) -> float:
    """Learning rate at an optimiser step, as a share of `lr`.

    Linear from `START` to 1 over the warm-up, then a cosine down to `end` at the last step, or
    constant with `none`.
    """
    if step < warmup_steps:
        return START + (1.0 - START) * step / warmup_steps
    if scheduler == "none":
        return 1.0
    progress = min((step - warmup_steps) / max(total_steps - 1 - warmup_steps, 1), 1.0)
    return end + (1.0 - end) * 0.5 * (1.0 + math.cos(math.pi * progress))


def curriculum_horizon(
    step: int, total_steps: int, horizons: list[int], share: float
) -> int | None:
    """Last horizon that an optimiser step trains on; None for all.

    The first `share` of all steps falls into stages of equal length, one for each of `horizons`.
    """
    length = share * total_steps
    return horizons[int(step / length * len(horizons))] if step < length and horizons else None


@dataclass
class EarlyStopping:
    """Counts epochs without improvement by more than `min_delta` (Prechelt 1998,
    doi:10.1007/3-540-49430-8_3).

    `best` is the lowest loss so far, whatever the margin; an improvement is `val_loss < best -
    min_delta`.
    """

    patience: int
    min_delta: float
    best: float = math.inf
    waited: int = 0

    def update(self, val_loss: float) -> bool:
        """Take in an epoch's validation loss; whether it is the lowest so far."""
        self.waited = 0 if val_loss < self.best - self.min_delta else self.waited + 1
        lowest = val_loss < self.best
        self.best = min(self.best, val_loss)
        return lowest

    @property
    def stop(self) -> bool:
        return self.waited >= self.patience

    def state(self) -> dict[str, float]:
        return {"best": self.best, "waited": self.waited}

    def load(self, state: dict[str, float]) -> None:
        self.best, self.waited = state["best"], int(state["waited"])
