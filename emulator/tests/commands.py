"""Commands as a user types them, each in a process of its own, without the seconds that a fresh
Python needs to import PyTorch.

    done = commands.run("emulator", "irf", "nk", folder=tmp_path)
    process = commands.start("-m", "emulator.training.trainer", "--config", path)

The first word is `emulator`, `-m`, `-c` or a script; the words after it are arguments. Each command
is a fork of one server (see `fork_server.py`) with its own folder, environment, pipes, signals and
exit code. It imports the modules of this project itself; packages of others are imported already.
So a test of what is imported, or of the start itself, takes `fresh=True`: a new Python. With
EMULATOR_FRESH_STARTS=1, and where forking is not safe, every command takes one.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from filelock import FileLock

SERVER = Path(__file__).with_name("fork_server.py")
PLACE = "EMULATOR_TEST_SERVER"
"""The variable that names the folder of the server's socket, the same for all workers."""

FORKING = sys.platform == "linux" and not os.environ.get("EMULATOR_FRESH_STARTS")
PRELOADED = (
    "typer.main",
    "rich.table",
    "rich.progress",
    "pydantic",
    "yaml",
    "numpy",
    "scipy.stats",
    "scipy.optimize",
    "pandas",
    "xarray",
    "zarr",
    "h5netcdf",
    "filelock",
    "fsspec",
    "jinja2",
    "lark",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "torch",
    "torch._dynamo",
    "torch.distributed",
    "safetensors.torch",
    "distributed",
)
"""Packages that most commands import, and that take long."""

PATIENCE = 1800
"""Seconds after which a command of a test counts as hanging, on a machine that is busy with much
else.
"""


