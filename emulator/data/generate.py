"""Generation: a plan of shards, made by one process or many, resumed where it was left, finished by the manifest."""

from __future__ import annotations

import multiprocessing
import shutil
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
from emulator.data.schema import SPLITS, Fractions, Manifest, Request, ShardRecord, WorldManifest, create_group
from emulator.data.shards import RECORDS, intact, make_shard, read_record
from emulator.data.splits import make_regions, make_splits
from emulator.data.store import MANIFEST, DataSet, open_dataset
from emulator.errors import DatasetError
from emulator.files import sha256_file, write_json
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
    `overwrite` is not set, `UnknownNameError` for a world that does not exist.
    """
    for name in worlds:
        get_world(name)
    try:
        request = Request(
            worlds=tuple(worlds), n_samples=n_samples, seed=seed, horizon=horizon, periods=periods,
            fractions=fractions or Fractions(), made_by=provenance.package_version(), **storage,
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        raise DatasetError(f"The request cannot be met: {'.'.join(map(str, first['loc']))}: {first['msg']} (found {first['input']!r}).") from None
    root = Path(path)
    previous = _claim(root, request, overwrite)
    _create_groups(root, request)
    finished = {task: record for task in _tasks(request) if (record := _finished(root, task, previous)) is not None}
    if previous is not None and len(finished) == len(request.worlds) * request.n_shards and _whole(root, previous):
        return open_dataset(root)
    (root / MANIFEST).unlink(missing_ok=True)
    todo = [task for task in _tasks(request) if task not in finished]
    with progress() as display:
        for record_task, record in _execute(root, request, todo, workers, display, done=len(finished)):
            finished[record_task] = record
    _finish(root, request, finished)
    return open_dataset(root)


def _tasks(request: Request) -> Iterator[Task]:
    return ((world, shard) for world in request.worlds for shard in range(request.n_shards))


def _claim(root: Path, request: Request, overwrite: bool) -> Manifest | None:
    """Make sure that the folder is ours to write into; the manifest of a finished run of the same request, if any."""
    plan = root / "request.json"
    if root.exists() and not root.is_dir():
        raise DatasetError(f"{root} is a file; expected a folder for the data set.")
    if plan.exists() and overwrite:
        shutil.rmtree(root)
    elif plan.exists():
        try:
            before = Request.model_validate_json(plan.read_bytes())
        except ValidationError:
            raise DatasetError(f"{plan} cannot be read as a request. Choose another --output, or pass --overwrite to delete this one.") from None
        if before != request:
            now, then = request.model_dump(), before.model_dump()
            changed = "; ".join(f"{key}: there {then[key]}, asked {now[key]}" for key in now if now[key] != then[key])
            raise DatasetError(f"{root} holds data of another request ({changed}). Choose another --output, or pass --overwrite to delete it.")
    elif root.exists() and any(root.iterdir()):
        raise DatasetError(f"{root} is not empty and is no data set of ours; choose another --output.")
    write_json(plan, request.model_dump(mode="json"))
    try:
        return open_dataset(root).manifest
    except DatasetError:
        return None


def _create_groups(root: Path, request: Request) -> None:
    """Empty groups for the worlds that have none yet, built aside so that a group is whole or not there."""
    for name in request.worlds:
        try:
            zarr.open_group(root / name, mode="r")
            continue
        except (FileNotFoundError, ValueError):
            world = get_world(name)
            space = world.state_space(world.spec.theta()) if isinstance(world, LinearWorld) else None
            aside = root / RECORDS / f"{name}.new"
            shutil.rmtree(aside, ignore_errors=True)
            shutil.rmtree(root / name, ignore_errors=True)
            create_group(aside, world.spec, request, space)
            aside.rename(root / name)


def _finished(root: Path, task: Task, previous: Manifest | None) -> ShardRecord | None:
    """The record of a shard whose files are whole, from the run before or from a finished manifest."""
    world, shard = task
    record = previous.worlds[world].shards[shard] if previous else read_record(root, world, shard)
    return record if record is not None and intact(root, world, record) else None


def _whole(root: Path, manifest: Manifest) -> bool:
    """Whether the files of a finished run beside its shards are as the manifest says."""
    for name, entry in manifest.worlds.items():
        files = {**entry.metadata_sha256, "splits.json": entry.splits_sha256}
        if any(not (root / name / file).exists() or sha256_file(root / name / file) != found for file, found in files.items()):
            raise DatasetError(f"{root / name}: metadata or splits were altered; `emulator validate` says which. Pass --overwrite to make the data set anew.")
    return True


def _execute(
    root: Path, request: Request, todo: list[Task], workers: int, display: Progress, done: int
) -> Iterator[tuple[Task, ShardRecord]]:
    """Make the shards, one process or many; the bytes do not depend on which."""
    if workers < 1:
        raise DatasetError(f"--workers is {workers}; expected 1 or more.")
    bar = display.add_task("solving", total=(done + len(todo)) * request.shard, completed=done * request.shard, unit="draws", note="")

    def report(results: Iterable[tuple[Task, ShardRecord]]) -> Iterator[tuple[Task, ShardRecord]]:
        for task, record in results:
            display.update(bar, advance=request.shard, note=f"{task[0]}, shard {task[1]}")
            yield task, record

    if workers == 1:
        yield from report((task, make_shard(root, request, *task)) for task in todo)
        return
    context = multiprocessing.get_context("spawn")  # fork is unsafe once zarr's event loop or BLAS threads run
    with ProcessPoolExecutor(min(workers, max(len(todo), 1)), mp_context=context) as pool:
        futures = {pool.submit(make_shard, root, request, *task): task for task in todo}
        try:
            yield from report((futures[future], future.result()) for future in as_completed(futures))
        except BrokenProcessPool:
            raise DatasetError("A worker process was killed. Finished shards are kept: run the same command again to resume.") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _finish(root: Path, request: Request, finished: dict[Task, ShardRecord]) -> None:
    """Splits, data card and, last of all, the manifest."""
    worlds = {name: _finish_world(root, request, name, finished) for name in request.worlds}
    manifest = Manifest(request=request, worlds=worlds, versions=provenance.versions(), commit=provenance.commit())
    card.write(root, manifest)
    write_json(root / MANIFEST, manifest.model_dump(mode="json"))
    shutil.rmtree(root / RECORDS, ignore_errors=True)


def _finish_world(root: Path, request: Request, name: str, finished: dict[Task, ShardRecord]) -> WorldManifest:
    spec = get_world(name).spec
    shards = tuple(finished[name, k] for k in range(request.n_shards))
    theta = np.asarray(zarr.open_group(root / name, mode="r")["theta"][:])  # type: ignore[index]
    regions = make_regions(spec, request.fractions)
    splits = make_splits(spec, regions, theta, request.fractions, request.seed)
    write_json(root / name / "splits.json", {split: splits[split].tolist() for split in SPLITS})
    for leftover in (root / name).rglob("*.partial"):
        leftover.unlink()
    rejections = sum((Counter(record.rejections) for record in shards), Counter[str]())
    beside = sorted(p for p in (root / name).rglob("*") if p.is_file() and p.name != "splits.json" and not _is_shard(root / name, p, shards))
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
