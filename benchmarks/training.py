"""What the training loop costs beside one written by hand for the same network and data.

    python benchmarks/training.py [--samples 10000] [--batch 64] [--repeats 5]

Three loops make the same kind of optimiser steps (same network, same tensors, batch size and
precision, one thread), epoch by epoch in turn in one process: one written by hand, with data
standardised beforehand, fused AdamW and clipped gradients; the trainer's on a split held in memory;
the trainer's streaming the split from Zarr. Prints medians of processor time, which other programs
on the machine disturb least, and medians of the ratios within a round. Earlier readings of the same
ratios, which `training.csv` beside this file keeps, follow.
"""

from __future__ import annotations

import csv
import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from emulator.console import out, run
from emulator.data import generate_dataset
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.training import BatchLoader, IRFDataset, Trainer, TrainingConfig
from emulator.training.monitor import Monitor
from emulator.training.processes import Group, Interrupt
from emulator.training.sources import MemorySource
from emulator.worlds import split_names


def make_network(data: IRFDataset) -> PerWorldMLPBaseline:
    torch.manual_seed(0)
    sizes = {world: data.get_world_info(world)["n_params"] for world in data.world_ids}
    return PerWorldMLPBaseline(sizes, [256, 128, 64], H=data.horizon)


def make_trainer(folder: Path, worlds: list[str], batch: int, in_memory: bool) -> Trainer:
    """A trainer with its network bound and its optimiser ready."""
    train, val = (
        IRFDataset(folder, worlds, split, in_memory=in_memory) for split in ("train", "val")
    )
    config = TrainingConfig(
        batch_size=batch, epochs=1000, checkpoint_dir=str(folder / "run"), lambda_smooth=0.0
    )
    loaders = BatchLoader(train, batch, True), BatchLoader(val, batch, False)
    trainer = Trainer(make_network(train), *loaders, config)
    trainer._prepare(Group())
    return trainer


class ByHand:
    """The loop that somebody would write for these worlds alone."""

    def __init__(self, data: IRFDataset, batch: int) -> None:
        self.batch = batch
        self.network = make_network(data)
        self.weights = list(self.network.parameters())
        self.optimizer = torch.optim.AdamW(self.weights, lr=1e-4, weight_decay=0.01, fused=True)
        self.ends = np.cumsum(data.sizes)
        self.starts = self.ends - data.sizes
        self.rng = np.random.default_rng(0)
        self.theta: list[torch.Tensor] = []
        self.irf: list[torch.Tensor] = []
        for world, source in zip(data.world_ids, data.sources, strict=True):
            assert isinstance(source, MemorySource)
            moments = data.statistics[world]
            self.theta.append((source.theta - moments.theta_mean) / moments.theta_std)
            self.irf.append(source.irf / moments.irf_scale[:, None])

    def epoch(self) -> float:
        """Processor time of a step, in seconds."""
        start = time.process_time()
        order = self.rng.permutation(self.ends[-1])
        batches = [order[k : k + self.batch] for k in range(0, len(order), self.batch)]
        for rows in batches:
            self.optimizer.zero_grad()
            loss = self.loss(rows)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
            self.optimizer.step()
            loss.item()
        return (time.process_time() - start) / len(batches)

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        total = torch.zeros(())
        for k, network in enumerate(self.network.networks):
            mine = rows[(rows >= self.starts[k]) & (rows < self.ends[k])] - self.starts[k]
            if not len(mine):
                continue
            index = torch.from_numpy(mine)
            true = self.irf[k].index_select(0, index)
            flat = network(self.theta[k].index_select(0, index))
            pred = flat.unflatten(1, (3, *true.shape[2:]))[:, : true.shape[1]]
            total = total + (pred - true).square().sum() / true.shape[2]
        return total / len(rows)


def loop_epoch(trainer: Trainer) -> float:
    """Processor time of a step of the trainer's own epoch, in seconds: batches made, learning rate
    set, loss checked, progress shown.
    """
    steps = trainer.step
    start = time.process_time()
    with Monitor(trainer.config, 10**6, 0, show=True) as monitor, Interrupt() as interrupt:
        trainer._train_epoch(monitor, interrupt)
    seconds = time.process_time() - start
    steps = trainer.step - steps
    trainer.epoch += 1
    trainer.batch = 0
    return seconds / steps


EARLIER = Path(__file__).with_suffix(".csv")
"""Ratios read before: when, of which commit, on how many draws a world in how many rounds."""


def print_earlier() -> None:
    """A line for each earlier reading."""
    with EARLIER.open(newline="") as file:
        for reading in csv.DictReader(file):
            source = [reading["date"]]
            if reading["commit"]:
                source.append(f"commit {reading['commit']}")
            if reading["draws"]:
                source.append(f"{reading['draws']} draws a world, {reading['rounds']} rounds")
            out.print(
                f"{reading['state']}: {reading['in_memory']} in memory, {reading['streamed']}"
                f" streamed ({', '.join(source)})"
            )


def main(
    samples: Annotated[int, typer.Option(help="Draws of each world.")] = 10_000,
    batch: Annotated[int, typer.Option(help="Samples of an optimiser step.")] = 64,
    repeats: Annotated[int, typer.Option(help="Epochs of each of the three.")] = 7,
    worlds: Annotated[str, typer.Option(help="Worlds, separated by commas.")] = "nk,var,lss",
) -> None:
    """Compare the training loop with one written by hand."""
    torch.set_num_threads(1)
    names = split_names(worlds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        generate_dataset(folder, names, samples, seed=0, periods=0)
        memory, stream = (
            make_trainer(folder, names, batch, in_memory) for in_memory in (True, False)
        )
        by_hand = ByHand(memory.train_loader.dataset, batch)
        times: dict[str, list[float]] = {"by hand": [], "in memory": [], "streamed": []}
        for _ in range(repeats + 1):  # the first round warms up and does not count
            times["by hand"].append(by_hand.epoch())
            times["in memory"].append(loop_epoch(memory))
            times["streamed"].append(loop_epoch(stream))
        steps = len(memory.train_loader)
    hand = times["by hand"][1:]
    for what, seconds in times.items():
        ratios = [value / base for value, base in zip(seconds[1:], hand, strict=True)]
        out.print(
            f"{what:>10}: {1e6 * statistics.median(seconds[1:]):8.0f} us a step,"
            f" {statistics.median(ratios):5.2f} times the loop by hand"
        )
    out.print(
        f"batch {batch}, {steps} steps an epoch, {samples} draws a world, one thread, medians of"
        f" {repeats} rounds"
    )
    print_earlier()


if __name__ == "__main__":
    run(main)
