"""What a long drawing has done so far, a file a step, so that an interrupted one goes on.

The work is told again from its beginning: a step that is here is read, and only one that is not is
done.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from emulator.data.claim import UNTIL
from emulator.data.storage import Folder
from emulator.errors import DatasetError

REQUEST = f"{UNTIL}/request.json"


class Journal:
    """Steps of one request, kept in the folder that its data set will lie in."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def open(self, request: Mapping[str, Any], overwrite: bool) -> None:
        """Go on with this request, or begin it. Raises `DatasetError` for steps of another one,
        unless `overwrite` is set, which removes them.
        """
        if overwrite:
            self.close()
        before = self._request()
        if before is None:
            self.folder.write_json(REQUEST, dict(request))
            return
        differing = [key for key, value in request.items() if before.get(key) != value]
        if differing:
            changes = "; ".join(
                f"{key}: there {before.get(key)}, asked {request[key]}" for key in differing
            )
            raise DatasetError(
                f"{self.folder} holds draws of another request that was interrupted ({changes})."
                " Give the same options to go on with it, pass --overwrite to begin afresh, or"
                " choose another --output."
            )

    @property
    def begun(self) -> bool:
        """Whether there are steps to go on with."""
        return self.folder.exists(REQUEST)

    def step(
        self, name: str, work: Callable[[], Mapping[str, np.ndarray]]
    ) -> Mapping[str, np.ndarray]:
        """The arrays of a step: as they were kept, else those that `work` gives, which are kept."""
        file = f"{UNTIL}/{name}.npz"
        if self.folder.exists(file):
            return self._read(file)
        arrays = work()
        content = io.BytesIO()
        np.savez(content, **{key: np.asarray(value) for key, value in arrays.items()})  # type: ignore[arg-type]
        self.folder.write_bytes(file, content.getvalue())
        return arrays

    def close(self) -> None:
        """Remove all steps."""
        self.folder.remove(UNTIL)

    def _request(self) -> dict[str, Any] | None:
        if not self.begun:
            return None
        try:
            return dict(json.loads(self.folder.read_bytes(REQUEST)))
        except (ValueError, TypeError):
            raise self._unreadable(REQUEST) from None

    def _read(self, file: str) -> dict[str, np.ndarray]:
        try:
            with np.load(io.BytesIO(self.folder.read_bytes(file)), allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile):
            raise self._unreadable(file) from None

    def _unreadable(self, file: str) -> DatasetError:
        return DatasetError(
            f"{self.folder.at(file)} cannot be read, so that the draws in {self.folder} are lost."
            " Pass --overwrite to begin afresh."
        )
