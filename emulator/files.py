"""Files that are whole or not there: written aside, flushed to disk, renamed; their SHA-256, also
inside JSON documents (a seal); folders that can be written; one writer a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from emulator.errors import EmulatorError

if TYPE_CHECKING:
    import xarray as xr


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


SEAL = "sha256"
"""The entry of a JSON document that holds the checksum of all its other entries."""


def sealed(content: dict[str, Any]) -> dict[str, Any]:
    """A JSON document with its own checksum under `SEAL`: SHA-256 of its other entries.

    Readers check it with `check_seal`, so that a digit changed by hand or by a disk is noticed.
    """
    return {**content, SEAL: _checksum(content)}


def check_seal(
    content: dict[str, Any], path: Path, error: type[EmulatorError] = EmulatorError
) -> None:
    """Raise `error`, naming the file, unless a document read from `path` carries the checksum that
    its content has.
    """
    recorded, actual = content.get(SEAL), _checksum(content)
    if recorded is None:
        raise error(
            f"{path} carries no checksum; expected an entry '{SEAL}' with that of its content."
            " Make the file again with the command that wrote it."
        )
    if recorded != actual:
        raise error(
            f"{path} was altered after it was written: its content has the checksum"
            f" {actual[:16]}..., the file records {str(recorded)[:16]}.... Restore the file, or"
            " make it again with the command that wrote it."
        )


def _checksum(content: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON text (sorted keys, no blanks) of a document without its
    seal.
    """
    entries = {key: value for key, value in content.items() if key != SEAL}
    return sha256(json.dumps(entries, sort_keys=True, separators=(",", ":")).encode("utf-8"))


def netcdf_bytes(groups: Mapping[str, xr.Dataset]) -> bytes:
    """NetCDF 4 of Datasets by group, "/" for the root, with HDF5's checksum over every array, so
    that a changed byte is an error when it is read, with any library.

    Texts are arrays of characters: those of changing length have no checksum in HDF5. Nor have
    single numbers and attributes; where they matter, name the file's SHA-256 beside it.
    """
    with tempfile.TemporaryDirectory() as aside:
        whole = Path(aside) / "whole.nc"
        for k, (group, data) in enumerate(groups.items()):
            data.to_netcdf(
                whole,
                mode="a" if k else "w",
                group=None if group == "/" else group,
                engine="h5netcdf",
                encoding={str(name): _checked(array) for name, array in data.variables.items()},
            )
        return whole.read_bytes()


def _checked(array: xr.Variable) -> dict[str, Any]:
    """How NetCDF is to hold an array so that its bytes have a checksum."""
    if array.dtype.kind in "OUS":
        return {"dtype": "S1", "fletcher32": True}
    return {"fletcher32": True} if array.ndim else {}


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def read_regular(path: Path, most: int) -> bytes:
    """The content of an ordinary file of at most so many bytes.

    Raises `EmulatorError` for a pipe, a device or a folder, which may never end, and for a larger
    file; `OSError` where it cannot be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise EmulatorError(
            f"'{path}' is no ordinary file (a folder, a pipe or a device); expected a file of at"
            f" most {most:,} bytes."
        )
    with path.open("rb") as file:
        content = file.read(min(status.st_size, most) + 1)
    if len(content) > most:
        raise EmulatorError(
            f"'{path}' has {max(status.st_size, most + 1):,} bytes; expected at most {most:,}."
        )
    return content


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_writable(folder: Path, error: type[EmulatorError] = EmulatorError) -> None:
    """Raise `error` unless files can be written into a folder that exists or could be made.

    A command calls this before its work, so that nobody waits for results that cannot be kept. It
    leaves nothing behind.
    """
    place = resolved(folder)
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise error(f"'{folder}' cannot be a folder: '{place}' is a file. Choose another folder.")
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as refused:
        raise error(
            f"'{folder}' cannot be written: {place}: {refused.strerror or refused}. Choose a folder"
            " that you may write to."
        ) from None


def resolved(folder: Path) -> Path:
    """The absolute path behind all symbolic links.

    Raises `EmulatorError` for links that lead in a circle.
    """
    try:
        place = folder.resolve()
        circle = any(part.is_symlink() for part in (place, *place.parents))
    except (OSError, RuntimeError):  # Python before 3.13 raises for links in a circle
        circle = True
    if circle:
        raise EmulatorError(
            f"'{folder}' cannot be written: it is a symbolic link that leads back to itself. Remove"
            " the link, or choose another folder."
        )
    return place


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes of ours, by a lock file beside it that the system frees
    if we are killed.

    Raises `EmulatorError` if another process holds it, or if nothing can be written there.
    """
    place = resolved(folder)
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
