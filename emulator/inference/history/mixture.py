"""Quantiles of mixtures of normal distributions: forecasts over draws, and over worlds."""

from __future__ import annotations

import numpy as np

STEPS = 60
"""Halvings of an interval of 16 standard deviations and more: below the last digits."""

REACH = 8.5
"""Standard deviations beyond which a normal distribution has no mass that counts."""


def quantiles(
    mean: np.ndarray, std: np.ndarray, weights: np.ndarray, probabilities: np.ndarray
) -> np.ndarray:
    """Quantiles (Q, ..) of mixtures over the first axis of normal distributions with these means
    and standard deviations (n, ..), zero for points, and weights (n,) that sum to one; by
    bisection.
    """
    from scipy.special import ndtr

    shape = (len(weights), *[1] * (mean.ndim - 1))
    weight = weights.reshape(shape)
    answers = []
    for probability in probabilities:
        low = (mean - REACH * std).min(axis=0)
        high = (mean + REACH * std).max(axis=0)
        for _ in range(STEPS):
            middle = (low + high) / 2
            with np.errstate(divide="ignore", invalid="ignore"):
                below = ndtr((middle - mean) / std)
            below = np.where(std > 0, below, middle >= mean)
            reached = (weight * below).sum(axis=0) >= probability
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        answers.append((low + high) / 2)
    return np.stack(answers)
