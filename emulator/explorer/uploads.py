"""A `.mod` file from the page as a world that answers, each in a process of its own that is ended
when it takes too long.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import xarray as xr

from emulator.errors import EmulatorError, ModFileError, UnknownNameError
from emulator.explorer.card import Card
from emulator.explorer.presets import Preset
from emulator.explorer.process import ProcessEndedError, SandboxProcess, Seconds
from emulator.spec import WorldSpec
from emulator.worlds.source import mapping_path

LARGEST = 200_000
"""Bytes of a `.mod` file, and of the mapping beside it."""

LARGEST_BODY = 2 * LARGEST + 20_000
"""Bytes of a request that holds both."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


class Upload:
    """The world of a file that came from outside; what the explorer asks of a solver, asked of its
    process. It answers from `read` until `close`; threads may share it.
    """

    spec: WorldSpec
    proposal: str
    """A mapping to start from, of a file that came without one; else empty."""
    presets: list[Preset]
    remarks: list[str]
    """What belongs to every answer: another order than the file asks for, what was passed over."""

    def __init__(
        self, file: str, text: bytes, mapping: bytes = b"", seconds: Seconds | None = None
    ) -> None:
        """Raises `ModFileError` for files that are too large or no text."""
        self._texts = {
            "file": f"{stem(file)}.mod",
            "text": _text(text, file),
            "mapping": _text(mapping, "the mapping"),
        }
        self.seconds = seconds or Seconds()
        self._one_at_a_time = threading.Lock()
        self._process: SandboxProcess | None = None
        self._closed = False
        content = json.dumps(self._texts, sort_keys=True).encode()
        self.name = f"{stem(file)}-{hashlib.sha256(content).hexdigest()[:12]}"

    @property
    def file(self) -> str:
        return self._texts["file"]

    @property
    def files(self) -> list[str]:
        """Names of what was loaded: the file, and its mapping where it has one."""
        mapping = [mapping_path(Path(self.file)).name] if self.mapped else []
        return [self.file, *mapping]

    @property
    def mapped(self) -> bool:
        """Whether a mapping came with the file; without one it shows its own variables."""
        return bool(self._texts["mapping"])

    def read(self) -> Upload:
        """Have the file read.

        Raises `EmulatorError` with the reader's reason, `ModFileError` where it takes too long;
        nothing is left of it then.
        """
        try:
            with self._one_at_a_time:
                opening = self._start()
                self.spec = WorldSpec.model_validate(opening["spec"])
                self.proposal = str(opening["proposal"])
                self.presets = [Preset(**preset) for preset in opening["presets"]]
                self.remarks = [str(remark) for remark in opening["remarks"]]
        except BaseException:
            self.close()
            raise
        return self

    def irf(
        self,
        values: Mapping[str, Any],
        *,
        shocks: str,
        size: str,
        horizon: int,
        on_failure: str = "nan",
    ) -> xr.Dataset:
        """Responses as a world's own solver gives them.

        Raises `EmulatorError` as it does, and where an answer takes too long.
        """
        question = {"values": dict(values), "shocks": shocks, "size": size, "horizon": horizon}
        return xr.Dataset.from_dict(self._ask(question)["irf"])

    def status(self, values: Mapping[str, float]) -> np.ndarray:
        """`Status` at these values, (1,)."""
        return np.array([self._ask({"status": dict(values)})["status"]])

    def card(self) -> Card:
        """What is said of the model; raises `EmulatorError` where that takes too long."""
        return Card.model_validate(self._ask({"card": True})["card"])

    def with_mapping(self, mapping: bytes) -> Upload:
        """The same file with another mapping, not read yet. Raises `ModFileError` as making one
        does.
        """
        return Upload(self.file, self._texts["text"].encode(), mapping, self.seconds)

    def over_data(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a question about data; see `emulator.explorer.over_data.questions`.

        Raises `EmulatorError` as an economy does, and where it takes too long.
        """
        return self._ask(dict(question))

    def close(self) -> None:
        """End the process and remove its folder, also while it reads or answers; no question is
        answered any more.
        """
        self._closed = True  # before the process is looked at: one that starts now is ended below
        if self._process is not None:
            self._process.end()

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._one_at_a_time:
            if self._process is None:
                self._start()
            return self._answer(question)

    def _start(self) -> dict[str, Any]:
        """Start the process and have it read the file."""
        self._process = SandboxProcess(self.seconds)
        return self._answer(None)

    def _answer(self, question: dict[str, Any] | None) -> dict[str, Any]:
        """What the process says to a question, or to its file; a process that failed is ended, and
        the next question starts another.
        """
        process = self._process
        assert process is not None
        try:
            if self._closed:
                raise ProcessEndedError
            answer = process.read(self._texts) if question is None else process.ask(question)
        except ProcessEndedError as error:
            self._process = None
            process.end()
            if self._closed:
                raise UnknownNameError(
                    f"'{self.name}' was given up, as newer files were loaded. Load it again."
                ) from None
            raise ModFileError(str(error), self.file) from None
        if "error" in answer:
            raise EmulatorError(answer["error"])
        return answer


def stem(file: str) -> str:
    """The name of a world from that of its file; `model` where that is not plain letters, digits
    and dashes.
    """
    name = PurePath(file.replace("\\", "/")).name.removesuffix(".mod")
    return name if NAME.fullmatch(name) else "model"


def _text(content: bytes, what: str) -> str:
    if len(content) > LARGEST:
        raise ModFileError(
            f"the file has {len(content):,} bytes; the explorer takes up to {LARGEST:,}.", what
        )
    if b"\0" in content:
        raise ModFileError("a zero byte was found; a text file was expected.", what)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # as the reader of .mod files has it
