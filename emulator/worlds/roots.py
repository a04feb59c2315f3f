"""Roots of worlds whose dynamics are drawn freely: spread over the stable range, and
labelled draw by draw.
"""

from __future__ import annotations

import numpy as np

from emulator.spec import Status, WorldSpec
from emulator.worlds.draws import mark_impossible

ROOT_RANGE = (0.3, 0.98)
"""Largest root of a draw, even over this range: from shocks gone in a year to half-lives of more
than eight.
"""


def rescale(radius: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Factors (n, 1, 1) that bring matrices of a spectral radius (n,) to the wanted one."""
    return (wanted / np.maximum(radius, 1e-12))[:, None, None]


def status_of_roots(spec: WorldSpec, theta: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """`Status` (n,) of draws with the given spectral radius: outside the bounds, explosive, outside
    the declared range, or OK.
    """
    status = np.full(len(theta), Status.OK, dtype=np.uint8)
    status[((theta < spec.low) | (theta > spec.high)).any(axis=1)] = Status.OUTSIDE_RANGE
    status[~(radius < 1.0)] = Status.EXPLOSIVE
    mark_impossible(spec, theta, status)
    return status
