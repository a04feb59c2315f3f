"""What the checks of worlds expect: a condition, and numbers that agree."""

from __future__ import annotations

import numpy as np

from emulator.errors import WorldCheckError

TOLERANCE = 1e-9
"""Largest difference between two ways to the same float64 number, relative to the size of the
responses.
"""


def expect(condition: bool | np.bool_, message: str) -> None:
    if not condition:
        raise WorldCheckError(message)


def close(left: np.ndarray, right: np.ndarray, what: str, tolerance: float = TOLERANCE) -> None:
    scale = max(float(np.abs(right).max(initial=0.0)), 1.0)
    error = float(np.abs(left - right).max(initial=0.0)) / scale
    expect(
        error <= tolerance,
        f"{what}: largest relative difference {error:.2e}, expected at most {tolerance:.0e}",
    )
