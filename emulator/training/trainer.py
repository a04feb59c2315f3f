"""The training loop. It knows no concrete network and no world: batches in, checkpoints and a history out.

Axes: B batch, S shock, H horizon, O observable.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Subset

from emulator.console import err
from emulator.errors import CheckpointError, ModelError, TrainingError, TrainingInterrupted
from emulator.files import sole_writer, sweep, write_json
from emulator.models import checkpoint as checkpoints
from emulator.models.base import EmulatorModel
from emulator.spec import WorldSpec
from emulator.training import statistics
from emulator.training.config import TrainingConfig
from emulator.training.dataset import IRFDataset
from emulator.training.distributed import Group, process_group
from emulator.training.interrupt import Interrupt
from emulator.training.loader import EpochLoader, epoch_loader
from emulator.training.losses import horizon_weights, irf_loss, smoothness
from emulator.training.monitor import Monitor
from emulator.training.randomness import random_state, seed_everything, set_random_state
from emulator.training.schedule import EarlyStopping, lr_factor

SMALL_MODEL = 5_000_000
"""Parameters below which several PyTorch threads cost more than they bring."""

FREE_TO_CHANGE = {"checkpoint_dir", "dataset", "log_every_n_steps", "use_wandb", "wandb_project", "save_every_n_epochs", "save_every_n_steps"}
"""Settings that may differ between a run and its resumption: they do not touch the weights (data are known by fingerprint)."""

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Trainer:
    """Trains a network on batches of impulse responses.

    model: `forward(theta, world_id)` -> responses in natural units; networks of ours are bound to the training data's
    scales first. train_loader, val_loader: a `BatchLoader`, or a `DataLoader` whose batches are those of
    `collate_mixed_worlds`. resume: go on from `last.pt` in `config.checkpoint_dir`.
    """

    def __init__(self, model: nn.Module, train_loader: Any, val_loader: Any, config: TrainingConfig, *, resume: bool = False) -> None:
        self.model, self.config, self.resume = model, config, resume
        self._loaders = train_loader, val_loader
        self.folder = Path(config.checkpoint_dir)
        self.stopping = EarlyStopping(config.patience, config.min_delta)
        self.history: dict[str, Any] = {"epoch": [], "train_loss": [], "val_loss": [], "lr": [], "best_epoch": 0, "stopped_early": False}
        self.epoch = self.batch = self.step = 0
        self._loss_sum = self._samples = 0.0

    @property
    def best_val_loss(self) -> float:
        """Lowest validation loss so far, in normalised units; infinite before the first epoch."""
        return self.stopping.best

    def fit(self) -> dict[str, Any]:
        """Train to the end and return the history: per epoch `epoch`, `train_loss`, `val_loss`; per step `lr`.

        Losses are in normalised units. Raises `TrainingError` on a loss that is not finite, `TrainingInterrupted`
        after a signal (the state is saved first), `CheckpointError` if a run cannot be resumed.
        """
        with process_group(self.config.device) as group, self._threads(), self._sole_writer(group), Interrupt() as interrupt:
            self._prepare(group)
            finished = self._restore() if self.resume else False
            if group.leads:
                write_json(self.folder / "config.json", self.config.to_dict())
            with Monitor(self.config, self.config.epochs * len(self.train_loader), self.step, show=group.leads) as monitor:
                while not finished and self.epoch < self.config.epochs:
                    self._train_epoch(monitor, interrupt)
                    finished = self._end_epoch(monitor)
            group.barrier()
        return self.history

    # -- before the first step -----------------------------------------------------------------------------------

    def _prepare(self, group: Group) -> None:
        config, self.group = self.config, group
        seed_everything(config.seed + group.rank)
        self.device = _device(config.device, group)
        self.train_loader = epoch_loader(self._loaders[0], config.seed, group.rank, group.size)
        self.val_loader = epoch_loader(self._loaders[1], config.seed, group.rank, group.size)
        # One process's view of the data for all: shares of a foreign data set have moments of their own.
        self.specs, self.statistics, self.fingerprint = group.gather(_learn_data(self.train_loader))[0]
        if isinstance(self.model, EmulatorModel):
            self.model.bind(self.statistics, self.specs)
        self.model.to(self.device)
        most = max(found.irf_scale.shape[0] for found in self.statistics.values())
        self._number = {world: k for k, world in enumerate(self.statistics)}
        self._scale_WSO = torch.ones(len(self.statistics), most, 3)
        for world, found in self.statistics.items():
            self._scale_WSO[self._number[world], : found.irf_scale.shape[0]] = found.irf_scale
        self._scale_WSO = self._scale_WSO.to(self.device)
        self._weights: dict[int, Tensor] = {}
        if group.leads and config.warmup_epochs >= config.epochs:
            err.print(f"note: the warm-up ({config.warmup_epochs} epochs) lasts to the end of the run; the learning rate stays below lr = {config.lr:g}.")
        self._parameters = list(self.model.parameters())
        self.optimizer = torch.optim.AdamW(self._parameters, lr=config.lr, weight_decay=config.weight_decay, fused=True)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=config.precision == "fp16")
        self.parallel = group.wrap(self.model)

    @contextmanager
    def _threads(self) -> Iterator[None]:
        """PyTorch's thread count for this run; what it was before comes back afterwards."""
        before = torch.get_num_threads()
        small = sum(p.numel() for p in self.model.parameters()) < SMALL_MODEL
        wanted = self.config.threads or (1 if small else before)
        torch.set_num_threads(wanted)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    @contextmanager
    def _sole_writer(self, group: Group) -> Iterator[None]:
        """The run's folder for this run alone, swept of what a killed one left half-written."""
        if not group.leads:
            yield
            return
        with sole_writer(self.folder):
            sweep(self.folder)
            yield

    # -- an epoch ------------------------------------------------------------------------------------------------

    def _train_epoch(self, monitor: Monitor, interrupt: Interrupt) -> None:
        self.model.train()
        for batch in self.train_loader.epoch(self.epoch, start=self.batch):
            count, signalled = self._agree(0 if batch.get("idle") else len(batch["theta"]), interrupt)
            if signalled:
                self._leave(interrupt)
            loss = self._train_step(batch, count)
            self.batch += 1
            self.step += 1
            monitor.step(self.step, self.epoch, loss, self.history["lr"][-1])
            if self.config.save_every_n_steps and self.step % self.config.save_every_n_steps == 0:
                self._save_state()

    def _agree(self, samples: int, interrupt: Interrupt) -> tuple[int, bool]:
        """Samples in the batch over all processes, and whether any of them was told to stop."""
        if self.group.size == 1:
            return samples, interrupt.caught is not None
        total = self.group.sum(torch.tensor([float(samples), float(interrupt.caught is not None)]))
        return int(total[0]), bool(total[1] > 0)

    def _train_step(self, batch: dict[str, Any], count: int) -> float:
        """One optimiser step on this process's share of a batch of `count` samples; its mean loss."""
        rate = self.config.lr * lr_factor(
            self.step, self.config.warmup_epochs * len(self.train_loader), self.config.epochs * len(self.train_loader), self.config.scheduler
        )
        for parameters in self.optimizer.param_groups:
            parameters["lr"] = rate
        self.optimizer.zero_grad()
        losses_B = self._losses(self.parallel, batch)
        samples = 0 if batch.get("idle") else len(losses_B)
        total = losses_B.sum() if samples else 0.0 * losses_B.sum()
        value = float(total.detach())
        self._check_finite(losses_B, batch, f"at step {self.step} (epoch {self.epoch + 1}), learning rate {rate:.3g}")
        # DistributedDataParallel averages gradients over processes; the loss is an average over samples.
        self.scaler.scale(total * (self.group.size / count)).backward()
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self._parameters, self.config.grad_clip or math.inf)
        if not (self.scaler.is_enabled() or math.isfinite(norm)):  # in fp16 the scaler leaves such a step out by itself
            raise TrainingError(
                f"The gradient is not finite at step {self.step} (epoch {self.epoch + 1}), learning rate {rate:.3g}, worlds "
                f"{', '.join(sorted(set(_names(batch))))}. Lower lr or grad_clip; what {self.folder} holds is from before this step."
            )
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.history["lr"].append(self.optimizer.param_groups[0]["lr"])
        self._loss_sum += value
        self._samples += samples
        return value / max(samples, 1)

    def _losses(self, model: nn.Module, batch: dict[str, Any]) -> Tensor:
        """Loss of each sample (B,), in normalised units, smoothness penalty included."""
        theta, true = batch["theta"].to(self.device), batch["irf"].to(self.device)
        with torch.autocast(self.device.type, DTYPES[self.config.precision], enabled=self.config.precision != "fp32"):
            pred = model(theta, batch["world_ids"])
        if pred.ndim == 3:
            pred = pred[:, None]
        if pred.shape[1] > true.shape[1]:  # a network may always return the shocks of its widest world
            pred = pred[:, : true.shape[1]]
        if pred.shape != true.shape:
            raise ModelError(f"The network returned responses of shape {tuple(pred.shape)}; the data have {tuple(true.shape)}.")
        numbers = [self._number.get(world, -1) for world in _names(batch)]
        if min(numbers) < 0:
            raise TrainingError(f"World '{_names(batch)[numbers.index(-1)]}' is not in the training data; the training loader has {', '.join(self._number)}.")
        scale = self._scale_WSO[torch.tensor(numbers, device=self.device)][:, : true.shape[1], None, :]
        real = batch["shock_mask"].to(self.device) if "shock_mask" in batch else torch.ones(true.shape[:2], dtype=torch.bool, device=self.device)
        pred, true = pred.float() / scale, true / scale
        horizon = true.shape[2] - 1
        if horizon not in self._weights:
            self._weights[horizon] = horizon_weights(self.config.horizon_weights, horizon).to(self.device)
        losses = irf_loss(pred, true, self._weights[horizon], real, self.config.loss_fn)
        if self.config.lambda_smooth > 0:
            losses = losses + self.config.lambda_smooth * smoothness(pred, real)
        return losses

    def _check_finite(self, losses_B: Tensor, batch: dict[str, Any], where: str) -> None:
        """Stop every process if the loss of a sample is not finite in any of them."""
        bad = _not_finite(losses_B, batch)
        if not self.group.any(bool(bad)):
            return
        which = f"world {', '.join(sorted(set(bad)))}, in {len(bad)} of {len(losses_B)} samples" if bad else "in another process"
        raise TrainingError(f"The loss is not finite {where}, {which}. Lower lr or grad_clip; what {self.folder} holds is from before this step.")

    @torch.no_grad()
    def _validate(self) -> float:
        """Mean loss over the validation samples of all processes."""
        self.model.eval()
        total, count = 0.0, 0
        for batch in self.val_loader.epoch(0):
            losses = self._losses(self.model, batch)
            if bad := _not_finite(losses, batch):
                raise TrainingError(f"The validation loss is not finite after epoch {self.epoch + 1}, world {', '.join(sorted(set(bad)))}. Lower lr.")
            total += float(losses.sum())
            count += len(losses)
        sums = self.group.sum(torch.tensor([total, count], dtype=torch.float64))
        return float(sums[0] / sums[1])

    def _end_epoch(self, monitor: Monitor) -> bool:
        """Validate, record, write checkpoints; whether training is over."""
        sums = self.group.sum(torch.tensor([self._loss_sum, self._samples], dtype=torch.float64))
        train_loss, val_loss = float(sums[0] / sums[1]), self._validate()
        lowest = self.stopping.update(val_loss)
        self.epoch += 1
        self.batch, self._loss_sum, self._samples = 0, 0.0, 0.0
        for key, value in (("epoch", self.epoch), ("train_loss", train_loss), ("val_loss", val_loss)):
            self.history[key].append(value)
        if lowest:
            self.history["best_epoch"] = self.epoch
        finished = self.stopping.stop or self.epoch == self.config.epochs
        self.history["stopped_early"] = self.stopping.stop and self.epoch < self.config.epochs
        if self.group.leads:
            if lowest and self.config.save_best:
                self._write("best.pt", val_loss)
            write_json(self.folder / "history.json", self.history)
            if finished:
                self._write("final.pt", val_loss)
        self._save_state(periodic=self.epoch % self.config.save_every_n_epochs == 0)
        monitor.epoch(self.step, self.epoch, train_loss, val_loss, self.stopping.best)
        return finished

    # -- checkpoints ---------------------------------------------------------------------------------------------

    def _write(self, name: str, val_loss: float, training: dict[str, Any] | None = None) -> None:
        content = checkpoints.Checkpoint(
            model_name=checkpoints.name_of(self.model),
            model_options=getattr(self.model, "options", {}),
            weights=self.model.state_dict(),
            world_specs=self.specs,
            statistics=self.statistics,
            config=self.config.to_dict(),
            data_fingerprint=self.fingerprint,
            epoch=self.epoch,
            val_loss=val_loss,
            horizon=max(self._weights),
            training=training or {},
        )
        checkpoints.save(self.folder / name, content)

    def _save_state(self, periodic: bool = False) -> None:
        """Write `last.pt`, from which a run goes on bit by bit as if it had not stopped."""
        mine = {"random": random_state(), "loss_sum": self._loss_sum, "samples": self._samples}
        processes = self.group.gather(mine)
        if not self.group.leads:
            return
        training = {
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "stopping": self.stopping.state(),
            "history": self.history,
            "position": {"epoch": self.epoch, "batch": self.batch, "step": self.step},
            "processes": processes,
            "device": self.device.type,
        }
        val_loss = self.history["val_loss"][-1] if self.history["val_loss"] else math.nan
        if periodic:  # before `last.pt`: a run killed in between comes by here again
            self._write(f"epoch_{self.epoch:04d}.pt", val_loss, training)
        self._write("last.pt", val_loss, training)

    def _restore(self) -> bool:
        """Go back to the state in `last.pt`; whether that run was already over."""
        found = checkpoints.read(self.folder / "last.pt")
        now = self.config.to_dict()
        changed = [key for key in now if key not in FREE_TO_CHANGE and found.config.get(key) != now[key]]
        if changed:
            text = "; ".join(f"{key}: there {found.config.get(key)!r}, now {now[key]!r}" for key in changed)
            raise CheckpointError(f"The run in {self.folder} cannot be resumed with another configuration ({text}).")
        state = found.training
        if not state:
            raise CheckpointError(f"{found.path} holds no state to resume from, only weights. Start anew with --overwrite.")
        for what, then, here in (
            ("data set", found.data_fingerprint, self.fingerprint),
            ("number of processes", len(state["processes"]), self.group.size),
            ("kind of device", state["device"], self.device.type),
        ):
            if then != here:
                raise CheckpointError(f"The run in {self.folder} cannot be resumed on another {what}: there {then}, now {here}.")
        checkpoints.load_weights(self.model, found)
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.stopping.load(state["stopping"])
        self.history = state["history"]
        self.epoch, self.batch, self.step = (state["position"][key] for key in ("epoch", "batch", "step"))
        mine = state["processes"][self.group.rank]
        self._loss_sum, self._samples = mine["loss_sum"], mine["samples"]
        self._weights = {found.horizon: horizon_weights(self.config.horizon_weights, found.horizon).to(self.device)}
        set_random_state(mine["random"])
        return self.batch == 0 and (self.epoch >= self.config.epochs or self.stopping.stop)

    def _leave(self, interrupt: Interrupt) -> None:
        number = interrupt.caught or 15
        if self.step == 0:
            raise TrainingInterrupted(f"Stopped by signal {number} before the first step; there was nothing to save.", number)
        self._save_state()
        raise TrainingInterrupted(
            f"Stopped by signal {number} at step {self.step} (epoch {self.epoch + 1}); the state is in {self.folder / 'last.pt'}. Go on with --resume.",
            number,
        )


