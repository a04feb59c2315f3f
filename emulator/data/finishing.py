"""Finishing a data set: splits, data card and, last of all, the manifest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emulator import provenance
from emulator.data import card
from emulator.data.schema import Manifest, Region, Request, ShardRecord, WorldManifest
from emulator.data.splits import make_splits, splits_name
from emulator.data.storage import Folder
from emulator.data.store import MANIFEST
from emulator.spec import WorldSpec


def finish_world(
    folder: Folder,
    request: Request,
    spec: WorldSpec,
    *,
    regions: dict[str, Region],
    held_out: np.ndarray,
    groups: np.ndarray | None = None,
    shards: tuple[ShardRecord, ...],
    rejections: Mapping[str, int],
) -> WorldManifest:
    """Draw and write the splits of a world whose arrays are written; what the manifest says of it.

    `held_out` (n,) says which draws of the prior lie in which region, `groups` (n,) which belong
    together.
    """
    name = spec.name
    hard = request.hard.get(name, 0)
    splits = make_splits(name, held_out, request.fractions, request.seed, groups, hard)
    folder.write_json(splits_name(name), {split: rows.tolist() for split, rows in splits.items()})
    beside = [
        file
        for file in folder.walk(name)
        if f"{name}/{file}" != splits_name(name)
        and not file.endswith(".partial")
        and not _is_shard(file, shards)
    ]
    return WorldManifest(
        spec=spec,
        rejections=dict(sorted(rejections.items())),
        regions=regions,
        shards=shards,
        metadata_sha256={file: folder.sha256(f"{name}/{file}") for file in beside},
        splits_sha256=folder.sha256(splits_name(name)),
    )


def _is_shard(file: str, shards: tuple[ShardRecord, ...]) -> bool:
    parts = file.split("/")
    return len(parts) > 1 and parts[0] in shards[0].sha256 and parts[1] == "c"


def finish(folder: Folder, manifest: Manifest) -> None:
    """Write the data card and then the manifest, with which the data set is complete."""
    card.write(folder, manifest)
    folder.sweep()
    write_manifest(folder, manifest)


def new_manifest(request: Request, worlds: dict[str, WorldManifest]) -> Manifest:
    """The manifest of data that were made here and now."""
    return Manifest(
        request=request,
        worlds=worlds,
        versions=provenance.versions(),
        commit=provenance.commit(),
    )


def write_manifest(folder: Folder, manifest: Manifest) -> None:
    """The last file: where it is, the data set is complete."""
    folder.write_json(MANIFEST, manifest.dump())
