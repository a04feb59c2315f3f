"""The band of what a world's method of solution errs by, such as a grid of assets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emulator.spec import WorldSpec

Errors = Mapping[str, tuple[float, ...]]
"""See `World.solution_error`."""


def shares_of(spec: WorldSpec, errors: Errors, horizon: int) -> np.ndarray:
    """The share of a path's peak, (H+1, O), that a method errs by; zero where nothing is known."""
    shares = np.zeros((horizon + 1, spec.n_observables))
    for column, name in enumerate(spec.observable_names):
        if known := errors.get(name):
            shares[:, column] = np.take(known, np.arange(horizon + 1), mode="clip")
    return shares


def method_error(spec: WorldSpec, errors: Errors, irf: np.ndarray, horizon: int) -> np.ndarray:
    """Half width (n, S, H+1, O) up to a horizon H: shares of the peaks of responses (n, S, H'+1,
    O), which may come after H; H' is at least H.
    """
    return np.abs(irf).max(axis=2, keepdims=True) * shares_of(spec, errors, horizon)
