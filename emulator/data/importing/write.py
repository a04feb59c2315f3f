"""Given draws, written aside as a whole data set and then put in its place."""

from __future__ import annotations

import glob
import io
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import zarr
from pydantic import ValidationError

from emulator.data.claim import begun, check_nothing_else
from emulator.data.finishing import finish, finish_world, new_manifest
from emulator.data.importing.checks import Survey, survey
from emulator.data.importing.given import BLOCK_BYTES, Given, blocks
from emulator.data.importing.spec import Choices, spec_of
from emulator.data.layout import group_files
from emulator.data.schema import (
    DEFAULT_VERDICTS,
    Fractions,
    Group,
    Imported,
    Request,
    ShardRecord,
)
from emulator.data.shards import checksums
from emulator.data.splits import groups_of, held_out, regions_of_draws
from emulator.data.storage import LocalFolder
from emulator.data.store import REQUEST, DataSet, open_dataset
from emulator.data.streams import stream
from emulator.data.verdicts import verdicts_name
from emulator.errors import DatasetError, first_error
from emulator.files import resolved, sole_writer
from emulator.progress import progress
from emulator.spec import Status, WorldSpec
from emulator.version import __version__

ROWS = 2048
"""Rows of a shard, and 512 of a chunk, where responses are not so large that fewer fill a block."""
CHUNK = 512
ASIDE, OLDER = ".import.partial", "older"
"""Names of the folder that is written, and of an older data set on its way out."""


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
    spec: WorldSpec | None = None
    """Of a world that is here, whose own draws they are; by default it is made of the draws."""


def write_dataset(output: str | Path, plan: Plan, read: Callable[[Path], Given]) -> DataSet:
    """Make the data set of the draws that `read` gives, which may keep files of its own in the
    folder it is called with.

    The folder appears whole or not at all, and an older one is replaced at once. Raises
    `DatasetError` where it holds something else, or something and `overwrite` is not set, and for
    draws that make no data set.
    """
    place = _place(output)
    with sole_writer(place):
        _sweep(place)
        check_free(place, plan.overwrite)
        with _aside(place) as aside:
            given = read(aside)
            _fill(LocalFolder(aside / "data"), plan, given)
            _put(aside / "data", place)
    return open_dataset(output)


def _place(output: str | Path) -> Path:
    if "://" in str(output):
        raise DatasetError(
            f"--output is {output}; draws are imported into a folder of this machine, which may"
            " then be copied."
        )
    return resolved(Path(output))


def check_free(output: str | Path, overwrite: bool) -> None:
    """Refuse a folder that holds what is not ours, or a data set that nobody asked to replace.

    Raises `DatasetError`.
    """
    place = _place(output)
    folder = LocalFolder(place)
    request = begun(folder)
    if request is None:
        return
    check_nothing_else(folder, request)
    if not overwrite:
        raise DatasetError(
            f"{place} holds a data set already. Choose another --output, or pass --overwrite to"
            " replace it."
        )


@contextmanager
def _aside(place: Path) -> Iterator[Path]:
    """A folder beside the place, removed in the end."""
    prefix = f".{place.name}."
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=prefix, suffix=ASIDE) as aside:
        yield Path(aside)


def _sweep(place: Path) -> None:
    """Remove what a killed import left beside the place."""
    for leftover in place.parent.glob(f".{glob.escape(place.name)}.*{ASIDE}"):
        if (leftover / OLDER).exists() and not place.exists():  # killed between two renames
            os.rename(leftover / OLDER, place)
        shutil.rmtree(leftover, ignore_errors=True)


def _put(made: Path, place: Path) -> None:
    """Move a finished folder into its place; an older one goes aside first."""
    os.chmod(made, 0o777 & ~_umask())
    older = made.with_name(OLDER)
    if place.exists():
        os.rename(place, older)
    try:
        os.rename(made, place)
    except OSError:
        if older.exists():
            os.rename(older, place)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _fill(folder: LocalFolder, plan: Plan, given: Given) -> None:
    """Everything of a data set but its place."""
    outcome = survey(given, drop_duplicates=plan.drop_duplicates)
    spec = plan.spec or spec_of(plan.name, given, outcome, plan.choices)
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
            imported={
                spec.name: Imported(
                    origin=given.origin,
                    sha256=given.sha256,
                    draws=int((~outcome.doubled).sum()),
                    failed=failed,
                )
            },
            groups=_groups(plan, spec, outcome.theta[outcome.usable]),
            fractions=plan.fractions,
            made_by=__version__,
        )
    except ValidationError as error:
        raise DatasetError(f"The draws cannot be imported: {first_error(error)}.") from None


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
