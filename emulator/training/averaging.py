"""The exponential moving average of a network's weights, which forgets the noise of the last
steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """An average of the trainable weights: a <- d a + (1 - d) w after every step, d = min(decay, (1
    + t) / (10 + t)).

    At step t early in a run the average thus forgets the start as fast as the weights leave it.
    With decay 0 there is no average.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._weights = (
            {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
            if decay
            else {}
        )
        self.values = {name: weight.detach().clone() for name, weight in self._weights.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimiser step `step`, counted from zero."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, value in self.values.items():
            value.lerp_(self._weights[name], share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The network with the average for its weights; its own come back afterwards."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def load(self, values: dict[str, Tensor]) -> None:
        """Go back to an average that was kept in a checkpoint."""
        for name, value in self.values.items():
            value.copy_(values[name])

    @torch.no_grad()
    def _swap(self) -> None:
        for name, weight in self._weights.items():
            own = weight.clone()
            weight.copy_(self.values[name])
            self.values[name].copy_(own)
