"""Where the search for the steady state of `hank2` begins: a quadratic polynomial in the tastes.

`python -m emulator.worlds.hank2.fit` fits it again. That is due when the ranges of the tastes
change; a start that does not fit costs time and no accuracy.
"""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files

import numpy as np

from emulator.worlds.hank.start import features, position
from emulator.worlds.hank2.household import Tastes

FILE = "start.npz"
DEGREE = 2


def fitted(tastes: Tastes) -> tuple[np.ndarray, np.ndarray]:
    """log(1 - beta (1 + r)) and log chi1 (2,), and the slope (2, 2) of the markets' gaps by them,
    as fitted to the box; at tastes in it or around it.
    """
    low, high, coefficients = _fit()
    values = features(position(np.array([tastes]), low, high), DEGREE)[0] @ coefficients
    return values[:2], values[2:].reshape(2, 2)


@cache
def _fit() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data = (files("emulator.worlds.hank2") / FILE).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return stored["low"], stored["high"], stored["coefficients"]
