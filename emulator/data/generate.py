"""Generation: a plan of shards, made by one process or many, resumed where it was left, finished by the manifest."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import zarr
from pydantic import ValidationError
from rich.progress import Progress

from emulator import provenance
from emulator.console import progress
from emulator.data import card
from emulator.data.claim import claim
from emulator.data.schema import SPLITS, Fractions, Manifest, Request, ShardRecord, WorldManifest, create_group
from emulator.data.shards import RECORDS, intact, make_shard, read_record, record_path
from emulator.data.splits import make_regions, make_splits
from emulator.data.store import MANIFEST, DataSet, open_dataset
from emulator.errors import DatasetError, first_error
from emulator.files import sha256_file, sole_writer, sweep, write_bytes, write_json
from emulator.spec import DEFAULT_HORIZON
from emulator.worlds import LinearWorld, get_world

Task = tuple[str, int]


def generate_dataset(
    path: str | Path,
    worlds: Sequence[str],
    n_samples: int = 10_000,
    seed: int = 42,
    *,
    horizon: int = DEFAULT_HORIZON,
    periods: int = 200,
    fractions: Fractions | None = None,
    workers: int = 1,
    overwrite: bool = False,
    **storage: int,
) -> DataSet:
    """Make a data set, or resume or repair one that the same request began, and return it opened.

    `storage` may set `chunk` and `shard` (rows). Raises `DatasetError` if `path` holds another request's data and
    `overwrite` is not set, `UnknownNameError` for a world that does not exist, `EmulatorError` while another process
    writes there.
    """
    if workers < 1:
        raise DatasetError(f"--workers is {workers}; expected 1 or more.")
    try:
        request = Request(
            worlds=tuple(worlds), specs_sha256={name: get_world(name).spec.sha256 for name in worlds}, n_samples=n_samples, seed=seed, horizon=horizon, periods=periods,
            fractions=fractions or Fractions(), made_by=provenance.package_version(), **storage,  # type: ignore[arg-type]
        )  # fmt: skip
    except ValidationError as error:
        raise DatasetError(f"The request cannot be met: {first_error(error)}.") from None
    root = Path(path)
    with sole_writer(root):
        return _generate(root, request, workers, overwrite)


def _generate(root: Path, request: Request, workers: int, overwrite: bool) -> DataSet:
    previous = claim(root, request, overwrite)
    if previous is not None and _whole(root, previous):
        shutil.rmtree(root / RECORDS, ignore_errors=True)
        return open_dataset(root)
    _reopen(root, previous)
    _create_groups(root, request)
    finished = {task: record for task in _tasks(request) if (record := read_record(root, *task)) is not None and intact(root, task[0], record)}
    todo = [task for task in _tasks(request) if task not in finished]
    with progress() as display:
        for record_task, record in _execute(root, request, todo, workers, display):
            finished[record_task] = record
    _finish(root, request, finished, previous)
    return open_dataset(root)


def _tasks(request: Request) -> Iterator[Task]:
    return ((world, shard) for world in request.worlds for shard in range(request.n_shards))


def _reopen(root: Path, previous: Manifest | None) -> None:
    """Turn a finished data set that is damaged into an unfinished one, whose whole shards are kept."""
    for name, entry in previous.worlds.items() if previous is not None else ():
        for record in entry.shards:
            write_json(record_path(root, name, record.index), record.model_dump())
    (root / MANIFEST).unlink(missing_ok=True)


def _create_groups(root: Path, request: Request) -> None:
    """The metadata and coordinates of every world, built aside; files that are missing or differ are put in place."""
    for name in request.worlds:
        aside, group = root / RECORDS / f"{name}.new", root / name
        shutil.rmtree(aside, ignore_errors=True)
        world = get_world(name)
        space = world.state_space(world.spec.theta()) if isinstance(world, LinearWorld) else None
        create_group(aside, world.spec, request, space)
        if not group.exists():
            aside.rename(group)
            continue
        for file in (file for file in aside.rglob("*") if file.is_file()):
            target, content = group / file.relative_to(aside), file.read_bytes()
            if not target.exists() or target.read_bytes() != content:
                write_bytes(target, content)
        shutil.rmtree(aside)


def _whole(root: Path, manifest: Manifest) -> bool:
    """Whether every file of a finished run is there and, where the manifest holds a checksum, unaltered."""
    for name, entry in manifest.worlds.items():
        files = {**entry.metadata_sha256, "splits.json": entry.splits_sha256}
        if any(not (root / name / file).exists() or sha256_file(root / name / file) != found for file, found in files.items()):
            return False
        if not all(intact(root, name, record) for record in entry.shards):
            return False
    return all(file.exists() for file in card.files(root, manifest))


def _execute(
    root: Path, request: Request, todo: list[Task], workers: int, display: Progress
) -> Iterator[tuple[Task, ShardRecord]]:
    """Make the shards, one process or many; the bytes do not depend on which."""

    def rows(task: Task) -> int:
        start, stop = request.rows(task[1])
        return stop - start

    total = request.n_samples * len(request.worlds)
    bar = display.add_task("solving", total=total, completed=total - sum(map(rows, todo)), unit="draws", note="")

    def report(results: Iterable[tuple[Task, ShardRecord]]) -> Iterator[tuple[Task, ShardRecord]]:
        for task, record in results:
            display.update(bar, advance=rows(task), note=f"{task[0]}, shard {task[1]}")
            yield task, record

    if workers == 1:
        yield from report((task, make_shard(root, request, *task)) for task in todo)
        return
    context = multiprocessing.get_context("spawn")  # fork is unsafe once zarr's event loop or BLAS threads run
    with ProcessPoolExecutor(min(workers, max(len(todo), 1)), mp_context=context, initializer=_end_with_parent) as pool:
        futures = {pool.submit(make_shard, root, request, *task): task for task in todo}
        try:
            yield from report((futures[future], future.result()) for future in as_completed(futures))
        except BrokenProcessPool:
            raise DatasetError("A worker process was killed. Finished shards are kept: run the same command again to resume.") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Let a worker die when its parent is killed: it must not write beside the run that resumes."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _finish(root: Path, request: Request, finished: dict[Task, ShardRecord], previous: Manifest | None) -> None:
    """Splits, data card and, last of all, the manifest; after a repair that gave the same bytes, the manifest of before."""
    worlds = {name: _finish_world(root, request, name, finished) for name in request.worlds}
    if previous is not None and previous.worlds == worlds:
        manifest = previous
    else:
        manifest = Manifest(request=request, worlds=worlds, versions=provenance.versions(), commit=provenance.commit())
    card.write(root, manifest)
    sweep(root)
    write_json(root / MANIFEST, manifest.dump())
    shutil.rmtree(root / RECORDS, ignore_errors=True)


def _finish_world(root: Path, request: Request, name: str, finished: dict[Task, ShardRecord]) -> WorldManifest:
    spec = get_world(name).spec
    shards = tuple(finished[name, k] for k in range(request.n_shards))
    theta = np.asarray(zarr.open_group(root / name, mode="r")["theta"][:])  # type: ignore[index]
    regions = make_regions(spec, request.fractions)
    splits = make_splits(spec, regions, theta, request.fractions, request.seed)
    write_json(root / name / "splits.json", {split: splits[split].tolist() for split in SPLITS})
    rejections = sum((Counter(record.rejections) for record in shards), Counter[str]())
    beside = sorted(p for p in (root / name).rglob("*") if p.is_file() and p.name != "splits.json" and p.suffix != ".partial" and not _is_shard(root / name, p, shards))
    return WorldManifest(
        spec=spec,
        rejections=dict(sorted(rejections.items())),
        regions=regions,
        shards=shards,
        metadata_sha256={p.relative_to(root / name).as_posix(): sha256_file(p) for p in beside},
        splits_sha256=sha256_file(root / name / "splits.json"),
    )


def _is_shard(group: Path, file: Path, shards: tuple[ShardRecord, ...]) -> bool:
    parts = file.relative_to(group).parts
    return len(parts) > 1 and parts[0] in shards[0].sha256 and parts[1] == "c"
