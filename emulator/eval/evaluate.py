"""Scoring a checkpoint: `python -m emulator.eval.evaluate --checkpoint runs/x/best.pt --dataset datasets/v1.0-dev`.

This module holds functions only, so that running it as a program makes no second copy of any class.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from emulator import provenance
from emulator.console import progress
from emulator.data import DataSet, open_dataset
from emulator.errors import EvaluationError
from emulator.eval.bootstrap import CONFIDENCE
from emulator.eval.guards import Network, check, check_prediction, check_truth
from emulator.eval.metrics import NEGLIGIBLE
from emulator.eval.request import Request
from emulator.eval.results import NETWORK, Case, Evaluation, assemble
from emulator.eval.scale import Scale
from emulator.eval.scores import masked_report, score
from emulator.models import load
from emulator.models.baselines.trivial import TRIVIAL_BASELINES, TrivialBaseline


def evaluate_checkpoint(request: Request) -> Evaluation:
    """Score a checkpoint and the trivial baselines on every world and split of the request.

    Raises `CheckpointError`, `DatasetError`, `UnknownNameError` or `EvaluationError` where no honest number exists.
    """
    return evaluate_network(load(request.checkpoint), open_dataset(request.dataset), request)


def evaluate_network(network: Network, data: DataSet, request: Request) -> Evaluation:
    """`evaluate_checkpoint` for a network and a data set that are already open."""
    worlds = check(network, data, request)
    cases: list[Case] = []
    with progress() as display:
        total = len(worlds) * len(request.splits) * (1 + len(TRIVIAL_BASELINES))
        bar = display.add_task("scoring", total=total, unit="scores", note="")
        for world in worlds:
            display.update(bar, note=world)
            theta, irf = data.read(world, "train")
            check_truth(world, "train", theta, irf)
            scale = Scale.fit(theta, irf)
            baselines = {name: kind().fit(theta, irf) for name, kind in TRIVIAL_BASELINES.items()}
            del theta, irf
            for split in request.splits:
                for case in _cases(network, baselines, data, world, split, scale, request):
                    cases.append(case)
                    display.advance(bar)
    return assemble(request, cases, _provenance(network, data, request))


def _cases(
    network: Network,
    baselines: dict[str, TrivialBaseline],
    data: DataSet,
    world: str,
    split: str,
    scale: Scale,
    request: Request,
) -> Iterator[Case]:
    """The score of the network, then of each trivial baseline, on one split of one world."""
    theta, truth = data.read(world, split)
    check_truth(world, split, theta, truth)
    spec = data.spec(world)
    for predictor in (NETWORK, *baselines):
        if predictor == NETWORK:
            prediction = predict(network, world, theta, request.batch_size, request.device, request.threads)
            prediction = check_prediction(world, prediction, truth)
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
        )


def predict(
    network: Network, world: str, theta: np.ndarray, batch_size: int = 1024, device: str = "cpu", threads: int = 1
) -> np.ndarray:
    """Responses (n, S, H+1, 3), natural units, of a network at theta (n, P), natural units, in batches."""
    parts = []
    with _inference(network, device, threads) as target:
        for start in range(0, len(theta), batch_size):
            batch = torch.as_tensor(theta[start : start + batch_size], dtype=torch.float32, device=target)
            parts.append(network(batch, world).float().cpu().numpy())
    return np.concatenate(parts)


@contextmanager
def _inference(network: Network, device: str, threads: int) -> Iterator[torch.device]:
    """The network in evaluation mode on a device, without gradients; threads as they were afterwards."""
    before = torch.get_num_threads()
    try:
        target = torch.device(device)
        if isinstance(network, torch.nn.Module):
            network.to(target).eval()
    except (RuntimeError, AssertionError) as error:  # PyTorch says in either way that a device is not there
        raise EvaluationError(f"The device '{device}' cannot be used: {error}. Try --device cpu.") from None
    if target.type == "meta":
        raise EvaluationError("The device 'meta' holds no numbers. Try --device cpu.")
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            yield target
    finally:
        torch.set_num_threads(before)


def _provenance(network: Network, data: DataSet, request: Request) -> dict[str, object]:
    """Where the numbers come from: command, checkpoint, data, code, versions."""
    made = network.checkpoint
    return {
        "command": request.command,
        "checkpoint": {
            "path": str(request.checkpoint),
            "sha256": made.sha256,
            "model_name": made.model_name,
            "epoch": made.epoch,
            "config": made.config,
            "commit": made.commit,
            "versions": made.versions,
            "data_fingerprint": made.data_fingerprint,
            "n_weights": sum(p.numel() for p in network.parameters()) if isinstance(network, torch.nn.Module) else None,
        },
        "dataset": {
            "path": str(request.dataset),
            "fingerprint": data.fingerprint,
            "horizon": data.horizon,
            "trained_on": made.data_fingerprint == data.fingerprint,
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
