"""The likelihood where responses are all that is known of a world: the series are a moving average
of the shocks, and their covariance follows from it.

    y_t = level_t + sum_h sum_s irf_sh e_s,t-h + u_t
    cov(y_t, y_t-k) = sum_s sum_h irf_s,h+k irf_s,h'

Responses are cut off after the last horizon. Auclert, Bardoczy, Rognlie and Straub (2021,
doi:10.3982/ECTA17434), sec. 5.1. What is missing is left out of the covariance.

Axes: S shock, H horizon, V series, T period, E entry of the data that is there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from emulator.solvers.kalman.belief import LOG_TWO_PI


class Value(NamedTuple):
    """Log-density (T,) of each period's data given those before, and the derivatives of their sum
    by responses (S, H+1, V), zero where they were not asked for.
    """

    by_period: np.ndarray
    by_responses: np.ndarray


def value(
    irf: np.ndarray, deviations: np.ndarray, error: np.ndarray, gradient: bool = False
) -> Value:
    """Of one draw: responses (S, H+1, V) of the series, deviations (T, V) of the data from their
    level, NaN where they are missing, and standard deviations (V,) of errors of measurement.

    Minus infinity where the covariance has no density.
    """
    periods, series = deviations.shape
    there = np.isfinite(deviations).ravel()
    lagged = autocovariances(irf, periods)
    together = joint(lagged) + np.diag(np.tile(error**2, periods))
    try:
        factor = np.linalg.cholesky(together[np.ix_(there, there)])
    except np.linalg.LinAlgError:
        return Value(np.full(periods, -np.inf), np.zeros_like(irf))
    white = solve_triangular(factor, deviations.ravel()[there], lower=True)
    entries = np.zeros(periods * series)
    entries[there] = -0.5 * (white**2 + LOG_TWO_PI) - np.log(np.diag(factor))
    by_period = entries.reshape(periods, series).sum(axis=1)
    if not gradient:
        return Value(by_period, np.zeros_like(irf))
    scaled = solve_triangular(factor, white, lower=True, trans=1)
    by_joint = np.zeros((periods * series, periods * series))
    inverse = cho_solve((factor, True), np.eye(len(factor)))
    by_joint[np.ix_(there, there)] = 0.5 * (np.outer(scaled, scaled) - inverse)
    return Value(by_period, _by_responses(irf, by_joint.reshape(periods, series, periods, series)))


def autocovariances(irf: np.ndarray, periods: int) -> np.ndarray:
    """cov(y_t, y_t-k) (K, V, V) for k = 0 .. periods - 1, by the fast Fourier transform."""
    reach = irf.shape[1]
    length = 2 * max(reach, periods)
    waves = np.fft.rfft(irf, n=length, axis=1)
    spectrum = np.einsum("sfv,sfw->fvw", waves, waves.conj())
    return np.fft.irfft(spectrum, n=length, axis=0)[:periods]


def joint(lagged: np.ndarray) -> np.ndarray:
    """Covariance (T V, T V) of all periods from autocovariances (T, V, V)."""
    periods, series, _ = lagged.shape
    apart = np.arange(periods)[:, None] - np.arange(periods)[None, :]
    both = np.concatenate([lagged, lagged[:0:-1].swapaxes(1, 2)])  # k, and -k from the end
    return both[apart].swapaxes(1, 2).reshape(periods * series, periods * series)


def _by_responses(irf: np.ndarray, by_joint: np.ndarray) -> np.ndarray:
    """Derivatives by responses, from those by the covariance (T, V, T, V)."""
    periods = by_joint.shape[0]
    reach = irf.shape[1]
    by = np.zeros_like(irf)
    for lag in range(min(periods, reach)):
        rows = np.arange(lag, periods)
        by_lag = by_joint[rows, :, rows - lag].sum(axis=0) * (2.0 if lag else 1.0)
        by[:, lag:] += irf[:, : reach - lag] @ by_lag.T
        by[:, : reach - lag] += irf[:, lag:] @ by_lag
    return by
