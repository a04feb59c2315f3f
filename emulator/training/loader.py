"""Batches in an order that depends on (seed, epoch) alone, from any batch on, for any number of
processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler

from emulator.errors import TrainingError
from emulator.training.collate import Batch, Gathered, collate_mixed_worlds
from emulator.training.dataset import IRFDataset
from emulator.training.processes import random_state, seed_everything, set_random_state


class EpochLoader(Protocol):
    """What the trainer needs of a loader."""

    dataset: Any

    def __len__(self) -> int: ...

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Batches of an epoch from batch `start` on."""

    def steps(self, number: int, start: int = 0) -> Iterator[Batch | Gathered]:
        """The same, left as they were gathered where nothing but padding is to be done to them."""


class BatchLoader:
    """Batches of an `IRFDataset`; a batch is shared out over processes, so that its size does not
    depend on their number.

    workers: options of a `DataLoader` that gathers and collates in worker processes, such as
    `num_workers`; the batches are the same.
    """

    def __init__(
        self,
        dataset: IRFDataset,
        batch_size: int,
        shuffle: bool,
        seed: int = 0,
        collate_fn: Callable[[Any], Batch] = collate_mixed_worlds,
        *,
        drop_last: bool = False,
        rank: int = 0,
        processes: int = 1,
        workers: Mapping[str, Any] | None = None,
    ) -> None:
        if shuffle and batch_size < processes:
            raise TrainingError(
                f"batch_size is {batch_size} for {processes} processes; expected at least one"
                " sample each."
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.rank = rank
        self.processes = processes
        self.workers = dict(workers or {})
        full, rest = divmod(len(dataset), batch_size)
        self._length = full + (0 if drop_last or rest == 0 else 1)
        if self._length == 0:
            raise TrainingError(
                f"{len(dataset)} samples make no batch of {batch_size}; lower batch_size or use"
                " more data."
            )

    def shared(self, rank: int, processes: int) -> BatchLoader:
        """The same batches, of which each process gets its share."""
        if (rank, processes) == (self.rank, self.processes):
            return self
        return BatchLoader(
            self.dataset,
            self.batch_size,
            self.shuffle,
            self.seed,
            self.collate_fn,
            drop_last=self.drop_last,
            rank=rank,
            processes=processes,
            workers=self.workers,
        )

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Batch]:
        return self.epoch(0)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        rows_of, idle = self._rows(number, start)
        for lone, batch in zip(idle, self._collated(rows_of, number), strict=True):
            yield batch | {"idle": True} if lone else batch

    def steps(self, number: int, start: int = 0) -> Iterator[Batch | Gathered]:
        if self.workers.get("num_workers") or self.collate_fn is not collate_mixed_worlds:
            yield from self.epoch(number, start)
            return
        rows_of, idle = self._rows(number, start)
        for batch, lone in zip(self.dataset.batches(rows_of), idle, strict=True):
            batch.idle = lone
            yield batch

    def _rows(self, number: int, start: int) -> tuple[list[np.ndarray], list[bool]]:
        """Positions of this process's share of each batch, and whether it is one that does not
        count.
        """
        rng = np.random.default_rng([self.seed, number]) if self.shuffle else None
        order = self.dataset.order(rng)
        pieces = [
            order[batch * self.batch_size : (batch + 1) * self.batch_size]
            for batch in range(start, self._length)
        ]
        shares = [rows[self.rank :: self.processes] for rows in pieces]
        idle = [not len(mine) for mine in shares]
        if not self.shuffle:
            shares = [mine for mine in shares if len(mine)]
            return shares, [False] * len(shares)
        # Too small a last batch for all processes: one without a share takes part in the step with
        # a sample that does not count.
        rows_of = [
            rows[:1] if lone else mine
            for rows, mine, lone in zip(pieces, shares, idle, strict=True)
        ]
        return rows_of, idle

    def _collated(self, rows_of: list[np.ndarray], number: int) -> Iterable[Batch]:
        """The batches of these positions, in order."""
        if not self.workers.get("num_workers"):
            return (self.collate_fn(self.dataset.gather(rows)) for rows in rows_of)
        # A generator of its own, since a loader with workers draws their seeds from the global one.
        generator = torch.Generator().manual_seed(seed_of_epoch(self.seed, number))
        return DataLoader(
            self.dataset,
            batch_sampler=rows_of,  # type: ignore[arg-type]
            collate_fn=self.collate_fn,
            generator=generator,
            **self.workers,
        )


