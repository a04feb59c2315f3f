"""Whose folder is this? What generation may write into, resume, or delete."""

from __future__ import annotations

import shutil
from pathlib import Path

from pydantic import ValidationError

from emulator.data import card
from emulator.data.schema import Manifest, Request
from emulator.data.shards import RECORDS
from emulator.data.store import MANIFEST, open_dataset
from emulator.errors import DatasetError
from emulator.files import write_json

REQUEST = "request.json"


def claim(root: Path, request: Request, overwrite: bool) -> Manifest | None:
    """Make sure that the folder is ours to write into; the manifest of a finished run of the same request, if any.

    Raises `DatasetError` for a folder with another request's data (unless `overwrite`) or with anybody else's files.
    """
    if root.exists() and not root.is_dir():
        raise DatasetError(f"{root} is a file; expected a folder for the data set.")
    before = _request(root)
    if before is None and root.exists() and any(not file.name.endswith(".partial") for file in root.iterdir()):
        raise DatasetError(f"{root} is not empty and is no data set of ours; choose another --output.")
    if before is not None and overwrite:
        _clear(root, before)
        before = None
    if before is not None and before != request:
        now, then = request.model_dump(), before.model_dump()
        changed = "; ".join(f"{key}: there {then[key]}, asked {now[key]}" for key in now if now[key] != then[key])
        raise DatasetError(f"{root} holds data of another request ({changed}). Choose another --output, or pass --overwrite to delete it.")
    if before is None:
        write_json(root / REQUEST, request.model_dump(mode="json"))
    try:
        previous = open_dataset(root).manifest
    except DatasetError:
        return None
    complete = all(len(previous.worlds[name].shards) == request.n_shards for name in request.worlds)
    return previous if previous.request == request and complete else None


def _request(root: Path) -> Request | None:
    """The request that a folder was begun with; None where there is none."""
    plan = root / REQUEST
    if not plan.exists():
        return None
    try:
        return Request.model_validate_json(plan.read_bytes())
    except ValidationError:
        raise DatasetError(f"{plan} is no request of this version. Choose another --output, or delete the folder yourself if it is an old data set.") from None


def _clear(root: Path, request: Request) -> None:
    """Delete a data set, and only that: a folder that holds anything else is refused as it is."""
    ours = {REQUEST, MANIFEST, RECORDS, card.CARD, card.FIGURES, *request.worlds}
    found = sorted(root.iterdir())
    foreign = [entry.name for entry in found if entry.name not in ours and not entry.name.endswith(".partial")]
    if foreign:
        raise DatasetError(f"{root} also holds {', '.join(foreign)}, which no data set has; nothing was deleted. Move it away, or choose another --output.")
    for entry in found:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
