"""What drawing from a prior gives: the draws that were accepted, and those that were refused, such
as those that cannot be.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from emulator.spec import Status, WorldSpec


@dataclass(frozen=True)
class Draws:
    """Accepted parameters, and the ones drawn before them that were refused, with the reason.

    theta (n, P); rejected_theta (m, P); rejected_status (m,) of `Status`, never `Status.OK`.
    """

    theta: np.ndarray
    rejected_theta: np.ndarray
    rejected_status: np.ndarray
    reasons: tuple[str, ...] = ()
    """Why each of the refused draws was, (m,); their status where that is all that is known."""

    @property
    def rejections(self) -> dict[str, int]:
        """How many draws were refused, by reason."""
        labels = [Status(code).label for code in self.rejected_status]
        return dict(sorted(Counter(self.reasons or labels).items()))


def mark_impossible(
    spec: WorldSpec, theta: np.ndarray, status: np.ndarray, *solutions: np.ndarray
) -> None:
    """Write `Status.OUTSIDE_BOUNDS` into the status (n,) of draws (n, P) that cannot be, and NaN
    into their solutions (n, ...).
    """
    impossible = ~spec.possible(theta)
    if impossible.any():
        status[impossible] = Status.OUTSIDE_BOUNDS
        for solution in solutions:
            solution[impossible] = np.nan


def why_refused(spec: WorldSpec, draw: np.ndarray, status: int) -> str:
    """A sentence on the parameter for which a draw (P,) of this `Status` is refused, where there is
    one.
    """
    impossible = spec.impossible(draw)
    if impossible:
        return f" Its {impossible}."
    columns = np.flatnonzero((draw < spec.low) | (draw > spec.high))
    if status != Status.OUTSIDE_RANGE or not columns.size:
        return ""
    parameter = spec.parameters[columns[0]]
    return (
        f" Its parameter '{parameter.name}' is {draw[columns[0]]:g}; the world is solved for"
        f" values from {parameter.low:g} to {parameter.high:g}."
    )
