"""What a filter knows of some draws, and densities of errors of prediction.

Axes: N draw, D state, O series, T period.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

LOG_TWO_PI = float(np.log(2 * np.pi))

WINDOW = 8
"""Periods over which covariances are compared: longer than the lags through which an error reaches
the data late.
"""

NEAR = 3e-3
"""Distance of a covariance times the last period's inverse from the identity up to which three
steps of Schulz's iteration (1933, doi:10.1002/zamm.19330130111), each of which squares it, make the
new inverse: cheaper than LAPACK's.
"""

VERY_NEAR = 1e-9
"""The same for one step."""

STRIDE = 4
"""Periods that go through the data at once, where covariances stay."""


@dataclass(frozen=True)
class Belief:
    """The matrices of some draws, `rows` of their block, and what is known of the next period's
    state: mean (N, D, 1), covariance (N, D, D).

    onward A and back A', loading C and seen C', noise B B': each its own array in memory, since
    products of transposed stacks are slower. shock B (N, D, S); error (N, O): variances.
    """

    rows: np.ndarray
    onward: np.ndarray
    back: np.ndarray
    shock: np.ndarray
    noise: np.ndarray
    loading: np.ndarray
    seen: np.ndarray
    error: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray

    def of(self, chosen: np.ndarray) -> Belief:
        """The same for some of the draws."""
        return Belief(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def watching(self, columns: np.ndarray) -> Belief:
        """The same where these series alone are there."""
        if len(columns) == self.error.shape[1]:
            return self
        return replace(
            self,
            loading=np.ascontiguousarray(self.loading[:, columns]),
            seen=np.ascontiguousarray(self.seen[:, :, columns]),
            error=self.error[:, columns],
        )

    def with_series_of(self, whole: Belief) -> Belief:
        """The same with all the series again; of the same draws in the same order."""
        return replace(self, loading=whole.loading, seen=whole.seen, error=whole.error)

    def later(self) -> Belief:
        """One period on, without data."""
        covariance = self.onward @ self.covariance @ self.back + self.noise
        return replace(self, mean=self.onward @ self.mean, covariance=covariance)


def joined(parts: list[Belief]) -> Belief:
    """Beliefs of several draws as one, in the order of the draws."""
    parts = [part for part in parts if len(part.rows)]
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([part.rows for part in parts]))
    return Belief(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])[order]
            for field in fields(Belief)
        )
    )


def densities(squares: np.ndarray, log_determinant: np.ndarray, series: int) -> np.ndarray:
    """Log-densities (.., N) of errors of prediction by their squared length in units of their
    covariance, (.., N), and its log-determinant (N,).
    """
    return -0.5 * (squares + log_determinant + series * LOG_TWO_PI)


def log_determinant(factor: np.ndarray) -> np.ndarray:
    """Of matrices (N, O, O) by their Cholesky factors."""
    return 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)


def cholesky(variance: np.ndarray) -> np.ndarray:
    """Lower factors (N, O, O); of a matrix that is not positive definite NaN on the diagonal."""
    try:
        return np.linalg.cholesky(variance)
    except np.linalg.LinAlgError:
        pass
    factor = np.broadcast_to(np.eye(variance.shape[1]), variance.shape).copy()
    for row, matrix in enumerate(variance):
        try:
            factor[row] = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            factor[row] *= np.nan
    return factor


def improved(last: np.ndarray, variance: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Inverses of covariances (N, O, O) with these Cholesky factors, from those of the period
    before.
    """
    identity = np.eye(variance.shape[1])
    off = identity - variance @ last
    distance = np.abs(off).max(axis=(1, 2))
    if distance.max() < VERY_NEAR:
        return symmetric(last + last @ off)
    square = off @ off
    inverse = last @ ((identity + off) @ (identity + square) @ (identity + square @ square))
    inverse = symmetric(inverse)
    far = ~(distance < NEAR)
    if far.any():
        inverse[far] = inverse_of(factor[far])
    return inverse