def quotas(
    sizes: list[int], batch_size: int, temperature: float, shares: list[float] | None = None
) -> list[int]:
    """Samples of each world in a batch, in proportion to size**(1/temperature) times the world's
    share, at least one of each.

    Whole numbers by the largest remainder. Raises `TrainingError` if the batch is smaller than the
    number of worlds.
    """
    if batch_size < len(sizes):
        raise TrainingError(
            f"batch_size is {batch_size} for {len(sizes)} worlds; with world_sampling a batch holds"
            " at least one sample of each."
        )
    weights = (np.asarray(sizes, dtype=np.float64) / max(sizes)) ** (1 / temperature)
    if shares is not None:
        weights *= shares
    ideal = batch_size * weights / weights.sum()
    counts = np.maximum(np.floor(ideal), 1).astype(int)
    while counts.sum() < batch_size:
        counts[np.argmax(ideal - counts)] += 1
    while counts.sum() > batch_size:  # the worlds raised to one took it from the others
        counts[np.argmax(np.where(counts > 1, counts - ideal, -np.inf))] -= 1
    return [int(quota) for quota in counts]


class WorldBatches:
    """Batches of an `IRFDataset` in which every world has its quota.

    Each world's samples come in an order of their own that is shuffled anew at every round; rounds
    run on from epoch to epoch. What a batch holds depends on (seed, epoch, batch) alone; its
    samples are shared out over processes.

    temperature: 1 samples worlds by size, large values equally; shares: by how much a world's quota
    is multiplied; steps: batches an epoch, 0: as many as the data have. Raises `TrainingError` if a
    batch cannot hold a sample of every world, or one for every process.
    """

    def __init__(
        self,
        dataset: IRFDataset,
        batch_size: int,
        temperature: float,
        seed: int,
        steps: int = 0,
        collate_fn: Callable[[Any], Batch] = collate_mixed_worlds,
        *,
        shares: Mapping[str, float] | None = None,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        if batch_size < processes:
            raise TrainingError(
                f"batch_size is {batch_size} for {processes} processes; expected at least one"
                " sample each."
            )
        self.dataset = dataset
        self.seed = seed
        self.collate_fn = collate_fn
        self.rank = rank
        self.processes = processes
        of_worlds = [(shares or {}).get(world, 1.0) for world in dataset.world_ids]
        self.quotas = quotas(dataset.sizes, batch_size, temperature, of_worlds)
        self._length = steps or -(-len(dataset) // batch_size)
        self._rounds: dict[tuple[int, int], np.ndarray] = {}

    def __len__(self) -> int:
        return self._length

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Batches of an epoch from batch `start` on."""
        return (self.collate_fn(gathered) for gathered in self._gathered(number, start))

    def steps(self, number: int, start: int = 0) -> Iterator[Batch | Gathered]:
        if self.collate_fn is collate_mixed_worlds:
            return self._gathered(number, start)
        return self.epoch(number, start)

    def _gathered(self, number: int, start: int) -> Iterator[Gathered]:
        return self.dataset.batches(
            np.concatenate(
                [self._rows(world, batch * quota, quota) for world, quota in enumerate(self.quotas)]
            )[self.rank :: self.processes]
            for batch in range(number * self._length + start, (number + 1) * self._length)
        )

    def _rows(self, world: int, first: int, count: int) -> np.ndarray:
        """`count` positions of a world's endless sequence of rounds, from `first` on."""
        size = self.dataset.sizes[world]
        pieces = []
        while count:
            number, at = divmod(first, size)
            piece = self._round(world, number)[at : at + count]
            pieces.append(piece)
            first, count = first + len(piece), count - len(piece)
        return np.concatenate(pieces)

    def _round(self, world: int, number: int) -> np.ndarray:
        if (world, number) not in self._rounds:
            self._rounds = {key: order for key, order in self._rounds.items() if key[0] != world}
            rng = np.random.default_rng([self.seed, world, number])
            self._rounds[world, number] = self.dataset.world_order(world, rng)
        return self._rounds[world, number]


class ForeignLoader:
    """Any other iterable of batches; its randomness is tied to (seed, epoch) through the global
    generators.
    """

    def __init__(self, loader: Any, seed: int) -> None:
        self.loader, self.seed = loader, seed
        self.dataset = getattr(loader, "dataset", None)

    def __len__(self) -> int:
        return len(self.loader)

    def steps(self, number: int, start: int = 0) -> Iterator[Batch | Gathered]:
        return self.epoch(number, start)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        sampler = getattr(self.loader, "sampler", None)
        if isinstance(sampler, DistributedSampler):
            sampler.set_epoch(number)
        # The data's randomness lives apart from the model's, so that skipping to `start` leaves the
        # model's alone.
        seed = seed_of_epoch(self.seed, number)
        outside = random_state()
        seed_everything(seed)
        for generator in (
            getattr(self.loader, "generator", None),
            getattr(sampler, "generator", None),
        ):
            if generator is not None:
                generator.manual_seed(seed)
        batches, position = iter(self.loader), 0
        while True:
            batch = next(batches, None)
            inside = random_state()
            set_random_state(outside)
            if batch is None:
                return
            if position >= start:
                yield batch
            position += 1
            outside = random_state()
            set_random_state(inside)


def seed_of_epoch(seed: int, epoch: int) -> int:
    """Of the generators that loaders draw from in an epoch."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])
