"""Generation: a plan of shards, made by one process or many, resumed where it was left, finished by
the manifest.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from pydantic import ValidationError
from rich.progress import Progress

from emulator.data import card
from emulator.data.claim import claim
from emulator.data.executors import Engine, make_shards, open_engine
from emulator.data.finishing import finish, finish_world, new_manifest
from emulator.data.folders import open_folder
from emulator.data.jobs import Task, marked_run
from emulator.data.layout import group_files
from emulator.data.meter import Line, Meter
from emulator.data.schema import (
    DEFAULT_VERDICTS,
    MIN_DRAWS,
    Fractions,
    Group,
    Manifest,
    Part,
    Request,
    ShardRecord,
    WorldManifest,
    shard_size,
)
from emulator.data.shards import RECORDS, intact, read_record, record_name, write_record
from emulator.data.splits import groups_of, held_out, make_regions, splits_name
from emulator.data.storage import Folder
from emulator.data.store import MANIFEST, DataSet, open_dataset
from emulator.data.verdicts import VERDICTS_FILE, make_verdicts, record_verdicts, verdicts_intact
from emulator.data.wanted import (
    last_horizon,
    to_hand_over,
    trajectory_periods,
    wanted_world,
)
from emulator.errors import DatasetError, ModFileWarning, first_error, unknown_name, warn
from emulator.progress import progress
from emulator.version import __version__
from emulator.worlds import WORLDS, World, is_path
from emulator.worlds.calls import listening


def generate_dataset(
    path: str | Path,
    worlds: Sequence[str | Path | World],
    n_samples: int = 10_000,
    seed: int = 42,
    *,
    samples: Mapping[str, int] | None = None,
    draws_per_group: int = 1,
    hard: Mapping[str, int] | None = None,
    horizon: int | None = None,
    periods: int | None = None,
    verdicts: int = DEFAULT_VERDICTS,
    fractions: Fractions | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    overwrite: bool = False,
    **storage: int,
) -> DataSet:
    """Make a data set, or resume or repair one that the same request began, and return it opened.

    `path` is a folder or an fsspec URL; `worlds` are names, paths, or worlds such as a `Simulator`;
    `horizon` is by default the worlds' own (40 of those that ship), `periods` 200, or none where no
    world simulates; `samples` names worlds that get another number of draws
    than `n_samples`, and it; `draws_per_group` is how many draws in a
    row share what is dear to solve, in worlds that say what that is (`World.dear`), and are in one
    split; `hard` names worlds that get so many further draws for training alone, where their
    responses are large or bend most (`emulator.data.hard`); `verdicts` is how many draws of each
    prior are judged apart, at most (`DataSet.verdicts`); `scheduler` the address of a Dask
    scheduler or a scheduler file, whose workers then make the shards in place of `workers`
    processes; `storage` may set `chunk` and `shard` (rows). Raises `DatasetError` if `path` holds
    another request's data and `overwrite` is not set, if the scheduler does not answer and if
    workers are lost, `UnknownNameError` for a world that does not exist, `EmulatorError` while
    another run writes there.
    """
    engine = open_engine(workers, scheduler)
    opened = [(name, wanted_world(name)) for name in worlds]
    for _, world in opened:
        for note in world.order_notes:
            warn(note, ModFileWarning)
    request = _request(
        opened,
        samples or {},
        n_samples,
        draws_per_group,
        hard=dict(hard or {}),
        seed=seed,
        horizon=last_horizon([world for _, world in opened], horizon),
        periods=trajectory_periods([world for _, world in opened], periods),
        verdicts=verdicts,
        fractions=fractions or Fractions(),
        **storage,
    )
    elsewhere = workers > 1 or scheduler is not None
    given = to_hand_over(request.worlds, scheduler is not None) if elsewhere else {}
    folder = open_folder(path)
    with folder.sole_writer(), engine as working:
        return _generate(folder, request, working, overwrite, given)


def _request(
    opened: Sequence[tuple[str | Path | World, World]],
    samples: Mapping[str, int],
    n_samples: int,
    draws_per_group: int,
    **asked: object,
) -> Request:
    """What is asked for, with all that the worlds and this version add to it."""
    worlds_by_name = {world.spec.name: world for _, world in opened}
    sources = {
        world.spec.name: world.source
        for name, world in opened
        if is_path(name) and world.source is not None
    }
    for name, world in worlds_by_name.items():
        world.require()
        if name in sources and name in WORLDS:
            raise DatasetError(
                f"The world of '{sources[name].file}' has the name of a world of this package,"
                f" '{name}'. Give it another, with `name:` in its mapping."
            )
    for name in samples:
        if name not in worlds_by_name:
            raise unknown_name("world among the exceptions to n_samples", name, worlds_by_name)
    sizes = {name: samples.get(name, n_samples) for name in worlds_by_name}
    fixed = {
        "worlds": tuple(world.spec.name for _, world in opened),
        "specs_sha256": {name: world.spec.sha256 for name, world in worlds_by_name.items()},
        "n_samples": n_samples,
        "samples": {name: n for name, n in samples.items() if n != n_samples},
        "sources": sources,
        "groups": _groups(worlds_by_name, draws_per_group, sizes),
        "settings": {
            name: dict(world.settings) for name, world in worlds_by_name.items() if world.settings
        },
        "regimes": {
            name: world.regimes.counts
            for name, world in worlds_by_name.items()
            if world.regimes is not None
        },
        "made_by": __version__,
    }
    try:
        request = Request.model_validate({**fixed, **asked})
        rows = {
            name: shard_size(
                world.draws_per_task * request.group_size(name), request.shard, request.chunk
            )
            for name, world in worlds_by_name.items()
        }
        return Request.model_validate(
            {
                **fixed,
                **asked,
                "shards": {name: size for name, size in rows.items() if size < request.shard},
            }
        )
    except ValidationError as error:
        raise DatasetError(f"The request cannot be met: {first_error(error)}.") from None


def _groups(worlds: Mapping[str, World], draws: int, sizes: Mapping[str, int]) -> dict[str, Group]:
    """Groups of the worlds that say what is dear in them; sizes: how many draws a world gets.

    Raises `DatasetError` where none does, and where there would be too few groups.
    """
    if draws < 1:
        raise DatasetError(f"draws_per_group is {draws}; expected 1 or more.")
    if draws == 1:
        return {}
    dear = {name: world.dear for name, world in worlds.items() if world.dear}
    if not dear:
        raise DatasetError(
            f"{draws} draws a group were asked for; none of {', '.join(worlds)} says which of its"
            " parameters are dear to solve. Leave out --draws-per-group."
        )
    _check_groups({name: sizes[name] for name in dear}, draws)
    return {
        name: Group(parameters=names, draws=draws, part=_part(worlds[name]))
        for name, names in dear.items()
    }


def _check_groups(sizes: Mapping[str, int], draws: int) -> None:
    """Refuse fewer groups than draws are needed where they come one by one: splits and held-out
    regions take whole groups. Raises `DatasetError`.
    """
    for name, size in sizes.items():
        groups = math.ceil(size / draws)
        if groups < MIN_DRAWS:
            raise DatasetError(
                f"{size:,} draws of '{name}' in groups of {draws} are {groups} groups; expected"
                f" {MIN_DRAWS} groups or more, since splits take whole groups. Ask for"
                f" {MIN_DRAWS * draws:,} draws or more with --n_samples, or for smaller groups with"
                " --draws-per-group."
            )


def _part(world: World) -> Part | None:
    """What is stored of each group, where arrays close the world's dear part."""
    closure = world.closure
    if closure is None:
        return None
    return Part(size=closure.part_size, closure_sha256=closure.sha256)


