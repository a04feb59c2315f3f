"""A tiny request for tests that generate many times, and workers that are quick to start."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.data import DataSet, executors, generate_dataset
from emulator.tests.conftest import shared
from emulator.worlds import get_world

TINY = {
    "worlds": ["nk", "lss"],
    "n_samples": 80,
    "seed": 7,
    "horizon": 5,
    "periods": 4,
    "chunk": 16,
    "shard": 32,
}
"""Three shards a world, of 32, 32 and 16 rows."""


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny request, made once without interruption; read it, and change only copies of it."""
    return shared(tmp_path_factory, "tiny", lambda path: generate_dataset(path, **TINY))


@pytest.fixture
def tiny_copy(tiny_dataset: Path, tmp_path: Path) -> Path:
    """A copy of the tiny data set, to be damaged, asked for again or replaced."""
    return shutil.copytree(tiny_dataset, tmp_path / "tiny")


@pytest.fixture
def generate_tiny() -> Callable[..., DataSet]:
    """`generate_dataset(path)` with the tiny request; keywords replace parts of it."""

    def generate(path: Path, **changes: Any) -> DataSet:
        return generate_dataset(path, **{**TINY, **changes})

    return generate


PRELOADED = ["numpy", "pydantic", "yaml", "scipy.linalg", "zarr", "fsspec", "emulator.data.jobs"]


@pytest.fixture(scope="session", autouse=True)
def forked_workers() -> Iterator[None]:
    """Workers of this folder's tests are forks of a clean process that has imported what they need.
    Those of commands, and of the tests that take `spawned_workers`, are new Pythons.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors, "multiprocessing", SimpleNamespace(get_context=lambda _: context))
        yield


@pytest.fixture
def spawned_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "multiprocessing", multiprocessing)


@pytest.fixture
def costly(monkeypatch: pytest.MonkeyPatch) -> None:
    """`nk` as if a draw of it cost so much that ten of them are a task."""
    monkeypatch.setattr(type(get_world("nk")), "draws_per_task", 10)
