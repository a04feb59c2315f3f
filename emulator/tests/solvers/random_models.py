"""Random linear rational-expectations models with every kind of variable, in a shuffled order."""

from __future__ import annotations

import numpy as np

Matrices = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def random_models(
    n: int,
    rng: np.random.Generator,
    *,
    led_only: int = 1,
    lagged_only: int = 1,
    mixed: int = 1,
    static: int = 1,
    exogenous: int = 2,
    n_shocks: int = 2,
    forward: float = 0.4,
) -> Matrices:
    """lead, current, lag (n, m, m) and shock (n, m, k) of n models of one structure.

    Exogenous variables are correlated (dense impact) and follow a triangular process. `forward` is
    the size of the coefficients on leads and lags: near 0.4 most models are determinate, above it
    all three verdicts occur.
    """
    endogenous = led_only + lagged_only + mixed + static
    size = endogenous + exogenous
    lead, current, lag = (
        np.zeros((n, size, size)),
        np.zeros((n, size, size)),
        np.zeros((n, size, size)),
    )
    inner = slice(0, endogenous)
    led = np.r_[0:led_only, led_only + lagged_only : led_only + lagged_only + mixed]
    lagged = np.arange(led_only, led_only + lagged_only + mixed)
    current[:, inner, inner] = np.eye(endogenous) + 0.3 * rng.normal(
        size=(n, endogenous, endogenous)
    )
    lead[:, inner, led] = forward * rng.normal(size=(n, endogenous, len(led)))
    lag[:, inner, lagged] = forward * rng.normal(size=(n, endogenous, len(lagged)))
    shock = rng.normal(size=(n, size, n_shocks))
    if exogenous:
        outer = slice(endogenous, size)
        current[:, inner, outer] = rng.normal(size=(n, endogenous, exogenous))
        lead[:, inner, outer] = 0.3 * rng.normal(size=(n, endogenous, exogenous))
        current[:, outer, outer] = np.eye(exogenous) * rng.uniform(0.5, 2.0, (n, exogenous, 1))
        current[:, outer, outer] += np.tril(rng.normal(size=(n, exogenous, exogenous)), -1)
        own = (
            rng.uniform(-0.95, 0.95, (n, exogenous, 1))
            * np.diagonal(current[:, outer, outer], axis1=1, axis2=2)[:, :, None]
        )
        lag[:, outer, outer] = (
            np.tril(0.5 * rng.normal(size=(n, exogenous, exogenous)), -1) - np.eye(exogenous) * own
        )
    rows, columns = rng.permutation(size), rng.permutation(size)
    shuffled = (matrix[:, rows][:, :, columns] for matrix in (lead, current, lag))
    return (*shuffled, shock[:, rows])


def residual(matrices: Matrices, transition: np.ndarray, impact: np.ndarray) -> float:
    """Largest absolute error in the equations, lags and shocks alike."""
    lead, current, lag, shock = matrices
    onward = lead @ transition + current
    return max(
        float(np.abs(onward @ transition + lag).max()), float(np.abs(onward @ impact + shock).max())
    )
