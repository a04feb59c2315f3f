"""Vector autoregressions of many data sets at once: least squares, a residual bootstrap, responses.

Axes: R replication, T period, V variable, L lag, H horizon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Autoregression:
    """y_t = c + sum_l B_l y_{t-l} + e_t, as estimated: data (L + T, V), coefficients (1 + L V, V),
    constant first, then lag by lag.
    """

    data: np.ndarray
    coefficients: np.ndarray
    lags: int

    @property
    def residuals(self) -> np.ndarray:
        """(T, V)."""
        return (
            self.data[self.lags :] - regressors(self.data[None], self.lags)[0] @ self.coefficients
        )

    def resampled(self, replications: int, rng: np.random.Generator) -> np.ndarray:
        """Data (R, L + T, V) that the estimate itself generates from residuals drawn with
        replacement and the first quarters as they were.

        Runkle (1987), Vector autoregressions and reality, Journal of Business and Economic
        Statistics 5(4).
        """
        residuals = self.residuals - self.residuals.mean(axis=0)
        drawn = residuals[rng.integers(len(residuals), size=(replications, len(residuals)))]
        return self._generated(drawn)

    def resampled_in_blocks(
        self, replications: int, rng: np.random.Generator, length: int, instrument: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same from blocks of so many periods in a row, and the instrument (R, T) of these
        periods; instrument: (T,).

        Residuals are centred place by place in a block. Jentsch and Lunsford (2019,
        doi:10.1257/aer.20162011).
        """
        residuals = self.residuals
        count = len(residuals)
        starts = rng.integers(count - length + 1, size=(replications, -(-count // length)))
        periods = (starts[:, :, None] + np.arange(length)).reshape(replications, -1)[:, :count]
        ends = count - length + 1
        means = np.stack([residuals[k : k + ends].mean(axis=0) for k in range(length)])
        place = np.arange(count) % length
        return self._generated(residuals[periods] - means[place]), instrument[periods]

    def _generated(self, innovations: np.ndarray) -> np.ndarray:
        """Data (R, L + T, V) from innovations (R, T, V)."""
        data = np.empty((len(innovations), *self.data.shape))
        data[:, : self.lags] = self.data[: self.lags]
        for t in range(self.lags, len(self.data)):
            past = data[:, t - self.lags : t][:, ::-1].reshape(len(data), -1)
            data[:, t] = (
                self.coefficients[0] + past @ self.coefficients[1:] + innovations[:, t - self.lags]
            )
        return data


def regressors(data_RTV: np.ndarray, lags: int) -> np.ndarray:
    """Constant and lags of data (R, L + T, V): (R, T, 1 + L V)."""
    length = data_RTV.shape[1]
    past = [data_RTV[:, lags - lag : length - lag] for lag in range(1, lags + 1)]
    return np.concatenate([np.ones((len(data_RTV), length - lags, 1)), *past], axis=2)


def fitted(data_RTV: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """Least squares for each replication: coefficients (R, 1 + L V, V) and the covariance of
    residuals (R, V, V), degrees of freedom counted.
    """
    x, y = regressors(data_RTV, lags), data_RTV[:, lags:]
    q, r = np.linalg.qr(x)
    coefficients = np.linalg.solve(r, q.transpose(0, 2, 1) @ y)
    residuals = y - x @ coefficients
    return coefficients, residuals.transpose(0, 2, 1) @ residuals / (x.shape[1] - x.shape[2])


def recursive_responses(
    coefficients: np.ndarray, covariance: np.ndarray, lags: int, shock: int, horizon: int
) -> np.ndarray:
    """Responses (R, H+1, V) to one standard deviation of the shock of variable number `shock`, by
    Cholesky's factor in the order of the variables.
    """
    return responses_to(coefficients, np.linalg.cholesky(covariance)[:, :, shock], lags, horizon)


def responses_to(
    coefficients: np.ndarray, impact: np.ndarray, lags: int, horizon: int
) -> np.ndarray:
    """Responses (R, H+1, V) to what moves the variables by `impact` (R, V) at first."""
    irf = np.zeros((len(impact), lags + horizon + 1, impact.shape[1]))  # zeros before the shock
    irf[:, lags] = impact
    for h in range(lags + 1, lags + horizon + 1):
        past = irf[:, h - lags : h][:, ::-1].reshape(len(irf), 1, -1)
        irf[:, h] = (past @ coefficients[:, 1:])[:, 0]
    return irf[:, lags:]
