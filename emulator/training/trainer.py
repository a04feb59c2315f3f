"""The training loop.

It knows no concrete network and no world: batches in, checkpoints and a history out.

Axes: B batch, W world.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from emulator import models
from emulator.console import err
from emulator.data import open_dataset
from emulator.errors import TrainingError, TrainingInterrupted
from emulator.files import sole_writer, sweep, write_json
from emulator.models.base import EmulatorModel
from emulator.training.collate import Batch, Gathered
from emulator.training.config import TrainingConfig
from emulator.training.dataset import IRFDataset
from emulator.training.loader import BatchLoader
from emulator.training.monitor import Monitor
from emulator.training.objective import Objective, idle, not_finite, world_names
from emulator.training.optimisation import (
    EarlyStopping,
    WeightAverage,
    clip_gradients,
    curriculum_horizon,
    lr_factor,
    make_optimizer,
)
from emulator.training.preparation import (
    epoch_loader,
    learn_data,
    notes,
    refuse_other_horizon,
    start_network,
    training_loader,
)
from emulator.training.processes import (
    Group,
    Interrupt,
    choose_device,
    process_group,
    seed_everything,
    threads,
)
from emulator.training.state import (
    cost,
    record_epoch,
    refuse_both,
    refuse_overwriting,
    remove_run,
    restore_state,
    save_state,
    write_weights,
)


class Trainer:
    """Trains a network on batches of impulse responses.

    model: `forward(theta, world_id)` -> responses in natural units; networks of ours are bound to
    the training data's scales first. train_loader, val_loader: a `BatchLoader`, or a `DataLoader`
    whose batches are those of `collate_mixed_worlds`. resume: go on from `last.pt` in
    `config.checkpoint_dir`; overwrite: replace a run that is already there, as does
    `config.overwrite`; stop: asked after each epoch whether it is to be the last.
    """

    def __init__(
        self,
        model: nn.Module,
        train_loader: Any,
        val_loader: Any,
        config: TrainingConfig,
        *,
        resume: bool = False,
        overwrite: bool = False,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        self.model = model
        self.config = config
        self.resume = resume
        self.overwrite = overwrite or config.overwrite
        self._loaders = train_loader, val_loader
        self._stop = stop
        self._told_to_stop = False
        self._owns_folder = False
        self.folder = Path(config.checkpoint_dir)
        self.stopping = EarlyStopping(config.patience, config.min_delta)
        self.history: dict[str, Any] = {
            "epoch": [],
            "train_loss": [],
            "val_loss": [],
            "val_loss_by_world": {},
            "lr": [],
            "best_epoch": 0,
            "stopped_early": False,
        }
        self.epoch = self.batch = self.step = 0
        self.loss_sum = self.samples = 0.0
        self.wandb_run: str | None = None
        self._clock_zero = time.perf_counter()

    @property
    def best_val_loss(self) -> float:
        """Lowest validation loss so far, in normalised units; infinite before the first epoch."""
        return self.stopping.best

    @property
    def seconds(self) -> float:
        """Wall time of the run so far, validation and checkpoints included; of a resumed run also
        that before `last.pt`.
        """
        return time.perf_counter() - self._clock_zero

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._clock_zero = time.perf_counter() - value

    def fit(self) -> dict[str, Any]:
        """Train to the end and return the history: per epoch `epoch`, `train_loss`, `val_loss`; per
        step `lr`.

        Losses are in normalised units. A network without trainable weights is validated once.
        Raises `ConfigError` if the folder holds another run, `TrainingError` on a loss that is not
        finite, `TrainingInterrupted` after a signal (the state is saved first), `CheckpointError`
        if a run cannot be resumed, `ModelError` for a network that does not fit the data.
        """
        self.seconds = 0.0
        with (
            process_group(self.config.device) as group,
            threads(self.model, self.config.threads),
            self._sole_writer(group),
            Interrupt() as interrupt,
        ):
            self._claim_folder(group)
            self._prepare(group)
            if self.resume:
                restore_state(self)
            if group.leads:
                write_json(self.folder / "config.json", self.config.to_dict())
                if not self._finished:  # of a resumed run that was shorter
                    (self.folder / "final.pt").unlink(missing_ok=True)
            with Monitor(
                self.config, self._total_steps, self.step, group.leads, self.wandb_run
            ) as monitor:
                self.wandb_run = monitor.wandb_run
                while not self._finished:
                    if self.optimizer:
                        self._train_epoch(monitor, interrupt)
                    self._end_epoch(monitor)
            group.barrier()
        return self.history

    # -- before the first step

    def _claim_folder(self, group: Group) -> None:
        """Refuse a folder that holds another run, or clear it where it may be replaced."""
        if not (self.resume or self.overwrite or self._owns_folder):
            refuse_overwriting(self.folder)
        group.barrier()  # every process has looked before one of them writes
        if self.overwrite and not (self.resume or self._owns_folder) and group.leads:
            remove_run(self.folder)
        self._owns_folder = True

    def _prepare(self, group: Group) -> None:
        config, self.group = self.config, group
        seed_everything(config.seed + group.rank)
        self.device = choose_device(config.device, group)
        self.train_loader = training_loader(self._loaders[0], config, group)
        self.val_loader = epoch_loader(self._loaders[1], config.seed, group.rank, group.size)
        # One process's view of the data for all: shares of a foreign data set have moments of their
        # own.
        data = group.gather(learn_data(self.train_loader))[0]
        self.specs = data.specs
        self.statistics = data.statistics
        self.fingerprint = data.fingerprint
        if isinstance(self.model, EmulatorModel):
            self.model.bind(self.statistics, self.specs)
            refuse_other_horizon(self.model, data.horizon)
        if not self.resume:
            start_network(self.model, self.train_loader.dataset, config, group.rank)
        self.model.to(self.device)
        self.objective = Objective(config, self.statistics, self.device)
        self.parameters = [weight for weight in self.model.parameters() if weight.requires_grad]
        self._parts = (
            self.model.parts() if isinstance(self.model, EmulatorModel) else [self.parameters]
        )
        self.optimizer = make_optimizer(self.parameters, config)
        self.average = WeightAverage(self.model, config.ema_decay)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=config.precision == "fp16")
        self.parallel = group.wrap(self.model) if self.optimizer else self.model
        self.epochs = config.epochs if self.optimizer else 1
        self._total_steps = self.epochs * len(self.train_loader)
        if group.leads and self.optimizer:
            for line in notes(config, self.train_loader, self._loaders[0], group.size):
                err.print(f"note: {line}")

    @contextmanager
    def _sole_writer(self, group: Group) -> Iterator[None]:
        """The run's folder for this run alone, swept of what a killed one left half-written."""
        if not group.leads:
            yield
            return
        with sole_writer(self.folder):
            sweep(self.folder)
            yield

    # -- an epoch

    @property
    def _finished(self) -> bool:
        over = self.epoch >= self.epochs or self.stopping.stop or self._told_to_stop
        return self.batch == 0 and over

    def _train_epoch(self, monitor: Monitor, interrupt: Interrupt) -> None:
        self.model.train()
        for batch in self.train_loader.steps(self.epoch, start=self.batch):
            counts, signalled = self._agree(self.objective.counts(batch), interrupt)
            if signalled:
                self._leave(interrupt)
            loss = self._train_step(batch, counts)
            self.batch += 1
            self.step += 1
            monitor.step(self.step, self.epoch, loss, self.history["lr"][-1])
            if self.config.save_every_n_steps and self.step % self.config.save_every_n_steps == 0:
                save_state(self)

    def _agree(self, counts: list[int], interrupt: Interrupt) -> tuple[list[int], bool]:
        """Samples of each world in the batch over all processes, and whether any of them was told
        to stop.
        """
        if self.group.size == 1:
            return counts, interrupt.caught is not None
        shares = [*counts, int(interrupt.caught is not None)]
        *whole, signals = self.group.sum(torch.tensor(shares, dtype=torch.float64)).tolist()
        return [int(count) for count in whole], signals > 0

    def _train_step(self, batch: Batch | Gathered, counts: list[int]) -> float:
        """One optimiser step on this process's share of a batch with `counts` samples of each
        world; its mean loss.
        """
        config = self.config
        optimizer = self.optimizer
        count = sum(counts)
        assert optimizer is not None
        warmup = config.warmup_epochs * len(self.train_loader)
        rate = config.lr * lr_factor(
            self.step, warmup, self._total_steps, config.scheduler, config.lr_end
        )
        for parameters in optimizer.param_groups:
            parameters["lr"] = rate
        for weight in self.parameters:  # `zero_grad` of an optimiser does more than that
            weight.grad = None
        horizon = curriculum_horizon(
            self.step, self._total_steps, config.curriculum, config.curriculum_share
        )
        losses_B = self.objective.losses(self.parallel, batch, horizon)
        samples = 0 if idle(batch) else len(losses_B)
        total = self.objective.total(losses_B, batch, counts)
        value = float(total.detach())
        where = f"at step {self.step} (epoch {self.epoch + 1}), learning rate {rate:.3g}"
        self._check_finite(value, losses_B, batch, where)
        # DistributedDataParallel averages gradients over processes; the loss is an average over
        # samples.
        if total.requires_grad:  # else no world of the batch learns
            self.scaler.scale(total * (self.group.size / count)).backward()
        self.scaler.unscale_(optimizer)
        norms = [clip_gradients(part, config.grad_clip or math.inf) for part in self._parts]
        if not (
            self.scaler.is_enabled() or all(map(math.isfinite, norms))
        ):  # in fp16 the scaler leaves such a step out by itself
            worlds = ", ".join(sorted(set(world_names(batch))))
            raise TrainingError(
                f"The gradient is not finite {where}, worlds {worlds}. Lower lr or grad_clip; what"
                f" {self.folder} holds is from before this step."
            )
        self.scaler.step(optimizer)
        self.scaler.update()
        self.average.update(self.step)
        self.history["lr"].append(optimizer.param_groups[0]["lr"])
        self.loss_sum += value
        self.samples += samples
        return value / max(samples, 1)

    def _check_finite(
        self, total: float, losses_B: Tensor, batch: Batch | Gathered, where: str
    ) -> None:
        """Stop every process if the loss of a sample is not finite in any of them."""
        # No loss is negative, so that a finite total has finite terms only.
        bad = [] if math.isfinite(total) else not_finite(losses_B, batch)
        if not self.group.any(bool(bad)):
            return
        which = (
            f"world {', '.join(sorted(set(bad)))}, in {len(bad)} of {len(losses_B)} samples"
            if bad
            else "in another process"
        )
        raise TrainingError(
            f"The loss is not finite {where}, {which}. Lower lr or grad_clip; what {self.folder}"
            " holds is from before this step."
        )

    def _end_epoch(self, monitor: Monitor) -> None:
        """Validate, record, write checkpoints."""
        sums = self.group.sum(torch.tensor([self.loss_sum, self.samples], dtype=torch.float64))
        train_loss = float(sums[0] / sums[1]) if self.optimizer else None
        self.model.eval()
        with self.average.in_place():
            val_loss, by_world = self.objective.mean(
                self.model, self.val_loader.steps(0), self.group, f"after epoch {self.epoch + 1}"
            )
            lowest = self.stopping.update(val_loss)
            self.epoch += 1
            self._told_to_stop = self._stop is not None and self._stop()
            self.batch = 0
            self.loss_sum = self.samples = 0.0
            record_epoch(self, train_loss, val_loss, by_world, lowest)
            if self.group.leads:
                if lowest and self.config.save_best:
                    write_weights(self, "best.pt", val_loss)
                write_json(self.folder / "history.json", self.history)
                write_json(self.folder / "cost.json", cost(self))
                if self._finished:
                    write_weights(self, "final.pt", val_loss)
        save_state(self, periodic=self.epoch % self.config.save_every_n_epochs == 0)
        monitor.epoch(self.step, self.epoch, train_loss, val_loss, self.stopping.best)

    def _leave(self, interrupt: Interrupt) -> None:
        number = interrupt.caught or 15
        if self.step == 0:
            raise TrainingInterrupted(
                f"Stopped by signal {number} before the first step; there was nothing to save.",
                number,
            )
        save_state(self)
        raise TrainingInterrupted(
            f"Stopped by signal {number} at step {self.step} (epoch {self.epoch + 1}); the state is"
            f" in {self.folder / 'last.pt'}. Go on with --resume.",
            number,
        )


