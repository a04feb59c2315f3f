"""What is said beside printed numbers, and what draws are called in a table.

Axes: n draw, P parameter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emulator.console import err
from emulator.spec import WorldSpec

MOST_ROWS = 40
"""Draws of a sweep that a printed table has."""


def note(text: str) -> None:
    """What a reader should know of the numbers, on the error stream."""
    err.print(f"note: {text}", markup=False, highlight=False, soft_wrap=True)


def note_each(notes: Sequence[str]) -> None:
    """Say what a file asks for that an answer is not, by what the answer is."""
    for text in notes:
        note(text.split(" Write order=")[0])


def note_prior(spec: WorldSpec, theta: np.ndarray) -> None:
    """Say which parameters of theta (n, P) lie outside the range of the prior."""
    for p, values in zip(spec.parameters, theta.T, strict=True):
        outside = values[~((p.low <= values) & (values <= p.high))]
        if outside.size:
            several = f" (and {outside.size - 1} more values)" if outside.size > 1 else ""
            note(
                f"{p.name} = {outside[0]:g}{several} lies outside the range of the prior, {p.low:g}"
                f" to {p.high:g}."
            )


def values_in_words(spec: WorldSpec, theta: np.ndarray) -> tuple[str, list[str]]:
    """What draws (n, P) are called in a table: the parameters that vary, and their values."""
    varies = np.flatnonzero(np.ptp(theta, axis=0) > 0)
    if not len(varies):
        return "draw", [str(k) for k in range(len(theta))]
    names = ", ".join(spec.parameter_names[k] for k in varies)
    return names, [", ".join(f"{value:.6g}" for value in row) for row in theta[:, varies]]
