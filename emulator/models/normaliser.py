"""Scales of a world's numbers, from the training split alone, kept with the weights.

Axes: P parameter, S shock, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from emulator.errors import ModelError, nearest

SILENT = 1e-9
"""A response whose standard deviation is below this share of the world's largest is identically
zero but for rounding.
"""

FLOOR = 1e-3
"""Scale given to a silent response, as a share of the world's largest: its errors count, and are
not blown up.
"""


class WorldStatistics(NamedTuple):
    """Moments of one world's training split, float32, in natural units.

    theta_mean, theta_std, theta_low, theta_high (P,); irf_scale (S, 3): standard deviation of each
    shock's response of each observable over draws and horizons; `FLOOR` times the world's largest
    where that is zero.
    """

    theta_mean: Tensor
    theta_std: Tensor
    theta_low: Tensor
    theta_high: Tensor
    irf_scale: Tensor


class Normaliser(nn.Module):
    """Buffers with each world's statistics, so that networks take and return natural units."""

    def __init__(self) -> None:
        super().__init__()
        self.worlds: dict[str, int] = {}

    @property
    def fitted(self) -> bool:
        return bool(self.worlds)

    def fit(self, statistics: Mapping[str, WorldStatistics]) -> None:
        """Take over the statistics of every world, replacing earlier ones."""
        self.worlds = {}
        for number, (world, found) in enumerate(statistics.items()):
            self.worlds[world] = number
            for field, value in found._asdict().items():
                self.register_buffer(f"{field}_{number}", value.clone())

    def statistics(self, world: str) -> WorldStatistics:
        """The statistics of one world.

        Raises `ModelError` for a world that was not in the training data.
        """
        number = self._number(world)
        return WorldStatistics(
            *(getattr(self, f"{field}_{number}") for field in WorldStatistics._fields)
        )

    def shocks(self, world: str) -> int:
        """The number of shocks of one world. Raises `ModelError` as `statistics` does."""
        return getattr(self, f"irf_scale_{self._number(world)}").shape[0]

    def _number(self, world: str) -> int:
        if world not in self.worlds:
            raise ModelError(
                f"This network was not trained on world '{world}'. {nearest(world, self.worlds)}"
            )
        return self.worlds[world]

    def outside(self, theta_BP: Tensor, world: str) -> Tensor:
        """Which parameters (B, P) are beyond the smallest or largest value of the training split,
        bool.
        """
        found = self.statistics(world)
        return (theta_BP < found.theta_low) | (theta_BP > found.theta_high)

    def theta(self, theta_BP: Tensor, world: str) -> Tensor:
        """Parameters as standard scores of the training split; parameters that never varied become
        zero.
        """
        found = self.statistics(world)
        varied = found.theta_std > 0
        return torch.where(
            varied, (theta_BP - found.theta_mean) / torch.where(varied, found.theta_std, 1.0), 0.0
        )
