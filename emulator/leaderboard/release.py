"""A trained and scored network as the files that ship: weights, configuration, and a model card
that says what they are worth.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
import yaml

from emulator.data import DataSet, open_dataset
from emulator.errors import CheckpointError, EvaluationError
from emulator.eval import results as scored
from emulator.files import write_bytes, write_text
from emulator.leaderboard.model_card import Facts, render
from emulator.models import shipped, weights_file
from emulator.models.checkpoint import Checkpoint
from emulator.models.trained import load, restored

LARGEST = 20_000_000
"""Bytes of a weights file that ships; a package is no place for more."""


@dataclass(frozen=True)
class Release:
    """What is to ship, and what its files do not say: on which machine it was trained."""

    checkpoint: Path
    results: Path
    output: Path
    dataset: Path | None = None
    """By default the one that the configuration of the run names."""
    hardware: str = "not recorded"

    @property
    def command(self) -> str:
        """The literal command that repeats this release, without the options that have their
        defaults.
        """
        words = ["emulator", "release"]
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                words += [f"--{field.name.replace('_', '-')}", str(value)]
        return shlex.join(words)


def release(request: Release) -> Path:
    """Write weights, configuration and model card into the folder of the request, and return the
    path of the weights.

    Raises `CheckpointError` for a checkpoint that cannot ship (too large, values that are not
    numbers), `EvaluationError` for results of another checkpoint or of less than it knows,
    `DatasetError` for missing data.
    """
    origin = shipped.read(request.checkpoint)
    results = scored.read(request.results)
    _check_scores(results, origin, request)
    data = _data(origin, request)
    content = weights_file.encode(origin)
    if len(content) > LARGEST:
        raise CheckpointError(
            f"The weights of {origin.path} take {len(content):,} bytes; at most {LARGEST:,} ship."
            " Train a smaller network."
        )
    facts = Facts(origin, results, data, request.output, content, request.command, request.hardware)
    text = render(facts)
    place = request.output / shipped.WEIGHTS
    write_bytes(place, content)
    _check_answers(origin, place)
    write_text(request.output / shipped.CONFIG, yaml.safe_dump(origin.config, sort_keys=False))
    write_text(request.output / shipped.CARD, text)
    return place


def _check_scores(results: dict[str, Any], origin: Checkpoint, request: Release) -> None:
    """Refuse scores that are not of this checkpoint on its own data, or that leave a world out."""
    scored_from = results["provenance"]
    scored_sha256 = scored_from["checkpoint"]["sha256"]
    if scored_sha256 != origin.sha256:
        raise EvaluationError(
            f"{request.results} holds scores of the checkpoint {scored_sha256[:16]}...;"
            f" {origin.path} is {origin.sha256[:16]}.... Run: emulator evaluate --checkpoint"
            f" {origin.path}"
        )
    if not scored_from["dataset"]["trained_on"]:
        raise EvaluationError(
            f"{request.results} holds scores on other data than the network was trained on."
            " Evaluate it on its own data set."
        )
    known = {row["world"] for row in results["summary"] if row["split"] == "test"}
    if missing := sorted(set(origin.world_specs) - known):
        raise EvaluationError(
            f"{request.results} has no scores on 'test' of {', '.join(missing)}. Evaluate every"
            " world of the network."
        )


def _data(origin: Checkpoint, request: Release) -> DataSet:
    """The data set that the network was trained on.

    Raises `DatasetError`, `EvaluationError` if it is another.
    """
    place = request.dataset or origin.config.get("dataset")
    if place is None:
        raise EvaluationError(
            f"{origin.path} does not say which data set it was trained on. Pass --dataset."
        )
    data = open_dataset(place)
    if data.fingerprint != origin.data_fingerprint:
        raise EvaluationError(
            f"{data.path} has the fingerprint {data.fingerprint[:16]}...; {origin.path} was trained"
            f" on {origin.data_fingerprint[:16]}.... Pass --dataset with the data that it was"
            " trained on."
        )
    return data


def _check_answers(origin: Checkpoint, place: Path) -> None:
    """Refuse a file whose network does not answer as the checkpoint's does, bit for bit."""
    before, after = restored(origin), load(place)
    for world, spec in origin.world_specs.items():
        theta = torch.tensor(spec.theta(), dtype=torch.float32)
        with torch.inference_mode():
            same = torch.equal(before.network(theta, world), after.network(theta, world))
            if before.trust is not None and after.trust is not None:
                same &= torch.equal(
                    before.trust.half_width(theta, world), after.trust.half_width(theta, world)
                )
        if not same:
            raise CheckpointError(
                f"{place} answers otherwise than {origin.path} in world '{world}': its options do"
                " not survive a weights file."
            )
