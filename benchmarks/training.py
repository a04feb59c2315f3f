"""What the training loop costs beside the optimiser step it exists for.

    python benchmarks/training.py [--samples 20000] [--batch 64] [--repeats 5]

Three ways to make the same optimiser steps (same network, same batch size, same precision, one
thread) run in turn in one process, epoch by epoch: the bare step on batches prepared beforehand;
the trainer's whole loop on a split held in memory; the trainer's whole loop streaming the split
from Zarr. Prints medians and ratios.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated

import torch
import typer

from emulator.console import out, run
from emulator.data import generate_dataset
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.training import BatchLoader, IRFDataset, Trainer, TrainingConfig
from emulator.training.monitor import Monitor
from emulator.training.processes import Group, Interrupt
from emulator.worlds import split_names


def make_trainer(folder: Path, worlds: list[str], batch: int, in_memory: bool) -> Trainer:
    """A trainer with its network bound and its optimiser ready."""
    train, val = (
        IRFDataset(folder, worlds, split, in_memory=in_memory) for split in ("train", "val")
    )
    torch.manual_seed(0)
    model = PerWorldMLPBaseline(
        {w: train.get_world_info(w)["n_params"] for w in worlds}, [256, 128, 64], H=40
    )
    config = TrainingConfig(
        batch_size=batch, epochs=1000, checkpoint_dir=str(folder / "run"), lambda_smooth=0.0
    )
    trainer = Trainer(
        model, BatchLoader(train, batch, True), BatchLoader(val, batch, False), config
    )
    trainer._prepare(Group())
    return trainer


def bare_epoch(trainer: Trainer, batches: list[dict]) -> float:
    """Seconds a step for forward, loss, backward, clipping and the optimiser, on batches that lie
    ready.
    """
    start = time.perf_counter()
    for batch in batches:
        trainer.optimizer.zero_grad()
        loss = trainer.objective.losses(trainer.model, batch).sum() / len(batch["theta"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainer._parameters, 1.0)
        trainer.optimizer.step()
    return (time.perf_counter() - start) / len(batches)


def loop_epoch(trainer: Trainer) -> float:
    """Seconds a step of the trainer's own epoch: batches made, learning rate set, loss checked,
    progress shown.
    """
    steps = trainer.step
    start = time.perf_counter()
    with Monitor(trainer.config, 10**6, 0, show=True) as monitor, Interrupt() as interrupt:
        trainer._train_epoch(monitor, interrupt)
    seconds = time.perf_counter() - start
    steps = trainer.step - steps
    trainer.epoch, trainer.batch = trainer.epoch + 1, 0
    return seconds / steps


def main(
    samples: Annotated[int, typer.Option(help="Draws of each world.")] = 20_000,
    batch: Annotated[int, typer.Option(help="Samples of an optimiser step.")] = 64,
    repeats: Annotated[int, typer.Option(help="Epochs of each of the three.")] = 5,
    worlds: Annotated[str, typer.Option(help="Worlds, separated by commas.")] = "nk,var,lss",
) -> None:
    """Compare the training loop with the bare optimiser step."""
    torch.set_num_threads(1)
    names = split_names(worlds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        generate_dataset(folder, names, samples, seed=0, periods=0)
        memory, stream = (
            make_trainer(folder, names, batch, in_memory) for in_memory in (True, False)
        )
        batches = list(memory.train_loader.epoch(0))
        times: dict[str, list[float]] = {"bare step": [], "in memory": [], "streaming": []}
        for _ in range(repeats + 1):
            times["bare step"].append(bare_epoch(memory, batches))
            times["in memory"].append(loop_epoch(memory))
            times["streaming"].append(loop_epoch(stream))
    first = statistics.median(times["bare step"][1:])
    for what, found in times.items():
        ratios = [
            value / bare for value, bare in zip(found[1:], times["bare step"][1:], strict=True)
        ]
        out.print(
            f"{what:>10}: {1e6 * statistics.median(found[1:]):8.0f} us a step,"
            f" {statistics.median(ratios):5.2f} times the bare step"
        )
    out.print(
        f"batch {batch}, {len(batches)} steps an epoch, {samples} draws a world, one thread; bare"
        f" step {1e6 * first:.0f} us"
    )


if __name__ == "__main__":
    run(main)
