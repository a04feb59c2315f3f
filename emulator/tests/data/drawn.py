"""Draws as somebody else's program would give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from emulator.data import SPLITS, DataSet, card, import_draws

NAMES = {
    "parameters": ("persistence", "impact", "share"),
    "shocks": ("demand", "supply"),
    "observables": ("sales", "price", "hours", "wage"),
}


class Drawn(NamedTuple):
    theta: np.ndarray
    irf: np.ndarray


def drawn(n: int = 60, horizon: int = 6, seed: int = 0) -> Drawn:
    """theta (n, 3) and responses (n, 2, horizon + 1, 4), every one of them another number."""
    rng = np.random.default_rng(seed)
    theta = rng.uniform([0.2, 0.5, 0.0], [0.9, 2.0, 1.0], (n, 3))
    decay = theta[:, 0, None, None, None] ** np.arange(horizon + 1)[None, None, :, None]
    size = theta[:, 1, None, None, None] * np.array([1.0, -0.5])[None, :, None, None]
    load = 1.0 + np.arange(4) * theta[:, 2, None]
    return Drawn(theta, decay * size * load[:, None, None, :])


def imported(path: Path, draws: Drawn | None = None, **changes: Any) -> DataSet:
    """A data set of draws; keywords replace what `import_draws` is told."""
    theta, irf = draws or drawn()
    return import_draws(theta, irf, **{**NAMES, "output": path, **changes})


def rows_of(data: DataSet, world: str = "mine") -> tuple[np.ndarray, ...]:
    """theta and responses of all splits, by row."""
    rows = np.concatenate([data.rows(world, split) for split in SPLITS])
    parts = [data.read(world, split) for split in SPLITS]
    order = np.argsort(rows)
    return tuple(np.concatenate(arrays)[order] for arrays in zip(*parts, strict=True))


@pytest.fixture
def plain_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards without a picture, which costs most of an import's time."""
    monkeypatch.setattr(card, "picture", lambda spec, irf: b"no picture")
