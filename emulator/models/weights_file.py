"""A checkpoint as one safetensors file: tensors, a JSON header that describes them, nothing that
could be executed.

The header's one entry, `universal-macro-emulator`, is JSON: what the checkpoint holds, with the
name of a tensor in the place of each tensor, and the SHA-256 of the file, taken with zeros where
the sum itself stands. Any reader of safetensors opens the file; ours checks the sum first.
"""

from __future__ import annotations

import dataclasses
import json
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from emulator.errors import CheckpointError
from emulator.files import sha256, write_bytes
from emulator.models.checkpoint import Checkpoint, content, file_bytes, from_content

SUFFIX = ".safetensors"
ENTRY = "universal-macro-emulator"
LARGEST_HEADER = 16 * 2**20
"""Bytes; the specs and names of dozens of worlds take a few hundred thousand."""

_TENSOR = "$tensor"
_UNSEALED = "0" * 64
_LENGTH = 8


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint without what a resumed run needs.

    Raises `CheckpointError` for what the file cannot hold, `OSError`.
    """
    write_bytes(path, encode(checkpoint))


def encode(checkpoint: Checkpoint) -> bytes:
    """The bytes of the file: the same for the same checkpoint. Raises `CheckpointError`."""
    tensors: dict[str, Tensor] = {}
    described = _take_out(content(dataclasses.replace(checkpoint, training={})), "", tensors)
    _refuse_non_numbers(checkpoint.path, tensors)
    try:
        text = json.dumps({"sha256": _UNSEALED, "content": described}, allow_nan=False)
    except ValueError:
        raise CheckpointError(
            f"{checkpoint.path} holds a setting or a loss that is not a finite number; a weights"
            " file needs finite ones."
        ) from None
    plain = safetensors.torch.save(tensors, metadata={ENTRY: text})
    return _with_sum(plain, _UNSEALED, sha256(plain))


def read(path: str | Path) -> Checkpoint:
    """Read and verify a file that `write` wrote; nothing in it is executed.

    Raises `CheckpointError`.
    """
    place = Path(path)
    sealed = file_bytes(place)
    entry = _entry(place, sealed)
    digest = entry["sha256"]
    actual = sha256(_with_sum(sealed, digest, _UNSEALED))
    if actual != digest:
        raise CheckpointError(
            f"{place} was altered: its SHA-256 is {actual[:16]}..., expected {digest[:16]}...."
            " Install or download it again."
        )
    try:
        tensors = safetensors.torch.load(sealed)
        raw = _put_back(entry["content"], tensors)
    except (SafetensorError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{place} cannot be read as safetensors: {error}") from None
    return from_content(raw, place, digest, len(sealed))


def _entry(place: Path, sealed: bytes) -> dict[str, Any]:
    """Our entry of the header.

    Raises `CheckpointError` for a file that was cut off or is none of ours.
    """
    length = struct.unpack("<Q", sealed[:_LENGTH])[0] if len(sealed) > _LENGTH else 0
    if not 0 < length <= min(LARGEST_HEADER, len(sealed) - _LENGTH):
        raise CheckpointError(
            f"{place} is no safetensors file or was truncated: it has {len(sealed)} bytes and"
            f" announces a header of {length}."
        )
    try:
        entry = json.loads(json.loads(sealed[_LENGTH : _LENGTH + length])["__metadata__"][ENTRY])
        if re.fullmatch("[0-9a-f]{64}", entry["sha256"]):
            return entry
    except (ValueError, KeyError, TypeError, RecursionError):
        pass  # whatever is wrong with it, it was not written here
    raise CheckpointError(
        f"{place} was not written by this project, or its header was altered: it has no readable"
        f" entry '{ENTRY}'."
    )


def _with_sum(file: bytes, old: str, new: str) -> bytes:
    """The file with another sum in its header; the length stays."""
    return file.replace(old.encode(), new.encode(), 1)


def _take_out(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """The value as JSON knows it, its tensors moved to `tensors` under the name of their place."""
    if isinstance(value, Tensor):
        tensors[place] = (
            value.detach().cpu().contiguous().clone()
        )  # tied weights share memory, which the format refuses
        return {_TENSOR: place}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {
            key: _take_out(entry, f"{place}/{key}".lstrip("/"), tensors)
            for key, entry in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            _take_out(entry, f"{place}/{number}", tensors) for number, entry in enumerate(value)
        ]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise CheckpointError(
        f"A weights file cannot hold a {type(value).__name__} ('{place}'); expected tensors and"
        " what JSON knows."
    )


def _put_back(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_TENSOR}:
            return tensors[value[_TENSOR]]
        return {key: _put_back(entry, tensors) for key, entry in value.items()}
    return [_put_back(entry, tensors) for entry in value] if isinstance(value, list) else value


def _refuse_non_numbers(source: str, tensors: Mapping[str, Tensor]) -> None:
    bad = [name for name, tensor in tensors.items() if torch.isnan(tensor).any()]
    if bad:
        raise CheckpointError(
            f"{source} holds values that are not numbers (NaN) in {', '.join(bad[:3])}; its"
            " predictions would be none. Train again."
        )
