"""What the tempering begins with: heavy-tailed densities around the modes, where they are known.

From there a few stages lead to the posterior; from the prior it takes dozens where a model has many
parameters. The marginal likelihood that follows is the same, by importance.

Axes: N particle, F free parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from emulator.estimation.density import Parts, PosteriorDensity
from emulator.estimation.full_information.mode import Peak

FREEDOM = 6.0
"""Degrees of freedom of Student's t: tails heavier than the posterior's."""

WIDER = 1.5
"""Its scale matrix by the inverse curvature at the mode."""


@dataclass(frozen=True)
class AroundModes:
    """A mixture of Student's t around modes over z, in equal parts."""

    peaks: Sequence[Peak]

    def draws(self, density: PosteriorDensity, n: int, rng: np.random.Generator) -> np.ndarray:
        """z (n, F), with or without a solution: those without have no weight."""
        size = len(self.peaks[0].z)
        z = np.empty((n, size))
        of = rng.integers(len(self.peaks), size=n)
        for k, peak in enumerate(self.peaks):
            rows = np.flatnonzero(of == k)
            normal = rng.normal(size=(len(rows), size))
            tail = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, size=(len(rows), 1)))
            z[rows] = peak.z + tail * normal @ _factor(peak).T
        return z

    def log_density(self, z: np.ndarray, parts: Parts) -> np.ndarray:
        """(n,)"""
        return logsumexp([_log_t(z, peak) for peak in self.peaks], axis=0) - np.log(len(self.peaks))


def _factor(peak: Peak) -> np.ndarray:
    """A lower factor (F, F) of the scale matrix."""
    return np.linalg.cholesky(WIDER * np.linalg.inv(peak.curvature))


def _log_t(z: np.ndarray, peak: Peak) -> np.ndarray:
    size = len(peak.z)
    factor = _factor(peak)
    squares = np.square(np.linalg.solve(factor, (z - peak.z).T)).sum(axis=0)
    constant = (
        gammaln((FREEDOM + size) / 2)
        - gammaln(FREEDOM / 2)
        - 0.5 * size * np.log(FREEDOM * np.pi)
        - np.log(np.diag(factor)).sum()
    )
    return constant - 0.5 * (FREEDOM + size) * np.log1p(squares / FREEDOM)
