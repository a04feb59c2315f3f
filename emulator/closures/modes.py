"""Time modes: a few smooth paths of which the paths of an economy that comes to rest are sums."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

SLOWEST, FASTEST = 0.985, 0.02
"""Persistences between which paths decay, per period; the slowest unless an economy says its
own.
"""
EXPONENTIALS = 160


@lru_cache(maxsize=8)
def time_modes(periods: int, count: int, single: int, slowest: float = SLOWEST) -> np.ndarray:
    """Orthonormal modes (T, K) of paths of T periods: each of the first periods alone, `single` of
    them, and the directions in which exponential decays of all speeds differ most.

    What is left of a decay of any speed falls geometrically with the number of modes.
    """
    rates = np.linspace(np.log(1 - slowest), np.log(1 - FASTEST), EXPONENTIALS)
    persistence = 1 - np.exp(rates)
    decays = persistence ** np.arange(periods)[:, None] * np.sqrt(1 - persistence**2)
    smooth = np.linalg.svd(decays[single:], full_matrices=False)[0][:, : count - single]
    largest = np.take_along_axis(smooth, np.abs(smooth).argmax(axis=0)[None], axis=0)
    modes = np.zeros((periods, count))
    modes[:single, :single] = np.eye(single)
    modes[single:, single:] = smooth * np.sign(largest)  # the same on every machine
    modes.setflags(write=False)
    return modes


def periods_alone(modes: np.ndarray) -> int:
    """How many of the first periods are modes of their own."""
    count = 0
    while count < modes.shape[1] and np.array_equal(modes[count], np.eye(modes.shape[1])[count]):
        count += 1
    return count
