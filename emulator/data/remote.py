"""A folder of a data set behind an fsspec URL: object stores, fsspec's memory, remote file
systems.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from zarr.abc.store import Store
from zarr.storage import FsspecStore

from emulator import files
from emulator.data.storage import Folder
from emulator.errors import DatasetError, EmulatorError, MissingExtraError

OPTIONS = {"use_listings_cache": False}
"""Another process may have written since a listing was kept."""

FLAT = {"s3", "s3a", "gs", "gcs", "az", "abfs", "oss", "oci"}
"""Object stores have no folders to make; a bucket that does not exist is a mistake, not a wish."""

EXTRAS = {"s3": "s3fs", "s3a": "s3fs"}
"""Protocols for which an extra of ours brings the package."""


class RemoteFolder(Folder):
    """A folder behind an fsspec URL.

    Credentials and endpoints come from the file system's own settings.
    """

    LOCK = ".writer.json"

    def __init__(self, url: str) -> None:
        self.place: str = url.rstrip("/")
        self._fs, self._root = _file_system(self.place)

    def __reduce__(self) -> tuple[Callable[[str], RemoteFolder], tuple[str]]:
        return RemoteFolder, (self.place,)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def absolute(self) -> RemoteFolder:
        return self

    def store(self, name: str, *, read_only: bool = True) -> Store:
        return FsspecStore.from_url(self.at(name), storage_options=OPTIONS, read_only=read_only)

    def read_bytes(self, name: str) -> bytes:
        with self._said():
            return self._fs.cat_file(self._path(name))

    def write_bytes(self, name: str, content: bytes) -> None:
        path = self._path(name)
        with self._said():
            self._make_folder_of(path)
            self._fs.pipe_file(path, content)

    def _make_folder_of(self, path: str) -> None:
        if FLAT.isdisjoint(
            [self._fs.protocol] if isinstance(self._fs.protocol, str) else self._fs.protocol
        ):
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)

    def sha256(self, name: str) -> str:
        return files.sha256(self.read_bytes(name))

    def exists(self, name: str) -> bool:
        with self._said():
            return self._fs.exists(self._path(name))

    def is_file(self) -> bool:
        with self._said():
            return self._fs.isfile(self._root)

    def entries(self, below: str = "") -> list[str]:
        folder = self._path(below).rstrip("/")
        try:
            with self._said():
                paths = self._fs.ls(folder, detail=False)
        except FileNotFoundError:
            return []
        names = {path.rstrip("/").removeprefix(folder).lstrip("/") for path in paths}
        return sorted(names - {"", self.LOCK})

    def walk(self, below: str) -> list[str]:
        folder = self._path(below)
        with self._said():
            return sorted(path.removeprefix(folder).lstrip("/") for path in self._fs.find(folder))

    def remove(self, name: str) -> None:
        try:
            with self._said():
                self._fs.rm(self._path(name), recursive=True)
        except FileNotFoundError:
            return

    def sweep(self) -> None:
        """Nothing: an object that was not put whole is not there."""

    @contextmanager
    def sole_writer(self) -> Iterator[None]:
        """Hold the folder by an object that says who writes.

        Unlike a local lock it stays behind when a run is killed.

        It is made only where there is none, in one step on S3 and in memory; a file system that
        cannot do that in one step lets two runs through that begin in the same instant.
        """
        owner = {
            "host": socket.gethostname(),
            "process": os.getpid(),
            "user": _user(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        lock = self._path(self.LOCK)
        with self._said():
            self._make_folder_of(lock)
            try:
                self._fs.pipe_file(lock, files.json_bytes(owner), mode="create")
            except FileExistsError:
                raise EmulatorError(self._held(self._fs.cat_file(lock))) from None
        try:
            yield
        finally:
            self.remove(self.LOCK)

    def _held(self, lock: bytes) -> str:
        try:
            by = "process {process} of {user} on {host} since {since}".format(**json.loads(lock))
        except (ValueError, KeyError, TypeError):
            by = "an unknown process"
        return (
            f"{self} is being written by {by}. Wait until it is done; if that run was killed,"
            f" delete {self.at(self.LOCK)} and run again."
        )

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Failures of a network or of credentials as one error of ours; `OSError`s as they are."""
        try:
            yield
        except (OSError, EmulatorError):
            raise
        except Exception as error:  # each file system has its own family
            raise DatasetError(
                f"{self} cannot be reached: {type(error).__name__}: {error}"
            ) from error


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "an unknown user"


def _file_system(url: str) -> tuple[AbstractFileSystem, str]:
    try:
        return url_to_fs(url, **OPTIONS)
    except ImportError as error:
        protocol = re.split("::|://", url)[0]
        if protocol in EXTRAS:
            raise MissingExtraError(EXTRAS[protocol], "s3") from None
        raise DatasetError(f"{url}: {error}.") from None
    except ValueError as error:
        raise DatasetError(f"{url} is no place that fsspec knows: {error}.") from None
