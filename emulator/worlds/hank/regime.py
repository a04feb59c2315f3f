"""Regimes of `hank`: how many of the seven skills the limit to borrowing holds at no assets.

Households of one skill without assets are many at one point. Where the limit begins to hold them,
their marginal propensity to consume jumps, and every response with it (docs/worlds/hank.md). For
each skill the limit holds households up to some assets; the regime counts the skills for which
these are above zero, and the margin is the smallest distance of one of them from zero. Without a
solution they are estimated by a polynomial in the tastes (`start.py`). Axes: n draw, E skill.
"""

from __future__ import annotations

import numpy as np

from emulator.worlds.hank.household import Tastes
from emulator.worlds.hank.spec import SPEC
from emulator.worlds.hank.start import fitted_held
from emulator.worlds.regimes import Regimes

__all__ = ["REGIMES", "SPEC", "constrained", "margin", "margin_estimate"]


REGIMES = Regimes(
    counts="skills (of seven) that the limit to borrowing holds at no assets",
    margin="assets up to which the limit holds the nearest skill, in quarterly output",
    near=5e-4,
    near_estimate=2.5e-3,
)
"""Of 438 draws near a border, a hundredth of its range of the parameter that moves the margin most
moved it by 4.7e-4 (median; 9.2e-4 in a tenth). The polynomial erred by 8.6e-5 (median; 2.1e-3 in a
hundredth) on 600 draws that it was not fitted to. All 9 of them which it put on the wrong side of a
border had an estimate below 1.3e-3.
"""


def constrained(held: np.ndarray) -> np.ndarray:
    """How many skills the limit holds, (n,) int, of assets up to which it does (n, E)."""
    return np.count_nonzero(held > 0, axis=1)


def margin(held: np.ndarray) -> np.ndarray:
    """The smallest distance from zero of the assets up to which the limit holds a skill, (n,)."""
    return np.abs(held).min(axis=1)


def margin_estimate(theta: np.ndarray) -> np.ndarray:
    """The same without a solution, at theta (n, P) of `SPEC`."""
    return margin(fitted_held(theta[:, : len(Tastes._fields)]))
