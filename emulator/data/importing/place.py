"""Where an imported data set comes to lie: made aside, then put in its place."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulator.data.claim import begun, check_nothing_else
from emulator.data.folders import open_folder
from emulator.data.storage import Folder, LocalFolder
from emulator.data.store import MANIFEST, REQUEST
from emulator.errors import DatasetError
from emulator.files import resolved
from emulator.progress import progress

ASIDE, OLDER = ".import.partial", "older"
"""Names of the folder that is written, and of an older data set on its way out."""


def the_place(output: str | Path | Folder) -> Folder:
    """The folder of a data set, on this machine or behind an fsspec URL such as s3://bucket/name.

    Raises as `open_folder` does, and `EmulatorError` for links that lead in a circle.
    """
    folder = open_folder(output)
    return LocalFolder(resolved(folder.place)) if isinstance(folder, LocalFolder) else folder


def check_free(place: Folder, overwrite: bool) -> None:
    """Refuse a folder that holds what is not ours, or a data set that nobody asked to replace.

    What an import left half-written in an object store is replaced. Raises `DatasetError`.
    """
    if isinstance(place, LocalFolder):
        _sweep(place.place)
    request = begun(place)
    if request is None:
        return
    check_nothing_else(place, request)
    unfinished = bool(request.imported) and not place.exists(MANIFEST)
    if not (overwrite or unfinished):
        raise DatasetError(
            f"{place} holds a data set already. Choose another --output, or pass --overwrite to"
            " replace it."
        )


@contextmanager
def scratch(place: Folder) -> Iterator[Path]:
    """A folder of this machine for what is written aside, removed in the end: beside the place
    where that is on this machine, so that a rename does the rest.
    """
    if not isinstance(place, LocalFolder):
        with tempfile.TemporaryDirectory() as aside:
            yield Path(aside)
        return
    beside = place.place
    prefix = f".{beside.name}."
    with tempfile.TemporaryDirectory(dir=beside.parent, prefix=prefix, suffix=ASIDE) as aside:
        yield Path(aside)


def put(aside: LocalFolder, place: Folder) -> None:
    """Put a finished data set in its place, where an older one is replaced."""
    if isinstance(place, LocalFolder):
        _rename(aside.place, place.place)
    else:
        _copy(aside, place)


def _copy(aside: LocalFolder, place: Folder) -> None:
    """File by file, the request first and the manifest last: what is torn on the way is no data
    set, and the next import replaces it.
    """
    for name in sorted(place.entries(), key=lambda name: name != MANIFEST):
        place.remove(name)
    names = sorted(aside.walk(""), key=lambda name: (name == MANIFEST, name != REQUEST, name))
    with progress() as display:
        bar = display.add_task(str(place), total=len(names), unit="files", note="")
        for name in names:
            place.write_bytes(name, aside.read_bytes(name))
            display.advance(bar)


def _sweep(place: Path) -> None:
    """Remove what a killed import left beside the place."""
    for leftover in place.parent.glob(f".{glob.escape(place.name)}.*{ASIDE}"):
        if (leftover / OLDER).exists() and not place.exists():  # killed between two renames
            os.rename(leftover / OLDER, place)
        shutil.rmtree(leftover, ignore_errors=True)


def _rename(finished: Path, place: Path) -> None:
    """Move a finished folder into its place; an older one goes aside first."""
    os.chmod(finished, 0o777 & ~_umask())
    older = finished.with_name(OLDER)
    if place.exists():
        os.rename(place, older)
    try:
        os.rename(finished, place)
    except OSError:
        if older.exists():
            os.rename(older, place)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