def _device(name: str, group: Group) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise TrainingError(f"The device '{name}' cannot be used: {str(error).splitlines()[0]}") from None
    if device.type == "meta":
        raise TrainingError("The device 'meta' holds no numbers; use cpu or cuda.")
    if device.type == "cuda" and group.size > 1:
        return torch.device("cuda", torch.cuda.current_device())
    return device


def _learn_data(loader: EpochLoader) -> tuple[dict[str, WorldSpec], dict[str, Any], str]:
    """Specs, statistics and fingerprint of the training data."""
    dataset = loader.dataset
    if isinstance(dataset, IRFDataset):
        return {w: dataset.data.spec(w) for w in dataset.world_ids}, dataset.statistics, dataset.fingerprint
    found = statistics.of_batches(loader.epoch(0))
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    if isinstance(dataset, IRFDataset):
        found = {w: found[w] for w in dataset.world_ids if w in found}
        return {w: dataset.data.spec(w) for w in found}, found, dataset.fingerprint
    return {}, found, ""


def _not_finite(losses_B: Tensor, batch: dict[str, Any]) -> list[str]:
    """The world of each sample whose loss is not finite."""
    rows = (~torch.isfinite(losses_B)).nonzero().flatten().tolist()
    return [_names(batch)[row] for row in rows]


def _names(batch: dict[str, Any]) -> list[str]:
    """The world of each sample of a batch."""
    if "world_ids" not in batch:
        raise TrainingError(f"A batch holds {', '.join(batch)} and no world_ids; give the DataLoader collate_fn=collate_mixed_worlds.")
    ids = batch["world_ids"]
    return [ids] * len(batch["theta"]) if isinstance(ids, str) else ids


if __name__ == "__main__":
    from emulator.training.command import main

    main()
