"""Checkpoints: one self-describing file, whole or not there, its SHA-256 inside.

The file is what `torch.save` writes, a zip archive, with the SHA-256 of that archive as the
archive's comment: one file to rename, and `torch.load(path, weights_only=True)` reads it too. Our
own reader checks the sum first, since PyTorch reads most files with a flipped byte without a word.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn

from emulator import provenance
from emulator.errors import CheckpointError, EmulatorError
from emulator.files import sha256, write_bytes
from emulator.models import MODELS, model_class, soundness
from emulator.models.base import EmulatorModel
from emulator.models.normaliser import WorldStatistics
from emulator.models.trust import Trust
from emulator.spec import WorldSpec

FORMAT = "universal-macro-emulator checkpoint 1"
_COMMENT = b"sha256:"
_COMMENT_LENGTH = len(_COMMENT) + 64
_END_RECORD = b"PK\x05\x06"
_END_LENGTH = 22


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    `weights`: state dict; `statistics`: normalisation of each world; `training`: what a resumed run
    needs, empty in `best.pt` and `final.pt`; `trust`: options, weights and report of `emulator
    calibrate`, empty before it. `sha256` and `path` are set when it is read.
    """

    model_name: str
    model_options: dict[str, Any]
    weights: dict[str, torch.Tensor]
    world_specs: dict[str, WorldSpec]
    statistics: dict[str, WorldStatistics]
    config: dict[str, Any]
    data_fingerprint: str
    epoch: int
    val_loss: float
    horizon: int
    training: dict[str, Any] = field(default_factory=dict)
    trust: dict[str, Any] = field(default_factory=dict)
    commit: str = field(default_factory=provenance.commit)
    versions: dict[str, str] = field(default_factory=provenance.versions)
    path: str = ""
    sha256: str = ""

    def __repr__(self) -> str:
        return (
            f"Checkpoint '{self.path}': {self.model_name} of {', '.join(self.world_specs)}, epoch"
            f" {self.epoch}, validation loss {self.val_loss:.4g}"
        )


def name_of(model: nn.Module) -> str:
    """The name under which the class is in the table of models, else its qualified name."""
    cls = type(model)
    target = f"{cls.__module__}:{cls.__qualname__}"
    return next((name for name, place in MODELS.items() if place == target), target)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint aside, flush it to disk and rename it.

    Raises `OSError`, leaving an older one as it was.
    """
    buffer = io.BytesIO()
    torch.save(content(checkpoint), buffer)
    write_bytes(path, _seal(buffer.getvalue()))


def content(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint as every file of ours holds it: dictionaries, lists, plain values and tensors.

    `from_content` goes back.
    """
    return {
        "format": FORMAT,
        "model": {
            "name": checkpoint.model_name,
            "options": checkpoint.model_options,
            "weights": checkpoint.weights,
        },
        "worlds": {name: spec.model_dump_json() for name, spec in checkpoint.world_specs.items()},
        "statistics": {
            name: dict(moments._asdict()) for name, moments in checkpoint.statistics.items()
        },
        "config": checkpoint.config,
        "data_fingerprint": checkpoint.data_fingerprint,
        "epoch": checkpoint.epoch,
        "val_loss": checkpoint.val_loss,
        "horizon": checkpoint.horizon,
        "training": checkpoint.training,
        "trust": checkpoint.trust,
        "commit": checkpoint.commit,
        "versions": checkpoint.versions,
    }


def _seal(archive: bytes) -> bytes:
    comment = _COMMENT + sha256(archive).encode()
    return archive[:-2] + struct.pack("<H", len(comment)) + comment


def _unseal(path: Path, content: bytes) -> tuple[bytes, str]:
    """The archive as it was before its comment, and its SHA-256.

    Raises `CheckpointError` unless the two agree.
    """
    end = content[-_COMMENT_LENGTH - _END_LENGTH :]
    if (
        len(end) < _COMMENT_LENGTH + _END_LENGTH
        or not end.startswith(_END_RECORD)
        or not end[_END_LENGTH:].startswith(_COMMENT)
    ):
        raise CheckpointError(
            f"{path} is no checkpoint of this project or was truncated: its SHA-256 is missing at"
            " the end."
        )
    archive = content[:-_COMMENT_LENGTH][:-2] + b"\0\0"
    actual = sha256(archive)
    expected = end[_END_LENGTH + len(_COMMENT) :].decode("ascii", "replace")
    if (
        actual != expected
        or struct.unpack("<H", end[_END_LENGTH - 2 : _END_LENGTH])[0] != _COMMENT_LENGTH
    ):
        raise CheckpointError(
            f"{path} was altered: its SHA-256 is {actual[:16]}..., expected {expected[:16]}...."
            " Restore it or train again."
        )
    return archive, actual


def file_bytes(place: Path) -> bytes:
    """All bytes of a checkpoint's file. Raises `CheckpointError` where there is none to read."""
    try:
        soundness.refuse_other_than_files(place)
        return place.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(
            f"{place} does not exist. Train a network first: emulator train --config"
            " configs/baseline_mlp.yaml"
        ) from None
    except (OSError, ValueError) as error:  # links in a circle, names too long, a zero byte ...
        raise CheckpointError(
            f"{place!s:.200} cannot be read as a checkpoint: {error!s:.300}"
        ) from None


