"""`IRFDataset`: the samples of some worlds' split, for PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from emulator.data import DataSet, open_dataset
from emulator.errors import DatasetError
from emulator.models.normaliser import WorldStatistics
from emulator.training.collate import (
    Gathered,
    Piece,
    Sample,
    collate_mixed_worlds,
    collate_single_world,
)
from emulator.training.sources import (
    WINDOW,
    MemorySource,
    ShardSource,
    Source,
    moments,
    sample_rows,
)

__all__ = ["IRFDataset", "collate_mixed_worlds", "collate_single_world"]

IN_MEMORY_LIMIT = 4e9
"""Bytes of theta and responses up to which a split is held in memory unless told otherwise."""

AHEAD = 1024
"""Samples that are gathered in one go where batches are smaller: enough that what a gathering costs
by itself is shared by many batches, few enough for a processor's cache.
"""


class IRFDataset(Dataset[Sample]):
    """Samples {theta (P,), irf (S, H+1, O), world_id, sample_idx} of one split of some worlds, one
    world after the other.

    zarr_root: folder of a finished data set, or one already open (splits then share its verified
    checksums); world_ids: names; split: one of train, val, test and the two extrapolation splits
    (with train come the hard draws of worlds that have any, and statistics leave them out);
    in_memory: None decides by size; max_samples: only the first so many draws of the split, of each
    world or by world's name. Units as in the data set: those of each world's observables.
    `sample_idx` is the row in the data set. Raises `DatasetError` or `UnknownNameError`.
    """

    def __init__(
        self,
        zarr_root: str | Path | DataSet,
        world_ids: list[str],
        split: str,
        in_memory: bool | None = None,
        max_samples: Mapping[str, int] | int | None = None,
    ) -> None:
        if isinstance(world_ids, str):
            raise DatasetError(
                f"world_ids is the text {world_ids!r}; expected a list of names, such as"
                f" [{world_ids!r}]."
            )
        self.data = zarr_root if isinstance(zarr_root, DataSet) else open_dataset(zarr_root)
        self.world_ids, self.split = list(world_ids), split
        if not self.world_ids or len(set(self.world_ids)) != len(self.world_ids):
            raise DatasetError(
                f"world_ids is {self.world_ids}; expected at least one world, each named once."
            )
        limits = [self._limit(world, max_samples) for world in self.world_ids]
        self.sizes = [
            len(sample_rows(self.data, world, split, most)[0])
            for world, most in zip(self.world_ids, limits, strict=True)
        ]
        if in_memory is None:
            in_memory = self._size() <= IN_MEMORY_LIMIT
        source = MemorySource if in_memory else ShardSource
        self.in_memory = in_memory
        self.sources: list[Source] = [
            source(self.data, world, split, most)
            for world, most in zip(self.world_ids, limits, strict=True)
        ]
        self._ends = np.cumsum(self.sizes)
        self._starts = self._ends - self.sizes

    def _limit(self, world: str, max_samples: Mapping[str, int] | int | None) -> int | None:
        """Draws of a world to keep; None for all."""
        if not isinstance(max_samples, Mapping):
            return max_samples
        if unknown := set(max_samples) - set(self.world_ids):
            raise DatasetError(
                f"A largest number of samples is given for {', '.join(sorted(unknown))}; the worlds"
                f" are {', '.join(self.world_ids)}."
            )
        return max_samples.get(world)

    def _size(self) -> int:
        total = 0
        for world, size in zip(self.world_ids, self.sizes, strict=True):
            spec = self.data.spec(world)
            responses = spec.n_shocks * (self.data.horizon + 1) * spec.n_observables
            total += 4 * (spec.n_parameters + responses) * size
        return total

    @property
    def horizon(self) -> int:
        """Last horizon H."""
        return self.data.horizon

    @property
    def fingerprint(self) -> str:
        """Names the data set the samples come from."""
        return self.data.fingerprint

    def get_world_info(self, world_id: str) -> dict[str, Any]:
        """Sizes and names of a world: n_params, n_shocks, n_observables, horizon, n_samples,
        param_names, shock_names, observables, spec.
        """
        spec = self.data.spec(world_id)
        return {
            "n_params": spec.n_parameters,
            "n_shocks": spec.n_shocks,
            "n_observables": spec.n_observables,
            "horizon": self.horizon,
            "n_samples": (
                dict(zip(self.world_ids, self.sizes, strict=True)).get(
                    world_id, len(sample_rows(self.data, world_id, self.split)[0])
                )
            ),
            "param_names": list(spec.parameter_names),
            "shock_names": list(spec.shock_names),
            "observables": list(spec.observable_names),
            "spec": spec,
        }

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Sample:
        if not -len(self) <= index < len(self):
            raise IndexError(f"Sample {index} of {len(self)}")
        return self.gather(np.array([index % len(self)]))[0]

    def __getitems__(self, indices: list[int]) -> Gathered:
        """Many samples at once, gathered by world; PyTorch's DataLoader calls this where it
        exists.
        """
        return self.gather(np.asarray(indices, dtype=np.int64))

    def gather(self, indices: np.ndarray) -> Gathered:
        """Samples at positions 0 to len-1, gathered by world."""
        return self._gather_many([indices])[0]

    def batches(self, rows_of: Iterable[np.ndarray]) -> Iterator[Gathered]:
        """`gather` of each of these positions in turn, some batches ahead: the tensors of a world's
        samples in several batches are gathered in one go, and are views of one tensor.
        """
        waiting: list[np.ndarray] = []
        size = 0
        for rows in rows_of:
            waiting.append(rows)
            size += len(rows)
            if size >= AHEAD:
                yield from self._gather_many(waiting)
                waiting = []
                size = 0
        if waiting:
            yield from self._gather_many(waiting)

    def _gather_many(self, rows_of: list[np.ndarray]) -> list[Gathered]:
        """`gather` of each of these positions."""
        indices = np.concatenate(rows_of)
        owner = np.searchsorted(self._ends, indices, side="right")
        of_worlds = [np.flatnonzero(owner == number) for number in range(len(self.sources))]
        within = [indices[own] - start for own, start in zip(of_worlds, self._starts, strict=True)]
        if len(rows_of) > 1 and not all(
            source.cheap(own) for source, own in zip(self.sources, within, strict=True)
        ):
            half = len(rows_of) // 2
            return self._gather_many(rows_of[:half]) + self._gather_many(rows_of[half:])
        sizes = [len(rows) for rows in rows_of]
        batch = np.repeat(np.arange(len(sizes)), sizes)
        position = np.concatenate([np.arange(size) for size in sizes])
        pieces_of: list[list[tuple[int, Piece]]] = [[] for _ in sizes]
        for number, own in enumerate(of_worlds):
            if not len(own):
                continue
            theta, irf = self.sources[number].gather(within[number])
            tensors = (
                torch.from_numpy(position[own]),
                theta,
                irf,
                torch.from_numpy(self.sources[number].rows[within[number]]),
            )
            counts = np.bincount(batch[own], minlength=len(sizes))
            firsts = position[own][(np.cumsum(counts) - counts).clip(max=len(own) - 1)].tolist()
            cut = [tensor.split(counts.tolist()) for tensor in tensors]
            for k in np.flatnonzero(counts).tolist():
                piece = Piece(self.world_ids[number], *(views[k] for views in cut))
                pieces_of[k].append((firsts[k], piece))
        return [
            Gathered([piece for _, piece in sorted(pieces, key=itemgetter(0))], size)
            for pieces, size in zip(pieces_of, sizes, strict=True)
        ]

    def order(self, rng: np.random.Generator | None) -> np.ndarray:
        """Positions in the order of an epoch: as stored without `rng`, else shuffled.

        In memory that is a permutation of all. When streaming, shards of all worlds are shuffled,
        and samples within windows of `WINDOW` shards: every sample comes once, and no shard is read
        twice.
        """
        if rng is None:
            return np.arange(len(self))
        if self.in_memory:
            return rng.permutation(len(self))
        return _in_windows(
            [unit for number in range(len(self.sources)) for unit in self._units(number)], rng
        )

    def world_order(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """Positions of the samples of world `number` alone, shuffled as in `order`."""
        return _in_windows(self._units(number), rng)

    def _units(self, number: int) -> list[np.ndarray]:
        """Positions of a world's samples in pieces that are cheap to read together."""
        return [unit + self._starts[number] for unit in self.sources[number].units()]

    @cached_property
    def statistics(self) -> dict[str, WorldStatistics]:
        """Moments of each world's samples, float64 sums over the whole split, for the
        normaliser.
        """
        return {
            world: moments(source.blocks)
            for world, source in zip(self.world_ids, self.sources, strict=True)
        }


def _in_windows(units: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Units in random order, their positions shuffled within windows of `WINDOW` units."""
    shuffled = [units[k] for k in rng.permutation(len(units))]
    windows = [np.concatenate(shuffled[k : k + WINDOW]) for k in range(0, len(shuffled), WINDOW)]
    return np.concatenate([rng.permutation(window) for window in windows])
