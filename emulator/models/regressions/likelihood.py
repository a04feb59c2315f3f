"""The marginal likelihood of a Gaussian process and the hyperparameters that maximise it.

Rasmussen and Williams (2006, Gaussian Processes for Machine Learning, sections 2.2, 4.2 and 5.4).
Gradients are analytic; without them and with products of matrices only, a step on 300 draws takes
milliseconds.

Axes: N draw, D parameter, K process (all of one set of hyperparameters).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_solve, lapack
from scipy.optimize import minimize

KERNELS = ("matern", "gaussian")
LENGTHS = (np.log(0.2), np.log(300.0))
SIGNAL = (np.log(1e-4), np.log(1e4))
LINEAR = (np.log(1e-8), np.log(1e2))
NOISE = (np.log(1e-8), np.log(2.0))
"""Bounds of the logarithms of length scales, variances of the signal and of a slope, and noise, for
standardised parameters and responses.
"""

STARTS = [(length, noise) for length in (1.0, 3.0) for noise in (1e-4, 1e-1)]
"""Length scales, in units of the square root of the number of parameters, and noise from which the
search may start.
"""

PULL = 0.02
"""Precision of the prior of log length scales around the start: of dozens of them the likelihood of
a few hundred draws alone makes too much.
"""


class Hyperparameters(NamedTuple):
    """Of a kernel signal k(z, z') + linear z z' and noise on its diagonal; lengths (D,)."""

    kernel: str
    lengths: np.ndarray
    signal: float
    linear: float
    noise: float


def kernel(
    hyper: Hyperparameters, left: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Covariances (n, m) without the linear part, and what multiplies the square of a difference in
    length scales in the derivative by the logarithm of a length scale.
    """
    a, b = left / hyper.lengths, right / hyper.lengths
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T
    np.maximum(squares, 0.0, out=squares)
    if hyper.kernel == "gaussian":
        values = hyper.signal * np.exp(-0.5 * squares)
        return values, values
    distance = np.sqrt(5 * squares)
    decay = hyper.signal * np.exp(-distance)
    slope = (1 + distance) * decay
    return slope + decay * squares * (5 / 3), slope * (5 / 3)


def covariance(hyper: Hyperparameters, points: np.ndarray) -> np.ndarray:
    """Covariances (N, N) of noisy values at points (N, D)."""
    values = kernel(hyper, points, points)[0] + hyper.linear * points @ points.T
    values[np.diag_indices(len(points))] += hyper.noise
    return values


def unpacked(kind: str, vector: np.ndarray) -> Hyperparameters:
    signal, linear, noise = np.exp(vector[:3])
    return Hyperparameters(kind, np.exp(vector[3:]), signal, linear, noise)


def packed(hyper: Hyperparameters) -> np.ndarray:
    return np.log([hyper.signal, hyper.linear, hyper.noise, *hyper.lengths])


def loss(
    vector: np.ndarray, kind: str, points: np.ndarray, values: np.ndarray, centre: float
) -> tuple[float, np.ndarray]:
    """Negative log likelihood of values (N, K) a process, less the prior of the length scales, and
    its gradient.
    """
    hyper, n, count = unpacked(kind, vector), *values.shape
    signal, slope = kernel(hyper, points, points)
    product = points @ points.T
    whole = signal + hyper.linear * product
    whole[np.diag_indices(n)] += hyper.noise
    factor, failed = lapack.dpotrf(whole, lower=1)
    if failed:
        return 1e25, np.zeros_like(vector)
    weights = cho_solve((factor, True), values)
    pull = PULL * (vector[3:] - centre)
    total = 0.5 * float((values * weights).sum()) / count
    total += float(np.log(np.diag(factor)).sum()) + 0.5 * float(pull @ (vector[3:] - centre))
    inverse = lapack.dpotri(factor, lower=1)[0]
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    inner = 0.5 * (inverse - weights @ weights.T / count)
    scaled = points / hyper.lengths
    inner_slope = inner * slope
    by_length = 2 * inner_slope.sum(1) @ scaled**2 - 2 * (scaled * (inner_slope @ scaled)).sum(0)
    gradient = np.concatenate(
        [
            [
                float((inner * signal).sum()),
                hyper.linear * float((inner * product).sum()),
                hyper.noise * float(np.trace(inner)),
            ],
            by_length + pull,
        ]
    )
    return total, gradient


def maximise(
    kind: str,
    points: np.ndarray,
    values: np.ndarray,
    iterations: int,
    start: Hyperparameters | None = None,
) -> tuple[Hyperparameters, float]:
    """Hyperparameters under which values (N, K) at points (N, D) are most likely, and the loss.

    L-BFGS from `start`, or from the best of `STARTS`: from a poor one the first step leaps to where
    everything is noise, and stays there.
    """
    n_columns = points.shape[1]
    centre = float(np.log(2 * n_columns**0.5))
    bounds = [SIGNAL, LINEAR, NOISE, *[LENGTHS] * n_columns]
    if start is None:
        starts = [
            np.log([1.0, 1e-3, noise, *[length * n_columns**0.5] * n_columns])
            for length, noise in STARTS
        ]
        first = min(starts, key=lambda vector: loss(vector, kind, points, values, centre)[0])
    else:
        first = packed(start)
    optimum = minimize(
        loss,
        first,
        args=(kind, points, values, centre),
        method="L-BFGS-B",
        jac=True,
        bounds=bounds,
        options={"maxiter": iterations},
    )
    return unpacked(kind, optimum.x), float(optimum.fun)
