"""`emulator train`: one network by its configuration, or the best of many kinds on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emulator.console import say, show
from emulator.training.command import Overwrite, Resume, Settings


def train(
    config: Annotated[
        Path | None, typer.Option(help="YAML file of one run, e.g. configs/baseline_mlp.yaml.")
    ] = None,
    set_: Settings = None,
    dataset: Annotated[
        Path | None,
        typer.Option(help="Folder of a data set: the best of many kinds is found for it."),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="Kinds to try on --dataset: all, or names with commas.")
    ] = "all",
    budget: Annotated[
        str, typer.Option(help="Processor time for --dataset, such as 90s, 10m, 1h30m.")
    ] = "10m",
    output: Annotated[
        Path | None, typer.Option(help="Folder for what --dataset gives, such as runs/mine.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the search on --dataset.")] = 0,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Find the best emulator of a data set, or train one network.

    The former, with --dataset and --output, tries ridge regression, Gaussian processes,
    perceptrons and the universal structure, stops losers early and leaves the winner with an error
    band, flags and a card. The latter, with --config, does as its file says.
    """
    if config is not None:
        if dataset is not None or output is not None:
            raise typer.BadParameter(
                "--config says all of one run; give it, or --dataset with --output, not both",
                param_hint="--config",
            )
        from emulator.training.command import train as train_one

        train_one(config, set_, resume, overwrite)
        return
    if dataset is None or output is None:
        raise typer.BadParameter(
            "expected --config, or --dataset with --output, such as --dataset datasets/mine"
            " --output runs/mine",
            param_hint="--dataset",
        )
    if set_:
        raise typer.BadParameter(
            "--set changes what --config says; give --config", param_hint="--set"
        )
    from emulator.choice.board import advice, table
    from emulator.choice.choosing import choose

    choice = choose(dataset, output, kind, budget, seed=seed, resume=resume, overwrite=overwrite)
    show(table(choice.ledger))
    for line in advice(choice):
        say(line)
    say(f"Emulator: {choice.folder / 'calibrated.pt'}   card: {choice.folder / 'CARD.md'}")
