"""Whose folder is this? What generation may write into, resume, or delete."""

from __future__ import annotations

from pydantic import ValidationError

from emulator.data import card
from emulator.data.schema import Manifest, Request
from emulator.data.shards import RECORDS
from emulator.data.storage import Folder
from emulator.data.store import MANIFEST, REQUEST, open_dataset
from emulator.errors import DatasetError

UNTIL = ".until"
"""What an unfinished `emulator generate --until` has drawn so far."""


def claim(folder: Folder, request: Request, overwrite: bool) -> Manifest | None:
    """Make sure that the folder is ours to write into; the manifest of a finished run of the same
    request, if any.

    Raises `DatasetError` for a folder with another request's data (unless `overwrite`) or with
    anybody else's files.
    """
    before = begun(folder)
    if before is not None and overwrite:
        check_nothing_else(folder, before)
        for name in folder.entries():
            folder.remove(name)
        before = None
    if before is not None and before != request:
        now, then = _told(request), _told(before)
        changed = "; ".join(
            f"{key}: there {then[key]}, asked {now[key]}" for key in now if now[key] != then[key]
        )
        raise DatasetError(
            f"{folder} holds data of another request ({changed}). Choose another --output, or pass"
            " --overwrite to delete it."
        )
    if before is None:
        folder.write_json(REQUEST, request.model_dump(mode="json"))
    try:
        previous = open_dataset(folder).manifest
    except DatasetError:
        return None
    complete = all(
        len(previous.worlds[name].shards) == request.n_shards(name) for name in request.worlds
    )
    return previous if previous.request == request and complete else None


def begun(folder: Folder) -> Request | None:
    """The request that a folder was begun with; None for a folder that is not there, or empty.

    Raises `DatasetError` for a file, for a folder with anybody else's files, and for one whose
    draws `emulator generate --until` has not finished.
    """
    if folder.is_file():
        raise DatasetError(f"{folder} is a file; expected a folder for the data set.")
    request = _request(folder)
    if request is None and UNTIL in folder.entries():
        raise DatasetError(
            f"{folder} holds the draws of an `emulator generate --until` that was interrupted. Run"
            " that command again, which goes on with them, or choose another --output."
        )
    if request is None and any(not name.endswith(".partial") for name in folder.entries()):
        raise DatasetError(
            f"{folder} is not empty and is no data set of ours; choose another --output."
        )
    return request


def _told(request: Request) -> dict[str, object]:
    """A request in words short enough for a message."""
    return {
        **request.model_dump(),
        "sources": {
            name: f"{source.file}, {request.specs_sha256[name][:8]}"
            for name, source in request.sources.items()
        },
    }


def _request(folder: Folder) -> Request | None:
    """The request that a folder was begun with; None where there is none."""
    if not folder.exists(REQUEST):
        return None
    try:
        return Request.model_validate_json(folder.read_bytes(REQUEST))
    except ValidationError:
        raise DatasetError(
            f"{folder.at(REQUEST)} is no request of this version. Choose another --output, or"
            " delete the folder yourself if it is an old data set."
        ) from None


def check_nothing_else(folder: Folder, request: Request) -> None:
    """Refuse, before a data set is deleted, a folder that holds anything else."""
    ours = {REQUEST, MANIFEST, RECORDS, UNTIL, card.CARD, card.FIGURES, *request.worlds}
    foreign = [
        name for name in folder.entries() if name not in ours and not name.endswith(".partial")
    ]
    if foreign:
        raise DatasetError(
            f"{folder} also holds {', '.join(foreign)}, which no data set has; nothing was deleted."
            " Move it away, or choose another --output."
        )
