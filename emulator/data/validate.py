"""Validation: every promise of the format checked on the files themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from emulator.data import card
from emulator.data.layout import NO_REGIME, PART
from emulator.data.resolving import (
    installed_world,
    is_solver_of,
    solved_again,
    stored_theta,
    verdicts,
)
from emulator.data.schema import HARD, SPLITS, Region, Request, shard_size
from emulator.data.shards import beyond_range, checksums, first_of_groups, shard_file
from emulator.data.splits import (
    SPLITS_FILE,
    groups_of,
    held_out,
    inside,
    make_regions,
    make_splits,
    read_splits,
    regions_of_draws,
)
from emulator.data.store import REQUEST, DataSet, open_dataset
from emulator.data.wanted import wanted_world
from emulator.errors import DatasetError
from emulator.progress import progress
from emulator.spec import Status
from emulator.worlds import World


class Finding(NamedTuple):
    """Something wrong with a data set: where, and what."""

    world: str
    what: str


def validate_dataset(path: str | Path, worlds: Sequence[str | Path | World] = ()) -> list[Finding]:
    """All that is wrong with a data set; an empty list means that every check passed.

    Checked: manifest and request agree; a checksum for every file, no file missing and none too
    many; values (finite, status ok, within the declared ranges); splits (known rows, no overlap,
    complete, the whole held-out region kept out of train, val and test, drawn as the request says);
    a sample of rows solved again by the world, and a sample of its verdicts judged again; of an
    imported world, which has no solver here, neither. Raises
    `DatasetError` if there is no finished data set at `path`.
    """
    data = open_dataset(path)
    for world in worlds:
        data.world(wanted_world(world).spec.name)
    findings = [Finding("data set", what) for what in _request(data)]
    with progress() as display:
        bar = display.add_task("validating", total=len(data.worlds), unit="worlds", note="")
        for world in data.worlds:
            display.update(bar, note=world)
            for check in (_files, _listing, _values, _splits, solved_again, verdicts):
                try:
                    findings += [Finding(world, what) for what in check(data, world)]
                except Exception as error:
                    # a damaged store fails in as many ways as there are layers below; each is a
                    # finding
                    findings.append(Finding(world, f"{check.__name__.removeprefix('_')}: {error}"))
            display.advance(bar)
    return list(dict.fromkeys(findings))


def _request(data: DataSet) -> Iterator[str]:
    try:
        if Request.model_validate_json(data.folder.read_bytes(REQUEST)) != data.manifest.request:
            yield "request.json and the manifest disagree on what was asked for"
    except (OSError, ValidationError):
        yield "request.json is missing or cannot be read"
    for file in card.files(data.manifest):
        if not data.folder.exists(file):
            yield f"{file} is missing"


def _files(data: DataSet, world: str) -> Iterator[str]:
    entry, request = data.world(world), data.manifest.request
    expected = [request.rows(world, k) for k in range(request.n_shards(world))]
    if [(record.start, record.stop) for record in entry.shards] != expected:
        yield "the manifest's shards do not cover the rows of the request"
    for record in entry.shards:
        for array, expected_sum in record.sha256.items():
            try:
                if checksums(data.folder, world, [array], record.index)[array] != expected_sum:
                    yield f"shard {record.index} of '{array}' was altered (checksum)"
            except DatasetError as error:
                yield str(error)
    for name, expected_sum in {**entry.metadata_sha256, SPLITS_FILE: entry.splits_sha256}.items():
        if not data.folder.exists(f"{world}/{name}"):
            yield f"{name} is missing"
        elif data.folder.sha256(f"{world}/{name}") != expected_sum:
            yield f"{name} was altered (checksum)"


def _listing(data: DataSet, world: str) -> Iterator[str]:
    """Files that the manifest forgets: what has no checksum cannot be trusted."""
    entry = data.world(world)
    stored: Iterable[tuple[str, Any]] = data.group(world).arrays()
    arrays = {
        name: array.ndim
        for name, array in stored
        if "sample" in (array.metadata.dimension_names or ())
    }
    if any(set(record.sha256) != set(arrays) for record in entry.shards):
        yield (
            "the manifest does not hold checksums of exactly the arrays"
            f" {', '.join(sorted(arrays))}"
        )
    known = {SPLITS_FILE, *entry.metadata_sha256}
    known |= {
        shard_file(name, record.index, ndim)
        for record in entry.shards
        for name, ndim in arrays.items()
    }
    for stray in data.folder.walk(world):
        if stray not in known:
            yield f"{stray} is not in the manifest"


def _values(data: DataSet, world: str) -> Iterator[str]:
    group, request = data.group(world), data.manifest.request
    n = request.size(world)
    for name, array in sorted(group.arrays()):
        if "sample" not in (array.metadata.dimension_names or ()):  # type: ignore[union-attr]
            continue
        if array.shape[0] != n:
            yield f"'{name}' holds {array.shape[0]} rows, the manifest {n}"
        if (array.shards or array.chunks)[0] != request.shard_rows(world):
            yield (
                f"'{name}' has shards of {(array.shards or array.chunks)[0]} rows, the request"
                f" {request.shard_rows(world)}"
            )
        for record in data.world(world).shards:
            values = np.asarray(array[record.start : record.stop])
            if name == PART:
                yield from _parts(data, world, record.start, values)
                continue
            if name == "status":
                bad = values != Status.OK
            elif name == "regime":
                bad = values == NO_REGIME
            else:
                bad = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
            if bad.any():
                row = record.start + int(np.flatnonzero(bad)[0])
                yield (
                    f"'{name}' has {int(bad.sum())} row(s) that are missing or not finite, the"
                    f" first is row {row}"
                )
    spec = data.spec(world)
    theta = stored_theta(group)
    outside = beyond_range(spec, theta).any(axis=1)
    if (world in request.regimes) != ("regime" in group):
        yield "the request and the group do not agree on whether draws have a regime"
    if outside.any():
        yield f"theta leaves the declared ranges in {int(outside.sum())} row(s)"
    if len(np.unique(theta, axis=0)) != len(theta):
        yield "some rows of theta are equal: a random stream was used twice"


def _parts(data: DataSet, world: str, start: int, values: np.ndarray) -> Iterator[str]:
    """Rows of a shard's parts that are missing or not finite, or stand where none belongs."""
    group: Any = data.group(world)["theta"]
    theta = np.asarray(group[start : start + len(values)])
    belongs = np.zeros(len(values), dtype=bool)
    belongs[first_of_groups(data.manifest.request, data.spec(world), theta)] = True
    bad = np.where(belongs, ~np.isfinite(values).all(axis=1), ~np.isnan(values).all(axis=1))
    if bad.any():
        yield (
            f"'{PART}' has {int(bad.sum())} row(s) that are not finite, or no first row of a group"
            f" and not empty, the first is row {start + int(np.flatnonzero(bad)[0])}"
        )


