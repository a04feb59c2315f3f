"""Given draws, written aside as a whole data set and then put in its place."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from pydantic import ValidationError

from emulator.data.finishing import finish, finish_world, new_manifest
from emulator.data.importing.checks import Survey, survey
from emulator.data.importing.given import BLOCK_BYTES, Given, blocks
from emulator.data.importing.place import check_free, put, scratch, the_place
from emulator.data.importing.spec import Choices, spec_of
from emulator.data.layout import group_files
from emulator.data.schema import (
    DEFAULT_VERDICTS,
    Fractions,
    Group,
    Imported,
    Request,
    ShardRecord,
    Until,
)
from emulator.data.shards import checksums
from emulator.data.splits import groups_of, held_out, regions_of_draws
from emulator.data.storage import Folder, LocalFolder
from emulator.data.store import REQUEST, DataSet, open_dataset
from emulator.data.streams import stream
from emulator.data.verdicts import verdicts_name
from emulator.errors import DatasetError, first_error
from emulator.progress import progress
from emulator.spec import Status, WorldSpec
from emulator.version import __version__
from emulator.worlds import Source, World

ROWS = 2048
"""Rows of a shard, and 512 of a chunk, where responses are not so large that fewer fill a block."""
CHUNK = 512


@dataclass(frozen=True)
class SolvedHere:
    """The world whose own solver solved the draws, and how they came about.

    source: its texts, where it is named by the path of a `.mod` file.
    """

    world: World
    until: Until
    source: Source | None = None


@dataclass(frozen=True)
class Plan:
    """How given draws become a data set."""

    name: str
    seed: int = 42
    fractions: Fractions = field(default_factory=Fractions)
    drop_duplicates: bool = False
    together: tuple[str, ...] = ()
    """Parameters whose draws of the same values are kept in one split."""
    overwrite: bool = False
    choices: Choices = field(default_factory=Choices)
    solved_here: SolvedHere | None = None


def write_dataset(output: str | Path, plan: Plan, read: Callable[[Path], Given]) -> DataSet:
    """Make the data set of the draws that `read` gives, which may keep files of its own in the
    folder it is called with.

    On this machine the folder appears whole or not at all, and an older one is replaced at once; in
    an object store the manifest comes last, without which there is no data set. Raises
    `DatasetError` where it holds something else, or something and `overwrite` is not set, and for
    draws that make no data set.
    """
    place = the_place(output)
    with place.sole_writer():
        check_free(place, plan.overwrite)
        return put_dataset(place, plan, read)


def put_dataset(place: Folder, plan: Plan, read: Callable[[Path], Given]) -> DataSet:
    """The same in a place that this process holds, and that may be replaced."""
    with scratch(place) as aside:
        given = read(aside)
        _fill(LocalFolder(aside / "data"), plan, given)
        put(LocalFolder(aside / "data"), place)
    return open_dataset(place)


def _fill(folder: LocalFolder, plan: Plan, given: Given) -> None:
    """Everything of a data set but its place."""
    outcome = survey(given, drop_duplicates=plan.drop_duplicates)
    here = plan.solved_here
    spec = here.world.spec if here else spec_of(plan.name, given, outcome, plan.choices)
    request = _request(plan, given, outcome, spec)
    folder.write_json(REQUEST, request.model_dump(mode="json"))
    for file, content in group_files(spec, request, None).items():
        folder.write_bytes(f"{spec.name}/{file}", content)
    shards = tuple(_shards(folder, request, spec, given, outcome))
    if request.n_verdicts(spec.name):
        _write_verdicts(folder, request, spec.name, outcome)
    theta = outcome.theta[outcome.usable]
    regions = regions_of_draws(spec, theta, request.fractions)
    reasons = Counter(Status(code).label for code in outcome.status[outcome.failed])
    world = finish_world(
        folder,
        request,
        spec,
        regions=regions,
        held_out=held_out(spec, regions, theta),
        groups=groups_of(spec, request.groups.get(spec.name), theta),
        shards=shards,
        rejections=reasons,
    )
    finish(folder, new_manifest(request, {spec.name: world}))


def _request(plan: Plan, given: Given, outcome: Survey, spec: WorldSpec) -> Request:
    _, n_shocks, periods, n_observables = given.responses.shape
    if periods < 2:
        raise DatasetError(
            "The responses have one horizon; expected the impact period (horizon 0) and at least"
            " one more."
        )
    rows = max(1, min(ROWS, BLOCK_BYTES // (4 * n_shocks * periods * n_observables)))
    chunk = min(CHUNK, rows)
    failed = int(outcome.failed.sum())
    draws = int((~outcome.doubled).sum())
    try:
        return Request(
            worlds=(spec.name,),
            specs_sha256={spec.name: spec.sha256},
            n_samples=int(outcome.usable.sum()),
            seed=plan.seed,
            horizon=periods - 1,
            periods=0,
            chunk=chunk,
            shard=rows - rows % chunk,
            verdicts=DEFAULT_VERDICTS if failed else 0,
            **_origin(plan, given, spec.name, draws, failed),
            groups=_groups(plan, spec, outcome.theta[outcome.usable]),
            fractions=plan.fractions,
            made_by=__version__,
        )
    except ValidationError as error:
        raise DatasetError(f"The draws cannot be imported: {first_error(error)}.") from None


def _origin(plan: Plan, given: Given, name: str, draws: int, failed: int) -> dict[str, Any]:
    """The fields of a request that say where the draws come from."""
    here = plan.solved_here
    if here is None:
        origin = Imported(origin=given.origin, sha256=given.sha256, draws=draws, failed=failed)
        return {"imported": {name: origin}}
    until = here.until.model_copy(update={"draws": draws, "failed": failed})
    sources = {} if here.source is None else {name: here.source}
    return {"until": {name: until}, "sources": sources}


def _groups(plan: Plan, spec: WorldSpec, theta: np.ndarray) -> dict[str, Group]:
    """The draws that are kept together, where some are. Raises `DatasetError`, `UnknownNameError`
    for parameters of which no two draws have the same values, or that there are not.
    """
    if not plan.together:
        return {}
    columns = theta[:, [spec.index(name) for name in plan.together]]
    largest = int(np.unique(columns, axis=0, return_counts=True)[1].max())
    if largest < 2:
        raise DatasetError(
            f"No two draws have the same {', '.join(plan.together)}, so that none are kept"
            " together. Leave --together out, or name other parameters."
        )
    return {spec.name: Group(parameters=plan.together, draws=largest)}


def _shards(
    folder: LocalFolder, request: Request, spec: WorldSpec, given: Given, outcome: Survey
) -> Iterator[ShardRecord]:
    """Write the draws with responses, shard by shard, as they come."""
    name, theta = spec.name, outcome.theta[outcome.usable]
    group = zarr.open_group(folder.store(name, read_only=False), mode="r+")
    with progress() as display:
        bar = display.add_task(name, total=len(theta), unit="draws", note="writing")
        for index, irf in enumerate(_in_shards(given, outcome.usable, request.shard)):
            start, stop = request.rows(name, index)
            arrays = {
                "theta": theta[start:stop],
                "irfs": irf,
                "status": np.full(stop - start, Status.OK, dtype=np.uint8),
            }
            for array, values in arrays.items():
                group[array][start:stop] = values  # type: ignore[index]
            display.advance(bar, stop - start)
            yield ShardRecord(
                index=index,
                start=start,
                stop=stop,
                rejections={},
                sha256=checksums(folder, name, sorted(arrays), index),
            )


def _in_shards(given: Given, usable: np.ndarray, rows: int) -> Iterator[np.ndarray]:
    """The responses of the usable draws, so many at a time; fewer in the end."""
    waiting: list[np.ndarray] = []
    n_waiting = 0
    for start, stop, irf in blocks(given.responses):
        part = irf[usable[start:stop]]
        while len(part):
            taken = part[: rows - n_waiting]
            waiting.append(taken)
            n_waiting += len(taken)
            part = part[len(taken) :]
            if n_waiting == rows:
                yield np.concatenate(waiting)
                waiting, n_waiting = [], 0
    if waiting:
        yield np.concatenate(waiting)


def _write_verdicts(folder: LocalFolder, request: Request, name: str, outcome: Survey) -> None:
    """Draws with and without a solution, in an order that the seed draws: of many a part of each
    kind, as many as their shares.
    """
    rows = stream(request.seed, name, "verdicts").permutation(np.flatnonzero(~outcome.doubled))
    rows = rows[: request.n_verdicts(name)]
    content = io.BytesIO()
    np.savez(content, theta=outcome.theta[rows], status=outcome.status[rows])
    folder.write_bytes(verdicts_name(name), content.getvalue())
