"""Files that are whole or not there: written aside, flushed to disk, renamed; their SHA-256; one
writer a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from emulator.errors import EmulatorError


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file at once: readers see the old content or the new, never a part.

    Raises `OSError` and leaves the old.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o666 & ~_umask())
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _umask() -> int:
    """What the user keeps others from; `mkstemp` is stricter than an ordinary file."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the platform allows it."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of UTF-8 text."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, content: Any) -> None:
    """`write_bytes` of JSON with sorted keys; NaN is refused, since other readers of JSON refuse
    it.
    """
    write_bytes(path, json_bytes(content))


def json_bytes(content: Any) -> bytes:
    """JSON as every file of ours holds it: sorted keys, a line an entry. NaN raises
    `ValueError`.
    """
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode("utf-8")


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes of ours, by a lock file beside it that the system frees
    if we are killed.

    Raises `EmulatorError` if another process holds it, or if nothing can be written there.
    """
    place = folder.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.parent / f".{place.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not Path(lock.lock_file).exists():  # the lock tells this, too, as a lock that is held
            raise EmulatorError(
                f"'{folder}' cannot be written: nothing can be made in {place.parent}. Choose"
                " another folder."
            ) from None
        raise EmulatorError(
            f"Another process is writing to {folder}. Wait until it is done, or choose another"
            " folder."
        ) from None
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def sweep(folder: Path) -> None:
    """Remove what a killed process left half-written in a folder and below."""
    for leftover in folder.rglob("*.partial"):
        leftover.unlink(missing_ok=True)
