"""Answers for users: a network or a solver asked by name, with bands, flags and units.

PyTorch is needed for networks only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.inference.exact import ExactWorld

if TYPE_CHECKING:
    from emulator.inference.network import Emulator

__all__ = ["Emulator", "ExactWorld"]


def __getattr__(name: str) -> Any:
    if name == "Emulator":
        from emulator.inference.network import Emulator

        return Emulator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
