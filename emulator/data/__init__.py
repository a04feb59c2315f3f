"""Data sets of impulse responses: generated, stored in Zarr, split and validated.

No PyTorch in this room.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.data.generate import generate_dataset
    from emulator.data.importing.arrays import import_draws
    from emulator.data.schema import SPLITS, Fractions, Manifest
    from emulator.data.store import DataSet, open_dataset
    from emulator.data.validate import validate_dataset

_PLACES = {
    "DataSet": "store",
    "Fractions": "schema",
    "Manifest": "schema",
    "SPLITS": "schema",
    "generate_dataset": "generate",
    "import_draws": "importing.arrays",
    "open_dataset": "store",
    "validate_dataset": "validate",
}

__all__ = [
    "SPLITS",
    "DataSet",
    "Fractions",
    "Manifest",
    "generate_dataset",
    "import_draws",
    "open_dataset",
    "validate_dataset",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"emulator.data.{_PLACES[name]}"), name)
