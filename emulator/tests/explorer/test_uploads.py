"""Files that a reader loads: read in a process of their own, bounded, never run, and the page
answers all the while.
"""

import atexit
import gc
import io
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import emulator
from emulator.errors import EmulatorError, ModFileError
from emulator.explorer import process
from emulator.explorer.process import SandboxProcess, Seconds
from emulator.explorer.uploads import LARGEST, Upload, stem
from emulator.tests import commands

MOD = """var y pi r; varexo e; parameters rho phi;
rho = 0.7; phi = 1.5;
model(linear);
y = rho*y(-1) - (r - pi(+1)) ; pi = 0.99*pi(+1) + 0.1*y; r = phi*pi + e;
end;
shocks; var e; stderr 0.25; end;
stoch_simul(order=1);
"""


MAPPING = """observables: {output: y, inflation: 4*pi, rate: 4*r}
shocks: {monetary: {variable: e, meaning: tightening}}
parameters:
  rho: {prior: uniform, low: 0.1, high: 0.9, meaning: "<b>memory</b>"}
  phi: {prior: uniform, low: 1.1, high: 3.0}
"""


START = process.start

SW07 = Path(emulator.__file__).parent / "worlds" / "sw07"


def send(client, mod=MOD, mapping=MAPPING, name="own.mod"):
    files = {"mod": (io.BytesIO(mod.encode() if isinstance(mod, str) else mod), name)}
    if mapping is not None:
        files["mapping"] = (io.BytesIO(mapping.encode()), "own.world.yaml")
    return client.post("/upload", data=files)


@pytest.fixture
def beside(tmp_path):
    """The same files on disk, as `emulator.world` reads them."""
    (tmp_path / "own.mod").write_text(MOD)
    (tmp_path / "own.world.yaml").write_text(MAPPING)
    return tmp_path


def test_a_file_becomes_a_world_whose_numbers_are_those_of_its_solver(client, economies, beside):
    world = send(client).get_json()["world"]
    assert world.startswith("own-")
    assert send(client).get_json()["world"] == world  # its name says what it holds
    page = client.get(f"/?world={world}").text
    assert "&lt;b&gt;memory" in page
    assert "<b>memory" not in page
    assert "the solver answers" in page
    shown = pd.read_csv(
        io.BytesIO(client.get(f"/responses.csv?world={world}&p.rho=0.4&horizon=6").data)
    )
    exact = emulator.world(beside / "own.mod").irf(rho=0.4, horizon=6)
    np.testing.assert_allclose(
        shown["output"], exact["irf"].sel(observable="output").values[0, 0], rtol=1e-12
    )
    notes = client.get(
        "/picture", query_string={"state": f"world={world}&p.phi=0.5", "patient": "1"}
    ).get_json()["notes"]
    assert "no unique stable solution (indeterminate" in notes


def test_the_code_of_an_uploaded_world_runs_beside_its_file(client, beside):
    world = send(client).get_json()["world"]
    (beside / "responses.py").write_bytes(
        client.get(f"/responses.py?world={world}&p.rho=0.35").data
    )
    commands.run("responses.py", folder=beside, check=True)
    assert (beside / "responses.csv").read_bytes() == client.get(
        f"/responses.csv?world={world}&p.rho=0.35"
    ).data


def test_without_a_mapping_a_guess_is_offered_that_names_no_folder_of_this_machine(client):
    world = send(client, mapping=None).get_json()["world"]
    page = client.get(f"/?world={world}").text
    model = client.get(f"/model?world={world}")
    proposal = model.get_json()["mapping"]
    assert "inflation" in proposal
    assert "A proposal, guessed" in page
    assert "/tmp" not in page
    assert "/tmp" not in model.text
    assert "/tmp" not in client.get(f"/responses.py?world={world}").text
    again = send(client, mapping=proposal).get_json()["world"]
    assert "A proposal, guessed" not in client.get(f"/?world={again}").text


@pytest.mark.parametrize(
    ("mod", "words"),
    [
        ("", "empty"),
        ("var y;", "no model block"),
        (MOD.replace("rho*y(-1)", "__import__('os').system('id')*y(-1)"), "system"),
        ('@#include "/etc/passwd"\n' + MOD, "the text stands alone"),
        ('@#includepath "/"\n' + MOD, "the text stands alone"),
        (MOD.replace("phi = 1.5", "phi = 0.5"), "no unique stable solution"),
    ],
)
def test_a_file_without_a_mapping_is_bounded_as_one_with_it(client, mod, words):
    answer = send(client, mod, None)
    assert answer.status_code == 400
    assert words in answer.get_json()["error"]
    assert "/tmp" not in answer.get_json()["error"]


