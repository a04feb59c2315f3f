"""Batches with fixed quotas of every world, so that worlds with few draws are not starved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from emulator.errors import TrainingError
from emulator.training.collate import Batch, collate_mixed_worlds
from emulator.training.dataset import IRFDataset


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
