"""Generation in real processes: two workers, kill -9, a worker that dies, a disk that refuses."""

import os
import signal
import textwrap
import time

import pytest

from emulator.data import generate_dataset, open_dataset
from emulator.data.shards import RECORDS
from emulator.errors import DatasetError
from emulator.tests import commands
from emulator.tests.data.conftest import TINY
from emulator.tests.data.tampering import contents, modified
from emulator.tests.worlds.shop import write_shop

LONG = {
    "worlds": ["nk"],
    "n_samples": 1280,
    "seed": 3,
    "horizon": 10,
    "periods": 5,
    "chunk": 64,
    "shard": 64,
}


STANDING = """
import time
from emulator.data import jobs

make = jobs.make_shard

def stand_still(folder, request, world, shard):
    while shard >= 15:
        time.sleep(0.05)
    return make(folder, request, world, shard)

jobs.make_shard = stand_still
"""
"""A run of one worker does not end before it is disturbed, however busy the machine is."""


def python(code, head="", **options):
    return commands.start("-c", head + textwrap.dedent(code), **options)


def wait_for_shards(root, count, process):
    deadline = time.monotonic() + commands.PATIENCE
    while len(list((root / RECORDS / "nk").glob("*.json"))) < count:
        assert process.poll() is None, (
            f"ended before it could be interrupted: {process.stderr.read()}"
        )
        assert time.monotonic() < deadline, "no shards appeared"
        time.sleep(0.002)


def test_one_worker_or_two_give_the_same_bytes(
    generate_tiny, tiny_dataset, spawned_workers, tmp_path
):
    generate_tiny(tmp_path / "two", workers=2)
    assert contents(tmp_path / "two") == contents(tiny_dataset)


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    """They must not write beside the run that resumes."""
    root = tmp_path / "orphaned"
    process = python(
        f"""
        from emulator.data import generate_dataset
        if __name__ == "__main__":
            generate_dataset({str(root)!r}, workers=2, **{LONG | {"n_samples": 64_000}!r})
    """,
        new_session=True,
    )
    wait_for_shards(root, 3, process)
    process.kill()
    process.wait()
    process.stderr.close()
    deadline = time.monotonic() + commands.PATIENCE
    while True:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        assert time.monotonic() < deadline, "workers outlived their parent"
        time.sleep(0.05)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_kill_minus_nine_loses_no_finished_shard_and_no_byte(generate_tiny, tmp_path, workers):
    root = tmp_path / "killed"
    process = python(
        f"""
        from emulator.data import generate_dataset
        if __name__ == "__main__":
            generate_dataset({str(root)!r}, workers={workers}, **{LONG!r})
    """,
        head=STANDING,
        new_session=True,
    )
    wait_for_shards(root, 3, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert not (root / "manifest.json").exists()
    with pytest.raises(DatasetError, match="not finished"):
        open_dataset(root)
    finished = [
        f"nk/irfs/c/{int(record.stem)}/0/0/0" for record in (root / RECORDS / "nk").glob("*.json")
    ]
    assert 3 <= len(finished) < 20
    before = modified(root, finished)
    generate_tiny(root, **LONG)
    assert modified(root, finished) == before
    generate_tiny(tmp_path / "undisturbed", **LONG)
    assert contents(root) == contents(tmp_path / "undisturbed")


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_batch_system_that_ends_the_run_is_told_how_to_resume(tmp_path, workers):
    root = tmp_path / "terminated"
    code = f"""
        import sys
        from emulator.cli import main
        if __name__ == "__main__":
            sys.argv = "emulator generate --world nk --n_samples 12000 --chunk 64".split()
            sys.argv += "--shard 64 --periods 5 --workers {workers} --output".split()
            sys.argv += [{str(root)!r}]
            main()
    """
    process = python(code, head=STANDING)
    wait_for_shards(root, 3, process)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=commands.PATIENCE)
    assert process.returncode == 128 + signal.SIGTERM
    assert "run the same command again to resume" in said.replace("\n", " ")
    assert "Traceback" not in said
    assert "leaked" not in said
    assert not (root / "manifest.json").exists()


def test_a_worker_that_dies_ends_in_a_message_and_the_run_can_be_resumed(tmp_path):
    root = tmp_path / "orphaned"
    process = python(f"""
        import os, signal, sys, threading, time
        from pathlib import Path
        from multiprocessing import active_children
        from emulator.console import exit_with
        from emulator.data.command import generate
        import typer

        def assassin():
            while not list((Path({str(root)!r}) / {RECORDS!r} / "nk").glob("*.json")):
                time.sleep(0.002)
            os.kill(active_children()[0].pid, signal.SIGKILL)

        if __name__ == "__main__":
            threading.Thread(target=assassin, daemon=True).start()
            app = typer.Typer(add_completion=False)
            app.command()(generate)
            sys.argv = "generate --world nk --n_samples 12000 --chunk 64 --shard 64".split()
            sys.argv += "--periods 5 --workers 2 --output".split() + [{str(root)!r}]
            exit_with(app)
    """)
    _, said = process.communicate(timeout=commands.PATIENCE)
    assert process.returncode == 1
    assert "A worker process was killed" in said
    assert "resume" in said
    assert "Traceback" not in said
    assert list((root / RECORDS / "nk").glob("*.json"))
    assert not (root / "manifest.json").exists()


def test_a_write_that_the_system_refuses_ends_in_a_message_and_can_be_resumed(
    generate_tiny, tiny_dataset, tmp_path
):
    root = tmp_path / "refused"
    process = python(f"""
        import resource, signal, sys
        from emulator.cli import app
        from emulator.console import exit_with
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
        sys.argv = "emulator generate --world nk,lss --n_samples 80 --seed 7 --horizon 5".split()
        sys.argv += "--periods 4 --chunk 16 --shard 32 --output".split() + [{str(root)!r}]
        exit_with(app)
    """)
    _, said = process.communicate(timeout=commands.PATIENCE)
    assert process.returncode == 1
    assert "File too large" in said
    assert "run the same command again" in said
    assert "Traceback" not in said
    assert not (root / "manifest.json").exists()
    generate_tiny(root)
    assert contents(root) == contents(tiny_dataset)


@pytest.mark.parametrize(
    "rooms",
    [
        "emulator.data",
        "emulator.worlds",
        "emulator.solvers",
        "emulator.spec, emulator.errors, emulator.console, emulator.files",
    ],
)
def test_economists_need_no_pytorch(rooms):
    code = f"import {rooms}, sys; sys.exit('torch was imported' if 'torch' in sys.modules else 0)"
    done = commands.run("-c", code, warnings="error", fresh=True)
    assert done.returncode == 0, done.stderr


def test_generating_and_validating_need_no_pytorch(tmp_path):
    code = f"""
        import sys

        class NoTorch:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "torch":
                    raise ImportError("torch was asked for")

        sys.meta_path.insert(0, NoTorch())
        from emulator.data import generate_dataset, validate_dataset
        generate_dataset({str(tmp_path / "x")!r}, **{TINY!r})
        assert validate_dataset({str(tmp_path / "x")!r}) == []
    """
    process = python(code, fresh=True)
    _, said = process.communicate(timeout=commands.PATIENCE)
    assert process.returncode == 0, said


def test_workers_read_the_python_file_of_a_simulator_by_its_path(tmp_path):
    size = {"n_samples": 80, "verdicts": 0, "chunk": 16, "shard": 32}
    place = f"{write_shop(tmp_path)}:economy"
    generate_dataset(tmp_path / "one", [place], **size)
    generate_dataset(tmp_path / "two", [place], workers=2, **size)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
