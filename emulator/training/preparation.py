"""What happens before the first step: the loader, the data's scales, the network's start."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Subset

from emulator.errors import TrainingError
from emulator.models import load
from emulator.models.base import PREPARE_DRAWS, EmulatorModel
from emulator.models.normaliser import WorldStatistics
from emulator.spec import WorldSpec
from emulator.training.collate import Batch
from emulator.training.config import TrainingConfig
from emulator.training.dataset import IRFDataset
from emulator.training.loader import BatchLoader, EpochLoader, WorldBatches, epoch_loader
from emulator.training.processes import Group, seed_everything
from emulator.training.sources import moments


def training_loader(loader: Any, config: TrainingConfig, group: Group) -> EpochLoader:
    """The training loader as the trainer uses it: every sample once an epoch, or worlds by their
    quotas.

    Raises `TrainingError` for a loader that cannot serve, or whose worlds cannot be sampled.
    """
    plain = epoch_loader(loader, config.seed, group.rank, group.size)
    if config.world_sampling is None:
        return plain
    if not isinstance(plain, BatchLoader):
        raise TrainingError(
            "world_sampling needs a BatchLoader, or a plain DataLoader without workers, over an"
            " IRFDataset; a loader with an order of its own keeps it."
        )
    return WorldBatches(
        plain.dataset,
        plain.batch_size,
        config.world_sampling,
        config.seed,
        config.steps_per_epoch,
        plain.collate_fn,
        rank=group.rank,
        processes=group.size,
    )


def learn_data(loader: EpochLoader) -> tuple[dict[str, WorldSpec], dict[str, Any], str]:
    """Specs, statistics and fingerprint of the training data."""
    dataset = loader.dataset
    if isinstance(dataset, IRFDataset):
        return (
            {w: dataset.data.spec(w) for w in dataset.world_ids},
            dataset.statistics,
            dataset.fingerprint,
        )
    found = moments_of_batches(loader.epoch(0))
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    if isinstance(dataset, IRFDataset):
        found = {w: found[w] for w in dataset.world_ids if w in found}
        return {w: dataset.data.spec(w) for w in found}, found, dataset.fingerprint
    return {}, found, ""


def start_network(model: nn.Module, dataset: Any, config: TrainingConfig, rank: int) -> None:
    """Give a fresh run's network its start: from the first training draws, then from another run's
    weights.

    The same in every process: whatever a network draws there follows from the run's seed. Raises
    `TrainingError` if `init_from` is set for a network that is none of ours, `CheckpointError`,
    `ModelError`, `UnknownNameError`.
    """
    if isinstance(model, EmulatorModel):
        if isinstance(dataset, IRFDataset):
            first = [np.arange(min(size, PREPARE_DRAWS)) for size in dataset.sizes]
            samples = [
                source.gather(rows) for source, rows in zip(dataset.sources, first, strict=True)
            ]
            seed_everything(config.seed)
            model.prepare(dict(zip(dataset.world_ids, samples, strict=True)))
            seed_everything(config.seed + rank)
        if config.init_from is not None:
            model.start_from(load(config.init_from).network)
    elif config.init_from is not None or config.curriculum:
        raise TrainingError(
            "init_from and curriculum need a network derived from EmulatorModel;"
            f" {type(model).__name__} is not."
        )


def moments_of_batches(batches: Iterable[Batch]) -> dict[str, WorldStatistics]:
    """Statistics of every world in a loader's batches, held in memory while they are taken."""
    found: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for batch in batches:
        ids = batch["world_ids"]
        ids = [ids] * len(batch["theta"]) if isinstance(ids, str) else ids
        for world in dict.fromkeys(ids):
            rows = torch.tensor([k for k, name in enumerate(ids) if name == world])
            theta, irf = batch["theta"][rows], batch["irf"][rows]
            if "theta_mask" in batch:
                theta = theta[:, : int(batch["theta_mask"][rows[0]].sum())]
            if "shock_mask" in batch:
                irf = irf[:, : int(batch["shock_mask"][rows[0]].sum())]
            found.setdefault(world, []).append((theta, irf))
    return {world: moments(lambda pieces=pieces: pieces) for world, pieces in sorted(found.items())}  # type: ignore[misc]
