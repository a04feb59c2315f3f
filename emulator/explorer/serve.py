"""The explorer's server: an address that is free, threads, and an end when it is told to."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from emulator.errors import EmulatorError, MissingExtraError
from emulator.explorer.economies import Economies

THREADS = 12
"""So many answers at once, some more than may be slow (see `economies`)."""


def server(economies: Economies, host: str, port: int, names: Iterable[str] = ()) -> Any:
    """A server that listens already and answers once `run` is called; port 0 takes a free one.

    names: further names under which it may be asked for. Raises `MissingExtraError`, and
    `EmulatorError` where the address is not to be had.
    """
    try:
        from emulator.explorer.app import create_app
        from emulator.explorer.connections import BoundedServer
    except ImportError as error:
        raise MissingExtraError((error.name or "flask").partition(".")[0], "explorer") from None
    logging.getLogger("waitress.queue").setLevel(
        logging.ERROR
    )  # that an answer waits for a thread is no news to the user
    app = create_app(economies, host, names)
    try:
        return BoundedServer(app, host=_one_address(host), port=port, threads=THREADS)
    except (OSError, OverflowError, ValueError) as error:
        raise EmulatorError(_why(error, host, port)) from None


@contextmanager
def served(
    economies: Economies, host: str = "127.0.0.1", port: int = 0, names: Iterable[str] = ()
) -> Iterator[str]:
    """The explorer at an address, in a thread beside, until the block ends."""
    listening = server(economies, host, port, names)
    thread = threading.Thread(target=listening.run, daemon=True)
    thread.start()
    try:
        yield address(listening)
    finally:
        economies.close()  # which ends answers that a process of an uploaded file is to give
        # Answers that are being written are written to their end.
        listening.task_dispatcher.shutdown(timeout=5)
        # In its own thread, whose loop uses the sockets.
        listening.trigger.pull_trigger(lambda: _end(listening))
        thread.join(timeout=10)  # at once, unless somebody does not read an answer
        listening.close()  # only now: a trigger closed while it is pulled is an error here


def _end(listening: Any) -> None:
    """Take no more questions, and end the connections that browsers keep, each after its last
    answer: the loop goes on while there is one.
    """
    for channel in listening.active_channels.values():
        channel.close_when_flushed = True
    listening.trigger.del_channel()
    listening.del_channel()


def address(listening: Any) -> str:
    """Where this machine reaches a server."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    host = everywhere.get(listening.effective_host, listening.effective_host)
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.effective_port}/"


def _one_address(host: str) -> str:
    """One address of a host, IPv4 where it has one: `localhost` alone stands for two.

    Raises `OSError` for a host that is not known.
    """
    known = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return str(min(known, key=lambda entry: entry[0] != socket.AF_INET)[4][0])


def _why(error: Exception, host: str, port: int) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is in use, perhaps by another explorer. Choose another with"
            " --port, or --port 0 for any that is free."
        )
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return (
            f"Port {port} of {host} may not be used by this user. Choose one above 1023 with"
            " --port."
        )
    return f"The explorer cannot listen on {host}, port {port}: {error}."
