"""What tests do to the files of a data set: read them all, flip bytes, forge checksums."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from emulator.data.folders import open_folder
from emulator.data.schema import fingerprint
from emulator.data.shards import checksums
from emulator.files import sha256_file, write_json


def contents(root: Path) -> dict[str, bytes]:
    """Every file below a folder and its bytes."""
    return {
        p.relative_to(root).as_posix(): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file()
    }


def modified(root: Path, paths: list[str]) -> dict[str, int]:
    """When files were last written, in nanoseconds, and which inode they are."""
    return {path: (stat := (root / path).stat()).st_mtime_ns ^ stat.st_ino for path in paths}


def flip_byte(file: Path, position: float = 0.5) -> None:
    """Invert one byte, at a share of the file's length."""
    content = bytearray(file.read_bytes())
    content[int(position * (len(content) - 1))] ^= 0xFF
    file.write_bytes(content)


def edit_json(file: Path, change: Callable[[Any], Any]) -> None:
    """Load a JSON file, let `change` alter it in place or return another, write it back.

    A manifest gets the fingerprint of its new content, so that only other checks can find the
    change.
    """
    content = json.loads(file.read_text())
    changed = change(content)
    content = content if changed is None else changed
    if (
        file.name == "manifest.json"
        and isinstance(content, dict)
        and isinstance(content.get("request"), dict)
    ):
        content["fingerprint"] = fingerprint(content)
    write_json(file, content)


def write_array(root: Path, world: str, name: str, change: Callable[[np.ndarray], None]) -> None:
    """Change an array's values through zarr itself, so that the store is well formed."""
    array = zarr.open_group(root / world, mode="r+")[name]
    values = array[:]
    change(values)
    array[:] = values


def forge_checksums(root: Path) -> None:
    """Make the manifest fit the files as they are, so that only the checks of content can find what
    is wrong.
    """

    def fit(manifest: dict[str, Any]) -> None:
        for name, entry in manifest["worlds"].items():
            group = root / name
            for record in entry["shards"]:
                record["sha256"] = checksums(
                    open_folder(root), name, sorted(record["sha256"]), record["index"]
                )
            entry["metadata_sha256"] = {
                file: sha256_file(group / file) for file in entry["metadata_sha256"]
            }
            entry["splits_sha256"] = sha256_file(group / "splits.json")

    edit_json(root / "manifest.json", fit)
