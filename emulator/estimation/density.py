"""The posterior as a function: prior times quasi-likelihood, with gradient, and which parameters it
depends on.

Axes: n draw, F free parameter, M matched entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from emulator.errors import NoSolutionError
from emulator.estimation.criterion import Criterion
from emulator.estimation.prior import Prior
from emulator.estimation.responder import Responder

DRAWS_THAT_TELL = 16
"""Draws of the prior at which derivatives are taken to see which parameters move the matched
responses.
"""

UNMOVED = 1e-3
"""A parameter whose whole range moves no matched response by more than this share of the response's
standard deviation, to first order at any of these draws, is not estimated.
"""

MOST_TRIES = 40


class Parts(NamedTuple):
    """Log-likelihood, log-probability of a solution and log-prior by z, each (n,)."""

    likelihood: np.ndarray
    solvable: np.ndarray
    prior: np.ndarray

    @property
    def total(self) -> np.ndarray:
        return self.likelihood + self.solvable + self.prior


@dataclass(frozen=True)
class Density:
    """The logarithm of the posterior density, not normalised, over z (see
    `emulator.estimation.prior`).
    """

    responder: Responder
    criterion: Criterion
    prior: Prior

    def parts(self, z: np.ndarray) -> Parts:
        """At many points z (n, F)."""
        irf, solvable = self.responder.judged(self.prior.theta(expit(z)))
        return Parts(self.criterion.log_likelihood(irf), solvable, self.prior.log_density_z(z)[0])

    def with_gradient(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (F,) at one point z (F,); minus infinity and zeros where there is no
        solution.
        """
        u = expit(z)
        found = self.responder.pulled(
            self.prior.theta(u[None])[0], self.prior.free, self.criterion.force
        )
        prior, prior_by = self.prior.log_density_z(z[None])
        gradient = found.gradient * self.prior.slopes(u[None])[0] * u * (1 - u) + prior_by[0]
        value = float(self.criterion.log_likelihood(found.irf)) + found.log_solvable + prior[0]
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return -np.inf, np.zeros(len(z))
        return float(value), gradient

    def moving(self, rng: np.random.Generator) -> np.ndarray:
        """Which of the free parameters (F,) move the matched responses, by derivatives at draws of
        the prior: see `UNMOVED`.

        Raises `NoSolutionError` where the prior hardly has any solution.
        """
        target = self.criterion.target
        scale = np.sqrt(np.diag(target.matched_covariance))
        largest = np.zeros(len(self.prior.free))
        for u in solvable_draws(self, DRAWS_THAT_TELL, rng):
            local = self.responder.local(self.prior.theta(u[None])[0], self.prior.free)
            entries = local.irf_by.reshape(len(largest), -1)[:, target.entries]
            largest = np.fmax(
                largest, (np.abs(entries) / scale).max(axis=1) * (self.prior.high - self.prior.low)
            )
        return largest > UNMOVED


def solvable_draws(density: Density, n: int, rng: np.random.Generator) -> np.ndarray:
    """n draws u (n, F) of the prior, each kept with the probability that it has a solution.

    Raises `NoSolutionError`.
    """
    kept: list[np.ndarray] = []
    found = 0
    for _ in range(MOST_TRIES):
        u = density.prior.sample(max(n, 16), rng)
        chance = np.exp(density.responder.log_solvable(density.prior.theta(u)))
        kept.append(u[rng.uniform(size=len(u)) < chance])
        found += len(kept[-1])
        if found >= n:
            return np.concatenate(kept)[:n]
    raise NoSolutionError(
        f"World '{density.prior.spec.name}': {found} of {MOST_TRIES * max(n, 16)} draws of this"
        " prior have a unique stable solution. Change fixed values or ranges."
    )
