"""Fitting one kind: a regression whole, a network for a while."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from emulator import models
from emulator.choice.kinds import Kind
from emulator.choice.scoring import Splits
from emulator.models import checkpoint as checkpoints
from emulator.models.base import PREPARE_DRAWS, EmulatorModel
from emulator.models.checkpoint import Checkpoint
from emulator.training.config import TrainingConfig
from emulator.training.dataset import IRFDataset
from emulator.training.loader import BatchLoader
from emulator.training.processes import seed_everything
from emulator.training.sources import moments
from emulator.training.trainer import Trainer

STEPS = 50
"""Optimiser steps of an epoch: what a validation is worth while seconds count."""

LARGEST_BATCH = 128
MOST_EPOCHS = 2000


def fit_regression(
    kind: Kind, splits: Splits, seconds: float, seed: int, draws: int | None = None
) -> EmulatorModel:
    """A regression fitted on the training draws, or the first of them, in about so many seconds of
    processor time.
    """
    seed_everything(seed)
    samples = {
        world: (torch.from_numpy(part.theta[:draws]), torch.from_numpy(part.irf[:draws]))
        for world, part in splits.draws["train"].items()
    }
    options = kind.options_for(splits.specs, seconds)
    network = models.build(kind.model, splits.specs, splits.horizon, options)
    statistics = {world: moments(lambda pair=pair: [pair]) for world, pair in samples.items()}  # type: ignore[misc]
    network.bind(statistics, splits.specs)
    network.prepare(
        {w: (theta[:PREPARE_DRAWS], irf[:PREPARE_DRAWS]) for w, (theta, irf) in samples.items()}
    )
    return network.eval()


class Training:
    """A network that is trained in rounds, each from where the last one ended.

    A round is a run of its own with a warm-up and a cosine of the learning rate (Loshchilov and
    Hutter, 2017, "SGDR"), as long as its seconds allow: an epoch's time is known from the round
    before, and of the first from a single epoch.
    """

    def __init__(
        self, kind: Kind, splits: Splits, folder: Path, seed: int, draws: int | None = None
    ) -> None:
        self.kind, self.splits, self.folder, self.seed, self.draws = (
            kind,
            splits,
            folder,
            seed,
            draws,
        )
        self.last: Path | None = None
        self._epoch_seconds = 0.0

    def go_on(self, name: str, seconds: float) -> Path:
        """Train for about so many seconds of processor time; the checkpoint of lowest loss."""
        began = time.process_time()
        if not self._epoch_seconds:
            self._run(f"{name}_first", 1, began + seconds)
            self._epoch_seconds = time.process_time() - began
        left = seconds - (time.process_time() - began)
        epochs = min(MOST_EPOCHS, int(left / self._epoch_seconds))
        if epochs >= 1:
            before = time.process_time()
            ran = self._run(name, epochs, began + seconds)
            self._epoch_seconds = (time.process_time() - before) / max(1, ran)
        assert self.last is not None
        return self.last

    def _run(self, name: str, epochs: int, deadline: float) -> int:
        """One run of the trainer; how many epochs it came to."""
        worlds = list(self.splits.specs)
        train = IRFDataset(self.splits.data, worlds, "train", max_samples=self.draws)
        val = IRFDataset(self.splits.data, worlds, "val")
        config = self._config(self.folder / name, epochs, len(train))
        seed_everything(self.seed)
        network = models.build(
            self.kind.model,
            self.splits.specs,
            self.splits.data.horizon,
            self.kind.options_for(self.splits.specs, 0.0),
        )
        trainer = Trainer(
            network,
            BatchLoader(train, config.batch_size, True, self.seed),
            BatchLoader(val, config.batch_size, False, self.seed),
            config,
            overwrite=True,
            stop=lambda: time.process_time() > deadline,
        )
        trainer.fit()
        self.last = self.folder / name / "best.pt"
        return trainer.epoch

    def _config(self, folder: Path, epochs: int, n_train: int) -> TrainingConfig:
        settings = dict(self.kind.settings)
        if self.last is not None:
            settings["init_from"] = str(self.last)
        return TrainingConfig(
            dataset=str(self.splits.data.path),
            worlds=list(self.splits.specs),
            checkpoint_dir=str(folder),
            model=self.kind.model,
            batch_size=max(1, min(LARGEST_BATCH, n_train // 4)),
            epochs=epochs,
            patience=epochs,
            warmup_epochs=1 if epochs > 4 else 0,
            steps_per_epoch=STEPS,
            world_sampling=1000.0,
            world_weighting="equal",
            ema_decay=0.95 if epochs > 4 else 0.0,
            min_delta=0.0,
            lambda_smooth=0.0,
            device="cpu",
            threads=1,
            seed=self.seed,
            save_every_n_epochs=MOST_EPOCHS,
            **settings,
        )


def write(
    path: Path,
    network: EmulatorModel,
    splits: Splits,
    val_error: float,
    made: Mapping[str, object],
) -> None:
    """A network as a checkpoint; made: how it came about, kept in its configuration."""
    worlds = list(splits.specs)
    checkpoints.save(
        path,
        Checkpoint(
            model_name=checkpoints.name_of(network),
            model_options=network.options,
            weights=network.state_dict(),
            world_specs=splits.specs,
            statistics={world: network.normaliser.statistics(world) for world in worlds},
            config={"dataset": str(splits.data.path), "worlds": worlds, **made},
            data_fingerprint=splits.data.fingerprint,
            epoch=0,
            val_loss=val_error,
            horizon=splits.data.horizon,
        ),
    )


def restored(path: Path) -> EmulatorModel:
    """The network of a checkpoint, without what a resumed run would need."""
    return checkpoints.restore(replace(checkpoints.read(path), training={})).eval()