def _generate(
    folder: Folder,
    request: Request,
    engine: Engine,
    overwrite: bool,
    given: Mapping[str, World | str],
) -> DataSet:
    previous = claim(folder, request, overwrite)
    if previous is not None and _whole(folder, previous):
        folder.remove(RECORDS)
        return open_dataset(folder)
    _reopen(folder, previous)
    _create_groups(folder, request)
    finished = _finished(folder, request)
    todo = [task for task in _tasks(request) if task not in finished]
    with progress() as display, marked_run(folder, request, given) as job:
        meter = Meter(display, request, todo)
        for task, record in make_shards(engine, job, todo, meter.begin, meter.hear):
            finished[task] = record
            meter.finish(task)
        _judge(folder, request, display)
    _finish(folder, request, finished, previous)
    return open_dataset(folder)


def _judge(folder: Folder, request: Request, display: Progress) -> None:
    """Make the verdicts of the worlds that have none that are whole, in this process: a few
    thousand draws a world.
    """
    for name in request.worlds:
        if request.n_verdicts(name) and not verdicts_intact(folder, name):
            line = Line(display, f"{name}, verdicts", request.n_verdicts(name))
            with listening(line.hear):
                make_verdicts(folder, request, name, line.finish)


def _tasks(request: Request) -> list[Task]:
    return [(world, shard) for world in request.worlds for shard in range(request.n_shards(world))]


