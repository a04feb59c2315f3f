"""Where a data set lies: what any folder offers, and a folder on this machine's disks.

Names below a folder are relative, with forward slashes. Local files are written aside and renamed;
object stores (S3, GCS, Azure) put an object whole or not at all, which is the same promise.
"""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from zarr.abc.store import Store
from zarr.storage import LocalStore

from emulator import files


class Folder(ABC):
    """A place that holds files by name.

    `place` is what the user called it: a `Path`, or the text of a URL.
    """

    place: Path | str

    def __str__(self) -> str:
        return str(self.place)

    def at(self, name: str) -> str:
        """Where a file is, for a message."""
        return f"{self}/{name}"

    @abstractmethod
    def absolute(self) -> Folder:
        """The same folder for a process with another working directory."""

    @abstractmethod
    def store(self, name: str, *, read_only: bool = True) -> Store:
        """The Zarr store of a folder below this one."""

    @abstractmethod
    def read_bytes(self, name: str) -> bytes:
        """A file's content.

        Raises `FileNotFoundError`, or `NotADirectoryError` where this is no folder.
        """

    @abstractmethod
    def write_bytes(self, name: str, content: bytes) -> None:
        """Replace a file at once: readers see the old content or the new.

        Raises `OSError` and leaves the old.
        """

    def write_json(self, name: str, content: Any) -> None:
        """`write_bytes` of JSON with sorted keys."""
        self.write_bytes(name, files.json_bytes(content))

    @abstractmethod
    def sha256(self, name: str) -> str:
        """Hexadecimal SHA-256 of a file. Raises `FileNotFoundError`."""

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Whether there is a file or folder of that name."""

    @abstractmethod
    def is_file(self) -> bool:
        """Whether this is a file instead of a folder."""

    @abstractmethod
    def entries(self, below: str = "") -> list[str]:
        """Sorted names of what lies directly in this folder, or in one below it; empty where there
        is no folder.
        """

    @abstractmethod
    def walk(self, below: str) -> list[str]:
        """Sorted names of all files below a folder of this one, relative to it; empty where there
        is none.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all it holds; what is not there is no error."""

    @abstractmethod
    def sweep(self) -> None:
        """Remove what a killed process left half-written."""

    @abstractmethod
    def sole_writer(self) -> AbstractContextManager[None]:
        """Hold the folder against other runs of ours.

        Raises `EmulatorError` if another run holds it.
        """


class LocalFolder(Folder):
    """A folder on a disk of this machine, or on one that several machines mount."""

    def __init__(self, place: Path) -> None:
        self.place: Path = place

    def absolute(self) -> LocalFolder:
        return LocalFolder(self.place.absolute())

    def store(self, name: str, *, read_only: bool = True) -> Store:
        return LocalStore(self.place / name, read_only=read_only)

    def read_bytes(self, name: str) -> bytes:
        return (self.place / name).read_bytes()

    def write_bytes(self, name: str, content: bytes) -> None:
        files.write_bytes(self.place / name, content)

    def sha256(self, name: str) -> str:
        return files.sha256_file(self.place / name)

    def exists(self, name: str) -> bool:
        return (self.place / name).exists()

    def is_file(self) -> bool:
        return self.place.exists() and not self.place.is_dir()

    def entries(self, below: str = "") -> list[str]:
        folder = self.place / below
        return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []

    def walk(self, below: str) -> list[str]:
        folder = self.place / below
        return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())

    def remove(self, name: str) -> None:
        path = self.place / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def sweep(self) -> None:
        files.sweep(self.place)

    def sole_writer(self) -> AbstractContextManager[None]:
        return files.sole_writer(self.place)
