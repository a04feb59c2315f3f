"""Filters of time series as small causal state spaces: HP, and first differences.

`q = F q_1 + g e, u = h q_1 + d e` has the gain of the filter at each frequency, so that filtered
variables have the second moments of those that the causal filter makes of them: all variables
are filtered alike, and a phase that all have in common moves no moment.

Axes: P state of the filter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emulator.errors import ParameterError

LARGEST = 1e12
"""Of lambda: beyond, the filter removes nothing that a sample could tell from a trend."""


@dataclass(frozen=True)
class Filter:
    """`q = F q_1 + g e, u = h q_1 + d e`; F (P, P), g and h (P,).

    title: what filtered moments are called; radius: the largest root of F, which says how fast the
    filter forgets; causal: whether the filter itself, and not its gain alone, is the one meant;
    smoothing: lambda, of the HP filter.
    """

    F: np.ndarray
    g: np.ndarray
    h: np.ndarray
    d: float
    title: str
    radius: float
    causal: bool
    smoothing: float = 0.0

    def applied(self, irf: np.ndarray, more: int = 0) -> np.ndarray:
        """Filtered responses (n, S, H+1+more, O) of responses (n, S, H+1, O), zero before the
        impact and after the last horizon.
        """
        n, n_shocks, periods, n_observables = irf.shape
        filtered = np.empty((n, n_shocks, periods + more, n_observables))
        q = np.zeros((len(self.g), n, n_shocks, n_observables))
        for period in range(periods + more):
            value = irf[:, :, period] if period < periods else np.zeros_like(q[0])
            filtered[:, :, period] = np.tensordot(self.h, q, 1) + self.d * value
            q = np.tensordot(self.F, q, 1) + self.g[:, None, None, None] * value
        return filtered


FIRST_DIFFERENCE = Filter(
    F=np.zeros((1, 1)),
    g=np.ones(1),
    h=-np.ones(1),
    d=1.0,
    title="first differences",
    radius=0.0,
    causal=True,
)


def hodrick_prescott(smoothing: float) -> Filter:
    """The cycle of the HP filter with this lambda (1,600 is usual for quarters).

    Its gain is `lambda (1-z)^2 (1-1/z)^2 / (1 + lambda (1-z)^2 (1-1/z)^2)`. The denominator is
    `kappa phi(z) phi(1/z)` with phi(z) = (1 - r z)(1 - r* z), |r| < 1, and the square of the gain
    belongs to the causal `(lambda / kappa) ((1-z)^2 / phi(z))^2`: two sections of two states.
    King and Rebelo (1993), J. Econ. Dyn. Control 17, 207-231, doi:10.1016/S0165-1889(06)80010-2.
    Raises `ParameterError` unless lambda is above zero.
    """
    if not 0 < smoothing <= LARGEST:
        raise ParameterError(
            f"The HP filter's lambda is {smoothing:g}; expected a number above 0 and up to"
            f" {LARGEST:g}, such as 1600 for quarters."
        )
    # w = (1-z)(1-1/z) makes 1 + lambda w^2 zero, and z + 1/z = 2 - w; delta = 1 - z is computed
    # itself, since z is close to one.
    w = 1j / np.sqrt(smoothing)
    root = np.sqrt(w * w / 4 - w)
    delta = min((w / 2 + root, w / 2 - root), key=lambda x: abs(1 - x))
    at_one = abs(delta) ** 2
    modulus = abs(1 - delta) ** 2
    section = np.array([[1 - at_one, modulus], [-at_one, modulus]])
    seen = np.array([-at_one, modulus - 1])
    factor = smoothing * at_one**2
    return Filter(
        F=np.block([[section, np.zeros((2, 2))], [np.outer(np.ones(2), seen), section]]),
        g=np.ones(4),
        h=factor * np.concatenate([seen, seen]),
        d=factor,
        title=f"HP filter, lambda {smoothing:g}",
        radius=float(np.sqrt(modulus)),
        causal=False,
        smoothing=smoothing,
    )
