"""What a run leaves in its folder: checkpoints of the weights, and the state from which it goes on
bit by bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from emulator.errors import CheckpointError
from emulator.models import checkpoint as checkpoints
from emulator.training.config import TrainingConfig
from emulator.training.processes import random_state, set_random_state

if TYPE_CHECKING:
    from emulator.training.trainer import Trainer

FREE_TO_CHANGE = {
    "checkpoint_dir",
    "dataset",
    "log_every_n_steps",
    "use_wandb",
    "wandb_project",
    "save_every_n_epochs",
    "save_every_n_steps",
}
"""Settings that may differ between a run and its resumption: they do not touch the weights (data
are known by fingerprint).
"""


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
    }
    val_loss = trainer.history["val_loss"][-1] if trainer.history["val_loss"] else math.nan
    if periodic:  # before `last.pt`: a run killed in between comes by here again
        write_weights(trainer, f"epoch_{trainer.epoch:04d}.pt", val_loss, training)
    write_weights(trainer, "last.pt", val_loss, training)


def restore_state(trainer: Trainer) -> None:
    """Go back to the state in `last.pt`. Raises `CheckpointError` if it is of another run."""
    found = checkpoints.read(trainer.folder / "last.pt")
    state = found.training
    _refuse_another_run(trainer, found)
    checkpoints.load_weights(trainer.model, found)
    if trainer.optimizer:
        trainer.optimizer.load_state_dict(state["optimizer"])
    trainer.scaler.load_state_dict(state["scaler"])
    trainer.average.load(state.get("average", {}))
    trainer.stopping.load(state["stopping"])
    trainer.history |= state["history"]
    trainer.epoch, trainer.batch, trainer.step = (
        state["position"][key] for key in ("epoch", "batch", "step")
    )
    mine = state["processes"][trainer.group.rank]
    trainer.loss_sum, trainer.samples = mine["loss_sum"], mine["samples"]
    trainer.objective.horizon = found.horizon
    trainer.seconds = state.get("seconds", 0.0)
    set_random_state(mine["random"])


def _refuse_another_run(trainer: Trainer, found: checkpoints.Checkpoint) -> None:
    now = trainer.config.to_dict()
    then = (
        TrainingConfig().to_dict() | found.config
    )  # a run from before a setting existed had its default
    changed = [key for key in now if key not in FREE_TO_CHANGE and then[key] != now[key]]
    if changed:
        text = "; ".join(f"{key}: there {then[key]!r}, now {now[key]!r}" for key in changed)
        raise CheckpointError(
            f"The run in {trainer.folder} cannot be resumed with another configuration ({text})."
        )
    if not found.training:
        raise CheckpointError(
            f"{found.path} holds no state to resume from, only weights. Start anew with"
            " --overwrite."
        )
    for what, there, here in (
        ("data set", found.data_fingerprint, trainer.fingerprint),
        ("number of processes", len(found.training["processes"]), trainer.group.size),
        ("kind of device", found.training["device"], trainer.device.type),
    ):
        if there != here:
            raise CheckpointError(
                f"The run in {trainer.folder} cannot be resumed on another {what}: there {there},"
                f" now {here}."
            )