def inverse_of(factor: np.ndarray) -> np.ndarray:
    whitener = np.linalg.inv(factor)
    return whitener.swapaxes(1, 2) @ whitener


def symmetric(stack: np.ndarray) -> np.ndarray:
    """Rounding makes covariances lopsided, and the recursion makes that grow."""
    return (stack + stack.swapaxes(1, 2)) / 2


def change(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Largest change (N,) of a row of a stack of matrices, relative to the row's largest entry."""
    size = np.abs(now).max(axis=2)
    return (np.abs(now - before).max(axis=2) / size).max(axis=1)


def finish(
    belief: Belief,
    gain: np.ndarray,
    inverse: np.ndarray,
    log_determinant: np.ndarray,
    data: np.ndarray,
) -> tuple[Belief, np.ndarray]:
    """The rest of the data (T, N, O, 1) with covariances that stay, and its log-densities (N, T).

    gain (N, D, O): what an error of prediction moves the next period's state by; inverse (N, O, O)
    and log-determinant (N,) of the covariance of these errors.
    """
    closed = belief.onward - gain @ belief.loading
    alone = len(data) % STRIDE
    mean, errors = _one_by_one(closed, gain, belief, data[:alone])
    if alone < len(data):
        belief = replace(belief, mean=mean)
        mean, later = _by_strides(closed, gain, belief, data[alone:])
        errors = np.concatenate([errors, later], axis=1)
    squares = (errors * (errors @ inverse)).sum(axis=2)
    values = densities(squares, log_determinant[:, None], data.shape[2])
    return replace(belief, mean=mean), values


def _one_by_one(
    closed: np.ndarray, gain: np.ndarray, belief: Belief, data: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The mean after the data (T, N, O, 1), and the errors of prediction (N, T, O)."""
    means = np.empty((len(data) + 1, *belief.mean.shape))
    means[0] = belief.mean
    for period, push in enumerate(gain @ data):
        np.matmul(closed, means[period], out=means[period + 1])
        means[period + 1] += push
    errors = data - belief.loading @ means[:-1]
    return means[-1], errors[..., 0].swapaxes(0, 1)


def _by_strides(
    closed: np.ndarray, gain: np.ndarray, belief: Belief, data: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`_one_by_one` of a multiple of `STRIDE` periods, all strides in a few products of matrices:
    within a stride, errors and the mean that follows are linear in its data and in the mean before.
    """
    periods, n, series, _ = data.shape
    states = closed.shape[1]
    strides = data[..., 0].swapaxes(0, 1).reshape(n, periods // STRIDE, STRIDE * series)
    onward = np.empty((n, states, STRIDE, series))  # closed^(STRIDE - 1 - j) gain
    loading = np.empty((n, STRIDE, series, states))  # C closed^j
    within = np.zeros((n, STRIDE, series, STRIDE, series))
    push, seen = gain, belief.loading
    for j in range(STRIDE):
        onward[:, :, STRIDE - 1 - j] = push
        loading[:, j] = seen
        reach = belief.loading @ push
        for first in range(STRIDE - 1 - j):
            within[:, first + j + 1, :, first] = reach
        push, seen = closed @ push, seen @ closed
    pushes = strides @ onward.reshape(n, states, -1).swapaxes(1, 2)
    power = np.linalg.matrix_power(closed, STRIDE)
    means = np.empty((pushes.shape[1] + 1, *belief.mean.shape))
    means[0] = belief.mean
    for k in range(pushes.shape[1]):
        np.matmul(power, means[k], out=means[k + 1])
        means[k + 1, :, :, 0] += pushes[:, k]
    before = means[:-1, :, :, 0].swapaxes(0, 1)
    of_errors = within.reshape(n, STRIDE * series, STRIDE * series).swapaxes(1, 2)
    of_states = loading.reshape(n, STRIDE * series, states).swapaxes(1, 2)
    errors = strides - strides @ of_errors - before @ of_states
    return means[-1], errors.reshape(n, periods, series)
