"""Households of `hank`: what they want and what they do at rest.

    max E sum beta^t [ c^(1 - 1/eis) / (1 - 1/eis) - vphi n^(1 + 1/frisch) / (1 + 1/frisch) ]
    c + a = (1 + r_t) a_1 + w_t e n + tau_t e,   a >= 0,   log e a Markov chain, E e = 1

The Euler equation is solved on endogenous grid points (Carroll 2006,
doi:10.1016/j.econlet.2005.09.013) and the distribution by lotteries (Young 2010,
doi:10.1016/j.jedc.2008.11.010); income risk is Rouwenhorst's chain of seven states. beta and vphi
are those at which households hold the public debt and supply one unit of labour
(`steady.py`). Axes: E skill, A asset.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import NamedTuple

import numpy as np

SKILLS = 7


class Grid(NamedTuple):
    """The asset grid: how many points; the assets at which spacing turns from even to proportional;
    the largest assets. Assets are in quarterly output per head.

    fade: how far the groups whose consumption is observed fade out, as a share of the ranks in
    `outputs`; 0: they end at one household.
    """

    points: int
    pivot: float
    top: float
    fade: float = 1.0


PUBLISHED = Grid(points=500, pivot=0.25, top=150.0)
"""The grid of the published example."""
BEFORE = PUBLISHED._replace(fade=0.0)
"""With which data sets were solved that do not say it: groups ended at one household."""
GRID = PUBLISHED._replace(pivot=0.05)
"""The grid of this world: closer where the limit to borrowing bends policies, and as dear."""


class Tastes(NamedTuple):
    """What the households' problem depends on, quarterly, where output and effective labour are 1
    at rest.
    """

    eis: float
    frisch: float
    rho_e: float
    sd_e: float
    debt: float
    r: float
    mu: float

    @property
    def wage(self) -> float:
        """Real wage at rest for a unit of effective labour, in quarterly output."""
        return 1 / self.mu

    @property
    def tau(self) -> float:
        """Profits less taxes at rest, in quarterly output."""
        return 1 - self.wage - self.r * self.debt


class Income(NamedTuple):
    """Skills (E,) with mean 1 and their transitions (E, E), today's skill first."""

    skill: np.ndarray
    transition: np.ndarray


def rouwenhorst(persistence: float, deviation: float, skills: int = SKILLS) -> Income:
    """Skills whose logarithms have the stationary standard deviation `deviation` (Rouwenhorst 1995;
    Kopecky and Suen 2010, doi:10.1016/j.red.2010.02.002).
    """
    stay = (1 + persistence) / 2
    transition = np.array([[stay, 1 - stay], [1 - stay, stay]])
    for size in range(3, skills + 1):
        wider = np.zeros((size, size))
        wider[:-1, :-1] += stay * transition
        wider[:-1, 1:] += (1 - stay) * transition
        wider[1:, :-1] += (1 - stay) * transition
        wider[1:, 1:] += stay * transition
        wider[1:-1] /= 2
        transition = wider
    shares = np.array([comb(skills - 1, k) for k in range(skills)]) / 2 ** (skills - 1)
    logs = np.linspace(-1, 1, skills)
    logs *= deviation / np.sqrt(shares @ logs**2)
    return Income(np.exp(logs) / (shares @ np.exp(logs)), transition)


@dataclass(frozen=True)
class SteadyState:
    """Households at rest: policies a, c, n and their distribution (E, A); `marginal` is E[V_a']
    given today's skill, (E, A).
    """

    beta: float
    vphi: float
    skill: np.ndarray
    transition: np.ndarray
    grid: np.ndarray
    a: np.ndarray
    c: np.ndarray
    n: np.ndarray
    marginal: np.ndarray
    distribution: np.ndarray

    def mean(self, policy: np.ndarray) -> float:
        """Average of a policy (E, A) over households."""
        return float(np.vdot(self.distribution, policy))

    @property
    def labour(self) -> np.ndarray:
        """Effective labour e n, (E, A)."""
        return self.skill[:, None] * self.n

    def error(self, debt: float) -> float:
        """Largest relative gap of the markets for assets, labour and, by Walras's law a check of
        the rest, goods.
        """
        return max(
            abs(self.mean(self.a) / debt - 1),
            abs(self.mean(self.labour) - 1),
            abs(self.mean(self.c) - 1),
        )
