"""`emulator evaluate` and `emulator leaderboard`; also `python -m emulator.eval.evaluate` and
`...leaderboard`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from emulator.console import out, say
from emulator.errors import EvaluationError
from emulator.eval.request import DEFAULT_SPLITS, Request, names


def evaluate(
    checkpoint: Annotated[
        Path,
        typer.Option(
            help=(
                "Checkpoint to score, such as runs/baseline_mlp/best.pt, the folder of a run, or"
                " the name of a network that ships."
            )
        ),
    ],
    dataset: Annotated[Path, typer.Option(help="Folder of the data set.")] = Path(
        "datasets/v1.0-dev"
    ),
    worlds: Annotated[
        str, typer.Option(help="Worlds, separated by commas; those of the checkpoint if empty.")
    ] = "",
    splits: Annotated[str, typer.Option(help="Splits, separated by commas.")] = ",".join(
        DEFAULT_SPLITS
    ),
    output: Annotated[
        Path | None, typer.Option(help="Folder of the results; results/<run> if not given.")
    ] = None,
    bootstrap: Annotated[
        int, typer.Option(min=0, help="Resamples behind each 95 % interval; 0 gives none.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Draws predicted at a time.")] = 1024,
    device: Annotated[str, typer.Option(help="Where the network runs: cpu, cuda ...")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Threads of PyTorch.")] = 1,
    allow_other_data: Annotated[
        bool,
        typer.Option(
            "--allow-other-data", help="Score on data other than the network was trained on."
        ),
    ] = False,
) -> pd.DataFrame:
    """Score a checkpoint beside the trivial baselines; write JSON, CSV, figures and an HTML
    report.
    """
    request = Request(
        checkpoint=Path(checkpoint),
        dataset=Path(dataset),
        worlds=() if worlds.strip() == "all" else names(worlds),
        splits=names(splits),
        output=output,
        bootstrap=bootstrap,
        seed=seed,
        batch_size=batch_size,
        device=device,
        threads=threads,
        allow_other_data=allow_other_data,
    )
    if request.folder.exists() and not request.folder.is_dir():
        raise EvaluationError(
            f"{request.folder} is a file; expected a folder for the results. Pass another --output."
        )
    # imported here so that `--help` and a refused option need no PyTorch and no matplotlib
    from emulator.eval import figures, report, results, tables
    from emulator.eval.evaluate import evaluate_checkpoint

    evaluation = evaluate_checkpoint(request)
    images = figures.draw_all(evaluation)
    figures.save_all(images, request.folder)
    report.write(evaluation, images, request.folder)
    results.write(evaluation, request.folder)
    tables.show(evaluation, out)
    say(f"Report: {request.folder / 'report.html'}   scores: {request.folder / 'scores.csv'}")
    return evaluation.scores


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
) -> pd.DataFrame:
    """Collect the results below a folder into LEADERBOARD.md and leaderboard.csv, with figures
    where they allow them.
    """
    from emulator.eval import leaderboard as board

    found = board.collect(Path(results), names(splits))
    files = board.write(found, output if output is not None else Path(results), figures)
    say(f"{len(found.table)} rows: {', '.join(str(file) for file in files)}")
    return found.table


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
    from emulator.eval import release as files

    place = files.release(files.Release(checkpoint, results, output, dataset, hardware))
    say(f"{place.stat().st_size:,} bytes: {place}   card: {place.parent / files.shipped.CARD}")
    return place
