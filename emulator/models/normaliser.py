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

    theta_mean, theta_std, theta_low, theta_high (P,); irf_scale (S, O): standard deviation of each
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
        self._divisors: dict[str, tuple[Tensor, int, Tensor, Tensor | None]] = {}
        self._scales: dict[str, tuple[Tensor, int, Tensor]] = {}

    @property
    def fitted(self) -> bool:
        return bool(self.worlds)

    def fit(self, statistics: Mapping[str, WorldStatistics]) -> None:
        """Take over the statistics of every world, replacing earlier ones."""
        for name in list(self._buffers):  # of worlds that the network knew before
            del self._buffers[name]
        self.worlds = {}
        self._divisors = {}
        self._scales = {}
        for number, (world, own) in enumerate(statistics.items()):
            self.worlds[world] = number
            for field, value in own._asdict().items():
                self.register_buffer(f"{field}_{number}", value.clone())

    def statistics(self, world: str) -> WorldStatistics:
        """The statistics of one world.

        Raises `ModelError` for a world that was not in the training data.
        """
        number = self._number(world)
        return WorldStatistics(*(self._buffer(field, number) for field in WorldStatistics._fields))

    def responses(self, world: str) -> tuple[int, int]:
        """Numbers of shocks and of observables of one world. Raises `ModelError` as `statistics`
        does.
        """
        n_shocks, n_observables = self._buffer("irf_scale", self._number(world)).shape
        return n_shocks, n_observables

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
        statistics = self.statistics(world)
        return (theta_BP < statistics.theta_low) | (theta_BP > statistics.theta_high)

    def theta(self, theta_BP: Tensor, world: str) -> Tensor:
        """Parameters as standard scores of the training split; parameters that never varied become
        zero.
        """
        number = self._number(world)
        divisor, varied = self._divisor(world, number)
        z_BP = (theta_BP - self._buffer("theta_mean", number)) / divisor
        return z_BP if varied is None else torch.where(varied, z_BP, 0.0)

    def scale(self, world: str, periods: int) -> Tensor:
        """Scales of a world's responses, the same at each horizon: (S, H+1, O), whole in memory,
        since products with numbers that are repeated on the way take four times as long.
        """
        scale = self._buffer("irf_scale", self._number(world))
        if torch.compiler.is_compiling() or scale.is_inference():
            return scale[:, None]
        cached = self._scales.get(world)
        changed = cached is None or cached[0] is not scale or cached[1] != scale._version
        if cached is None or changed or cached[2].shape[1] != periods:
            with torch.inference_mode(False):
                whole = scale[:, None].expand(-1, periods, -1).contiguous()
            cached = (scale, scale._version, whole)
            self._scales[world] = cached
        return cached[2]

    def _divisor(self, world: str, number: int) -> tuple[Tensor, Tensor | None]:
        """What a world's parameters are divided by (P,), and which of them varied, None for all.

        Kept from call to call, as long as the standard deviations are the same tensor unchanged.
        """
        std = self._buffer("theta_std", number)
        if torch.compiler.is_compiling() or std.is_inference():
            varied = std > 0
            return torch.where(varied, std, 1.0), varied
        cached = self._divisors.get(world)
        if cached is None or cached[0] is not std or cached[1] != std._version:
            with torch.inference_mode(False):  # kept for callers in any mode
                varied = std > 0
                divisor = torch.where(varied, std, 1.0)
            cached = (std, std._version, divisor, None if bool(varied.all()) else varied)
            self._divisors[world] = cached
        return cached[2], cached[3]

    def _buffer(self, field: str, number: int) -> Tensor:
        return self._buffers[f"{field}_{number}"]  # type: ignore[return-value]
