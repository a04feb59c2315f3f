"""Responses to shocks that are announced in the first period of a forecast.

Axes: n draw, S shock, K periods until it occurs, H period ahead, X target.
"""

from __future__ import annotations

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.history.past import Past
from emulator.inference.over_solver import SolverAnswerer
from emulator.worlds.anticipated import AnticipatedWorld


def announced_responses(past: Past, periods: int) -> np.ndarray:
    """Responses (n, S, K, H, X) of the targets in so many periods, K and H both of them.

    Raises `ParameterError` for an economy that a network answers for, and for worlds that do not
    answer to shocks known ahead.
    """
    answerer = past.likelihood.answerer
    if not isinstance(answerer, SolverAnswerer):
        raise ParameterError(
            f"Announced shocks are asked of a solver, and {answerer.title} answers here. Ask"
            " emulator.world(...)."
        )
    parts = []
    for ahead in range(periods):
        knowing = SolverAnswerer(AnticipatedWorld(answerer.world, ahead))
        irf = knowing.responses(past.theta, periods - 1)
        series = past.weights.of_responses(irf)
        parts.append(np.concatenate([series, irf[..., past.observed]], axis=3))
    return np.stack(parts, axis=2)
