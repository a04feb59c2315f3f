"""A `.mod` file from the page as a world that answers, each in a process of its own that is ended
when it takes too long.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from pathlib import PurePath
from typing import Any

import numpy as np
import xarray as xr

from emulator.errors import EmulatorError, ModFileError
from emulator.spec import WorldSpec

LARGEST = 200_000
"""Bytes of a `.mod` file, and of the mapping beside it."""

READ_SECONDS, ANSWER_SECONDS = 30.0, 10.0
"""How long a file may take to be read, the start of a process included, and how long an answer may
take.
"""

LONGEST_ANSWER = 20_000_000
"""Bytes."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


class Upload:
    """The world of a file that came from outside; what the explorer asks of an `Economy`, asked
    of its process.
    """

    def __init__(
        self,
        file: str,
        text: bytes,
        mapping: bytes = b"",
        read_seconds: float = READ_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """Raises `ModFileError` for files that are too large, are no text, cannot be read or take
        too long.
        """
        self._texts = {
            "file": f"{stem(file)}.mod",
            "text": _text(text, file),
            "mapping": _text(mapping, "the mapping"),
        }
        self._read_seconds, self._answer_seconds = read_seconds, answer_seconds
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: str | None = None
        content = json.dumps(self._texts, sort_keys=True).encode()
        self.name = f"{stem(file)}-{hashlib.sha256(content).hexdigest()[:12]}"
        atexit.register(self.close)
        with self._one_at_a_time:
            self.spec = WorldSpec.model_validate(self._started()["spec"])

    @property
    def file(self) -> str:
        return self._texts["file"]

    def irf(
        self,
        values: Mapping[str, float],
        *,
        shocks: str,
        size: str,
        horizon: int,
        on_failure: str = "nan",
    ) -> xr.Dataset:
        """Responses as `Economy.irf` gives them.

        Raises `EmulatorError` as it does, and where an answer takes too long.
        """
        return xr.Dataset.from_dict(
            self._ask({"values": dict(values), "shocks": shocks, "size": size, "horizon": horizon})[
                "irf"
            ]
        )

    def status(self, values: Mapping[str, float]) -> np.ndarray:
        """`Status` at these values, (1,)."""
        return np.array([self._ask({"status": dict(values)})["status"]])

    def close(self) -> None:
        """End the process and remove its folder; the next question starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._one_at_a_time:
            if self._process is None:
                self._started()
            return self._exchange(question, self._answer_seconds)

    def _started(self) -> dict[str, Any]:
        """Start the process in an empty folder, which also keeps its cache, and have it read the
        file.
        """
        self._folder = tempfile.mkdtemp(prefix="emulator-explorer-")
        environment = {
            **os.environ,
            "EMULATOR_CACHE": self._folder,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "TMPDIR": self._folder,
        }
        command = [sys.executable, "-m", "emulator.explorer.sandbox"]
        self._process = subprocess.Popen(
            command,
            cwd=self._folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            return self._exchange(self._texts, self._read_seconds)
        except EmulatorError:
            self.close()
            raise

    def _exchange(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        why = (
            "the process that read it ended without an answer: too much memory, or too long an"
            " answer."
        )
        line = b""
        with ThreadPoolExecutor(1) as reader:
            try:
                process.stdin.write(json.dumps(question).encode() + b"\n")
                process.stdin.flush()
                line = reader.submit(process.stdout.readline, LONGEST_ANSWER).result(seconds)
            except TooLate:
                process.kill()  # which ends the reader's wait, too
                why = f"no answer within {seconds:g} seconds; it was stopped."
            except OSError:  # the process is gone
                pass
        if not line.endswith(b"\n"):
            self.close()
            raise ModFileError(why, self.file)
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise EmulatorError(answer["error"])
        return answer


def stem(file: str) -> str:
    """The name of a world from that of its file; `model` where that is not plain letters, digits
    and dashes.
    """
    found = PurePath(file.replace("\\", "/")).name.removesuffix(".mod")
    return found if NAME.fullmatch(found) else "model"


def _text(content: bytes, what: str) -> str:
    if len(content) > LARGEST:
        raise ModFileError(
            f"the file has {len(content):,} bytes; the explorer takes up to {LARGEST:,}.", what
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # as the importer reads files of older editors
