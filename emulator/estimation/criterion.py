"""How well responses fit a target: the Gaussian quasi-likelihood of its matched entries.

    log L = - M/2 log 2 pi - 1/2 log |V| - 1/2 (m - y)' V^-1 (m - y)

V is the diagonal of the target's covariance ("diagonal", as in Christiano, Eichenbaum and Evans
2005, doi:10.1086/426038) or all of it ("full"). As a likelihood to which a prior is joined:
Christiano, Trabandt and Walentin (2010, doi:10.1016/B978-0-444-53238-1.00007-7). Neighbouring
horizons of an estimated response err together; the diagonal ignores that, so that its posterior is
narrower than the data warrant. The full covariance counts it, and leans on its smallest
eigenvalues, which a short sample knows badly. Axes: n draw, F free parameter, H horizon, M matched
entry.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from emulator.estimation.target import Target
from emulator.estimation.trouble import TargetError

Weighting = Literal["diagonal", "full"]


class Criterion:
    """The quasi-likelihood of a target under a weighting.

    Raises `TargetError` where the whole covariance cannot be inverted.
    """

    def __init__(self, target: Target, weighting: Weighting = "diagonal") -> None:
        if weighting not in get_args(Weighting):
            raise TargetError(f"The weighting is {weighting!r}; expected 'diagonal' or 'full'.")
        self.target, self.weighting = target, weighting
        covariance = target.matched_covariance
        if weighting == "diagonal":
            covariance = np.diag(np.diag(covariance))
        scale = np.sqrt(np.diag(covariance))
        try:
            factor = np.linalg.cholesky(covariance / np.outer(scale, scale))
        except np.linalg.LinAlgError:
            raise TargetError(
                f"The covariance of the {len(scale)} matched entries of target '{target.name}' is"
                " singular, so that it cannot serve as a weight. Use the diagonal weighting, match"
                " fewer entries, or estimate it from more replications."
            ) from None
        self.whitener = np.linalg.solve(factor, np.diag(1 / scale))
        self.constant = (
            -0.5 * len(scale) * np.log(2 * np.pi)
            - np.log(np.diag(factor)).sum()
            - np.log(scale).sum()
        )

    def residuals(self, irf: np.ndarray) -> np.ndarray:
        """Whitened distances (..., M) of responses (..., H+1, 3) from the target, each of unit
        variance if the target errs alone.
        """
        entries = irf.reshape(*irf.shape[:-2], -1)[..., self.target.entries]
        return (entries - self.target.values) @ self.whitener.T

    def derivatives(self, irf_by: np.ndarray) -> np.ndarray:
        """Derivatives (F, M) of the residuals from those of the responses (F, H+1, 3)."""
        return irf_by.reshape(len(irf_by), -1)[:, self.target.entries] @ self.whitener.T

    def force(self, irf: np.ndarray) -> np.ndarray:
        """Derivatives (H+1, 3) of the log-likelihood by responses (H+1, 3); zero for entries that
        are not matched.
        """
        found = np.zeros(irf.size)
        found[self.target.entries] = -self.residuals(irf) @ self.whitener
        return found.reshape(irf.shape)

    def log_likelihood(self, irf: np.ndarray) -> np.ndarray:
        """(...,) from responses (..., H+1, 3); minus infinity where they are NaN."""
        return self.constant - 0.5 * self.distance(irf)

    def distance(self, irf: np.ndarray) -> np.ndarray:
        """The quadratic form (m - y)' V^-1 (m - y), (...,); infinity where responses are NaN."""
        found = np.square(self.residuals(irf)).sum(axis=-1)
        return np.where(np.isfinite(found), found, np.inf)
