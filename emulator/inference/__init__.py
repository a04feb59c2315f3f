"""Answers for users: an economy asked by names, with bands, flags and units, whoever answers.

PyTorch is needed for networks only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.inference.economy import Economy

if TYPE_CHECKING:
    from emulator.inference.emulator import Emulator

__all__ = ["Economy", "Emulator"]


def __getattr__(name: str) -> Any:
    if name == "Emulator":
        from emulator.inference.emulator import Emulator

        return Emulator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
