"""Calibration: what a trained network does on draws it did not train on becomes its `trust`, inside
its checkpoint.

Axes: B batch, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.box import SIMPLE_HEAD
from rich.table import Table
from torch import Tensor

from emulator.console import say
from emulator.data import DataSet, open_dataset
from emulator.errors import CheckpointError, DatasetError
from emulator.files import check_writable, resolved
from emulator.models.normaliser import SILENT
from emulator.models.trained import BATCH, TrainedNetwork, load, predict, save
from emulator.models.trust import Evidence, Trust, judge
from emulator.progress import progress
from emulator.training.dataset import IRFDataset
from emulator.training.processes import threads

SHORT = {
    "val": "val",
    "test": "test",
    "test_extrapolation_slice": "slice",
    "test_extrapolation_corner": "corner",
}

Report = dict[str, dict[str, Any]]
"""By world: `draws` of val; `splits`, each with coverage, width (mean half width in standard
deviations of the responses) and flagged (share of draws); `determinacy`, with auc, accuracy, brier,
n, or None.
"""


def calibrate_checkpoint(
    checkpoint: Path,
    dataset: Path,
    output: Path | None = None,
    *,
    seed: int = 0,
    n_threads: int = 1,
    allow_other_data: bool = False,
) -> tuple[Path, Report]:
    """Calibrate a network on the validation split of its data and write its checkpoint with the
    trust inside.

    output: by default `calibrated.pt` beside the checkpoint. Returns where it was written and the
    report, which the checkpoint keeps too; the same seed and data give the same numbers. Raises
    `CheckpointError` if the network was trained on other data, unless `allow_other_data`.
    """
    place = output or checkpoint.with_name("calibrated.pt")
    if place.is_dir():
        raise CheckpointError(f"{place} is a folder; expected the name of a checkpoint to write.")
    check_writable(resolved(place).parent, CheckpointError)
    trained = load(checkpoint)
    data = open_dataset(dataset)
    _check(checkpoint, trained, data, allow_other_data)
    with threads(trained.network, n_threads):
        trust, report = calibrate(trained, data, seed)
    record = {"seed": seed, "data_fingerprint": data.fingerprint, "worlds": report}
    save(place, dataclasses.replace(trained, trust=trust), record)
    return place, report


def calibrate(trained: TrainedNetwork, data: DataSet, seed: int = 0) -> tuple[Trust, Report]:
    """Trust in a loaded network over all its worlds, fitted on `val`, and what it is worth on each
    split. Raises `ModelError`, `DatasetError`.
    """
    worlds = list(trained.world_specs)
    verdicts = {world: _verdicts(data, world) for world in worlds}
    with progress() as display:
        bar = display.add_task("calibrating", total=2 * len(worlds), unit="worlds", note="")

        def gathered() -> Iterator[tuple[str, Evidence]]:
            rows = _training_rows(trained, data)
            for world in worlds:
                display.update(bar, note=world)
                yield world, _evidence(trained, data, world, rows[world], verdicts[world])
                display.advance(bar)

        trust = Trust.fitted(
            gathered(),
            {world: trained.network.normaliser.statistics(world) for world in worlds},
            seed,
        )
        report = {}
        for world in worlds:
            display.update(bar, note=f"{world}: measuring")
            report[world] = _report(trust, trained, data, world, verdicts[world])
            display.advance(bar)
    return trust, report


def _check(
    checkpoint: Path, trained: TrainedNetwork, data: DataSet, allow_other_data: bool
) -> None:
    """Refuse data that the network was not trained on, and worlds that mean something else
    there.
    """
    trained_on = trained.checkpoint.data_fingerprint
    if trained_on != data.fingerprint and not allow_other_data:
        raise CheckpointError(
            f"{checkpoint} was trained on data with the fingerprint {trained_on[:16] or 'unknown'};"
            f" {data.path} has {data.fingerprint[:16]}, so its validation draws may be draws the"
            " network has seen, and the band too narrow. Calibrate on the data it was trained on,"
            " or pass --allow-other-data if they are known to be new to it."
        )
    for world, spec in trained.world_specs.items():
        other = data.spec(world)
        if (spec.parameter_names, spec.shock_names) != (other.parameter_names, other.shock_names):
            raise CheckpointError(
                f"World '{world}' has other parameters or shocks in {data.path} than in"
                f" {checkpoint}. Calibrate on the data it was trained on."
            )
        there = {observable.name: observable.unit for observable in other.observables}
        for observable in spec.observables:
            if there.get(observable.name) != observable.unit:
                raise CheckpointError(
                    f"World '{world}' has no observable '{observable.name}' in {observable.unit} in"
                    f" {data.path}; the network in {checkpoint} answers with it. Calibrate on data"
                    " that hold all of its observables."
                )


def _training_rows(trained: TrainedNetwork, data: DataSet) -> dict[str, np.ndarray]:
    """Rows of the data set that each world's training used, fewer than its training split where the
    run said so.
    """
    limits = trained.checkpoint.config.get("max_train_samples")
    if isinstance(limits, dict):
        limits = {data.name_of(world): most for world, most in limits.items()}
    train = IRFDataset(
        data, list(trained.world_specs), "train", in_memory=False, max_samples=limits
    )
    return {
        source_world: source.rows
        for source_world, source in zip(train.world_ids, train.sources, strict=True)
    }


def _verdicts(data: DataSet, world: str) -> tuple[Tensor, Tensor] | None:
    """theta (m, P) and status (m,) of draws before they were judged; None, and a line that says
    why, where the data hold none.
    """
    try:
        theta, status = data.verdicts(world)
    except DatasetError as error:
        say(f"{world}: the probability of determinacy stays unknown. {error}")
        return None
    return torch.from_numpy(theta), torch.from_numpy(status)


def _evidence(
    trained: TrainedNetwork,
    data: DataSet,
    world: str,
    rows: np.ndarray,
    verdicts: tuple[Tensor, Tensor] | None,
) -> Evidence:
    theta_train = torch.from_numpy(np.asarray(data.group(world)["theta"][:])[rows])  # type: ignore[index]
    theta, truth, prediction = _predicted(trained, data, world, "val")
    if verdicts is None:
        return Evidence(theta_train, theta, prediction - truth)
    learnt = slice(0, Trust.held_out(len(verdicts[0])).start)
    return Evidence(
        theta_train, theta, prediction - truth, verdicts[0][learnt], verdicts[1][learnt]
    )


def _report(
    trust: Trust,
    trained: TrainedNetwork,
    data: DataSet,
    world: str,
    verdicts: tuple[Tensor, Tensor] | None,
) -> dict[str, Any]:
    judgement, flags = None, dataclasses.replace(trained, trust=trust).flagged
    if verdicts is not None:
        rows = Trust.held_out(len(verdicts[0]))
        judgement = judge(trust.determinacy(verdicts[0][rows], world), verdicts[1][rows])._asdict()
    splits = {
        split: _measured(trust, flags, world, *_predicted(trained, data, world, split))
        for split in SHORT
    }
    return {"draws": len(data.rows(world, "val")), "splits": splits, "determinacy": judgement}


def _measured(
    trust: Trust,
    flags: Callable[[Tensor, str], Tensor],
    world: str,
    theta: Tensor,
    truth: Tensor,
    prediction: Tensor,
) -> dict[str, float]:
    """Coverage over draws, horizons and the responses that are not identically zero; mean relative
    width; share flagged.
    """
    largest = truth.abs().amax((0, 2))
    alive = largest > SILENT * largest.max()
    covered, width, flagged = 0.0, 0.0, 0.0
    for rows in torch.arange(len(theta)).split(BATCH):
        half = trust.half_width(theta[rows], world)
        within = (prediction[rows] - truth[rows]).abs() <= half
        covered += float(within.double().mean(2)[:, alive].mean(1).sum())
        width += float(trust.relative_width(theta[rows], world).double().sum())
        flagged += float(flags(theta[rows], world).double().sum())
    return {
        "coverage": covered / len(theta),
        "width": width / len(theta),
        "flagged": flagged / len(theta),
        "draws": len(theta),
    }


def _predicted(
    trained: TrainedNetwork, data: DataSet, world: str, split: str
) -> tuple[Tensor, Tensor, Tensor]:
    """theta (B, P), true and predicted responses (B, S, H+1, O) of a split, natural units, of the
    observables that the network answers with."""
    theta, truth = data.read(world, split)
    spec, other = trained.world_specs[world], data.spec(world)
    if spec.observable_names != other.observable_names:
        truth = truth[..., spec.shared_observables(other)[1]]
    prediction = predict(trained, world, theta, horizon=data.horizon).reshape(truth.shape)
    return torch.from_numpy(theta), torch.from_numpy(truth), torch.from_numpy(prediction)


def tables(report: Report) -> list[Table]:
    """The report as tables that fit a narrow terminal, a row a world."""
    coverage = _table(
        "Coverage of the 90 % band, %; mean half width on test, sd",
        ("draws", *SHORT.values(), "width"),
    )
    flags = _table(
        "Draws flagged, %; probability of determinacy on draws held out",
        (*SHORT.values(), "AUC", "Brier", "right, %"),
    )
    for world, scores in report.items():
        covered, flagged = (
            [f"{100 * scores['splits'][split][kind]:.1f}" for split in SHORT]
            for kind in ("coverage", "flagged")
        )
        coverage.add_row(
            world, str(scores["draws"]), *covered, f"{scores['splits']['test']['width']:.2g}"
        )
        classifier = scores["determinacy"] or {}
        classified = [
            "-" if classifier.get(kind) is None else f"{factor * classifier[kind]:.4g}"
            for kind, factor in (("auc", 1), ("brier", 1), ("accuracy", 100))
        ]
        flags.add_row(world, *flagged, *classified)
    return [coverage, flags]


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("world", *columns):
        table.add_column(column, justify="left" if column == "world" else "right", no_wrap=True)
    return table
