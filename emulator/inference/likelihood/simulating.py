"""Histories of the series that a world makes at parameter draws, as the likelihood sees them: with
levels, errors of measurement, and the data's missing values.

Axes: n draw, P parameter, T period, V series, S shock, H horizon.
"""

from __future__ import annotations

import numpy as np

from emulator.inference.likelihood.likelihood import Likelihood
from emulator.solvers import simulate

BURN = 200
"""Periods before the first, in which a history forgets that it began at rest."""


def simulated(likelihood: Likelihood, theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Histories (n, T, V) at draws (n, P), one a draw; NaN where there is no solution."""
    data, weights = likelihood.data.values, likelihood.observation.at(theta)
    periods = len(data)
    at_rest = likelihood.answerer.levels(theta)
    shocks = rng.normal(size=(len(theta), BURN + periods, likelihood.answerer.spec.n_shocks))
    if likelihood.has_states:
        observed = weights.of_space(likelihood.answerer.state_space(theta), data, at_rest)
        with np.errstate(all="ignore"):
            moves = simulate(observed.space, shocks)[:, BURN:]
    else:
        moves = _moving_average(likelihood, theta, shocks)
    noise = weights.error[:, None] * rng.normal(size=moves.shape)
    histories = moves + weights.levels(at_rest, periods) + noise
    return np.where(np.isfinite(data), histories, np.nan)


def _moving_average(likelihood: Likelihood, theta: np.ndarray, shocks: np.ndarray) -> np.ndarray:
    """Deviations (n, T, V) of the series from their level, responses to all shocks (n, T, S)."""
    irf = likelihood.answerer.responses(theta, likelihood.horizon)
    seen = likelihood.observation.at(theta).of_responses(irf)
    total = np.zeros((len(theta), shocks.shape[1], seen.shape[3]))
    for lag in range(min(seen.shape[2], shocks.shape[1])):
        earlier = shocks[:, : shocks.shape[1] - lag]
        total[:, lag:] += np.einsum("nts,nsv->ntv", earlier, seen[:, :, lag])
    return total[:, BURN:]
