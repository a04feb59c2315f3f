"""Verdicts: draws of the prior before any is refused, each with its status, from which to learn
where solutions exist.

The rows of a data set all have a solution; nothing about the others can be learnt from them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import numpy as np

from emulator.data.schema import Request
from emulator.data.shards import RECORDS
from emulator.data.storage import Folder
from emulator.data.streams import stream
from emulator.errors import DatasetError

VERDICTS_FILE = "verdicts.npz"


def verdicts_name(world: str) -> str:
    return f"{world}/{VERDICTS_FILE}"


def propose(request: Request, world: str) -> np.ndarray:
    """The draws of the prior (m, P) that are judged, float32, in a stream that no stored row
    shares; each in its parameter's unit.
    """
    return (
        request.world(world)
        .propose(request.n_verdicts(world), stream(request.seed, world, "verdicts"))
        .astype(np.float32)
    )


def make_verdicts(
    folder: Folder, request: Request, world: str, judged: Callable[[int], None]
) -> None:
    """Draw, judge and write the verdicts of a world, then their record; `judged` hears how many
    draws were judged since it last did.

    Safe to repeat: the same bytes come out each time.
    """
    theta, rows = propose(request, world), request.shard_rows(world)
    status = np.empty(len(theta), dtype=np.uint8)
    for start in range(0, len(theta), rows):  # as many at a time as a task of the world solves
        part = slice(start, start + rows)
        status[part] = request.world(world).status(theta[part].astype(np.float64))
        judged(len(status[part]))
    content = io.BytesIO()
    np.savez(content, theta=theta, status=status)
    folder.write_bytes(verdicts_name(world), content.getvalue())
    record_verdicts(folder, world, folder.sha256(verdicts_name(world)))


def read_verdicts(folder: Folder, world: str) -> tuple[np.ndarray, np.ndarray]:
    """theta (m, P) float32, each in its parameter's unit, and status (m,) uint8 as a world's file
    holds them.

    Raises `DatasetError` if the file is missing or is no such file.
    """
    place = folder.at(verdicts_name(world))
    try:
        with np.load(
            io.BytesIO(folder.read_bytes(verdicts_name(world))), allow_pickle=False
        ) as archive:
            return archive["theta"], archive["status"]
    except FileNotFoundError:
        raise DatasetError(
            f"{place} is missing. Run the generate command again: it remakes damaged files."
        ) from None
    except (ValueError, KeyError, AttributeError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise DatasetError(
            f"{place} is no file of verdicts ({error}); expected the NumPy arrays theta and status."
            " Run the generate command again."
        ) from None


def _record(world: str) -> str:
    return f"{RECORDS}/{world}/verdicts.sha256"


def record_verdicts(folder: Folder, world: str, sha256: str) -> None:
    """Say that the verdicts of a world are whole, and what their file's SHA-256 is."""
    folder.write_bytes(_record(world), sha256.encode("ascii"))


def verdicts_intact(folder: Folder, world: str) -> bool:
    """Whether a world's verdicts are recorded and are those that the record describes."""
    if not (folder.exists(_record(world)) and folder.exists(verdicts_name(world))):
        return False
    return folder.read_bytes(_record(world)) == folder.sha256(verdicts_name(world)).encode("ascii")
