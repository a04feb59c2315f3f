"""The posterior of parameters given data as a function: the likelihood of the data times the prior.

Axes: n draw, P parameter, F free parameter, T period.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from emulator.estimation.density import Parts, PosteriorDensity
from emulator.estimation.prior import JointPrior
from emulator.inference.likelihood import Likelihood

STEP = 1e-4
"""Half width in z of a difference that is a derivative."""

Follow = Callable[[np.ndarray], np.ndarray]
"""Whole parameter vectors (n, P) with the parameters set that a file computes from others."""


class Slopes(NamedTuple):
    """At points z (n, F): values (n,), log-likelihoods of each period (n, T) and their derivatives
    by z (n, F, T), and the derivatives (n, F) of the whole log-density.
    """

    value: np.ndarray
    by_period: np.ndarray
    scores: np.ndarray
    gradient: np.ndarray


@dataclass(frozen=True)
class DataDensity(PosteriorDensity):
    """The posterior density over z under a likelihood of data."""

    likelihood: Likelihood
    prior: JointPrior
    follow: Follow | None = None

    @property
    def title(self) -> str:
        return "exact solution" if self.likelihood.exact else "network"

    def theta(self, z: np.ndarray) -> np.ndarray:
        """Whole parameter vectors (n, P) at points z (n, F)."""
        theta = self.prior.theta(expit(z))
        return theta if self.follow is None else self.follow(theta)

    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        theta = theta if self.follow is None else self.follow(theta)
        return self.likelihood.answerer.log_solvable(theta)

    def by_period(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihoods (n, T) of the periods that count, and `log_solvable` (n,)."""
        theta = self.theta(z)
        values = self.likelihood.values(theta, strict=False).by_period
        counted = values[:, self.likelihood.presample :]
        if self.likelihood.exact:
            solvable = np.where(np.isfinite(counted).all(axis=1), 0.0, -np.inf)
        else:
            solvable = self.likelihood.answerer.log_solvable(theta)
        return counted, solvable

    def parts(self, z: np.ndarray) -> Parts:
        counted, solvable = self.by_period(z)
        return Parts(counted.sum(axis=1), solvable, self.prior.log_density_z(z)[0])

    def slopes(self, z: np.ndarray) -> Slopes:
        """Values and derivatives at points z (n, F), all neighbours in one batch: central
        differences, one-sided where a neighbour has no solution.
        """
        n, size = z.shape
        shifts = STEP * np.concatenate([np.zeros((1, size)), np.eye(size), -np.eye(size)])
        counted, solvable = self.by_period((z[:, None] + shifts).reshape(-1, size))
        counted = counted.reshape(n, len(shifts), -1)
        solvable = solvable.reshape(n, len(shifts))
        there = np.isfinite(counted).all(axis=2) & np.isfinite(solvable)
        counted = np.where(there[..., None], counted, counted[:, :1])
        solvable = np.where(there, solvable, solvable[:, :1])
        ahead, behind = there[:, 1 : size + 1], there[:, size + 1 :]
        width = np.where(ahead | behind, STEP * (ahead.astype(float) + behind), np.inf)
        with np.errstate(invalid="ignore"):
            scores = (counted[:, 1 : size + 1] - counted[:, size + 1 :]) / width[..., None]
            chance = (solvable[:, 1 : size + 1] - solvable[:, size + 1 :]) / width
        prior, prior_by = self.prior.log_density_z(z)
        value = counted[:, 0].sum(axis=1) + solvable[:, 0] + prior
        gradient = scores.sum(axis=2) + chance + prior_by
        return Slopes(
            np.where(np.isfinite(value), value, -np.inf),
            counted[:, 0],
            np.nan_to_num(scores),
            np.nan_to_num(gradient),
        )

    def with_gradient(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        slopes = self.slopes(z[None])
        if not np.isfinite(slopes.value[0]):
            return -np.inf, np.zeros(len(z))
        return float(slopes.value[0]), slopes.gradient[0]

    def log_prior(self, z: np.ndarray) -> np.ndarray:
        """Log-density (n,) of the prior by the parameters themselves, within their bounds."""
        return self.prior.log_density(self.prior.values(expit(z)))
