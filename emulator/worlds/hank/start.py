"""Where the search for the steady state of `hank` begins: a cubic polynomial in the tastes.

`python -m emulator.worlds.hank.fit` fits it again. That is due when the ranges of the tastes or the
grid change; a start that does not fit costs time and no accuracy.
"""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from emulator.worlds.hank.household import SKILLS, Tastes

FILE = "start.npz"
DEGREE = 3
N_TASTES = len(Tastes._fields)
MONOMIALS = [
    powers
    for degree in range(DEGREE + 1)
    for powers in combinations_with_replacement(range(N_TASTES), degree)
]


class Start(NamedTuple):
    """Where the search begins: log(1 - beta (1 + r)) and log vphi (2,), the slope (2, 2) of the
    markets' gaps by them, and log E[V_a'] on the coarse grid (E, C).
    """

    unknown: np.ndarray
    slope: np.ndarray
    log_marginal: np.ndarray


def fitted(tastes: Tastes) -> Start:
    """The start that is fitted to the box, at tastes in it or around it."""
    low, high, coefficients = _fit()
    position = 2 * (np.array([tastes]) - low) / (high - low) - 1
    values = features(position)[0] @ coefficients
    return Start(values[:2], values[2:6].reshape(2, 2), values[6:].reshape(SKILLS, -1))


@cache
def _fit() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data = (files("emulator.worlds.hank") / FILE).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return stored["low"], stored["high"], stored["coefficients"].astype(float)


def features(position: np.ndarray) -> np.ndarray:
    """Monomials (n, M) up to the third degree of positions (n, P) in the box, -1 to 1."""
    columns = [position[:, powers].prod(axis=1) for powers in MONOMIALS]
    return np.stack(columns, axis=1)
