"""What happens before the first step: the device, the data's scales, the network's start, the
optimiser.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import Subset

from emulator.errors import TrainingError
from emulator.models import shipped
from emulator.models.base import PREPARE_DRAWS, EmulatorModel
from emulator.spec import WorldSpec
from emulator.training import statistics
from emulator.training.config import TrainingConfig
from emulator.training.dataset import IRFDataset
from emulator.training.distributed import Group
from emulator.training.loader import BatchLoader, EpochLoader, epoch_loader
from emulator.training.randomness import seed_everything
from emulator.training.soap import SOAP
from emulator.training.world_sampling import WorldBatches

SMALL_MODEL = 5_000_000
"""Parameters below which several PyTorch threads cost more than they bring."""


def choose_device(name: str, group: Group) -> torch.device:
    """The device of a configuration's name. Raises `TrainingError` for one that is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise TrainingError(
            f"The device '{name}' cannot be used: {str(error).splitlines()[0]}"
        ) from None
    if device.type == "meta":
        raise TrainingError("The device 'meta' holds no numbers; use cpu or cuda.")
    if device.type == "cuda" and group.size > 1:
        return torch.device("cuda", torch.cuda.current_device())
    return device


@contextmanager
def threads(model: nn.Module, wanted: int) -> Iterator[None]:
    """PyTorch's thread count for a run, 0 for what suits the network; what it was before comes back
    afterwards.
    """
    before = torch.get_num_threads()
    small = sum(p.numel() for p in model.parameters()) < SMALL_MODEL
    torch.set_num_threads(wanted or (1 if small else before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
    found = statistics.of_batches(loader.epoch(0))
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
            model.start_from(shipped.load(config.init_from))
    elif config.init_from is not None or config.curriculum:
        raise TrainingError(
            "init_from and curriculum need a network derived from EmulatorModel;"
            f" {type(model).__name__} is not."
        )


def make_optimizer(
    parameters: list[nn.Parameter], config: TrainingConfig
) -> torch.optim.Optimizer | None:
    """The optimiser of a configuration; none for a network that has nothing to train."""
    if not parameters:
        return None
    if config.optimizer == "soap":
        return SOAP(parameters, lr=config.lr, weight_decay=config.weight_decay)
    return torch.optim.AdamW(parameters, lr=config.lr, weight_decay=config.weight_decay, fused=True)
