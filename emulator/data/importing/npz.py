"""Draws in NumPy's `.npz`: arrays are read a part at a time, and nothing in them is executed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from emulator.data.importing.given import Unread
from emulator.errors import DatasetError

LARGEST = 1 << 36
"""Bytes that the arrays of a file may unfold to."""
LARGEST_IN_MEMORY = 1 << 32
"""Bytes of an array that has to be read whole: theta, and responses whose draws do not come one
after the other.
"""
NAMES = ("parameters", "shocks", "observables", "units", "axes", "frequency", "status")
THETA, IRF = "theta", ("irf", "irfs", "responses")
LARGEST_NAMES = 1 << 28
"""Bytes of a member that holds names or statuses."""


class NpzFile:
    """A `.npz` whose members were looked at and not yet read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._opened() as archive:
            sizes = {
                entry.filename.removesuffix(".npy"): entry.file_size for entry in archive.infolist()
            }
        self.names = list(sizes)
        if sum(sizes.values()) > LARGEST:
            raise DatasetError(
                f"{path} unfolds to {sum(sizes.values()):,} bytes; expected at most {LARGEST:,}."
                " Nothing was read."
            )

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        with said(self.path), zipfile.ZipFile(self.path) as archive:
            yield archive

    def member(self, name: str) -> Member:
        """An array, not yet read. Raises `DatasetError` where it is not there or holds objects."""
        if name not in self.names:
            raise DatasetError(
                f"{self.path} holds {', '.join(self.names) or 'nothing'}; expected '{name}' among"
                " them."
            )
        return Member(self.path, name)

    def small(self, name: str) -> np.ndarray | None:
        """Names or statuses; None where the file does not have them."""
        return self.member(name).whole(LARGEST_NAMES) if name in self.names else None


@contextmanager
def said(path: Path) -> Iterator[None]:
    """What a damaged archive raises, as one error that names the file."""
    try:
        yield
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise DatasetError(
            f"{path} cannot be read as an .npz file ({type(error).__name__}: {error}). Was it cut"
            " off, or is it of another format?"
        ) from None
    except NotImplementedError as error:
        raise DatasetError(f"{path} is packed in a way that is not known here: {error}.") from None


class Member(Unread):
    """One array of a `.npz`. Draws are read one after the other, so that no more than a block of
    them is in memory.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._stream: IO[bytes] | None = None
        self._next = 0
        self._all: np.ndarray | None = None
        with said(path), zipfile.ZipFile(path) as archive:
            with archive.open(f"{name}.npy") as stream:
                self.shape, self._fortran, self.dtype = _header(stream)
                header = stream.tell()
            held = archive.getinfo(f"{name}.npy").file_size - header
        if self.dtype.hasobject:
            raise DatasetError(
                f"'{name}' in {path} holds Python objects, which are not read, since they may run"
                " code. Save it as an array of numbers or texts."
            )
        if held != self._nbytes:
            raise DatasetError(
                f"'{name}' in {path} has {held:,} bytes where its header says {self._nbytes:,}:"
                " the file is damaged."
            )

    @property
    def _nbytes(self) -> int:
        size = self.dtype.itemsize
        for length in self.shape:
            size *= int(length)
        return size

    def __getitem__(self, rows: tuple[slice, ...]) -> np.ndarray:
        others = rows[1:]
        if self._fortran or any(part != slice(None) for part in others):
            return self.whole(LARGEST_IN_MEMORY)[rows]
        start, stop, _ = rows[0].indices(self.shape[0])
        row_bytes = self._nbytes // max(1, self.shape[0])
        with said(self._path):
            if self._stream is None or start != self._next:
                self._open_at(start * row_bytes)
            assert self._stream is not None
            content = _exactly(self._stream, (stop - start) * row_bytes)
            self._next = stop
            if stop == self.shape[0] and self._stream.read(1):  # the end: the checksum is compared
                raise ValueError("it goes on after its end")
        return np.frombuffer(content, self.dtype).reshape(stop - start, *self.shape[1:])

    def _open_at(self, position: int) -> None:
        archive = zipfile.ZipFile(self._path)
        self._stream = archive.open(f"{self._name}.npy")
        _header(self._stream)
        self._stream.seek(position, io.SEEK_CUR)

    def whole(self, most: int) -> np.ndarray:
        """The array, of at most so many bytes. Raises `DatasetError`."""
        if self._nbytes > most:
            raise DatasetError(
                f"'{self._name}' in {self._path} has {self._nbytes:,} bytes and has to be read"
                f" whole; expected at most {most:,}. Responses are read a part at a time where"
                " their first axis is that of the draws (numpy.ascontiguousarray)."
            )
        if self._all is None:
            with (
                said(self._path),
                zipfile.ZipFile(self._path) as archive,
                archive.open(f"{self._name}.npy") as stream,
            ):
                self._all = npy.read_array(stream, allow_pickle=False)
                if stream.read(1):
                    raise ValueError("it goes on after its end")
        return self._all


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy.read_magic(stream)
    if version == (1, 0):
        return npy.read_array_header_1_0(stream)
    if version == (2, 0):
        return npy.read_array_header_2_0(stream)
    raise ValueError(f"format {version} of .npy is not known here")


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) != size:
        raise EOFError("it ends too soon")
    return content
