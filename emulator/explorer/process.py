"""The explorer's end of a sandbox (`emulator.explorer.sandbox`): a process in an empty folder,
asked line by line, ended when it takes too long.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

LONGEST_ANSWER = 20_000_000
"""Bytes."""


@dataclass(frozen=True)
class Seconds:
    """How long a process may take to start and read a file, and to answer a question: by the clock,
    which ends what sleeps, and of processor time, which ends what computes.
    """

    read: float = 30.0
    answer: float = 10.0
    read_processor: float = 20.0
    answer_processor: float = 8.0


class ProcessEndedError(Exception):
    """The process gave no answer and was ended; the message says why."""


def start(folder: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A sandbox that waits for its first line."""
    return subprocess.Popen(
        [sys.executable, "-m", "emulator.explorer.sandbox"],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal ends the explorer, which ends this
    )


class SandboxProcess:
    """One process and its folder, which also keeps its cache; both go with `end`, or with the
    object.
    """

    def __init__(self, seconds: Seconds) -> None:
        self.seconds = seconds
        self.folder = tempfile.mkdtemp(prefix="emulator-explorer-")
        environment = {
            **os.environ,
            "EMULATOR_CACHE": self.folder,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "TMPDIR": self.folder,
        }
        try:
            self.process = start(self.folder, environment)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.end = weakref.finalize(self, _end, self.process, self.folder)

    def read(self, texts: dict[str, str]) -> dict[str, Any]:
        """Have it read its file. Raises `ProcessEndedError`."""
        opening = {"texts": texts, "seconds": asdict(self.seconds)}
        return self._exchange(opening, self.seconds.read, self.seconds.read_processor)

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Its answer to a question. Raises `ProcessEndedError`."""
        return self._exchange(question, self.seconds.answer, self.seconds.answer_processor)

    def _exchange(
        self, question: dict[str, Any], seconds: float, processor_seconds: float
    ) -> dict[str, Any]:
        with ThreadPoolExecutor(1) as beside:
            line = beside.submit(self._send_and_receive, json.dumps(question).encode() + b"\n")
            try:
                content = line.result(seconds)
            except TooLate:
                self.process.kill()  # which ends the wait beside, too
                raise ProcessEndedError(
                    f"no answer within {seconds:g} seconds by the clock; it was stopped."
                ) from None
        if content.endswith(b"\n"):
            answer: dict[str, Any] = json.loads(content)
            return answer
        self.process.kill()
        code = self.process.wait()
        exceeded = getattr(signal, "SIGXCPU", None)
        if exceeded is not None and code == -exceeded:
            raise ProcessEndedError(
                f"no answer within {processor_seconds:g} seconds of processor time; it was stopped."
            )
        raise ProcessEndedError(
            "the process that read it ended without an answer: too much memory, or too long an"
            " answer."
        )

    def _send_and_receive(self, line: bytes) -> bytes:
        """The line that it answers, or a part of one where there is no more."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(line)
            self.process.stdin.flush()
            return self.process.stdout.readline(LONGEST_ANSWER)
        except (OSError, ValueError):  # the process is gone, and its pipes with it
            return b""


def _end(process: subprocess.Popen[bytes], folder: str) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()
    shutil.rmtree(folder, ignore_errors=True)