@pytest.mark.parametrize(
    ("mod", "mapping", "words"),
    [
        ("", MAPPING, "empty"),
        ("var y;", MAPPING, "no model block"),
        (MOD.replace("rho*y(-1)", "__import__('os').system('id')*y(-1)"), MAPPING, "system"),
        ('@#include "/etc/passwd"\n' + MOD, MAPPING, "the text stands alone"),
        (f'  @# include "{SW07}"\n', MAPPING, "the text stands alone"),
        (f'@#/**/include "{SW07}"\n', MAPPING, "the text stands alone"),
        (f'@#define f = "{SW07}"\n@#include f\n', MAPPING, "the text stands alone"),
        ('@#includepath "/"\n' + MOD, MAPPING, "the text stands alone"),
        (MOD, "observables: !!python/object/apply:os.system [id]", "YAML"),
        (MOD, "a: &a [1]\nb: [*a, *a]", "aliases"),
        (MOD.replace("phi = 1.5", "phi = 0.5"), MAPPING, "own.world.yaml: parameters.phi"),
        (b"\x7fELF\x02\x01\x00\x00" + bytes(range(256)), MAPPING, "zero byte"),
    ],
)
def test_broken_and_hostile_files_end_in_one_message(client, mod, mapping, words):
    answer = send(client, mod, mapping)
    assert answer.status_code == 400
    assert words in answer.get_json()["error"]


@pytest.mark.fast
def test_large_files_are_refused_before_they_are_read(client):
    assert send(client, "x" * (LARGEST + 1)).status_code == 400
    assert send(client, "x" * (3 * LARGEST)).status_code == 413
    assert "too large" in send(client, "x" * (3 * LARGEST)).get_json()["error"]
    assert client.post("/upload", data={}).status_code == 400


@pytest.mark.fast
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("own.mod", "own"),
        ("../../etc/own.mod", "own"),
        ("C:\\a\\own.mod", "own"),
        ("<b>.mod", "model"),
        ("", "model"),
        ("a" * 99, "model"),
        ("-x.mod", "model"),
    ],
)
def test_names_of_files_become_plain_names(file, name):
    assert stem(file) == name


def slow_process(monkeypatch, tmp_path, program):
    """A process in the sandbox's place that behaves as the worst file could make it."""
    monkeypatch.setattr("emulator.explorer.process.start", START)
    script = tmp_path / "stand_in"
    script.write_text(f"#!{sys.executable}\n{program}")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


@pytest.mark.fast
@pytest.mark.parametrize(
    ("program", "seconds", "words"),
    [
        ("import time; time.sleep(3600)", 1.0, "no answer within 1 seconds by the clock"),
        ("while True: pass", 1.0, "no answer within 1 seconds by the clock"),
        ("raise SystemExit(1)", 3600.0, "ended without an answer"),
        ("print('x' * 30_000_000, flush=True)", 3600.0, "too long an answer"),
    ],
)
def test_a_process_that_takes_too_long_or_too_much_is_ended(
    monkeypatch, tmp_path, program, seconds, words
):
    slow_process(monkeypatch, tmp_path, program)
    with pytest.raises(ModFileError, match=words):
        Upload("own.mod", MOD.encode(), MAPPING.encode(), Seconds(read=seconds)).read()
    assert not running(tmp_path)


def test_a_process_that_computes_for_too_long_is_ended_by_its_processor_time(monkeypatch, tmp_path):
    """By the clock it has an hour, as if the machine were busy."""
    program = (
        "from emulator.explorer import sandbox\nsandbox.limit_processor_time(1)\nwhile True: 0"
    )
    slow_process(monkeypatch, tmp_path, program)
    upload = Upload("own.mod", MOD.encode(), seconds=Seconds(read=3600.0, read_processor=1.0))
    with pytest.raises(ModFileError, match="no answer within 1 seconds of processor time"):
        upload.read()
    assert not running(tmp_path)


def running(folder):
    """Processes whose command names a file of this folder."""
    commands = Path("/proc").glob("[0-9]*/cmdline")
    return [path for path in commands if str(folder).encode() in _read(path)]


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_an_answer_that_takes_too_long_costs_the_process_but_not_the_world():
    upload = Upload("own.mod", MOD.encode(), MAPPING.encode()).read()
    try:
        upload._process.seconds = Seconds(answer=0.5)
        upload._process.process.send_signal(signal.SIGSTOP)  # no answer, however fast the machine
        folder = Path(upload._process.folder)
        with pytest.raises(ModFileError, match="no answer within"):
            upload.irf({}, shocks="monetary", size="1", horizon=200)
        assert not folder.exists()
        assert np.isfinite(upload.irf({}, shocks="monetary", size="1", horizon=4)["irf"]).all()
        with pytest.raises(EmulatorError, match="Unknown parameter"):
            upload.irf({"nix": 1.0}, shocks="monetary", size="1", horizon=4)
    finally:
        folder = Path(upload._process.folder)
        upload.close()
    assert not folder.exists()


def uploads_in_memory():
    gc.collect()
    return [one for one in gc.get_objects() if type(one) in (Upload, SandboxProcess)]


@pytest.mark.fast
def test_a_file_that_is_refused_leaves_nothing(monkeypatch, tmp_path, client):
    slow_process(monkeypatch, tmp_path, 'input(); print(\'{"error": "no"}\', flush=True)')
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    at_exit = atexit._ncallbacks()
    before = uploads_in_memory()
    for k in range(3):
        answer = send(client, f"// {k}")
        assert (answer.status_code, answer.get_json()["error"]) == (400, "no")
    assert atexit._ncallbacks() == at_exit
    assert not [one for one in uploads_in_memory() if not any(one is other for other in before)]
    assert [path.name for path in tmp_path.iterdir()] == ["stand_in"]