def _splits(data: DataSet, world: str) -> Iterator[str]:
    splits = read_splits(data.folder, world)
    owner = np.full(data.manifest.request.size(world), -1)
    yield from _rows(splits, owner)
    theta, spec = stored_theta(data.group(world)), data.spec(world)
    request, regions = data.manifest.request, data.world(world).regions
    if request.given(world) is not None:
        drawn_regions = regions_of_draws(spec, theta, request.fractions)
        if regions != drawn_regions:
            yield "the held-out regions are not those of the draws and the request's fractions"
        yield from _other_splits(data, world, theta, drawn_regions, splits)
    installed = None if request.given(world) else installed_world(data, world)
    if installed is not None and is_solver_of(installed.spec, spec):
        # Shards of data sets in groups had no more rows than others, once.
        if request.shard_rows(world) not in {
            shard_size(installed.draws_per_task * groups, request.shard, request.chunk)
            for groups in (1, request.group_size(world))
        }:
            yield (
                f"shards of {request.shard_rows(world)} rows are not those that the world asks for"
            )
        # What draws come from may have changed since; then the regions are those of before.
        same_draws = installed.spec.prior == spec.prior
        drawn_regions = make_regions(installed, request.fractions) if same_draws else regions
        if regions != drawn_regions:
            yield "the held-out regions are not those of the world and the request's fractions"
        yield from _other_splits(data, world, theta, drawn_regions, splits)
    yield from _torn_groups(groups_of(spec, request.groups.get(world), theta), owner)
    for name, region in regions.items():
        yield from _leaks(name, inside(spec, region, theta), owner)


