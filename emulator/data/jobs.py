"""A task of generation as it travels: one whole shard, made by any process that sees the same
folder with the same versions.

Tasks are idempotent. A worker on another machine first looks for the mark of the run in the folder,
so that it never writes into a folder of its own that only has the same name.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from emulator import provenance
from emulator.data.schema import Request, ShardRecord
from emulator.data.shards import RECORDS, make_shard
from emulator.data.storage import Folder
from emulator.errors import DatasetError, SimulatorError
from emulator.worlds import World, registry

Task = tuple[str, int]
"""A world's name and the index of a shard."""

DECISIVE = (provenance.DISTRIBUTION, "numpy", "scipy", "zarr")
"""Packages that decide the bytes: every worker must have the versions that the manifest will name.
"""

RUN = ".run"


@dataclass(frozen=True)
class Job:
    """What every task of a run needs to know."""

    folder: Folder
    request: Request
    mark: str
    versions: dict[str, str]
    given: Mapping[str, World | str] = field(default_factory=dict)
    """Worlds that this process has to be told of: themselves, or the place of their file."""


def perform(job: Job, world: str, shard: int) -> ShardRecord:
    """Make a shard in whichever process this is.

    Raises `DatasetError` if this process sees another folder, or has other versions or another
    world than the command.
    """
    try:
        registry.arrive(job.given)
    except SimulatorError as error:
        raise DatasetError(
            f"The worker on {socket.gethostname()}: {error} Every worker has to see the file that"
            " the command names."
        ) from None
    here = provenance.versions()
    different = [
        f"{name} {here.get(name, 'missing')} instead of {version}"
        for name, version in job.versions.items()
        if here.get(name) != version
    ]
    if different or job.request.world(world).spec.sha256 != job.request.specs_sha256[world]:
        what = ", ".join(different) or f"another world '{world}'"
        raise DatasetError(
            f"The worker on {socket.gethostname()} has {what}. Give every worker the environment"
            " that the command runs in."
        )
    if not job.folder.exists(job.mark):
        raise DatasetError(
            f"The worker on {socket.gethostname()} does not see this run in {job.folder}; it wrote"
            " nothing. Choose an --output that every worker sees: a shared file system, or a store"
            " such as s3://bucket/name."
        )
    return make_shard(job.folder, job.request, world, shard)


@contextmanager
def marked_run(
    folder: Folder, request: Request, given: Mapping[str, World | str] | None = None
) -> Iterator[Job]:
    """The job of a run whose mark lies in the folder as long as the run lasts.

    Marks of runs that were killed are removed first: tasks of theirs that are still under way on a
    cluster end.
    """
    for name in folder.entries(RECORDS):
        if name.endswith(RUN):
            folder.remove(f"{RECORDS}/{name}")
    mark = f"{RECORDS}/{secrets.token_hex(8)}{RUN}"
    folder.write_bytes(mark, b"")
    versions = provenance.versions()
    try:
        yield Job(
            folder.absolute(),
            request,
            mark,
            {name: versions[name] for name in DECISIVE if name in versions},
            given or {},
        )
    finally:
        folder.remove(mark)
