"""The training room.

Names are imported when they are asked for, so that `python -m emulator.training.trainer` loads one
copy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.training.collate import collate_mixed_worlds, collate_single_world
    from emulator.training.config import TrainingConfig, load_config
    from emulator.training.dataset import IRFDataset
    from emulator.training.loader import BatchLoader
    from emulator.training.trainer import Trainer, train

_PLACES = {
    "BatchLoader": "loader",
    "IRFDataset": "dataset",
    "Trainer": "trainer",
    "TrainingConfig": "config",
    "collate_mixed_worlds": "collate",
    "collate_single_world": "collate",
    "load_config": "config",
    "train": "trainer",
}

__all__ = [
    "BatchLoader",
    "IRFDataset",
    "Trainer",
    "TrainingConfig",
    "collate_mixed_worlds",
    "collate_single_world",
    "load_config",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"emulator.training.{_PLACES[name]}"), name)
