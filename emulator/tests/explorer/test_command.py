"""`emulator explore` as it is typed: its address, its refusals, the code that it hands out, a
fitted result over data.
"""

import http.client
import io
import os
import re
import runpy
import signal
import socket
import sys
import time
import urllib.request
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Event, Thread

import pandas as pd
import pytest

import emulator
from emulator.explorer.command import _signals
from emulator.explorer.economies import Economies
from emulator.explorer.serve import served, server
from emulator.explorer.state import State
from emulator.tests import commands
from emulator.tests.explorer.test_uploads import MAPPING, MOD


@pytest.mark.fast
def test_a_port_in_use_is_told(emulate):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, said = emulate("explore", "--no-network", "--port", port)
    assert code == 1
    assert f"Port {port} of 127.0.0.1 is in use" in said
    assert "--port 0" in said


@pytest.mark.fast
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--host", "no.such.host.example"), "cannot listen"),
        (("--port", "99999"), "65535"),
        (("--checkpoint", "no_such"), "no_such"),
        (("--no-network", "--state", "world=nkk"), "Did you mean 'nk'?"),
        (("--no-network", "--screenshot", "page.gif"), ".png"),
        (("--no-network", "--fit", "no_such_folder"), "no_such_folder"),
    ],
)
def test_bad_input_ends_in_a_message(emulate, arguments, words):
    code, out, said = emulate("explore", *arguments)
    assert code != 0
    assert words in re.sub(r"\s+", " ", out + said)