class Process:
    """A command that a fork runs: what tests use of `subprocess.Popen`."""

    def __init__(self, words: list[str], report: int, stdin: Any, stdout: Any, stderr: Any) -> None:
        self.args = words
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.returncode: int | None = None
        self.seconds: float | None = None
        """Processor time, once it has ended."""
        self._report = os.fdopen(report, encoding="ascii")
        self._reading = threading.Lock()
        self.pid = int(self._report.readline())

    def poll(self) -> int | None:
        """The exit code, minus the signal's number where one ended it; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end. Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if not select.select([self._report], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            with self._reading:
                if self.returncode is None:  # else another thread has read it
                    code, seconds = self._report.readline().split()
                    self.returncode, self.seconds = int(code), float(seconds)
        assert self.returncode is not None
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it still writes to its output and errors, until its end."""
        deadline = None if timeout is None else time.monotonic() + timeout
        texts: dict[int, str] = {}

        def read(number: int, stream: Any) -> None:
            texts[number] = stream.read()
            stream.close()

        readers = [
            threading.Thread(target=read, args=entry, daemon=True)
            for entry in enumerate((self.stdout, self.stderr))
            if entry[1] is not None and not entry[1].closed
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(None if deadline is None else max(0, deadline - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(None if deadline is None else max(0, deadline - time.monotonic()))
        return texts.get(0, ""), texts.get(1, "")

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            # It may end between the question and the signal, as with `subprocess.Popen`.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Server:
    """The process that forks, which all workers of a test run share, and the connection to it.

    The first who asks starts it. It ends, with every command that still runs, when nobody is
    connected any more.
    """

    def __init__(self) -> None:
        place = Path(os.environ[PLACE])
        with FileLock(place / "lock"):
            self.process = None
            self.control = _connected(place / "socket")
            if self.control is None:
                self.process = _start_server(place / "socket")
                self.control = _connected(place / "socket")
        assert self.control is not None, "the server of commands did not start"

    def ask(self, request: dict[str, Any], files: list[int]) -> None:
        body = json.dumps(request).encode()
        socket.send_fds(self.control, [len(body).to_bytes(8, "big")], files)
        self.control.sendall(body)

    def stop(self) -> None:
        self.control.close()
        if self.process is not None:
            self.process.wait()


def _connected(place: Path) -> socket.socket | None:
    """A connection to a server that has answered, or None."""
    control = socket.socket(socket.AF_UNIX)
    try:
        control.connect(str(place))
        greeting = control.recv(1)
    except OSError:
        greeting = b""
    if not greeting:  # nobody listens, or a server that was about to end
        control.close()
        return None
    return control


def _start_server(place: Path) -> subprocess.Popen:
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        return subprocess.Popen(
            [sys.executable, str(SERVER), str(listener.fileno()), *PRELOADED],
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        )


_servers: list[Server] = []


def server() -> Server:
    """The connection of this process, made when it is first needed."""
    if not _servers:
        if PLACE not in os.environ:
            folder = tempfile.TemporaryDirectory()
            atexit.register(folder.cleanup)
            os.environ[PLACE] = folder.name
        _servers.append(Server())
    return _servers[0]


def stop() -> None:
    """End the connection, and every command of this process that still runs."""
    while _servers:
        _servers.pop().stop()


def start(
    *words: object,
    folder: Path | str | None = None,
    environment: dict[str, str] | None = None,
    new_session: bool = False,
    joined: bool = False,
    warnings: str | None = None,
    binary: bool = False,
    fresh: bool = False,
) -> Process | subprocess.Popen:
    """Start a command; its output and errors are pipes of text.

    environment: variables that differ from those of this process; new_session: lead a process
    group, to be killed with all that it starts; joined: errors go to the output; warnings: "error"
    as by `python -W error`; binary: pipes of bytes, an input as well, and no errors; fresh: a new
    Python.
    """
    texts = [str(word) for word in words]
    variables = {**os.environ, **(environment or {})}
    if fresh or not FORKING:
        return _start_python(
            texts,
            folder=folder,
            variables=variables,
            new_session=new_session,
            joined=joined,
            warnings=warnings,
            binary=binary,
        )
    request = {
        "words": texts,
        "folder": str(folder or Path.cwd()),
        "environment": variables,
        "new_session": new_session,
        "warnings": warnings,
    }
    in_end, in_ = os.pipe() if binary else (os.open(os.devnull, os.O_RDONLY), None)
    out, out_end = os.pipe()
    if binary or joined:
        err, err_end = None, os.open(os.devnull, os.O_WRONLY) if binary else os.dup(out_end)
    else:
        err, err_end = os.pipe()
    report, report_end = os.pipe()
    server().ask(request, [in_end, out_end, err_end, report_end])
    for file in (in_end, out_end, err_end, report_end):
        os.close(file)
    if binary:
        return Process(texts, report, os.fdopen(in_, "wb"), os.fdopen(out, "rb"), None)
    streams = [None if file is None else os.fdopen(file, encoding="utf-8") for file in (out, err)]
    return Process(texts, report, None, *streams)


def _start_python(
    words: list[str],
    *,
    folder: Path | str | None,
    variables: dict[str, str],
    new_session: bool,
    joined: bool,
    warnings: str | None,
    binary: bool,
) -> subprocess.Popen:
    options = ["-W", warnings] if warnings else []
    if words[0] == "emulator":
        words = ["-m", *words]
    errors = subprocess.STDOUT if joined else subprocess.DEVNULL if binary else subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, *options, *words],
        stdin=subprocess.PIPE if binary else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=not binary,
        cwd=folder,
        env=variables,
        start_new_session=new_session,
    )


def run(
    *words: object, timeout: float = PATIENCE, check: bool = False, **options: Any
) -> subprocess.CompletedProcess:
    """Run a command to its end; options as for `start`. With `check` it must end well."""
    process = start(*words, **options)
    try:
        out, err = process.communicate(timeout)
    except BaseException:
        process.kill()
        raise
    assert not (check and process.returncode), err
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def typed(*words: object, **options: Any) -> subprocess.CompletedProcess:
    """Run a command line in an 80-column terminal; it must not end in a traceback."""
    done = run(*words, environment={"COLUMNS": "80"}, **options)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def tables_fit(text: str) -> bool:
    """Whether a text holds tables, of at most 80 columns, and nothing in it is cut."""
    frame = [line for line in text.splitlines() if line[:1] in "┏┃┡│└"]
    return bool(frame) and all(len(line) <= 80 for line in frame) and "…" not in text