def _rows(splits: dict[str, np.ndarray], owner: np.ndarray) -> Iterator[str]:
    """Splits that are empty, overlap, name rows that there are not, or leave rows out; the position
    among the splits of each row's split is written into `owner` (n,).
    """
    n = len(owner)
    names = tuple(name for name in (*SPLITS, HARD) if name in splits)
    for code, name in enumerate(names):
        rows = splits[name]
        if len(rows) == 0:
            yield f"split '{name}' is empty"
            continue
        if rows.min() < 0 or rows.max() >= n:
            yield f"split '{name}' names rows outside 0 to {n - 1}"
            continue
        if len(np.unique(rows)) != len(rows):
            yield f"split '{name}' names a row twice"
        for other in np.unique(owner[rows]):
            if other >= 0:
                yield (
                    f"splits '{names[other]}' and '{name}' overlap in"
                    f" {int((owner[rows] == other).sum())} row(s)"
                )
        owner[rows] = code
    if (owner < 0).any():
        yield f"{int((owner < 0).sum())} row(s) belong to no split"


def _leaks(name: str, within: np.ndarray, owner: np.ndarray) -> Iterator[str]:
    """Rows inside a held-out region (n,) that are learnt from, and rows of it that lie outside."""
    for code, split in enumerate(("train", "val", "test")):
        leaked = within & (owner == code)
        if leaked.any():
            yield (
                f"{int(leaked.sum())} row(s) of the held-out region '{name}' are in '{split}',"
                f" the first is row {np.flatnonzero(leaked)[0]}"
            )
    stray = ~within & (owner == SPLITS.index(name))
    if stray.any():
        yield f"{int(stray.sum())} row(s) of '{name}' lie outside its region"


def _torn_groups(groups: np.ndarray | None, owner: np.ndarray) -> Iterator[str]:
    """Groups (n,) of which draws are in several of `train`, `val` and `test`, the splits `owner`
    (n,).
    """
    if groups is None:
        return
    inner = np.isin(owner, [SPLITS.index(name) for name in ("train", "val", "test")])
    pairs = np.unique(np.stack([groups[inner], owner[inner]], axis=1), axis=0)
    _, splits_of_group = np.unique(pairs[:, 0], return_counts=True)
    torn = int(np.count_nonzero(splits_of_group > 1))
    if torn:
        yield f"{torn} group(s) of draws with the same dear parameters are in several splits"


def _other_splits(
    data: DataSet,
    world: str,
    theta: np.ndarray,
    regions: dict[str, Region],
    splits: dict[str, np.ndarray],
) -> Iterator[str]:
    """Splits that are not those which the request draws around these regions."""
    request, codes = data.manifest.request, held_out(data.spec(world), regions, theta)
    groups = groups_of(data.spec(world), request.groups.get(world), theta)
    hard = request.hard.get(world, 0)
    codes = codes[: len(codes) - hard]
    drawn = make_splits(world, codes, request.fractions, request.seed, groups, hard)
    if drawn.keys() != splits.keys() or any(
        not np.array_equal(rows, splits[name]) for name, rows in drawn.items()
    ):
        yield "the splits are not those that the request's seed and fractions draw"
