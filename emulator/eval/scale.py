"""What the training split says about a world: the size of its responses and the range of its
parameters.

Axes: n draws, P parameters, S shocks, H+1 horizons, O observables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emulator.errors import EvaluationError
from emulator.models.normaliser import SILENT


@dataclass(frozen=True)
class Scale:
    """sigma (S, O) of each response, NaN where it is identically zero, and the range (P,) of each
    parameter.
    """

    sigma: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int

    @classmethod
    def fit(cls, theta: np.ndarray, irf: np.ndarray) -> Scale:
        """Scale of the training split: theta (n, P) and irf (n, S, H+1, O) in natural units.

        sigma[s, o] is the standard deviation over draws and horizons. A response that is the same
        non-zero number everywhere has no standard deviation; its root mean square takes that place.
        What remains zero is masked. Raises `EvaluationError` where nothing remains.
        """
        sigma = np.empty(irf.shape[1::2])
        for s, o in np.ndindex(*sigma.shape):  # one response at a time keeps the float64 copy small
            response = irf[:, s, :, o].astype(np.float64)
            size = np.sqrt(np.mean(response**2))
            deviation = response.std()
            sigma[s, o] = deviation if deviation > SILENT * size else size
        largest = sigma.max(initial=0.0)
        if not largest > 0:
            raise EvaluationError(
                "Every impulse response of the training split is zero; a score needs responses that"
                " move. Check the data set with: emulator validate"
            )
        sigma[sigma <= SILENT * largest] = np.nan
        return cls(
            sigma,
            theta.min(axis=0).astype(np.float64),
            theta.max(axis=0).astype(np.float64),
            len(theta),
        )

    @property
    def masked(self) -> np.ndarray:
        """True (S, O) where the response is identically zero in the training split."""
        return np.isnan(self.sigma)

    def outside(self, theta: np.ndarray) -> np.ndarray:
        """True (n,) for draws with a parameter beyond the smallest or largest value seen in
        training.
        """
        return np.any((theta < self.low) | (theta > self.high), axis=1)
