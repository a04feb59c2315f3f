"""A whole run from its configuration: data, network, training."""

from __future__ import annotations

from pathlib import Path

from emulator import models
from emulator.data import open_dataset
from emulator.errors import ConfigError
from emulator.training.config import TrainingConfig
from emulator.training.dataset import IRFDataset
from emulator.training.distributed import process_group
from emulator.training.loader import BatchLoader
from emulator.training.randomness import seed_everything
from emulator.training.trainer import Trainer

RUN_FILES = ("last.pt", "best.pt", "final.pt", "calibrated.pt", "history.json", "cost.json")


def train(config: TrainingConfig, *, resume: bool = False, overwrite: bool = False) -> Trainer:
    """Train the network that a configuration describes, and return its trainer.

    Raises `ConfigError` if the run's folder already holds a run and neither `resume` nor
    `overwrite` is set. With `resume`, a folder without a state to go on from starts afresh.
    """
    folder = Path(config.checkpoint_dir)
    there = [name for name in RUN_FILES if (folder / name).exists()]
    if there and not (resume or overwrite):
        raise ConfigError(
            f"{folder} already holds a run ({', '.join(there)}). Pass --resume to go on,"
            " --overwrite to start anew, or choose another checkpoint_dir."
        )
    with process_group(config.device) as group:
        group.barrier()  # every process has looked at the folder before one of them writes there
        if overwrite and not resume and group.leads:
            for old in [*(folder / name for name in RUN_FILES), *folder.glob("epoch_*.pt")]:
                old.unlink(missing_ok=True)
        data = open_dataset(config.dataset)
        worlds = [data.name_of(world) for world in config.worlds]
        specs = {world: data.spec(world) for world in worlds}
        limits = config.max_train_samples
        if isinstance(limits, dict):
            limits = {data.name_of(world): most for world, most in limits.items()}
        train_set = IRFDataset(data, worlds, "train", config.in_memory, limits)
        val_set = IRFDataset(data, worlds, "val", config.in_memory)
        seed_everything(config.seed)
        model = models.build(config.model, specs, data.horizon, config.model_options)
        train_loader, val_loader = (
            BatchLoader(split, config.batch_size, shuffle, config.seed)
            for split, shuffle in ((train_set, True), (val_set, False))
        )
        group.barrier()
        trainer = Trainer(
            model, train_loader, val_loader, config, resume=resume and (folder / "last.pt").exists()
        )
        trainer.fit()
    return trainer
