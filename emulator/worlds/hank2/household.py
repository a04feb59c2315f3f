"""Households of `hank2`: what they want and what they do at rest.

    max E sum beta^t c^(1 - 1/eis) / (1 - 1/eis)
    c + a + b + Psi(a, a_1) = y_t e + (1 + ra_t) a_1 + (1 + rb_t) b_1,   a >= 0,  b >= 0
    Psi(a, a_1) = chi1 / 2 (a - (1 + ra_t) a_1)^2 / ((1 + ra_t) a_1 + chi0)

b is liquid, a illiquid; log e is a Markov chain, E e = 1; y is income after taxes per unit of
skill. beta and chi1 are those at which households hold a given wealth and, of it, given liquid
assets (`steady.py`). Auclert, Bardóczy, Rognlie and Straub (2021, Econometrica 89,
doi:10.3982/ECTA17434), two-asset example, whose grids these are. Axes: E skill, B liquid asset, A
illiquid asset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

SKILLS = 3
RICHEST_LIQUID, RICHEST_ILLIQUID = 50.0, 4000.0
"""Ends of the grids, in quarterly output per head."""
LARGEST_MULTIPLIER = 1.0
CHI0 = 0.25
"""Adds to assets in the cost of adjusting them, so that who has none can begin, in quarterly
output.
"""
CAPITAL, DELTA, PURCHASES = 10.0, 0.02, 0.2
"""Capital, its depreciation and government purchases at rest, in quarterly output."""


class Tastes(NamedTuple):
    """What the households' problem depends on, quarterly, where output and hours are 1 at rest."""

    eis: float
    rho_e: float
    sd_e: float
    r: float
    spread: float
    wealth: float
    liquid: float

    @property
    def income(self) -> float:
        """Income after taxes at rest: output less what owners of wealth, investment and the
        government take.
        """
        return 1 - self.r * self.wealth - DELTA * CAPITAL - PURCHASES


class Size(NamedTuple):
    """Points of the grids: liquid assets, illiquid assets, multipliers of the borrowing limit."""

    liquid: int
    illiquid: int
    multipliers: int


GRID = Size(30, 50, 10)
"""Those of the world."""
EXAMPLE, PAPER = Size(10, 16, 4), Size(50, 70, 50)
"""Those of the library's example and of the paper."""


class Grids(NamedTuple):
    """Liquid (B,) and illiquid assets (A,), in quarterly output, and multipliers (K,), which
    decrease.
    """

    liquid: np.ndarray
    illiquid: np.ndarray
    multiplier: np.ndarray


@lru_cache(maxsize=16)
def grids(size: Size) -> Grids:
    """Grids that are evenly spaced in logarithms of assets plus 0.25, as in the published
    example.
    """
    return Grids(
        _spaced(RICHEST_LIQUID, size.liquid),
        _spaced(RICHEST_ILLIQUID, size.illiquid),
        _spaced(LARGEST_MULTIPLIER, size.multipliers)[::-1].copy(),
    )


PIVOT = 0.25


def _spaced(last: float, points: int) -> np.ndarray:
    grid = np.geomspace(PIVOT, last + PIVOT, points) - PIVOT
    grid[0] = 0.0
    return grid


@dataclass(frozen=True)
class SteadyState:
    """Households at rest: choices and their distribution, (E, B, A) each; `expected` is beta
    E[V_a'] and beta E[V_b'] given today's skill, (2, E, B, A).
    """

    tastes: Tastes
    size: Size
    beta: float
    chi1: float
    skill: np.ndarray
    transition: np.ndarray
    expected: np.ndarray
    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    distribution: np.ndarray

    def mean(self, choice: np.ndarray) -> float:
        """Average of a choice (E, B, A) over households."""
        return float(np.vdot(self.distribution, choice))

    @property
    def utility(self) -> np.ndarray:
        """Marginal utility of consumption times skill, (E, B, A)."""
        return self.skill[:, None, None] * self.c ** (-1 / self.tastes.eis)

    @property
    def costs(self) -> float:
        """What adjusting illiquid assets costs all households, in quarterly output."""
        earned = (1 + self.tastes.r) * grids(self.size).illiquid
        return self.mean(0.5 * self.chi1 * (self.a - earned) ** 2 / (earned + CHI0))

    def error(self) -> float:
        """Largest relative gap of the markets for wealth, liquid assets and, by Walras's law a
        check of the rest, goods.
        """
        tastes, liquid = self.tastes, self.mean(self.b)
        absorbed = self.mean(self.c) + self.costs + tastes.spread * liquid
        return max(
            abs((self.mean(self.a) + liquid) / tastes.wealth - 1),
            abs(liquid / tastes.liquid - 1),
            abs(absorbed + DELTA * CAPITAL + PURCHASES - 1),
        )


INPUTS = ("r", "income")
R, INCOME = range(len(INPUTS))
"""What households face: the return on all assets and income after taxes."""


class Jacobian(NamedTuple):
    """Outputs over R periods by inputs foreseen from period 0, (O, I, R, T), and by a surprise of 1
    in the return on illiquid assets in period 0, (O, R).
    """

    foreseen: np.ndarray
    surprise: np.ndarray
