"""`emulator train` and `emulator calibrate`; the first is also reached as `python -m
emulator.training.trainer`, and under torchrun.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from emulator.console import out, run, say
from emulator.training.config import load_config

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a setting of --config: key=value. May be repeated."),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on with an interrupted run; start afresh if there is none."),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace a run that is already in the folder.")
]
"""Options of every training, here and of a choice among many kinds."""


def train(
    config: Annotated[
        Path, typer.Option(help="YAML file of the run, e.g. configs/baseline_mlp.yaml.")
    ],
    set_: Settings = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Train a network; checkpoints, history and configuration go to the run's folder."""
    from emulator.training.trainer import (
        train as train_run,
    )  # here, so that `emulator worlds` does not wait for PyTorch

    settings = load_config(config, set_)
    trainer = train_run(settings, resume=resume, overwrite=overwrite)
    if int(os.environ.get("RANK", "0")) == 0:
        history = trainer.history
        ended = "stopped early" if history["stopped_early"] else "done"
        say(
            f"{ended} after {history['epoch'][-1]} epochs, {len(history['lr'])} steps; best"
            f" validation loss {trainer.best_val_loss:.6f} (normalised units) in epoch"
            f" {history['best_epoch']}. Checkpoints: {trainer.folder}"
        )


def calibrate(
    checkpoint: Annotated[
        Path,
        typer.Option(help="Checkpoint of a trained network, such as runs/baseline_mlp/best.pt."),
    ],
    dataset: Annotated[Path, typer.Option(help="Folder of the data set that it was trained on.")],
    output: Annotated[
        Path | None,
        typer.Option(help="Checkpoint to write; calibrated.pt beside the first if not given."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the fits.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Threads of PyTorch.")] = 1,
    allow_other_data: Annotated[
        bool,
        typer.Option(
            "--allow-other-data", help="Calibrate on data other than the network was trained on."
        ),
    ] = False,
) -> None:
    """Fit a network's error band, its flags and its probability of determinacy; write them into a
    checkpoint with its weights.
    """
    from emulator.training.calibrate import calibrate_checkpoint, tables

    place, report = calibrate_checkpoint(
        checkpoint, dataset, output, seed=seed, n_threads=threads, allow_other_data=allow_other_data
    )
    for table in tables(report):
        out.print(table)
    say(f"Calibrated network: {place}")


def main() -> None:
    """The command line of `python -m emulator.training.trainer`."""
    run(train)
