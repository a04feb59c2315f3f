"""The marginal quasi-likelihood of a target under a world, by bridge sampling.

Meng and Wong (1996, Statistica Sinica 6), in the form of Gronau et al. (2017,
doi:10.1016/j.jmp.2017.09.005): a normal density over z is fitted to half of the posterior's draws,
the other half and as many draws of the normal make the bridge. Unlike the harmonic mean it has
finite variance, and unlike plain importance sampling it needs no proposal with heavier tails than
the posterior. The prior is uniform (or normal) over the ranges *where there is a solution*, so its
mass there is divided out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from emulator.estimation.density import Density
from emulator.estimation.posterior import arviz

ROUNDS = 1000
CLOSE = 1e-8


class Evidence(NamedTuple):
    """Logarithm of the marginal quasi-likelihood, and its approximate standard error."""

    log: float
    error: float


def log_evidence(density: Density, z: np.ndarray, rng: np.random.Generator) -> Evidence:
    """z (chains, draws, F): draws of the posterior. NaN where the bridge does not converge."""
    half = z.shape[1] // 2
    fitted, kept = z[:, :half].reshape(-1, z.shape[2]), z[:, half:]
    proposal = multivariate_normal(
        fitted.mean(axis=0), np.atleast_2d(np.cov(fitted, rowvar=False)), allow_singular=True
    )
    n = kept.shape[0] * kept.shape[1]
    drawn = proposal.rvs(n, random_state=rng).reshape(n, -1)
    ours, theirs = (
        density.parts(points).total - np.atleast_1d(proposal.logpdf(points))
        for points in (kept.reshape(n, -1), drawn)
    )
    effective = min(
        float(
            arviz().ess(np.exp(-np.logaddexp(0, -(ours - np.median(ours)))).reshape(kept.shape[:2]))
        ),
        float(n),
    )
    share = effective / (effective + n)
    log = _bridge(ours, theirs, share)
    solvable, error = prior_mass(density, n, rng)
    return Evidence(
        log - solvable,
        float(np.sqrt(_relative_error(ours - log, theirs - log, share, effective) + error**2)),
    )


def _bridge(ours: np.ndarray, theirs: np.ndarray, share: float) -> float:
    """The fixed point of Meng and Wong's optimal bridge, from log-ratios of the two densities at
    draws of each.
    """
    log = float(np.median(ours))
    for _ in range(ROUNDS):
        above = logsumexp(
            theirs - np.logaddexp(np.log(share) + theirs, np.log1p(-share) + log)
        ) - np.log(len(theirs))
        below = logsumexp(-np.logaddexp(np.log(share) + ours, np.log1p(-share) + log)) - np.log(
            len(ours)
        )
        log, before = float(above - below), log
        if abs(log - before) < CLOSE:
            return log
    return float("nan")


def _relative_error(ours: np.ndarray, theirs: np.ndarray, share: float, effective: float) -> float:
    """Approximate relative mean squared error; Gronau et al.

    (2017), eq. 16, autocorrelation counted by the effective size.
    """
    at_theirs = np.exp(theirs - np.logaddexp(np.log(share) + theirs, np.log1p(-share)))
    at_ours = np.exp(-np.logaddexp(np.log(share) + ours, np.log1p(-share)))
    return float(
        at_theirs.var() / at_theirs.mean() ** 2 / len(theirs)
        + at_ours.var() / at_ours.mean() ** 2 / effective
    )


def prior_mass(density: Density, n: int, rng: np.random.Generator) -> Evidence:
    """Logarithm of the prior's mass where there is a solution, and its standard error, from n draws
    of the prior.
    """
    chance = np.exp(
        density.responder.log_solvable(density.prior.theta(density.prior.sample(n, rng)))
    )
    if not chance.any():
        return Evidence(-np.inf, np.inf)
    return Evidence(float(np.log(chance.mean())), float(chance.std() / chance.mean() / np.sqrt(n)))


def z_of(density: Density, u: np.ndarray, chains: int) -> np.ndarray:
    """Draws u (n, F) of a posterior, chain after chain, as z (chains, draws, F)."""
    return density.prior.z(u).reshape(chains, -1, u.shape[1])
