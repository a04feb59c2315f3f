"""Shared by all rooms' tests: a small finished data set, made once, and the command line."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from emulator.cli import app
from emulator.console import exit_with
from emulator.data import card, generate_dataset
from emulator.spec import WorldSpec
from emulator.tests import commands
from emulator.tests.durations import LONGER, fast_alone, in_shares

# Two processes of tests, and those that tests start, share two cores: one thread each.
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

SMALL_WORLDS = ("nk", "var", "lss")
SMALL = {"n_samples": 300, "seed": 42, "horizon": 40, "periods": 20, "chunk": 64, "shard": 128}
"""Three shards a world, of 128, 128 and 44 rows; the horizon is the default, which the networks are
built for.
"""


PICTURE = card.picture

MARKERS = (
    "fast: runs in well under a second; `-m fast` as a whole in under a minute",
    "longer: not that quick, in a file that is fast; `-m fast` leaves it out",
    "slow: minutes or an outside program; not part of the default run",
    "demo: needs the results of `make demo`; not part of the default run",
    "checkout: needs the repository beside the package (configs, scripts, examples)",
)


def pytest_configure(config: pytest.Config) -> None:
    """Markers stand here, so that the installed package's tests know them too."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    # Of workers, too: each reads the command line anew.
    config.option.markexpr = fast_alone(config.option.markexpr)
    if commands.PLACE not in os.environ:  # workers take that of the process that starts them
        folder = tempfile.TemporaryDirectory(prefix="emulator-tests-")
        config.add_cleanup(folder.cleanup)
        os.environ[commands.PLACE] = folder.name


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is longer than its file, and set the order in which workers share the tests.

    Each begins with files of long tests: one that began last would keep the others waiting. A
    worker's first share is a row of neighbours in the list.
    """
    folder = Path(__file__).parent
    names = [item.path.relative_to(folder).as_posix() for item in items]
    for item, name in zip(items, names, strict=True):
        if f"{name}::{item.name.partition('[')[0]}" in LONGER:
            item.add_marker("longer")
    if hasattr(config, "workerinput"):
        workers = config.workerinput["workercount"]
        items[:] = [items[k] for k in in_shares(names, workers)]


def pytest_collection_finish() -> None:
    """What is imported and collected by now stays: Python need not look through it for garbage
    again and again, which took 8 % of the processor time.
    """
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Nothing that a test started outlives the tests."""
    commands.stop()


@pytest.fixture(scope="session", autouse=True)
def no_power_cut() -> Iterator[None]:
    """Files of tests need not reach the disk: they are read back by this machine, which is up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def no_picture(spec: WorldSpec, irf: Any) -> bytes:
    return b"no picture of " + spec.name.encode()


@pytest.fixture(scope="session", autouse=True)
def plain_cards() -> Iterator[None]:
    """Data cards without their pictures, which cost more than the rest of a small data set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(card, "picture", no_picture)
        yield


@pytest.fixture
def pictures_of_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data cards with their pictures, for a test that looks at them."""
    monkeypatch.setattr(card, "picture", PICTURE)


@contextlib.contextmanager
def brief_trust() -> Iterator[None]:
    """Bands and classifiers are fitted in a twentieth of the steps, where only their presence
    matters.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emulator.models.trust.learner.STEPS", 50)
        yield


@pytest.fixture(autouse=True)
def no_world_stays_registered() -> Iterator[None]:
    """What a test or a page registers is not there in the next one."""
    from emulator.worlds import registry

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_registered", dict(registry._registered))
        yield


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A file or folder that one worker makes and all of them read; nobody changes it."""
    base = factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    place, partial = folder / "shared" / name, folder / "shared" / f"{name}.partial"
    place.parent.mkdir(exist_ok=True)
    with FileLock(folder / "shared" / f"{name}.lock"):
        if not place.exists():
            make(partial)
            partial.rename(place)
    return place


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished data set of nk, var and lss; read it, and change only copies of it."""

    def make(path: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(card, "picture", PICTURE)
            generate_dataset(path, SMALL_WORLDS, **SMALL)

    return shared(tmp_path_factory, "small", make)


@pytest.fixture
def damaged_dataset(small_dataset: Path, tmp_path: Path) -> Path:
    """A copy of the small data set, whole until the test damages it."""
    return shutil.copytree(small_dataset, tmp_path / "damaged")


@pytest.fixture(scope="module")
def train_set(small_dataset: Path) -> Any:
    """The training split of all its worlds; imported late, since the data room's tests do without
    PyTorch.
    """
    from emulator.training import IRFDataset

    return IRFDataset(small_dataset, list(SMALL_WORLDS), "train")


@pytest.fixture(scope="module")
def val_set(small_dataset: Path) -> Any:
    """The validation split of all its worlds."""
    from emulator.training import IRFDataset

    return IRFDataset(small_dataset, list(SMALL_WORLDS), "val")


@pytest.fixture
def emulate(monkeypatch, capsys):
    """Run `emulator ...` in this process: (exit code, standard output, error output)."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["emulator", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            exit_with(app)
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return end.value.code, said.out, said.err

    return run