def train(config: TrainingConfig, *, resume: bool = False, overwrite: bool = False) -> Trainer:
    """Train the network that a configuration describes, and return its trainer.

    Raises `ConfigError` if the run's folder already holds a run and neither `resume` nor
    `overwrite` is set, and if both are. With `resume`, a folder without a state to go on from
    starts afresh, unless the run in it is finished.
    """
    refuse_both(resume, overwrite)
    folder = Path(config.checkpoint_dir)
    go_on = resume and (folder / "last.pt").exists()
    if resume and not (folder / "final.pt").exists():
        overwrite = True  # what a run killed before its first state has left
    overwrite = overwrite or config.overwrite
    if not (go_on or overwrite):
        refuse_overwriting(folder)  # before the data are read
    with process_group(config.device) as group:
        data = open_dataset(config.dataset)
        if config.observables is not None:
            data = data.observing(config.observables)
        worlds = [data.name_of(world) for world in config.worlds]
        specs = {world: data.spec(world) for world in worlds}
        limits = config.max_train_samples
        if isinstance(limits, dict):
            limits = {data.name_of(world): most for world, most in limits.items()}
        train_set = IRFDataset(data, worlds, "train", config.in_memory, limits)
        val_set = IRFDataset(data, worlds, "val", config.in_memory)
        seed_everything(config.seed)
        model = models.build(config.model, specs, data.horizon, config.model_options)
        train_loader = BatchLoader(train_set, config.batch_size, True, config.seed)
        val_loader = BatchLoader(val_set, config.batch_size, False, config.seed)
        group.barrier()  # every process knows whether there is a state before one of them writes
        trainer = Trainer(
            model, train_loader, val_loader, config, resume=go_on, overwrite=overwrite
        )
        trainer.fit()
    return trainer


if __name__ == "__main__":
    from emulator.training.command import main

    main()
