"""Population moments and spectrum of the series that a likelihood observes.

Axes: n draw, P parameter, V series, K lag, W frequency, D state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.likelihood import moving_average
from emulator.inference.likelihood.likelihood import UNIT_ROOT, Likelihood
from emulator.solvers import spectral_radius
from emulator.solvers.lyapunov import lyapunov

LAGS = 12
FREQUENCIES = 33


@dataclass(frozen=True)
class SecondMoments:
    """Means (n, V) at the first period and slopes of the trend (n, V); autocovariances
    cov(y_t, y_t-k) (n, K+1, V, V); the spectral density (n, W, V, V) at frequencies from zero to
    pi, by 2 pi.
    """

    means: np.ndarray
    slopes: np.ndarray
    autocovariances: np.ndarray
    spectrum: np.ndarray


def second_moments(likelihood: Likelihood, theta: np.ndarray) -> SecondMoments:
    """At draws (n, P); NaN without a solution. Raises `ParameterError` where a series has a unit
    root.
    """
    weights = likelihood.observation.at(theta)
    at_rest = likelihood.answerer.levels(theta)
    waves = np.linspace(0, np.pi, FREQUENCIES)
    if likelihood.has_states:
        covariances, spectrum = _of_states(likelihood, theta, waves)
    else:
        irf = likelihood.answerer.responses(theta, likelihood.horizon)
        seen = weights.of_responses(irf)
        covariances = np.stack([moving_average.autocovariances(one, LAGS + 1) for one in seen])
        lags = np.exp(-1j * np.outer(waves, np.arange(seen.shape[2])))
        transfer = np.einsum("wh,nshv->nwvs", lags, seen)
        spectrum = transfer @ transfer.conj().swapaxes(2, 3)
    diagonal = np.arange(weights.error.shape[1])
    covariances[:, 0, diagonal, diagonal] += weights.error**2
    spectrum[:, :, diagonal, diagonal] += (weights.error**2)[:, None]
    means = weights.levels(at_rest, 1)[:, 0]
    return SecondMoments(means, weights.slope, covariances, spectrum)


def _of_states(
    likelihood: Likelihood, theta: np.ndarray, waves: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    space = likelihood.answerer.state_space(theta)
    observed = likelihood.observation.at(theta).of_space(
        space, likelihood.data.values[:1], likelihood.answerer.levels(theta)
    )
    a, b, c = observed.space.A, observed.space.B, observed.space.C
    solved = np.isfinite(a).all(axis=(1, 2))
    if not (spectral_radius(a[solved]) < UNIT_ROOT).all():
        raise ParameterError("The series have a unit root, so that they have no moments.")
    turned = np.ascontiguousarray(c.swapaxes(1, 2))
    reach = lyapunov(a, b @ b.swapaxes(1, 2)) @ turned
    covariances = np.empty((len(theta), LAGS + 1, c.shape[1], c.shape[1]))
    for lag in range(LAGS + 1):
        covariances[:, lag] = c @ reach
        reach = a @ reach
    identity = np.eye(a.shape[1])
    spectrum = np.empty((len(theta), len(waves), c.shape[1], c.shape[1]), dtype=complex)
    for k, wave in enumerate(waves):
        transfer = c @ np.linalg.solve(identity - a * np.exp(-1j * wave), b.astype(complex))
        spectrum[:, k] = transfer @ transfer.conj().swapaxes(1, 2)
    return covariances, spectrum
