"""The explorer's server: an address that is free, threads, and an end when it is told to."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emulator.errors import EmulatorError, MissingExtraError
from emulator.explorer.economies import Economies

LOCAL = ("127.0.0.1", "localhost", "::1")
"""Hosts that only this machine reaches."""

THREADS = 8
"""So many answers at once: a few may wait for a slow solver while others follow a slider."""


def server(economies: Economies, host: str, port: int) -> Any:
    """A server that listens already and answers once `run` is called; port 0 takes a free one.

    Asked by this machine alone, it answers to the names of this machine alone, so that no site can
    have its own name point here. Raises `MissingExtraError`, and `EmulatorError` where the address
    is not to be had.
    """
    try:
        from waitress.server import create_server

        from emulator.explorer.app import create_app
    except ImportError as error:
        raise MissingExtraError((error.name or "flask").partition(".")[0], "explorer") from None
    logging.getLogger("waitress.queue").setLevel(
        logging.ERROR
    )  # that an answer waits for a thread is no news to the user
    app = create_app(economies, [*LOCAL, "[::1]"] if host in LOCAL else None)
    try:
        return create_server(
            app,
            host=_one_address(host),
            port=port,
            threads=THREADS,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
    except (OSError, OverflowError, ValueError) as error:
        raise EmulatorError(_why(error, host, port)) from None


@contextmanager
def served(economies: Economies, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The explorer at an address, in a thread beside, until the block ends."""
    found = server(economies, host, port)
    thread = threading.Thread(target=found.run, daemon=True)
    thread.start()
    try:
        yield address(found)
    finally:
        found.task_dispatcher.shutdown(
            timeout=5
        )  # answers that are being written are written to their end
        found.trigger.pull_trigger(
            lambda: _end(found)
        )  # in its own thread, whose loop uses the sockets
        thread.join(timeout=10)  # at once, unless somebody does not read an answer
        found.close()  # only now: a trigger closed while it is pulled is an error here
        economies.close()


def _end(found: Any) -> None:
    """Take no more questions, and end the connections that browsers keep, each after its last
    answer: the loop goes on while there is one.
    """
    for channel in found.active_channels.values():
        channel.close_when_flushed = True
    found.trigger.del_channel()
    found.del_channel()


def address(found: Any) -> str:
    """Where a server is reached."""
    host, port = found.effective_host, found.effective_port
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


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
