"""Predictors that need no network.

Every score is shown beside theirs: a network that loses to one has learnt nothing.

Axes: n draws, P parameters, S shocks, H+1 horizons, O observables. Everything is float64 and in
natural units.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from emulator.errors import ModelError

BLOCK = 256
"""Draws whose distances to all training draws are in memory at once: some hundred megabytes for
100,000 of them.
"""

REGRESSED = 8192
"""Training draws whose responses are in memory in float64 at once: some hundred megabytes."""


class TrivialBaseline(ABC):
    """What every trivial baseline shares: `fit` on the training split, then `predict`.

    `fit(theta (n, P), irf (n, S, H+1, O))` returns the baseline itself; `predict(theta (m, P))`
    returns (m, S, H+1, O) in the units of the responses it was fitted on. Both raise `ModelError`
    for arrays that do not fit.
    """

    title: str
    """What a table calls it."""

    def __init__(self) -> None:
        self._n_parameters: int | None = None
        self._response_shape: tuple[int, ...] = ()

    def fit(self, theta: np.ndarray, irf: np.ndarray) -> TrivialBaseline:
        """Learn from the training split: theta (n, P) and irf (n, S, H+1, O)."""
        theta, irf = np.asarray(theta, dtype=np.float64), np.asarray(irf)
        if theta.ndim != 2 or irf.ndim != 4 or len(theta) != len(irf) or not len(theta):
            raise ModelError(
                "A trivial baseline is fitted on theta (n, P) and irf (n, S, H+1, O) with the same"
                f" n > 0; found {theta.shape} and {irf.shape}."
            )
        if not (np.isfinite(theta).all() and np.isfinite(irf).all()):
            raise ModelError(
                "A trivial baseline was given values that are not finite; expected finite theta and"
                " irf."
            )
        self._n_parameters, self._response_shape = theta.shape[1], irf.shape[1:]
        self._fit(theta, irf)
        return self

    def predict(self, theta: np.ndarray) -> np.ndarray:
        """Responses (m, S, H+1, O), float64, at theta (m, P)."""
        theta = np.asarray(theta, dtype=np.float64)
        if self._n_parameters is None:
            raise ModelError(
                f"The baseline '{self.title}' was not fitted; call fit(theta, irf) first."
            )
        if theta.ndim != 2 or theta.shape[1] != self._n_parameters:
            raise ModelError(
                f"The baseline was fitted on theta (n, {self._n_parameters}); found {theta.shape}."
            )
        return self._predict(theta).reshape(len(theta), *self._response_shape)

    @abstractmethod
    def _fit(self, theta: np.ndarray, irf: np.ndarray) -> None: ...

    @abstractmethod
    def _predict(self, theta: np.ndarray) -> np.ndarray: ...


class Zero(TrivialBaseline):
    """Nothing ever moves."""

    title = "zero"

    def _fit(self, theta: np.ndarray, irf: np.ndarray) -> None:
        pass

    def _predict(self, theta: np.ndarray) -> np.ndarray:
        return np.zeros((len(theta), *self._response_shape))


class TrainingMean(TrivialBaseline):
    """The mean response of the training split, whatever the parameters."""

    title = "training mean"

    def _fit(self, theta: np.ndarray, irf: np.ndarray) -> None:
        self._mean = irf.mean(axis=0, dtype=np.float64)

    def _predict(self, theta: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self._mean, (len(theta), *self._response_shape)).copy()


class LinearRegression(TrivialBaseline):
    """Least squares of every response on an intercept and the standardised parameters.

    The parameters are centred and divided by their standard deviation, and the responses are
    centred, so that the intercept is the mean response. Rank deficiency (a parameter that never
    varies, parameters that move together, fewer draws than parameters) is resolved by the solution
    of smallest norm: singular values below `rcond` times the largest count as zero (Golub and Van
    Loan, 2013, section 5.5).
    """

    title = "linear regression"
    rcond = 1e-10

    def _fit(self, theta: np.ndarray, irf: np.ndarray) -> None:
        self._centre, self._scale = _centre_and_scale(theta)
        responses = irf.reshape(len(irf), -1)
        self._mean = responses.mean(axis=0, dtype=np.float64)
        left, sizes, right = np.linalg.svd((theta - self._centre) / self._scale, False)
        varying = sizes > self.rcond * sizes[0]
        projected = np.zeros((varying.sum(), responses.shape[1]))
        for start in range(0, len(responses), REGRESSED):
            rows = slice(start, start + REGRESSED)
            projected += left[rows, varying].T @ (responses[rows] - self._mean)
        self._coefficients = right[varying].T / sizes[varying] @ projected

    def _predict(self, theta: np.ndarray) -> np.ndarray:
        return self._mean + (theta - self._centre) / self._scale @ self._coefficients


class NearestNeighbour(TrivialBaseline):
    """The response of the nearest training draw: Euclidean distance between parameters in standard
    deviations.

    All distances are computed, by products of matrices: in dozens of dimensions a tree visits
    nearly all draws, and slowly.
    """

    title = "nearest neighbour"

    def _fit(self, theta: np.ndarray, irf: np.ndarray) -> None:
        self._centre, self._scale = _centre_and_scale(theta)
        self._draws = (theta - self._centre) / self._scale
        self._half_squares = 0.5 * np.square(self._draws).sum(axis=1)
        self._responses = irf

    def _predict(self, theta: np.ndarray) -> np.ndarray:
        scores = (theta - self._centre) / self._scale
        nearest = [
            (self._half_squares - part @ self._draws.T).argmin(axis=1)
            for part in np.split(scores, range(BLOCK, len(scores), BLOCK))
        ]
        return self._responses[np.concatenate(nearest)].astype(np.float64)


def _centre_and_scale(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (P,) of the parameters; 1 for one that varies by no more than
    rounding.
    """
    centre, scale = theta.mean(axis=0), theta.std(axis=0)
    constant = scale <= 1e-12 * np.abs(theta).max(axis=0)
    return centre, np.where(constant, 1.0, scale)


TRIVIAL_BASELINES: dict[str, type[TrivialBaseline]] = {
    "zero": Zero,
    "training_mean": TrainingMean,
    "linear_regression": LinearRegression,
    "nearest_neighbour": NearestNeighbour,
}
"""The baselines that stand beside every score, by name."""
