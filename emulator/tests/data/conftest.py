"""A tiny request for tests that generate many times; the card's figures, which cost most of its
time, are left out.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.data import DataSet, card, generate_dataset
from emulator.spec import WorldSpec
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


def no_picture(spec: WorldSpec, irf: Any) -> bytes:
    return b"no picture of " + spec.name.encode()


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny request, made once without interruption; read it, and change only copies of it."""
    path = tmp_path_factory.mktemp("shared") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(card, "picture", no_picture)
        generate_dataset(path, **TINY)
    return path


@pytest.fixture
def tiny_copy(tiny_dataset: Path, tmp_path: Path) -> Path:
    """A copy of the tiny data set, to be damaged, asked for again or replaced."""
    return shutil.copytree(tiny_dataset, tmp_path / "tiny")


@pytest.fixture
def generate_tiny(monkeypatch: pytest.MonkeyPatch) -> Callable[..., DataSet]:
    """`generate_dataset(path)` with the tiny request; keywords replace parts of it."""
    monkeypatch.setattr(card, "picture", no_picture)

    def generate(path: Path, **changes: Any) -> DataSet:
        return generate_dataset(path, **{**TINY, **changes})

    return generate


@pytest.fixture
def costly(monkeypatch: pytest.MonkeyPatch) -> None:
    """`nk` as if a draw of it cost so much that ten of them are a task."""
    monkeypatch.setattr(type(get_world("nk")), "draws_per_task", 10)
