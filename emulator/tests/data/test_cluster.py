"""Generation on a Dask cluster of real worker processes: same bytes, workers and schedulers that
die, wrong addresses.
"""

import json
import os
import signal
import sys
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from emulator.data import generate_dataset, validate_dataset
from emulator.data.shards import RECORDS
from emulator.errors import DatasetError, MissingExtraError
from emulator.tests import commands
from emulator.tests.data.tampering import contents
from emulator.tests.worlds.shop import FILE, write_shop

HELD = FILE.replace(
    "    rho, slope",
    f"""    import time
    from pathlib import Path

    here = Path(__file__).parent
    while (here / "hold").exists() and len([*here.glob("*/{RECORDS}/*/*.json")]) >= 3:
        time.sleep(0.01)
    rho, slope""",
)
"""A simulator that stands still after three shards, until the file `hold` beside it is gone: what
is disturbed then has not ended before.
"""

EIGHT_SHARDS = {"n_samples": 128, "seed": 7, "verdicts": 0, "chunk": 16, "shard": 16}


@contextmanager
def running_cluster(folder, workers):
    """A scheduler and workers of one thread each: their processes, the scheduler first, and the
    file that says where it is.
    """
    pytest.importorskip("distributed")
    file = folder / "scheduler.json"
    scheduler = ["distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard"]
    worker = ["distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    with ExitStack() as processes:

        def start(words):
            process = commands.start("-m", *words, "--scheduler-file", file, folder=folder)
            processes.callback(process.communicate)
            processes.callback(process.kill)
            return process

        yield [start(words) for words in (scheduler, *[worker] * workers)], file


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a scheduler with two workers."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), 2) as (_, file):
        wait_for_file(file)
        address = json.loads(file.read_text())["address"]
        with client_of(address) as client:
            client.wait_for_workers(2, timeout=commands.PATIENCE)
        yield address


def wait_for_file(file):
    deadline = time.monotonic() + commands.PATIENCE
    while not file.exists():
        assert time.monotonic() < deadline, "the scheduler did not start"
        time.sleep(0.01)


def client_of(address):
    from distributed import Client

    return Client(address, set_as_default=False)


def worker_processes(address):
    with client_of(address) as client:
        return list(client.run(os.getpid).values())


@pytest.fixture
def held(tmp_path):
    """The place of the simulator of `HELD`, which holds."""
    (tmp_path / "hold").touch()
    return f"{write_shop(tmp_path, HELD)}:economy"


def shards_of(root):
    return len([*(root / RECORDS).rglob("*.json")])


def wait_for_shards(root, alive):
    deadline = time.monotonic() + commands.PATIENCE
    while shards_of(root) < 3:
        assert alive(), "ended before it could be disturbed"
        assert time.monotonic() < deadline, "no shards appeared"
        time.sleep(0.002)


def test_a_cluster_of_two_gives_the_same_bytes(
    generate_tiny, tiny_dataset, cluster, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)  # the workers were started elsewhere
    generate_tiny("relative", scheduler=cluster)
    assert contents(tmp_path / "relative") == contents(tiny_dataset)
    assert validate_dataset("relative") == []


def test_a_simulator_of_a_python_file_is_read_by_every_worker(cluster, tmp_path):
    size = {"n_samples": 80, "verdicts": 0, "shard": 32, "chunk": 16}
    place = f"{write_shop(tmp_path)}:economy"
    generate_dataset(tmp_path / "one", [place], **size)
    generate_dataset(tmp_path / "many", [place], scheduler=cluster, **size)
    assert contents(tmp_path / "many") == contents(tmp_path / "one")


def test_a_killed_worker_costs_no_byte(cluster, held, tmp_path):
    root, there = tmp_path / "killed", []

    def kill():
        wait_for_shards(root, lambda: True)
        os.kill(processes[0], signal.SIGKILL)
        there.append(shards_of(root))
        (tmp_path / "hold").unlink()

    processes = worker_processes(cluster)
    assassin = threading.Thread(target=kill)
    assassin.start()
    generate_dataset(root, [held], scheduler=cluster, **EIGHT_SHARDS)
    assassin.join()
    assert 3 <= there[0] < 8
    generate_dataset(tmp_path / "undisturbed", [held], **EIGHT_SHARDS)
    assert contents(root) == contents(tmp_path / "undisturbed")


def test_workers_that_see_another_folder_write_nothing(generate_tiny, cluster):
    with pytest.raises(
        DatasetError,
        match=r"worker on .* does not see this run in memory://elsewhere/x.*every worker sees",
    ):
        generate_tiny("memory://elsewhere/x", scheduler=cluster)


def test_a_scheduler_that_dies_ends_in_a_message_and_the_run_can_be_resumed(held, tmp_path):
    root = tmp_path / "lost"
    with running_cluster(tmp_path, 1) as ((scheduler, _), file):
        wait_for_file(file)
        options = "generate --n_samples 128 --seed 7 --verdicts 0 --chunk 16 --shard 16"
        place = ["--world", held, "--scheduler", file, "--output", root]
        run = commands.start("emulator", *options.split(), *place)
        wait_for_shards(root, lambda: run.poll() is None)
        scheduler.kill()
        _, said = run.communicate(timeout=commands.PATIENCE)
    assert run.returncode == 1
    assert "connection to the scheduler" in said
    assert "run the same command again to resume" in said
    assert "Traceback" not in said
    assert not (root / "manifest.json").exists()
    assert 3 <= shards_of(root) < 8
    (tmp_path / "hold").unlink()
    generate_dataset(root, [held], **EIGHT_SHARDS)
    assert validate_dataset(root) == []


@pytest.mark.parametrize(
    ("scheduler", "message"),
    [
        pytest.param(
            "tcp://127.0.0.1:1",
            "No Dask scheduler answers at tcp://127.0.0.1:1.*Nothing was changed",
            marks=pytest.mark.slow,
        ),
        ("nonsense", "Must include protocol like tcp://"),
        ("foo://host:1", "unknown address scheme"),
        ("missing.json", "scheduler file missing.json does not exist"),
    ],
)
def test_a_scheduler_that_does_not_answer_is_said_and_nothing_is_written(
    generate_tiny, tmp_path, scheduler, message
):
    pytest.importorskip("distributed")
    with pytest.raises(DatasetError, match=message):
        generate_tiny(tmp_path / "none", scheduler=scheduler)
    assert not (tmp_path / "none").exists()


def test_an_unreachable_scheduler_does_not_cost_the_data_that_are_there(generate_tiny, tiny_copy):
    pytest.importorskip("distributed")
    before = contents(tiny_copy)
    with pytest.raises(DatasetError, match="Must include protocol"):
        generate_tiny(tiny_copy, seed=8, overwrite=True, scheduler="nonsense")
    assert contents(tiny_copy) == before


@pytest.mark.fast
def test_without_dask_the_extra_is_named(generate_tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"'distributed'.*\[dask\]"):
        generate_tiny(tmp_path / "none", scheduler="tcp://127.0.0.1:8786")


@pytest.mark.fast
def test_processes_and_a_cluster_at_once_are_refused(generate_tiny, tmp_path):
    with pytest.raises(DatasetError, match="give one of them"):
        generate_tiny(tmp_path / "none", scheduler="tcp://127.0.0.1:8786", workers=2)
