"""`emulator evaluate`; also `python -m emulator.eval.evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from emulator.console import out, say
from emulator.errors import EvaluationError
from emulator.eval.request import DEFAULT_SPLITS, Request, names
from emulator.files import check_writable


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
        str,
        typer.Option(
            "--world",
            "--worlds",
            help="Worlds, separated by commas; those of the checkpoint if empty.",
        ),
    ] = "",
    splits: Annotated[str, typer.Option(help="Splits, separated by commas.")] = ",".join(
        DEFAULT_SPLITS
    ),
    output: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Folder of the results; runs/<run>/evaluation if not given. What lies in"
                " results/<run> is what `emulator leaderboard` collects."
            )
        ),
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
) -> Any:
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
    check_writable(request.folder, EvaluationError)
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
