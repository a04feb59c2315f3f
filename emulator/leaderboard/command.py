"""`emulator leaderboard` and `emulator release`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from emulator.console import say
from emulator.eval.request import names


def leaderboard(
    results: Annotated[
        Path, typer.Argument(help="Folder below which results.json files lie.")
    ] = Path("results"),
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder for LEADERBOARD.md and leaderboard.csv; the results' own if not given."
        ),
    ] = None,
    splits: Annotated[str, typer.Option(help="Splits, separated by commas.")] = "test",
    figures: Annotated[
        Path | None, typer.Option(help="Folder of the figures; beside the two files if not given.")
    ] = None,
) -> Any:
    """Collect the results below a folder into LEADERBOARD.md and leaderboard.csv, with figures
    where they allow them.
    """
    from emulator.leaderboard import board

    collected = board.collect(Path(results), names(splits))
    files = board.write(collected, output if output is not None else Path(results), figures)
    say(f"{len(collected.table)} rows: {', '.join(str(file) for file in files)}")
    return collected.table


def release(
    checkpoint: Annotated[
        Path,
        typer.Option(help="Trained and scored network, such as runs/universal_A/calibrated.pt."),
    ],
    results: Annotated[
        Path, typer.Option(help="Its scores, such as results/universal_A/results.json.")
    ],
    output: Annotated[
        Path, typer.Option(help="Folder that ships, such as emulator/weights/universal.")
    ],
    dataset: Annotated[
        Path | None,
        typer.Option(
            help="Data that it was trained on; what its configuration names if not given."
        ),
    ] = None,
    hardware: Annotated[
        str, typer.Option(help="For the card: the machine that it was trained on.")
    ] = "not recorded",
) -> Path:
    """Write the files of a network that ships: weights (safetensors), configuration, model card."""
    from emulator.leaderboard import release as files

    place = files.release(files.Release(checkpoint, results, output, dataset, hardware))
    say(f"{place.stat().st_size:,} bytes: {place}   card: {place.parent / files.shipped.CARD}")
    return place
