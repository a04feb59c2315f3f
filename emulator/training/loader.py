"""Batches in an order that depends on (seed, epoch) alone, from any batch on, for any number of
processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from torch.utils.data import DataLoader, RandomSampler, SequentialSampler, default_collate
from torch.utils.data.distributed import DistributedSampler

from emulator.errors import TrainingError
from emulator.training.collate import Batch, collate_mixed_worlds
from emulator.training.dataset import IRFDataset
from emulator.training.processes import random_state, seed_everything, set_random_state


class EpochLoader(Protocol):
    """What the trainer needs of a loader."""

    dataset: Any

    def __len__(self) -> int: ...

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Batches of an epoch from batch `start` on."""


class BatchLoader:
    """Batches of an `IRFDataset`; a batch is shared out over processes, so that its size does not
    depend on their number.
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
    ) -> None:
        if shuffle and batch_size < processes:
            raise TrainingError(
                f"batch_size is {batch_size} for {processes} processes; expected at least one"
                " sample each."
            )
        self.dataset, self.batch_size, self.shuffle, self.seed = dataset, batch_size, shuffle, seed
        self.collate_fn, self.drop_last, self.rank, self.processes = (
            collate_fn,
            drop_last,
            rank,
            processes,
        )
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
        )

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Batch]:
        return self.epoch(0)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        rng = np.random.default_rng([self.seed, number]) if self.shuffle else None
        order = self.dataset.order(rng)
        for batch in range(start, self._length):
            rows = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            mine = rows[self.rank :: self.processes]
            if len(mine):
                yield self.collate_fn(self.dataset.gather(mine))
            elif (
                self.shuffle
            ):  # too small a last batch: take part in the step with a sample that does not count
                yield self.collate_fn(self.dataset.gather(rows[:1])) | {"idle": True}


def quotas(sizes: list[int], batch_size: int, temperature: float) -> list[int]:
    """Samples of each world in a batch: shares proportional to size**(1/temperature), at least one
    of each.

    Whole numbers by the largest remainder. Raises `TrainingError` if the batch is smaller than the
    number of worlds.
    """
    if batch_size < len(sizes):
        raise TrainingError(
            f"batch_size is {batch_size} for {len(sizes)} worlds; with world_sampling a batch holds"
            " at least one sample of each."
        )
    weights = np.asarray(sizes, dtype=np.float64) / max(sizes)
    ideal = batch_size * weights ** (1 / temperature) / (weights ** (1 / temperature)).sum()
    found = np.maximum(np.floor(ideal), 1).astype(int)
    while found.sum() < batch_size:
        found[np.argmax(ideal - found)] += 1
    while found.sum() > batch_size:  # the worlds raised to one took it from the others
        found[np.argmax(np.where(found > 1, found - ideal, -np.inf))] -= 1
    return [int(quota) for quota in found]


class WorldBatches:
    """Batches of an `IRFDataset` in which every world has its quota.

    Each world's samples come in an order of their own that is shuffled anew at every round; rounds
    run on from epoch to epoch. What a batch holds depends on (seed, epoch, batch) alone; its
    samples are shared out over processes.

    temperature: 1 samples worlds by size, large values equally; steps: batches an epoch, 0: as many
    as the data have. Raises `TrainingError` if a batch cannot hold a sample of every world, or one
    for every process.
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
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        if batch_size < processes:
            raise TrainingError(
                f"batch_size is {batch_size} for {processes} processes; expected at least one"
                " sample each."
            )
        self.dataset, self.seed, self.collate_fn, self.rank, self.processes = (
            dataset,
            seed,
            collate_fn,
            rank,
            processes,
        )
        self.quotas = quotas(dataset.sizes, batch_size, temperature)
        self._length = steps or -(-len(dataset) // batch_size)
        self._rounds: dict[tuple[int, int], np.ndarray] = {}

    def __len__(self) -> int:
        return self._length

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Batches of an epoch from batch `start` on."""
        for batch in range(number * self._length + start, (number + 1) * self._length):
            rows = np.concatenate(
                [self._rows(world, batch * quota, quota) for world, quota in enumerate(self.quotas)]
            )
            yield self.collate_fn(self.dataset.gather(rows[self.rank :: self.processes]))

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

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        sampler = getattr(self.loader, "sampler", None)
        if isinstance(sampler, DistributedSampler):
            sampler.set_epoch(number)
        # The data's randomness lives apart from the model's, so that skipping to `start` leaves the
        # model's alone.
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
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


def epoch_loader(loader: Any, seed: int, rank: int, processes: int) -> EpochLoader:
    """The loader as the trainer uses it.

    A plain `DataLoader` over an `IRFDataset` keeps its batch size, order and collation, and gets
    the permutation of (seed, epoch). Raises `TrainingError` for loaders without a length, or that
    would give every process the same samples.
    """
    if isinstance(loader, BatchLoader):
        return loader.shared(rank, processes)
    try:
        len(loader)
    except TypeError as error:
        raise TrainingError(
            f"The loader {type(loader).__name__} has no length ({error}); the learning-rate"
            " schedule needs one."
        ) from None
    if len(loader) == 0:
        raise TrainingError(
            "A loader has no batch: it has fewer samples than one batch and drop_last=True, or no"
            " samples at all."
        )
    if getattr(loader, "persistent_workers", False):
        raise TrainingError(
            "Persistent workers keep random states that no checkpoint can hold; use"
            " persistent_workers=False."
        )
    if getattr(loader, "collate_fn", None) is default_collate and isinstance(
        loader.dataset, IRFDataset
    ):
        raise TrainingError(
            "PyTorch's own collation does not know worlds; give the DataLoader"
            " collate_fn=collate_mixed_worlds."
        )
    sampler: Any = getattr(loader, "sampler", None)
    ours = (
        isinstance(loader, DataLoader)
        and isinstance(loader.dataset, IRFDataset)
        and loader.num_workers == 0
    )
    if (
        ours
        and loader.batch_size is not None
        and type(sampler) in (RandomSampler, SequentialSampler)
    ):
        shuffle = isinstance(sampler, RandomSampler)
        if not (shuffle and (sampler.replacement or sampler.num_samples != len(loader.dataset))):
            return BatchLoader(
                loader.dataset,
                loader.batch_size,
                shuffle,
                seed,
                loader.collate_fn,
                drop_last=loader.drop_last,
                rank=rank,
                processes=processes,
            )
    if processes > 1 and not isinstance(sampler, DistributedSampler):
        raise TrainingError(
            f"{processes} processes would train on the same samples: give the DataLoader a"
            " DistributedSampler."
        )
    return ForeignLoader(loader, seed)
