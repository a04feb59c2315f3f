"""What happens before the first step: the loaders, the data's scales, the network's start."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import (
    DataLoader,
    RandomSampler,
    SequentialSampler,
    Subset,
    default_collate,
)
from torch.utils.data.distributed import DistributedSampler

from emulator.closures.parts import DearParts
from emulator.errors import DatasetError, ModelError, TrainingError
from emulator.models import load
from emulator.models.base import PREPARE_DRAWS, EmulatorModel, rows_by_world
from emulator.models.normaliser import WorldStatistics
from emulator.spec import WorldSpec
from emulator.training.collate import Batch
from emulator.training.config import TrainingConfig
from emulator.training.dataset import IRFDataset
from emulator.training.loader import (
    BatchLoader,
    EpochLoader,
    ForeignLoader,
    WorldBatches,
)
from emulator.training.objective import world_names
from emulator.training.processes import Group, seed_everything
from emulator.training.sources import moments

OF_WORKERS = (
    "num_workers",
    "prefetch_factor",
    "pin_memory",
    "timeout",
    "worker_init_fn",
    "multiprocessing_context",
)
"""Options of a `DataLoader` that say how batches are made, and not which."""


def epoch_loader(loader: Any, seed: int, rank: int, processes: int) -> EpochLoader:
    """The loader as the trainer uses it.

    A plain `DataLoader` over an `IRFDataset` keeps its batch size, collation and workers, and gets
    the permutation of (seed, epoch). Raises `TrainingError` for loaders without a length, or that
    would give every process the same samples.
    """
    if isinstance(loader, BatchLoader):
        return loader.shared(rank, processes)
    _refuse_unusable(loader)
    if _plain(loader):
        return BatchLoader(
            loader.dataset,
            loader.batch_size,
            isinstance(loader.sampler, RandomSampler),
            seed,
            loader.collate_fn,
            drop_last=loader.drop_last,
            rank=rank,
            processes=processes,
            workers={option: getattr(loader, option) for option in OF_WORKERS},
        )
    if processes > 1 and not isinstance(getattr(loader, "sampler", None), DistributedSampler):
        raise TrainingError(
            f"{processes} processes would train on the same samples: give the DataLoader a"
            " DistributedSampler."
        )
    return ForeignLoader(loader, seed)


def _refuse_unusable(loader: Any) -> None:
    try:
        length = len(loader)
    except TypeError as error:
        raise TrainingError(
            f"The loader {type(loader).__name__} has no length ({error}); the learning-rate"
            " schedule needs one."
        ) from None
    if length == 0:
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


def _plain(loader: Any) -> bool:
    """Whether it is a `DataLoader` that takes every sample of an `IRFDataset` once, in order or
    shuffled.
    """
    if not isinstance(loader, DataLoader) or not isinstance(loader.dataset, IRFDataset):
        return False
    sampler: Any = loader.sampler
    if loader.batch_size is None or type(sampler) not in (RandomSampler, SequentialSampler):
        return False
    return isinstance(sampler, SequentialSampler) or (
        not sampler.replacement and sampler.num_samples == len(loader.dataset)
    )


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
        shares=config.world_shares,
        rank=group.rank,
        processes=group.size,
    )


class LearntData(NamedTuple):
    """What the training data say: specs and statistics of their worlds, their fingerprint (empty
    for data of another source), their last horizon.
    """

    specs: dict[str, WorldSpec]
    statistics: dict[str, WorldStatistics]
    fingerprint: str
    horizon: int


def learn_data(loader: EpochLoader) -> LearntData:
    """Specs, statistics, fingerprint and horizon of the training data.

    Raises `TrainingError` for batches that lack what training needs.
    """
    dataset = loader.dataset
    if isinstance(dataset, IRFDataset):
        specs = {world: dataset.data.spec(world) for world in dataset.world_ids}
        return LearntData(specs, dataset.statistics, dataset.fingerprint, dataset.horizon)
    statistics, horizon = moments_of_batches(loader.epoch(0))
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    if not isinstance(dataset, IRFDataset):
        return LearntData({}, statistics, "", horizon)
    known = [world for world in dataset.world_ids if world in statistics]
    return LearntData(
        {world: dataset.data.spec(world) for world in known},
        {world: statistics[world] for world in known},
        dataset.fingerprint,
        horizon,
    )


def refuse_other_horizon(model: EmulatorModel, horizon: int) -> None:
    """Raise `ModelError` if a network was built for another last horizon than the data have."""
    if model.horizon != horizon:
        raise ModelError(
            f"The network was built for horizons 0 to {model.horizon} (H = {model.horizon}); the"
            f" training data end at horizon {horizon}. Build it with H={horizon}, or generate data"
            f" up to horizon {model.horizon}."
        )


def notes(config: TrainingConfig, loader: EpochLoader, given: Any, processes: int) -> list[str]:
    """What a user should know of settings that do less than they seem to.

    loader: as the trainer uses it; given: as the trainer was given it.
    """
    lines = []
    if config.warmup_epochs >= config.epochs:
        lines.append(
            f"the warm-up ({config.warmup_epochs} epochs) lasts to the end of the run; the learning"
            f" rate stays below lr = {config.lr:g}."
        )
    size = getattr(given, "batch_size", None)
    if isinstance(size, int):
        together = size * (processes if isinstance(loader, ForeignLoader) else 1)
        if together != config.batch_size:
            lines.append(
                f"the training loader makes batches of {together} samples, which is what counts;"
                f" batch_size = {config.batch_size} in the configuration has no effect."
            )
    return lines


def start_network(model: nn.Module, dataset: Any, config: TrainingConfig, rank: int) -> None:
    """Give a fresh run's network its start: from the first training draws, then from another run's
    weights, single worlds from those of networks of their own.

    The same in every process: whatever a network draws there follows from the run's seed. Raises
    `TrainingError` if such a start is set for a network that is none of ours, `CheckpointError`,
    `ModelError`, `UnknownNameError`.
    """
    if isinstance(model, EmulatorModel):
        if isinstance(dataset, IRFDataset):
            first = [np.arange(min(size, PREPARE_DRAWS)) for size in dataset.sizes]
            samples = [
                source.gather(rows) for source, rows in zip(dataset.sources, first, strict=True)
            ]
            seed_everything(config.seed)
            if model.wants_parts:
                model.learn_parts(dear_parts(dataset))
            model.prepare(dict(zip(dataset.world_ids, samples, strict=True)))
            seed_everything(config.seed + rank)
        if config.init_from is not None:
            model.start_from(load(config.init_from).network)
        for world, place in config.init_worlds.items():
            name = dataset.data.name_of(world) if isinstance(dataset, IRFDataset) else world
            model.start_world_from(load(place).network, name)
    elif config.init_from is not None or config.init_worlds or config.curriculum:
        raise TrainingError(
            "init_from, init_worlds and curriculum need a network derived from EmulatorModel;"
            f" {type(model).__name__} is not."
        )


def dear_parts(dataset: IRFDataset) -> dict[str, DearParts]:
    """The dear parts of each world's training draws, with what closes them.

    Raises `DatasetError` for data without parts, or with parts of other equations than the world
    that is installed closes them by.
    """
    parts = {}
    for world, source in zip(dataset.world_ids, dataset.sources, strict=True):
        data, spec = dataset.data, dataset.data.spec(world)
        values, group = data.parts(world, source.rows)
        request = data.manifest.request
        closure, stored = request.world(world).closure, request.part(world)
        if closure is None or stored is None or closure.sha256 != stored.closure_sha256:
            raise DatasetError(
                f"The parts of '{world}' in {data.path} were stored for other equations than those"
                " by which the world is closed here. Generate the data anew."
            )
        observed = data.observed(world)
        if observed is not None:
            closure, columns = closure.observing(observed)
            values = values[:, columns]
        theta, irf = source.gather(np.arange(len(source.rows)))
        parts[world] = DearParts(
            theta=theta.double().numpy(),
            irf=irf.double().numpy(),
            group=group,
            values=values,
            dear=tuple(spec.index(name) for name in request.groups[world].parameters),
            closure=closure,
        )
    return parts


def moments_of_batches(batches: Iterable[Batch]) -> tuple[dict[str, WorldStatistics], int]:
    """Statistics of every world in a loader's batches, held in memory while they are taken, and the
    last horizon.

    Raises `TrainingError` for batches that lack what training needs.
    """
    pieces: dict[str, list[tuple[Tensor, Tensor]]] = {}
    horizon = 0
    for batch in batches:
        for world, rows_of in rows_by_world(world_names(batch)).items():
            rows = torch.tensor(rows_of)
            theta, irf = batch["theta"][rows], batch["irf"][rows]
            if "theta_mask" in batch:
                theta = theta[:, : int(batch["theta_mask"][rows[0]].sum())]
            if "shock_mask" in batch:
                irf = irf[:, : int(batch["shock_mask"][rows[0]].sum())]
            if "observable_mask" in batch:
                irf = irf[..., : int(batch["observable_mask"][rows[0]].sum())]
            pieces.setdefault(world, []).append((theta, irf))
            horizon = max(horizon, irf.shape[2] - 1)
    statistics = {
        world: moments(lambda own=own: own)  # type: ignore[misc]
        for world, own in sorted(pieces.items())
    }
    return statistics, horizon
