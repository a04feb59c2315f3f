"""Where samples come from: memory, or Zarr shards that pass through a window of bounded size.

Both gather rows of a split by position, as tensors; axes as in the data format.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from emulator.data import DataSet
from emulator.data.schema import HARD
from emulator.errors import DatasetError
from emulator.models.normaliser import FLOOR, SILENT, WorldStatistics

WINDOW = 8
"""Shards that are shuffled together when a split is streamed.

Draws are independent, so a window of thousands will do.
"""

Block = tuple[Tensor, Tensor]
Blocks = Callable[[], Iterable[Block]]


def sample_rows(
    data: DataSet, world: str, split: str, most: int | None = None
) -> tuple[np.ndarray, int]:
    """Rows (n,) of a world's samples, sorted, and how many of them are draws of the prior: those of
    the split, in `train` followed by hard draws, of all together the first `most`.
    """
    plain = data.rows(world, split)[:most]
    if split != "train":
        return plain, len(plain)
    return np.concatenate([plain, data.rows(world, HARD)])[:most], len(plain)


class Source(ABC):
    """The samples of one world's split, or the first `most` of them; of `train` the hard draws
    follow.

    `rows` are their positions in the data set, the first `plain` of them draws of the prior.
    """

    rows: np.ndarray
    plain: int

    @abstractmethod
    def gather(self, positions: np.ndarray) -> Block:
        """theta (b, P) and irf (b, S, H+1, O), float32, of positions within the split."""

    def cheap(self, positions: np.ndarray) -> bool:
        """Whether these positions can be gathered in one go without reading scattered rows."""
        return True

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """The draws of the prior once, in pieces that fit in memory."""

    @abstractmethod
    def units(self) -> list[np.ndarray]:
        """Positions that are cheap to read together; the units of shuffling."""


class MemorySource(Source):
    """A split held in memory."""

    def __init__(self, data: DataSet, world: str, split: str, most: int | None = None) -> None:
        self.rows, self.plain = sample_rows(data, world, split, most)
        theta, irf = data.read(world, split)
        if self.plain < len(theta):  # copies, so that the rest is let go
            theta, irf = theta[: self.plain].copy(), irf[: self.plain].copy()
        if self.plain < len(self.rows):
            hard = data.read(world, HARD)
            more = len(self.rows) - self.plain
            theta, irf = (
                np.concatenate([own, other[:more]])
                for own, other in zip((theta, irf), hard, strict=True)
            )
        self.theta, self.irf = torch.from_numpy(theta), torch.from_numpy(irf)

    def gather(self, positions: np.ndarray) -> Block:
        index = torch.from_numpy(positions)
        return self.theta.index_select(0, index), self.irf.index_select(0, index)

    def blocks(self) -> Iterator[Block]:
        yield self.theta[: self.plain], self.irf[: self.plain]

    def units(self) -> list[np.ndarray]:
        return [np.arange(len(self.rows))]


class ShardSource(Source):
    """A split streamed from Zarr: shards wait in a ring of slots until newer ones push them out."""

    def __init__(self, data: DataSet, world: str, split: str, most: int | None = None) -> None:
        data.verify(world)
        self.rows, self.plain = sample_rows(data, world, split, most)
        self.world = world
        self._observed = data.observed(world)
        group = data.group(world)
        self._theta, self._irf = group["theta"], group["irfs"]
        self.shard, n_shards = (
            data.manifest.request.shard_rows(world),
            data.manifest.request.n_shards(world),
        )
        self._slots = min(2 * WINDOW, n_shards)
        self._slot_of = np.full(n_shards, -1)
        self._held = np.full(self._slots, -1)
        self._next = 0
        self._ring: Block | None = None

    def _read(self, start: int, stop: int) -> Block:
        theta, irf = (np.asarray(array[start:stop]) for array in (self._theta, self._irf))  # type: ignore[index]
        return self._finite(theta, irf)

    def _finite(self, theta: np.ndarray, irf: np.ndarray) -> Block:
        if self._observed is not None:
            irf = irf[..., self._observed]
        if not (np.isfinite(theta).all() and np.isfinite(irf).all()):
            raise DatasetError(
                f"World '{self.world}': rows read from disk hold values that are not finite; see"
                " `emulator validate`."
            )
        return torch.from_numpy(theta), torch.from_numpy(irf)

    def _load(self, shard: int) -> None:
        rows = self._theta.shape[0]  # type: ignore[union-attr]
        theta, irf = self._read(shard * self.shard, min((shard + 1) * self.shard, rows))
        if self._ring is None:
            size = self._slots * self.shard
            self._ring = torch.empty(size, *theta.shape[1:]), torch.empty(size, *irf.shape[1:])
        slot, self._next = self._next, (self._next + 1) % self._slots
        if self._held[slot] >= 0:
            self._slot_of[self._held[slot]] = -1
        for ring, values in zip(self._ring, (theta, irf), strict=True):
            ring[slot * self.shard :][: len(values)] = values
        self._held[slot], self._slot_of[shard] = shard, slot

    def cheap(self, positions: np.ndarray) -> bool:
        return len(np.unique(self.rows[positions] // self.shard)) <= self._slots

    def gather(self, positions: np.ndarray) -> Block:
        rows = self.rows[positions]
        shards = rows // self.shard
        if (self._slot_of[shards] < 0).any():
            needed = np.unique(shards)
            if len(needed) > self._slots:
                # Scattered access, as by a shuffling DataLoader: the ring would only churn.
                arrays = (self._theta, self._irf)
                picked = [np.asarray(array.oindex[rows]) for array in arrays]  # type: ignore[union-attr]
                return self._finite(*picked)
            # Again for those that the last ones pushed out.
            while len(missing := needed[self._slot_of[needed] < 0]):
                for shard in missing:
                    self._load(int(shard))
        assert self._ring is not None
        index = torch.from_numpy(self._slot_of[shards] * self.shard + rows % self.shard)
        return self._ring[0].index_select(0, index), self._ring[1].index_select(0, index)

    def blocks(self) -> Iterator[Block]:
        for unit in self.units():
            rows = self.rows[unit[unit < self.plain]]
            if not len(rows):
                continue
            start = rows[0] // self.shard * self.shard
            theta, irf = self._read(start, min(start + self.shard, self._theta.shape[0]))  # type: ignore[union-attr]
            index = torch.from_numpy(rows - start)
            yield theta[index], irf[index]

    def units(self) -> list[np.ndarray]:
        shards = self.rows // self.shard
        return np.split(np.arange(len(self.rows)), np.flatnonzero(np.diff(shards)) + 1)


def moments(blocks: Blocks) -> WorldStatistics:
    """Statistics of one world from blocks of theta (b, P) and responses (b, S, H+1, O) in natural
    units.

    Two passes in float64: means first, then deviations from them.
    """
    count = 0
    theta_sum, irf_sum = torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    low, high = torch.tensor(torch.inf), torch.tensor(-torch.inf)
    for theta, irf in blocks():
        count += len(theta)
        theta_sum = theta_sum + theta.double().sum(0)
        irf_sum = irf_sum + irf.double().mean(2).sum(0)
        low, high = (
            torch.minimum(low, theta.min(0).values),
            torch.maximum(high, theta.max(0).values),
        )
    theta_mean, irf_mean = theta_sum / count, irf_sum / count
    theta_var, irf_var = torch.zeros_like(theta_mean), torch.zeros_like(irf_mean)
    for theta, irf in blocks():
        theta_var += (theta.double() - theta_mean).square().sum(0) / count
        irf_var += (irf.double() - irf_mean[:, None]).square().mean(2).sum(0) / count
    scale = irf_var.sqrt()
    largest = max(float(scale.max()), torch.finfo(torch.float32).tiny)
    scale = torch.where(scale > SILENT * largest, scale, FLOOR * largest)
    return WorldStatistics(theta_mean.float(), theta_var.sqrt().float(), low, high, scale.float())
