"""Answers for users: an economy asked by names, with bands, flags and units, whoever answers.

PyTorch is needed for networks only.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.inference.economy import Economy
    from emulator.inference.emulator import Emulator

_PLACES = {"Economy": "economy", "Emulator": "emulator"}

__all__ = ["Economy", "Emulator"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"emulator.inference.{_PLACES[name]}"), name)
