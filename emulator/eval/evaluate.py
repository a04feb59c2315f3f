"""Scoring a checkpoint: `python -m emulator.eval.evaluate --checkpoint runs/x/best.pt --dataset
datasets/v1.0-dev`.

This module holds functions only, so that running it as a program makes no second copy of any class.
"""

from __future__ import annotations

from collections.abc import Iterator

from emulator import provenance
from emulator.data import DataSet, open_dataset
from emulator.eval.alignment import Alignment
from emulator.eval.bootstrap import CONFIDENCE
from emulator.eval.cases import NETWORK, Case
from emulator.eval.guards import check, check_prediction, check_truth
from emulator.eval.metrics import NEGLIGIBLE
from emulator.eval.request import Request
from emulator.eval.results import Evaluation, assemble
from emulator.eval.scale import Scale
from emulator.eval.scores import masked_report, score
from emulator.eval.trust import claims, determinacy
from emulator.models import load
from emulator.models.baselines.trivial import TRIVIAL_BASELINES, TrivialBaseline
from emulator.models.trained import TrainedNetwork, predict
from emulator.progress import progress


def evaluate_checkpoint(request: Request) -> Evaluation:
    """Score a checkpoint and the trivial baselines on every world and split of the request.

    Raises `CheckpointError`, `DatasetError`, `UnknownNameError` or `EvaluationError` where no
    honest number exists.
    """
    return evaluate_network(load(str(request.checkpoint)), open_dataset(request.dataset), request)


def evaluate_network(trained: TrainedNetwork, data: DataSet, request: Request) -> Evaluation:
    """`evaluate_checkpoint` for a network and a data set that are already open."""
    worlds = check(trained, data, request)
    cases: list[Case] = []
    of_determinacy = []
    with progress() as display:
        total = len(worlds) * len(request.splits) * (1 + len(TRIVIAL_BASELINES))
        bar = display.add_task("scoring", total=total, unit="scores", note="")
        for world in worlds:
            display.update(bar, note=world)
            aligned = Alignment(trained.world_specs[world], data.spec(world))
            theta, irf = data.read(world, "train")
            irf = aligned.of_data(irf)
            check_truth(world, "train", theta, irf)
            scale = Scale.fit(theta, irf)
            baselines = {name: kind().fit(theta, irf) for name, kind in TRIVIAL_BASELINES.items()}
            del theta, irf
            for split in request.splits:
                for case in _cases(trained, baselines, data, aligned, split, scale, request):
                    cases.append(case)
                    display.advance(bar)
            of_determinacy += determinacy(trained, data, world, request)
    return assemble(request, cases, of_determinacy, _provenance(trained, data, request))


def _cases(
    trained: TrainedNetwork,
    baselines: dict[str, TrivialBaseline],
    data: DataSet,
    aligned: Alignment,
    split: str,
    scale: Scale,
    request: Request,
) -> Iterator[Case]:
    """The score of the network, then of each trivial baseline, on one split of one world."""
    spec, world = aligned.spec, aligned.spec.name
    theta, truth = data.read(world, split)
    truth = aligned.of_data(truth)
    check_truth(world, split, theta, truth)
    for predictor in (NETWORK, *baselines):
        if predictor == NETWORK:
            prediction = predict(
                trained,
                world,
                theta,
                batch_size=request.batch_size,
                device=request.device,
                threads=request.threads,
            )
            prediction = check_prediction(world, aligned.of_network(prediction), truth)
        else:
            prediction = baselines[predictor].predict(theta)
        yield Case(
            predictor=predictor,
            spec=spec,
            split=split,
            scale=scale,
            score=score(spec, scale, truth, prediction, request.bootstrap, request.seed),
            outside_range=int(scale.outside(theta).sum()),
            truth=truth,
            prediction=prediction if predictor == NETWORK else None,
            masked=masked_report(spec, scale, truth, prediction),
            claims=claims(trained, aligned, theta, request) if predictor == NETWORK else None,
            left_out=aligned.left_out,
        )


def _provenance(trained: TrainedNetwork, data: DataSet, request: Request) -> dict[str, object]:
    """Where the numbers come from: command, checkpoint, data, code, versions."""
    origin = trained.checkpoint
    return {
        "command": request.command,
        "checkpoint": {
            "path": str(request.checkpoint),
            "sha256": origin.sha256,
            "model_name": origin.model_name,
            "worlds": list(trained.world_specs),
            "epoch": origin.epoch,
            "config": origin.config,
            "commit": origin.commit,
            "versions": origin.versions,
            "data_fingerprint": origin.data_fingerprint,
            "n_weights": trained.n_weights,
        },
        "dataset": {
            "path": str(request.dataset),
            "fingerprint": data.fingerprint,
            "horizon": data.horizon,
            "trained_on": origin.data_fingerprint == data.fingerprint,
        },
        "commit": provenance.commit(),
        "versions": provenance.versions(),
        "settings": {
            "bootstrap": request.bootstrap,
            "confidence": CONFIDENCE,
            "seed": request.seed,
            "device": request.device,
            "negligible": NEGLIGIBLE,
        },
    }


if __name__ == "__main__":
    from emulator.console import run
    from emulator.eval.command import evaluate

    run(evaluate)
