"""Connections as a stranger could open them: large, slow, silent, many; others are answered all the
while.
"""

import socket
import time
import urllib.request
from contextlib import ExitStack

import pytest

from emulator.explorer import connections
from emulator.explorer.economies import Economies
from emulator.explorer.serve import THREADS, served
from emulator.tests.commands import PATIENCE

pytestmark = pytest.mark.fast


@pytest.fixture
def place():
    with served(Economies(None)) as place:
        yield place


def opened(place):
    host, port = place.removeprefix("http://").strip("/").split(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def answered(place):
    with urllib.request.urlopen(place + "palette.css", timeout=PATIENCE) as answer:
        return b"--curve-0" in answer.read()


def closed_by_server(connection, send=b""):
    """Wait until the server closes a connection, on which it is sent something now and then."""
    deadline = time.monotonic() + PATIENCE
    connection.settimeout(0.1)
    while time.monotonic() < deadline:
        try:
            connection.sendall(send)
            if connection.recv(1000) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


HEAD = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"


def test_a_huge_body_is_refused_before_it_is_sent(place):
    with opened(place) as connection:
        connection.sendall(HEAD + b"Content-Length: 900000000\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_a_length_is_refused_where_it_gets_too_large(place):
    chunk = b"%x\r\n%s\r\n" % (50_000, b"x" * 50_000)
    with opened(place) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            try:
                connection.sendall(chunk)
            except OSError:  # refused already
                break
        try:
            answer = connection.recv(100)
        except ConnectionResetError:  # the refusal is lost where more was on its way
            answer = b""
        assert answer == b"" or answer.startswith(b"HTTP/1.1 413 ")
    assert answered(place)


def test_no_request_is_put_on_disk(monkeypatch, place):
    """The largest that is taken is kept in memory by waitress and by Flask."""

    def refuse(*_, **__):
        raise AssertionError("a temporary file")

    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(f"tempfile.{name}", refuse)
    monkeypatch.setattr("waitress.buffers.TempfileBasedBuffer.newfile", refuse)
    part = b'--b\r\nContent-Disposition: form-data; name="mod"; filename="a.mod"\r\n\r\n'
    body = part + b"x" * 400_000 + b"\r\n--b--\r\n"
    request = urllib.request.Request(
        place + "upload",
        data=body,
        headers={
            "Origin": place.strip("/"),
            "Content-Type": "multipart/form-data; boundary=b",
        },
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=PATIENCE)
    assert refused.value.code == 400
    assert b"400,000 bytes" in refused.value.read()


def test_more_silent_connections_than_are_kept_keep_nobody_out(place):
    with ExitStack() as stack:
        silent = [
            stack.enter_context(opened(place)) for _ in range(connections.MOST_CONNECTIONS + 20)
        ]
        assert answered(place)
        assert closed_by_server(silent[0])  # the one that was silent for longest


def test_slow_uploads_keep_nobody_out(place):
    with ExitStack() as stack:
        for _ in range(2 * THREADS):
            connection = stack.enter_context(opened(place))
            connection.sendall(HEAD + b"Content-Length: 300000\r\n\r\nslowly")
        assert answered(place)


@pytest.mark.parametrize("start", [b"", b"GET / HTT", HEAD + b"Content-Length: 300000\r\n\r\nx"])
def test_a_silent_connection_is_closed(monkeypatch, start):
    monkeypatch.setattr(connections, "IDLE_SECONDS", 1)
    with served(Economies(None)) as place, opened(place) as connection:
        connection.sendall(start)
        assert closed_by_server(connection)
        assert answered(place)


def test_a_request_that_arrives_drop_by_drop_is_closed(monkeypatch):
    monkeypatch.setattr(connections, "ARRIVAL_SECONDS", 1)
    with served(Economies(None)) as place, opened(place) as connection:
        connection.sendall(HEAD + b"Content-Length: 300000\r\n\r\n")
        assert closed_by_server(connection, send=b"x")
        assert answered(place)
