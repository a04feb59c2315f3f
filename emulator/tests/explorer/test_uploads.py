"""Files that a reader loads: read in a process of their own, bounded, never run, and the page
answers all the while.
"""

import io
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import emulator
from emulator.errors import EmulatorError, ModFileError
from emulator.explorer.uploads import LARGEST, Upload, stem

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
    found = pd.read_csv(
        io.BytesIO(client.get(f"/responses.csv?world={world}&p.rho=0.4&horizon=6").data)
    )
    exact = emulator.world(beside / "own.mod").irf(rho=0.4, horizon=6)
    np.testing.assert_allclose(
        found["output"], exact["irf"].sel(observable="output").values[0, 0], rtol=1e-12
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
    subprocess.run([sys.executable, "responses.py"], cwd=beside, check=True, capture_output=True)
    assert (beside / "responses.csv").read_bytes() == client.get(
        f"/responses.csv?world={world}&p.rho=0.35"
    ).data


def test_without_a_mapping_a_guess_is_offered_that_names_no_folder_of_this_machine(client):
    answer = send(client, mapping=None)
    assert answer.status_code == 400
    error = answer.get_json()["error"]
    assert "observables:" in error
    assert "own.world.yaml" in error
    assert "/tmp" not in error


@pytest.mark.parametrize(
    ("mod", "mapping", "words"),
    [
        ("", MAPPING, "empty"),
        ("var y;", MAPPING, "no model block"),
        (MOD.replace("rho*y(-1)", "__import__('os').system('id')*y(-1)"), MAPPING, "system"),
        ('@#include "/etc/passwd"\n' + MOD, MAPPING, "whose files stand alone"),
        (
            f'  @# include "{Path(emulator.__file__).parent / "worlds" / "sw07"}"\n',
            MAPPING,
            "whose files stand alone",
        ),
        ('@#includepath "/"\n' + MOD, MAPPING, "whose files stand alone"),
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
    script = tmp_path / "stand_in"
    script.write_text(f"#!{sys.executable}\n{program}")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


@pytest.mark.fast
@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import time; time.sleep(60)", "no answer within 1"),
        ("while True: pass", "no answer within 1"),
        ("raise SystemExit(1)", "ended without an answer"),
        ("print('x' * 30_000_000, flush=True)", "too long an answer"),
    ],
)
def test_a_process_that_takes_too_long_or_too_much_is_ended(monkeypatch, tmp_path, program, words):
    slow_process(monkeypatch, tmp_path, program)
    started = time.monotonic()
    with pytest.raises(ModFileError, match=words):
        Upload("own.mod", MOD.encode(), MAPPING.encode(), read_seconds=1.0)
    assert time.monotonic() - started < 20
    time.sleep(0.1)
    assert not [
        p for p in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path).encode() in _read(p)
    ]


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_an_answer_that_takes_too_long_costs_the_process_but_not_the_world():
    upload = Upload("own.mod", MOD.encode(), MAPPING.encode())
    try:
        upload._answer_seconds = 0.5
        upload._process.send_signal(
            signal.SIGSTOP
        )  # so that no answer comes, however fast the machine
        with pytest.raises(ModFileError, match="no answer within"):
            upload.irf({}, shocks="monetary", size="1", horizon=200)
        upload._answer_seconds = 10.0
        assert np.isfinite(upload.irf({}, shocks="monetary", size="1", horizon=4)["irf"]).all()
        with pytest.raises(EmulatorError, match="Unknown parameter"):
            upload.irf({"nix": 1.0}, shocks="monetary", size="1", horizon=4)
    finally:
        folder = Path(upload._folder)
        upload.close()
    assert not folder.exists()


def test_the_oldest_files_are_given_up_with_their_processes(client, economies, monkeypatch):
    monkeypatch.setattr("emulator.explorer.economies.MOST_UPLOADS", 1)
    first = send(client).get_json()["world"]
    process = economies.uploads[first]._process
    second = send(client, name="other.mod").get_json()["world"]
    assert list(economies.uploads) == [second]
    assert process.poll() is not None
    assert "was not loaded here" in client.get(f"/?world={first}").text
