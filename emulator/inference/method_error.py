"""The band of what a world's method of solution errs by, such as a grid of assets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emulator.spec import WorldSpec


def method_error(
    spec: WorldSpec, errors: Mapping[str, float], irf: np.ndarray, horizon: int
) -> np.ndarray:
    """Half width (n, S, H+1, O) up to a horizon H: everywhere the share of the peak of responses
    (n, S, H'+1, O) that is given for an observable (`World.solution_error`). The peak may come
    after H; H' is at least H.
    """
    peak = np.abs(irf).max(axis=2, keepdims=True)
    share = [errors.get(name, 0.0) for name in spec.observable_names]
    return np.repeat(peak * share, horizon + 1, axis=2)