def _finished(folder: Folder, request: Request) -> dict[Task, ShardRecord]:
    """The shards that are whole: recorded, and with the files that the record describes."""
    there = set(folder.walk(RECORDS))
    recorded = [
        task for task in _tasks(request) if record_name(*task).removeprefix(f"{RECORDS}/") in there
    ]
    records = {task: read_record(folder, *task) for task in recorded}
    return {
        task: record
        for task, record in records.items()
        if record is not None and intact(folder, task[0], record)
    }


def _reopen(folder: Folder, previous: Manifest | None) -> None:
    """Turn a finished data set that is damaged into an unfinished one, whose whole shards are
    kept.
    """
    for name, entry in previous.worlds.items() if previous is not None else ():
        for record in entry.shards:
            write_record(folder, name, record)
        if VERDICTS_FILE in entry.metadata_sha256:
            record_verdicts(folder, name, entry.metadata_sha256[VERDICTS_FILE])
    folder.remove(MANIFEST)


def _create_groups(folder: Folder, request: Request) -> None:
    """Put the metadata and coordinates of every world in place where they are missing or differ."""
    for name in request.worlds:
        world = request.world(name)
        space = world.state_space(world.spec.theta()) if world.has_state_space else None
        for file, content in group_files(world.spec, request, space).items():
            if (
                not folder.exists(f"{name}/{file}")
                or folder.read_bytes(f"{name}/{file}") != content
            ):
                folder.write_bytes(f"{name}/{file}", content)


def _whole(folder: Folder, manifest: Manifest) -> bool:
    """Whether every file of a finished run is there and, where the manifest holds a checksum,
    unaltered.
    """
    for name, entry in manifest.worlds.items():
        expected = {f"{name}/{file}": digest for file, digest in entry.metadata_sha256.items()} | {
            splits_name(name): entry.splits_sha256
        }
        if any(
            not folder.exists(file) or folder.sha256(file) != digest
            for file, digest in expected.items()
        ):
            return False
        if not all(intact(folder, name, record) for record in entry.shards):
            return False
    return all(folder.exists(file) for file in card.files(manifest))


def _finish(
    folder: Folder, request: Request, finished: dict[Task, ShardRecord], previous: Manifest | None
) -> None:
    """Splits, data card and, last of all, the manifest; after a repair that gave the same bytes,
    the manifest of before.
    """
    worlds = {name: _finish_world(folder, request, name, finished) for name in request.worlds}
    same = previous is not None and previous.worlds == worlds
    finish(folder, previous if previous is not None and same else new_manifest(request, worlds))
    folder.remove(RECORDS)


def _finish_world(
    folder: Folder, request: Request, name: str, finished: dict[Task, ShardRecord]
) -> WorldManifest:
    world = request.world(name)
    shards = tuple(finished[name, k] for k in range(request.n_shards(name)))
    regions = make_regions(world, request.fractions)
    theta: Any = zarr.open_group(folder.store(name), mode="r")["theta"]
    rows = [np.asarray(theta[record.start : record.stop]) for record in shards]
    codes = [held_out(world.spec, regions, part) for part in rows]
    return finish_world(
        folder,
        request,
        world.spec,
        regions=regions,
        held_out=np.concatenate(codes)[: request.plain_size(name)],
        groups=groups_of(world.spec, request.groups.get(name), np.concatenate(rows)),
        shards=shards,
        rejections=sum((Counter(record.rejections) for record in shards), Counter[str]()),
    )