@pytest.mark.fast
@pytest.mark.parametrize("package", ["flask", "waitress"])
def test_a_missing_package_is_named_with_its_extra(emulate, monkeypatch, package):
    ours = ("emulator.explorer.app", "emulator.explorer.connections")
    for name in [name for name in sys.modules if name in ours or name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    code, _, said = emulate("explore", "--no-network")
    assert code == 1
    assert f"'{package}' is needed" in said
    assert "[explorer]" in said


def test_without_a_network_the_solver_answers_and_pytorch_is_not_imported(tmp_path):
    program = (
        "import sys\nfrom emulator.explorer.economies import Economies\nfrom emulator.explorer.app"
        " import create_app\nclient = create_app(Economies(None)).test_client()\nshown ="
        " client.get('/picture?state=world%3Dnk&patient=1').get_json()\nassert 'class=\"line c0\"'"
        " in shown['picture'] and 'band' not in shown['picture'], shown\nassert 'torch' not in"
        " sys.modules\n"
    )
    commands.run("-c", program, check=True, folder=tmp_path, fresh=True)


@pytest.mark.fast
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_server_ends_and_frees_its_port(host):
    with served(Economies(None), host) as place:
        port = int(place.rsplit(":", 1)[1].strip("/"))
        with urllib.request.urlopen(place + "palette.css") as answer:
            assert b"--curve-0" in answer.read()
    server(Economies(None), "127.0.0.1", port).close()


@pytest.mark.fast
def test_a_connection_that_a_browser_keeps_does_not_hold_the_server():
    with served(Economies(None)) as place:
        kept = http.client.HTTPConnection(
            place.removeprefix("http://").strip("/"), timeout=commands.PATIENCE
        )
        kept.request("GET", "/palette.css")
        assert b"--curve-0" in kept.getresponse().read()
        assert kept.sock is not None
    assert kept.sock.recv(1) == b""  # closed by the server, not by us
    kept.close()


@contextmanager
def explorer(folder, *arguments):
    """The command in a process of its own, with its temporary files in a folder; its address."""
    process = commands.start(
        *("emulator", "explore", "--no-network", "--no-browser", "--port", "0", *arguments),
        folder=folder,
        environment={"TMPDIR": str(folder)},
    )
    try:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert address, line + process.stderr.read()
        yield process, address[0]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_the_command_serves_until_it_is_told_to_end(tmp_path, number, code):
    with explorer(tmp_path) as (process, address):
        with urllib.request.urlopen(address) as answer:
            assert answer.status == 200
        process.send_signal(number)
        _, said = process.communicate(timeout=commands.PATIENCE)
    assert "Traceback" not in said
    assert process.returncode == code


@pytest.mark.parametrize("moment", ["while the file is read", "when it answered"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_explorer_that_is_ended_leaves_no_folder(tmp_path, number, moment):
    with explorer(tmp_path) as (process, address), ThreadPoolExecutor(1) as beside:
        upload = beside.submit(send_to, address)
        while not list(tmp_path.glob("emulator-explorer-*")):
            time.sleep(0.02)
        if moment == "when it answered":
            assert b"own-" in upload.result()
        process.send_signal(number)
        process.communicate(timeout=commands.PATIENCE)
        upload.exception()  # there may be one: the answer was cut off
    assert list(tmp_path.iterdir()) == []


def send_to(address):
    """Upload a file as the page does; the answer."""
    head = '--b\r\nContent-Disposition: form-data; filename="own.mod"; name='
    parts = f'{head}"mod"\r\n\r\n{MOD}\r\n{head}"mapping"\r\n\r\n{MAPPING}\r\n'
    headers = {
        "Origin": address.strip("/"),
        "Content-Type": "multipart/form-data; boundary=b",
    }
    request = urllib.request.Request(address + "upload", f"{parts}--b--\r\n".encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def test_the_command_says_at_once_what_it_does(tmp_path):
    """Before it imports what takes long: it is told to end as soon as it has said so."""
    process = commands.start("emulator", "explore", "--no-browser", folder=tmp_path, fresh=True)
    try:
        assert "Starting the explorer" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=commands.PATIENCE)
    finally:
        process.kill()
    assert "Traceback" not in said
    assert process.returncode == 143


@pytest.mark.fast
def test_a_signal_that_another_thread_takes_ends_the_explorer():
    """As the system may have it while that thread starts a process."""
    ready = Event()

    def send():
        ready.wait()
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=send).start()
    with _signals() as signals:
        signals.serving = True
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            ready.set()
            assert signals.wait() == signal.SIGTERM
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


@pytest.mark.fast
def test_a_signal_whose_exception_is_lost_still_ends_the_explorer(emulate, monkeypatch):
    """As in a destructor that runs while PyTorch is imported."""

    def lose_an_interrupt(*_):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("emulator.explorer.economies.Economies.__init__", lose_an_interrupt)
    monkeypatch.setattr("emulator.explorer.serve.served", lambda *_: nullcontext("http://here/"))
    monkeypatch.setattr("emulator.explorer.state.State.read", lambda *_: None)
    code, out, _ = emulate("explore", "--no-network", "--no-browser")
    assert code == 0
    assert "http://here/" in out


@pytest.mark.fast
def test_help_and_import_do_not_pay_for_answers():
    program = (
        "import sys, emulator.explorer, emulator.cli\n"
        "sys.argv = ['emulator', 'explore', '--help']\n"
        "try: emulator.cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'flask', 'pandas', 'matplotlib', 'xarray', 'numpy', 'scipy', 'zarr'}\n"
        "print(*heavy & set(sys.modules), file=sys.stderr)"
    )
    done = commands.run("-c", program, fresh=True)
    assert "--no-browser" in done.stdout
    assert done.stderr.strip() == ""


@pytest.mark.fast
@pytest.mark.parametrize(
    ("arguments", "screens", "opens"),
    [
        ((), ("DISPLAY",), True),
        (("--open",), ("WAYLAND_DISPLAY",), True),
        ((), ("BROWSER",), True),
        (("--no-browser",), ("DISPLAY", "BROWSER"), False),
        ((), (), False),  # a browser in the terminal is none
    ],
)
def test_the_browser_is_opened_where_there_is_a_screen(
    emulate, monkeypatch, no_browser, arguments, screens, opens
):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    for name in screens:
        monkeypatch.setenv(name, "x")
    monkeypatch.setattr("emulator.explorer.command.say", lambda _: signal.raise_signal(2))
    code, _, _ = emulate("explore", "--no-network", "--port", "0", *arguments)
    assert code == 0
    while opens and not no_browser:  # in a thread beside
        time.sleep(0.01)
    assert len(no_browser) == opens
    assert all(address.startswith("http://127.0.0.1:") for address in no_browser)


def test_the_python_code_gives_the_same_numbers(client, tmp_path):
    state = (
        "p.kappa=0.05&p.phi_pi=2.3&size=25bp+on+rate&horizon=9&with=sw07"
        "&pin=world%3Drbc%26shock%3Dtechnology%26size%3D1%2525"
    )
    (tmp_path / "responses.py").write_bytes(client.get(f"/responses.py?{state}").data)
    with warnings.catch_warnings(action="error"):
        compile((tmp_path / "responses.py").read_text(), "responses.py", "exec")
    commands.run("responses.py", folder=tmp_path, check=True)
    written = pd.read_csv(tmp_path / "responses.csv")
    shown = pd.read_csv(io.BytesIO(client.get(f"/responses.csv?{state}").data))
    pd.testing.assert_frame_equal(
        written, shown, rtol=1e-5, atol=1e-7
    )  # another process may round a network's float32 otherwise
    assert len(written["scenario"].unique()) == 6


@pytest.mark.fast
@pytest.mark.checkout
def test_the_pictures_of_the_documentation_are_taken_by_the_commands_on_its_page():
    """`make docs` runs them; every name and value in them is one that the explorer knows."""
    script = Path(emulator.__file__).parents[1] / "docs" / "_ext" / "screenshot.py"
    arguments, *others = runpy.run_path(str(script))["commands"]()
    assert arguments[:3] == ["explore", "--screenshot", "docs/figures/explorer.png"]
    state = State.read(arguments[arguments.index("--state") + 1], Economies(None).spec)
    assert [scenario.world for scenario in state.scenarios().values()] == ["nk", "switching", "nk"]
    assert len(others) == 2
    for other in others:
        assert other[2].startswith("docs/figures/explorer-")
        State.read(other[other.index("--state") + 1], Economies(None).spec)
