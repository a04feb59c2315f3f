"""A process that imports what is slow to import once, and forks for each command of a test.

`commands.py` starts it as a script with a socket that listens; each process of tests connects to it
and asks. A command runs in a fork: with its own arguments, folder, environment, pipes, signals and
exit code, and with modules of this project imported by itself. Only packages of others are there
already.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import threading
import types
import warnings
from typing import Any, NamedTuple

INTERRUPT = signal.getsignal(signal.SIGINT)
"""What Ctrl-C does: nothing where the tests run in the background."""

FILES = 4
"""Standard input, output and error of a command, and where its end is reported."""


class Command(NamedTuple):
    """A command that runs: where its end is reported, and who asked for it."""

    report: int
    client: socket.socket


def receive(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """A request and its open files; None when the asking process has ended."""
    try:
        head, files, _, _ = socket.recv_fds(control, 8, FILES)
    except ConnectionResetError:
        return None
    if not head:
        return None
    length = int.from_bytes(head, "big")
    body = b""
    while len(body) < length:
        body += control.recv(length - len(body))
    return json.loads(body), files


def serve(listener: socket.socket) -> list[str]:
    """Fork for each request. Returns in a fork only: the words that it is to run."""
    commands: dict[int, Command] = {}
    clients: list[socket.socket] = []
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([listener, woken, *clients], [], [])
        if woken in ready:
            os.read(woken, 4096)
            report_ended(commands)
        if listener in ready:
            clients.append(listener.accept()[0])
            clients[-1].sendall(b"+")
        for client in [client for client in clients if client in ready]:
            asked = receive(client)
            if asked is None:
                leave(client, clients, commands)
                continue
            request, files = asked
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for connection in (listener, *clients):
                    connection.close()
                for file in (woken, wake, *(command.report for command in commands.values())):
                    os.close(file)
                return become(request, files)
            *streams, report = files
            for file in streams:
                os.close(file)
            commands[pid] = Command(report, client)
            tell(report, b"%d\n" % pid)


def leave(
    client: socket.socket, clients: list[socket.socket], commands: dict[int, Command]
) -> None:
    """End the commands of a client that has gone, and the server after the last client."""
    client.close()
    clients.remove(client)
    for pid, command in commands.items():
        if command.client is client:
            os.kill(pid, signal.SIGKILL)
    if not clients:
        os._exit(0)


def report_ended(commands: dict[int, Command]) -> None:
    """Write the exit code and the processor time, in seconds, of each command that has ended."""
    while commands:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if pid == 0:
            return
        code = os.waitstatus_to_exitcode(status)
        report = commands.pop(pid).report
        tell(report, b"%d %.3f\n" % (code, usage.ru_utime + usage.ru_stime))
        os.close(report)


def tell(report: int, text: bytes) -> None:
    """Write to who asked for a command, if that process is still there."""
    with contextlib.suppress(BrokenPipeError):
        os.write(report, text)


def become(request: dict[str, Any], files: list[int]) -> list[str]:
    """Make this fork the process that was asked for."""
    *streams, report = files
    os.close(report)
    for number, file in enumerate(streams):
        os.dup2(file, number)
        os.close(file)
    if request["new_session"]:
        os.setsid()
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, INTERRUPT)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    tempfile.tempdir = None  # a package may have asked for it already
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [os.getcwd(), *filter(None, paths), *sys.path]
    importlib.invalidate_caches()
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8", errors=errors, closefd=False)
        for number, mode, errors in ((0, "r", None), (1, "w", None), (2, "w", "backslashreplace"))
    )
    sys.stderr.reconfigure(line_buffering=True)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    if request["warnings"] == "error":
        refuse_warnings()
    return request["words"]


def refuse_warnings() -> None:
    """As `python -W error`: in the place of Python's own filters, after those of packages."""
    own = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
    warnings.filters[:] = [
        entry for entry in warnings.filters if entry[1] is not None or entry[2] not in own
    ]
    warnings.simplefilter("error", append=True)
    sys.warnoptions.append("error")


def run(words: list[str]) -> None:
    """Run words as Python runs them: `-c code`, `-m module`, a script, or the command itself."""
    head, *rest = words
    if head == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path[0] = ""
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        exec(compile(rest[0], "<string>", "exec"), main.__dict__)
    elif head == "-m":
        sys.argv = [rest[0], *rest[1:]]
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif head == "emulator":
        sys.argv = words
        sys.exit(importlib.import_module("emulator.cli").main())
    else:
        sys.argv = words
        sys.path[0] = os.path.dirname(os.path.abspath(head))
        runpy.run_path(os.path.abspath(head), run_name="__main__")


def end(words: list[str]) -> None:
    """Run words and leave as Python does, but for taking apart what is in memory.

    An interrupt goes on to Python itself, which lets the signal end the process.
    """
    code: Any = 0
    try:
        run(words)
    except SystemExit as exit_:
        code = exit_.code
    except Exception as error:
        error.__traceback__ = error.__traceback__.tb_next.tb_next  # without `end` and `run`
        sys.excepthook(type(error), error, error.__traceback__)
        code = 1
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit((code or 0) & 0xFF)


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    descriptor, *packages = sys.argv[1:]
    for name in packages:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()  # forks share these objects until they change them
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    end(serve(socket.socket(fileno=int(descriptor))))
