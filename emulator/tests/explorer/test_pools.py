"""How many files are kept and read, and how many slow questions wait: nobody blocks the others."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import xarray as xr

from emulator.errors import ServerBusyError, UnknownNameError
from emulator.explorer.economies import READING_AT_ONCE, SLOW_AT_ONCE
from emulator.explorer.state import Scenario
from emulator.explorer.uploads import Upload
from emulator.tests.commands import PATIENCE
from emulator.tests.explorer.test_uploads import MAPPING, MOD, send


def test_the_oldest_files_are_given_up_with_their_processes(client, economies, monkeypatch):
    monkeypatch.setattr("emulator.explorer.economies.MOST_UPLOADS", 1)
    first = send(client).get_json()["world"]
    process = economies.upload(first)._process.process
    second = send(client, name="other.mod").get_json()["world"]
    assert economies.upload(first) is None
    assert economies.names[-1] == second
    assert process.poll() is not None
    assert "was not loaded here" in client.get(f"/?world={first}").text


def test_a_file_that_is_given_up_while_it_answers_starts_no_other_process(tmp_path):
    """Whoever took hold of it before is told, and nothing is left running."""
    upload = Upload("own.mod", MOD.encode(), MAPPING.encode()).read()
    process, folder = upload._process.process, Path(upload._process.folder)
    process.send_signal(signal.SIGSTOP)  # it is answering
    with ThreadPoolExecutor(1) as beside:
        asking = beside.submit(upload.irf, {}, shocks="monetary", size="1", horizon=4)
        upload.close()
        with pytest.raises(UnknownNameError, match="given up"):
            asking.result()
    assert process.poll() is not None
    assert not folder.exists()
    with pytest.raises(UnknownNameError, match="given up"):
        upload.irf({}, shocks="monetary", size="1", horizon=4)
    assert upload._process is None


class Held(Upload):
    """A file whose reading takes until it is let go."""

    def __init__(self, text):
        super().__init__("own.mod", text)
        self.begun, self.let_go = threading.Event(), threading.Event()

    def read(self):
        self.begun.set()
        assert self.let_go.wait(PATIENCE)
        return self


@pytest.mark.fast
def test_uploads_have_a_pool_of_their_own(economies, client):
    """More files than are read at once are refused, and the page answers all the while."""
    uploads = [Held(b"// %d" % k) for k in range(READING_AT_ONCE)]
    with ThreadPoolExecutor(READING_AT_ONCE) as beside:
        names = [beside.submit(economies.load, upload) for upload in uploads]
        for upload in uploads:
            assert upload.begun.wait(PATIENCE)
        answer = send(client)
        assert answer.status_code == 503
        assert "in a moment" in answer.get_json()["error"]
        assert client.get("/picture?state=world%3Dnk").status_code == 200
        for upload in uploads:
            upload.let_go.set()
    assert {name.result() for name in names} == {upload.name for upload in uploads}


@pytest.mark.fast
def test_the_same_file_is_read_once(economies):
    first, second = Held(b"//"), Held(b"//")
    first.let_go.set()
    assert economies.load(first) == economies.load(second)
    assert not second.begun.is_set()


@pytest.mark.fast
def test_slow_questions_leave_threads_for_others(economies, monkeypatch):
    """One more than may wait for a slow solver is told so; the network answers all the while."""
    let_go = threading.Event()
    economies._seconds["hank"] = 9.0
    monkeypatch.setattr(economies, "_solve", lambda *_: let_go.wait(PATIENCE) and xr.Dataset())
    scenarios = [Scenario("hank", "monetary", f"{k} sd") for k in range(2, 3 + SLOW_AT_ONCE)]
    with ThreadPoolExecutor(SLOW_AT_ONCE) as beside:
        waiting = [beside.submit(economies.solved, one, 20) for one in scenarios[:-1]]
        while economies._slow._value:
            time.sleep(0.01)
        with pytest.raises(ServerBusyError, match="in a moment"):
            economies.solved(scenarios[-1], 20)
        assert economies.solved(scenarios[-1], 20, patient=False) is None
        assert economies.predicted(Scenario("nk", "monetary"), 20) is not None
        let_go.set()
    assert all(one.result() is not None for one in waiting)


@pytest.mark.fast
def test_whoever_goes_away_gives_up_the_turn(economies, monkeypatch):
    let_go = threading.Event()
    monkeypatch.setattr(economies, "_solve", lambda *_: let_go.wait(PATIENCE) and xr.Dataset())
    with ThreadPoolExecutor(1) as beside:
        first = beside.submit(economies.solved, Scenario("hank", "monetary", "2 sd"), 20)
        while economies._slow._value == SLOW_AT_ONCE:
            time.sleep(0.01)
        second = Scenario("hank", "monetary", "3 sd")
        assert economies.solved(second, 20, gone=lambda: True) is None
        let_go.set()
        assert first.result() is not None
