"""Where samples come from: memory, or Zarr chunks that pass through a window of bounded size.

Both gather rows of a split by position, as tensors; axes as in the data format.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from emulator.data import DataSet
from emulator.errors import DatasetError

WINDOW = 16
"""Chunks that are shuffled together when a split is streamed. Draws are independent, so a window of thousands will do."""

Block = tuple[Tensor, Tensor]


class Source(ABC):
    """The samples of one world's split. `rows` are their positions in the data set."""

    rows: np.ndarray

    @abstractmethod
    def gather(self, positions: np.ndarray) -> Block:
        """theta (b, P) and irf (b, S, H+1, 3), float32, of positions within the split."""

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """The whole split once, in pieces that fit in memory."""

    @abstractmethod
    def units(self) -> list[np.ndarray]:
        """Positions that are cheap to read together; the units of shuffling."""


class MemorySource(Source):
    """A split held in memory."""

    def __init__(self, data: DataSet, world: str, split: str) -> None:
        theta, irf = data.read(world, split)
        self.rows = data.rows(world, split)
        self.theta, self.irf = torch.from_numpy(theta), torch.from_numpy(irf)

    def gather(self, positions: np.ndarray) -> Block:
        index = torch.from_numpy(positions)
        return self.theta.index_select(0, index), self.irf.index_select(0, index)

    def blocks(self) -> Iterator[Block]:
        yield self.theta, self.irf

    def units(self) -> list[np.ndarray]:
        return [np.arange(len(self.rows))]


class ChunkSource(Source):
    """A split streamed from Zarr: chunks wait in a ring of slots until newer ones push them out."""

    def __init__(self, data: DataSet, world: str, split: str) -> None:
        data.verify(world)
        self.rows = data.rows(world, split)
        self.world = world
        group = data.group(world)
        self._theta, self._irf = group["theta"], group["irfs"]
        self.chunk = data.manifest.request.chunk
        self._slots = 2 * WINDOW
        self._slot_of = np.full(-(-data.manifest.request.n_samples // self.chunk), -1)
        self._held = np.full(self._slots, -1)
        self._next = 0
        self._ring: Block | None = None

    def _read(self, start: int, stop: int) -> Block:
        theta, irf = (np.asarray(array[start:stop]) for array in (self._theta, self._irf))  # type: ignore[index]
        return self._finite(theta, irf)

    def _finite(self, theta: np.ndarray, irf: np.ndarray) -> Block:
        if not (np.isfinite(theta).all() and np.isfinite(irf).all()):
            raise DatasetError(f"World '{self.world}': rows read from disk hold values that are not finite; see `emulator validate`.")
        return torch.from_numpy(theta), torch.from_numpy(irf)

    def _load(self, chunk: int) -> None:
        theta, irf = self._read(chunk * self.chunk, min((chunk + 1) * self.chunk, self._theta.shape[0]))  # type: ignore[union-attr]
        if self._ring is None:
            size = self._slots * self.chunk
            self._ring = torch.empty(size, *theta.shape[1:]), torch.empty(size, *irf.shape[1:])
        slot, self._next = self._next, (self._next + 1) % self._slots
        if self._held[slot] >= 0:
            self._slot_of[self._held[slot]] = -1
        for ring, values in zip(self._ring, (theta, irf), strict=True):
            ring[slot * self.chunk :][: len(values)] = values
        self._held[slot], self._slot_of[chunk] = chunk, slot

    def gather(self, positions: np.ndarray) -> Block:
        rows = self.rows[positions]
        chunks = rows // self.chunk
        if (self._slot_of[chunks] < 0).any():
            needed = np.unique(chunks)
            if len(needed) > WINDOW:  # scattered access, as by a shuffling DataLoader: the ring would only churn
                return self._finite(*(np.asarray(array.oindex[rows]) for array in (self._theta, self._irf)))  # type: ignore[union-attr]
            while len(missing := needed[self._slot_of[needed] < 0]):  # again for those that the last ones pushed out
                for chunk in missing:
                    self._load(int(chunk))
        assert self._ring is not None
        index = torch.from_numpy(self._slot_of[chunks] * self.chunk + rows % self.chunk)
        return self._ring[0].index_select(0, index), self._ring[1].index_select(0, index)

    def blocks(self) -> Iterator[Block]:
        for unit in self.units():
            rows = self.rows[unit]
            start = rows[0] // self.chunk * self.chunk
            theta, irf = self._read(start, min(start + self.chunk, self._theta.shape[0]))  # type: ignore[union-attr]
            index = torch.from_numpy(rows - start)
            yield theta[index], irf[index]

    def units(self) -> list[np.ndarray]:
        chunks = self.rows // self.chunk
        return np.split(np.arange(len(self.rows)), np.flatnonzero(np.diff(chunks)) + 1)
