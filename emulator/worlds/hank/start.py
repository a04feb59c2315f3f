"""What polynomials in the tastes say of `hank` before it is solved: where the search for the steady
state begins (a cubic one), and whom the limit to borrowing holds (a quartic one).

`python -m emulator.worlds.hank.fit` fits it again. That is due when the ranges of the tastes
change; a start that does not fit costs time and no accuracy. On another grid than the one that it
was fitted on it is interpolated.
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
DEGREE, HELD_DEGREE = 3, 4
"""Of the polynomials for the start and for whom the limit holds."""
N_TASTES = len(Tastes._fields)
BLOCK = 4096
"""Draws whose monomials are in memory at once."""


class Start(NamedTuple):
    """Where the search begins: log(1 - beta (1 + r)) and log vphi (2,), the slope (2, 2) of the
    markets' gaps by them, and log E[V_a'] (E, C) at the assets (C,) of a coarse grid.
    """

    unknown: np.ndarray
    slope: np.ndarray
    assets: np.ndarray
    log_marginal: np.ndarray


def fitted(tastes: Tastes) -> Start:
    """The start that is fitted to the box, at tastes in it or around it."""
    fit = _fit()
    values = features(fit.position(np.array([tastes])), DEGREE)[0] @ fit.coefficients
    log_marginal = values[6:].reshape(SKILLS, len(fit.assets))
    return Start(values[:2], values[2:6].reshape(2, 2), fit.assets, log_marginal)


def fitted_held(theta: np.ndarray) -> np.ndarray:
    """Up to which assets the limit holds households of each skill (`structure.margins`), (n, E), as
    fitted, at tastes theta (n, 7).
    """
    fit = _fit()
    parts = [
        features(fit.position(theta[start : start + BLOCK]), HELD_DEGREE) @ fit.held
        for start in range(0, len(theta), BLOCK)
    ]
    return np.concatenate([np.empty((0, SKILLS)), *parts])


class Fit(NamedTuple):
    """The box (P,), assets of the coarse grid (C,), coefficients of the monomials: of starts
    (M, 6 + EC), and of the assets up to which the limit holds, (N, E).
    """

    low: np.ndarray
    high: np.ndarray
    assets: np.ndarray
    coefficients: np.ndarray
    held: np.ndarray

    def position(self, theta: np.ndarray) -> np.ndarray:
        """Where in the box tastes (n, P) are, from -1 to 1."""
        return position(theta, self.low, self.high)


@cache
def _fit() -> Fit:
    data = (files("emulator.worlds.hank") / FILE).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return Fit(*(stored[name].astype(float) for name in Fit._fields))


def position(theta: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Where in a box tastes (n, P) are, from -1 to 1."""
    return 2 * (theta - low) / (high - low) - 1


def features(position: np.ndarray, degree: int) -> np.ndarray:
    """Monomials (n, M) up to a degree of positions (n, P) in the box."""
    padded = np.concatenate([position, np.ones((len(position), 1))], axis=1)
    product = np.ones((len(position), len(monomials(degree))))
    for factor in monomials(degree).T:
        product *= padded[:, factor]
    return product


@cache
def monomials(degree: int) -> np.ndarray:
    """Which columns are multiplied in each monomial, (M, degree); one past the last is one."""
    listed = [
        (*powers, *[N_TASTES] * (degree - size))
        for size in range(degree + 1)
        for powers in combinations_with_replacement(range(N_TASTES), size)
    ]
    return np.array(listed)