def read(path: str | Path) -> Checkpoint:
    """Read and verify a checkpoint; nothing in it is executed. Raises `CheckpointError`."""
    place = Path(path)
    archive, digest = _unseal(place, file_bytes(place))
    _refuse_packed(place, archive)
    try:
        raw = torch.load(io.BytesIO(archive), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds here; each means the same to the caller
        raise CheckpointError(
            f"{place} cannot be read by PyTorch {torch.__version__}: {error}"
        ) from None
    return from_content(raw, place, digest, len(archive))


def _refuse_packed(place: Path, archive: bytes) -> None:
    """Refuse an archive whose entries unfold to more than its own size; PyTorch never packs."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as entries:
            unpacked = sum(entry.file_size for entry in entries.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise CheckpointError(f"{place} cannot be read as a checkpoint: {error}") from None
    if unpacked > len(archive):
        raise CheckpointError(
            f"{place} has {len(archive)} bytes and unfolds to {unpacked}; no checkpoint of this"
            " project is packed."
        )


def from_content(raw: Any, place: Path, digest: str, size: int) -> Checkpoint:
    """The checkpoint that `content` made a dictionary of, as read from a file with this SHA-256 and
    of `size` bytes.

    Raises `CheckpointError`.
    """
    if not isinstance(raw, Mapping) or raw.get("format") != FORMAT:
        raise CheckpointError(
            f"{place} has format {raw.get('format') if isinstance(raw, Mapping) else type(raw)!r};"
            f" expected '{FORMAT}'."
        )
    soundness.refuse_unsound(raw, place, size)
    try:
        checkpoint = Checkpoint(
            model_name=raw["model"]["name"],
            model_options=raw["model"]["options"],
            weights=raw["model"]["weights"],
            world_specs={
                name: WorldSpec.model_validate_json(text) for name, text in raw["worlds"].items()
            },
            statistics={
                name: WorldStatistics(**moments) for name, moments in raw["statistics"].items()
            },
            path=str(place),
            sha256=digest,
            trust=raw.get("trust", {}),  # files from before it hold none
            **{
                key: raw[key]
                for key in (
                    "config",
                    "data_fingerprint",
                    "epoch",
                    "val_loss",
                    "horizon",
                    "training",
                    "commit",
                    "versions",
                )
            },
        )
    except (AttributeError, KeyError, TypeError, ValidationError, EmulatorError) as error:
        raise CheckpointError(
            f"{place} lacks what a checkpoint of this format holds: {error}"
        ) from None
    soundness.refuse_unsound_statistics(checkpoint.statistics, checkpoint.world_specs, place, size)
    return checkpoint


def load_weights(model: nn.Module, checkpoint: Checkpoint) -> None:
    """Put a checkpoint's weights into a model of the same shape.

    Raises `CheckpointError` if they do not fit.
    """
    for name, own in model.state_dict().items():
        weight = checkpoint.weights.get(name, own)
        if not isinstance(own, torch.Tensor):
            continue
        if weight.is_floating_point() != own.is_floating_point():
            raise CheckpointError(
                f"The weights '{name}' in {checkpoint.path} are of type {weight.dtype};"
                f" {type(model).__name__} has {own.dtype} there."
            )
    try:
        model.load_state_dict(checkpoint.weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"The weights in {checkpoint.path} do not fit {type(model).__name__}: {error}"
        ) from None


_MISFITS = (
    AttributeError,
    ArithmeticError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    EmulatorError,
)
"""What building a module raises where a file's options or weights do not fit it."""


def restore(checkpoint: Checkpoint) -> EmulatorModel:
    """The network of a checkpoint, ready to predict. Raises `CheckpointError`."""
    path = checkpoint.path
    if checkpoint.model_name not in MODELS:
        raise CheckpointError(
            f"{path} holds weights of '{checkpoint.model_name}', which is not in"
            " emulator.models.MODELS; build that class yourself and use"
            " emulator.models.checkpoint.load_weights."
        )
    try:
        with soundness.no_larger_than(checkpoint.weights):
            model = model_class(checkpoint.model_name)(**checkpoint.model_options)
        model.bind(checkpoint.statistics, checkpoint.world_specs)
    except _MISFITS as error:
        raise CheckpointError(
            f"{path}: its model options do not build {checkpoint.model_name}: {error}"
        ) from None
    load_weights(model, checkpoint)
    soundness.refuse_unsound_answers(model.eval(), path)
    return model


def trust_of(checkpoint: Checkpoint) -> Trust | None:
    """Trust that a checkpoint holds; None before it was calibrated. Raises `CheckpointError`."""
    if not checkpoint.trust:
        return None
    try:
        with soundness.no_larger_than(checkpoint.trust["weights"]):
            return Trust.restored(checkpoint.trust, checkpoint.statistics)
    except _MISFITS as error:
        raise CheckpointError(
            f"{checkpoint.path}: its trust cannot be read: {error}. Make it anew: emulator"
            " calibrate"
        ) from None
