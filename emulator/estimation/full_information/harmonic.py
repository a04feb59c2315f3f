"""The modified harmonic mean: the marginal likelihood from draws of the posterior alone.

Geweke (1999, doi:10.1080/07474939908800428): the mean over the posterior of f / (likelihood times
prior) is one over the marginal likelihood, for any density f. Here f is normal over z with the
draws' moments, cut to the ellipsoid that holds a share of it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp
from scipy.stats import chi2

SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Shares of the normal density that the ellipsoids hold; the answer is the median over them."""


def harmonic_mean(z: np.ndarray, log_kernel: np.ndarray) -> float:
    """Logarithm of the integral of a kernel whose draws are z (n, F), with its logarithms (n,) at
    the draws; NaN for fewer draws than twice the parameters.
    """
    n, size = z.shape
    if n < 2 * size + 2:
        return float("nan")
    mean = z.mean(axis=0)
    covariance = np.atleast_2d(np.cov(z, rowvar=False))
    factor = np.linalg.cholesky(covariance + 1e-12 * np.eye(size))
    squares = np.square(np.linalg.solve(factor, (z - mean).T)).sum(axis=0)
    normal = -0.5 * (squares + size * np.log(2 * np.pi)) - np.log(np.diag(factor)).sum()
    answers = []
    for share in SHARES:
        inside = squares <= chi2.ppf(share, size)
        if inside.any():
            log_ratio = (normal - log_kernel)[inside] - np.log(share)
            answers.append(np.log(n) - logsumexp(log_ratio))
    return float(np.median(answers)) if answers else float("nan")
