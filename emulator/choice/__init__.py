"""The best emulator of given draws: many kinds tried, losers stopped early, the winner calibrated.

Names are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Choice": "emulator.choice.choosing",
    "KINDS": "emulator.choice.kinds",
    "choose": "emulator.choice.choosing",
    "emulated": "emulator.choice.doors",
    "train": "emulator.choice.doors",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'emulator.choice' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)
