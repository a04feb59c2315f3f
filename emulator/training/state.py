"""What a run leaves in its folder: checkpoints of the weights, and the state from which it goes on
bit by bit.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from emulator.errors import CheckpointError, ConfigError
from emulator.models import checkpoint as checkpoints
from emulator.training.config import TrainingConfig
from emulator.training.processes import random_state, set_random_state

if TYPE_CHECKING:
    from emulator.training.trainer import Trainer

RUN_FILES = ("last.pt", "best.pt", "final.pt", "calibrated.pt", "history.json", "cost.json")

FREE_TO_CHANGE = {
    "checkpoint_dir",
    "dataset",
    "log_every_n_steps",
    "use_wandb",
    "wandb_project",
    "save_every_n_epochs",
    "save_every_n_steps",
    "overwrite",
}
"""Settings that may differ between a run and its resumption: they do not touch the weights (data
are known by fingerprint).
"""


def refuse_overwriting(folder: Path) -> None:
    """Raise `ConfigError` if a folder holds a run already."""
    names = [path.name for path in _files_of_run(folder)]
    if names:
        raise ConfigError(
            f"{folder} already holds a run ({', '.join(names)}). Go on with it (--resume; in Python"
            " resume=True), replace it (--overwrite; in Python overwrite=True, also in"
            " TrainingConfig), or choose another checkpoint_dir."
        )


def refuse_both(resume: bool, overwrite: bool) -> None:
    """Raise `ConfigError` where a run is to be gone on with and to be replaced."""
    if resume and overwrite:
        raise ConfigError(
            "--resume goes on with the run in the folder, and --overwrite replaces it; give one of"
            " them (in Python resume=True or overwrite=True)."
        )


def remove_run(folder: Path) -> None:
    """Remove what an older run left in a folder, so that no file of it is taken for a new one."""
    for path in _files_of_run(folder):
        path.unlink(missing_ok=True)


def _files_of_run(folder: Path) -> list[Path]:
    named = [folder / name for name in RUN_FILES]
    return [path for path in named if path.exists()] + sorted(folder.glob("epoch_*.pt"))


def record_epoch(
    trainer: Trainer,
    train_loss: float | None,
    val_loss: float,
    by_world: dict[str, float],
    lowest: bool,
) -> None:
    """Add an epoch that has ended to the history; `lowest`: its validation loss is the best."""
    history = trainer.history
    history["epoch"].append(trainer.epoch)
    history["train_loss"].append(train_loss)
    history["val_loss"].append(val_loss)
    for world, value in by_world.items():
        history["val_loss_by_world"].setdefault(world, []).append(value)
    if lowest:
        history["best_epoch"] = trainer.epoch
    history["stopped_early"] = trainer.stopping.stop and trainer.epoch < trainer.epochs


def cost(trainer: Trainer) -> dict[str, Any]:
    """What the run took so far, and of what machine."""
    return {
        "seconds": round(trainer.seconds, 1),
        "steps": trainer.step,
        "trainable_weights": sum(weight.numel() for weight in trainer.parameters),
        "device": trainer.device.type,
        "threads": torch.get_num_threads(),
        "processes": trainer.group.size,
    }


def write_weights(
    trainer: Trainer, name: str, val_loss: float, training: dict[str, Any] | None = None
) -> None:
    """Write a checkpoint of the network's present weights; `training` is what a resumed run
    needs.
    """
    content = checkpoints.Checkpoint(
        model_name=checkpoints.name_of(trainer.model),
        model_options=getattr(trainer.model, "options", {}),
        weights=trainer.model.state_dict(),
        world_specs=trainer.specs,
        statistics=trainer.statistics,
        config=trainer.config.to_dict(),
        data_fingerprint=trainer.fingerprint,
        epoch=trainer.epoch,
        val_loss=val_loss,
        horizon=trainer.objective.horizon,
        training=training or {},
    )
    checkpoints.save(trainer.folder / name, content)


def save_state(trainer: Trainer, periodic: bool = False) -> None:
    """Write `last.pt`, from which a run goes on bit by bit as if it had not stopped; all processes
    take part.
    """
    mine = {"random": random_state(), "loss_sum": trainer.loss_sum, "samples": trainer.samples}
    processes = trainer.group.gather(mine)
    if not trainer.group.leads:
        return
    training = {
        "optimizer": trainer.optimizer.state_dict() if trainer.optimizer else {},
        "scaler": trainer.scaler.state_dict(),
        "average": trainer.average.values,
        "stopping": trainer.stopping.state(),
        "history": trainer.history,
        "position": {"epoch": trainer.epoch, "batch": trainer.batch, "step": trainer.step},
        "processes": processes,
        "device": trainer.device.type,
        "seconds": trainer.seconds,
        "wandb_run": trainer.wandb_run,
    }
    val_loss = trainer.history["val_loss"][-1] if trainer.history["val_loss"] else math.nan
    if periodic:  # before `last.pt`: a run killed in between comes by here again
        write_weights(trainer, f"epoch_{trainer.epoch:04d}.pt", val_loss, training)
    write_weights(trainer, "last.pt", val_loss, training)


def restore_state(trainer: Trainer) -> None:
    """Go back to the state in `last.pt`. Raises `CheckpointError` if it is of another run."""
    last = checkpoints.read(trainer.folder / "last.pt")
    state = last.training
    _refuse_another_run(trainer, last)
    checkpoints.load_weights(trainer.model, last)
    if trainer.optimizer:
        trainer.optimizer.load_state_dict(state["optimizer"])
    trainer.scaler.load_state_dict(state["scaler"])
    trainer.average.load(state.get("average", {}))
    trainer.stopping.load(state["stopping"])
    trainer.history |= state["history"]
    trainer.epoch = state["position"]["epoch"]
    trainer.batch = state["position"]["batch"]
    trainer.step = state["position"]["step"]
    mine = state["processes"][trainer.group.rank]
    trainer.loss_sum = mine["loss_sum"]
    trainer.samples = mine["samples"]
    trainer.objective.horizon = last.horizon
    trainer.seconds = state.get("seconds", 0.0)
    trainer.wandb_run = state.get("wandb_run")
    set_random_state(mine["random"])


def _refuse_another_run(trainer: Trainer, last: checkpoints.Checkpoint) -> None:
    if not last.training:
        raise CheckpointError(
            f"{last.path} holds no state to resume from, only weights. Start anew with --overwrite."
        )
    _refuse_another_configuration(trainer, last.config)
    for what, there, here in (
        ("data set", last.data_fingerprint, trainer.fingerprint),
        ("number of processes", len(last.training["processes"]), trainer.group.size),
        ("kind of device", last.training["device"], trainer.device.type),
    ):
        if there != here:
            raise CheckpointError(
                f"The run in {trainer.folder} cannot be resumed on another {what}: there {there},"
                f" now {here}."
            )


def _refuse_another_configuration(trainer: Trainer, earlier: dict[str, Any]) -> None:
    now = trainer.config.to_dict()
    then = TrainingConfig().to_dict() | earlier  # before a setting existed, it had its default
    changed = [key for key in now if key not in FREE_TO_CHANGE and then[key] != now[key]]
    lengthened = "epochs" in changed and now["epochs"] > then["epochs"]
    depends = [
        f"{key}: {now[key]}"
        for key, plain in (("scheduler", "none"), ("curriculum", []))
        if now[key] != plain
    ]
    if lengthened and not depends:
        changed.remove("epochs")
    if not changed:
        return
    text = "; ".join(f"{key}: there {then[key]!r}, now {now[key]!r}" for key in changed)
    reason = (
        f" With {' and '.join(depends)} every step depends on how many there are, so that a longer"
        " run takes other steps from the start; begin one from these weights instead (init_from),"
        " in another checkpoint_dir."
        if lengthened and changed == ["epochs"]
        else ""
    )
    raise CheckpointError(
        f"The run in {trainer.folder} cannot be resumed with another configuration ({text})."
        + reason
    )
