"""A target from an estimated vector autoregression: recursive identification, covariance from a
residual bootstrap.

A shock moves the variables ordered before its own not at all on impact. Worlds in which everything
moves on impact cannot match that, so these entries are not matched, as in Christiano, Eichenbaum
and Evans (2005, doi:10.1086/426038, section III). Axes: R replication, T quarter, V variable, L
lag, H horizon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from emulator.errors import unknown_name
from emulator.estimation.target import Target
from emulator.estimation.trouble import TargetError
from emulator.spec import OBSERVABLES

FEWEST = 20
"""Replications of a bootstrap at least."""


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
            self.data[self.lags :] - _regressors(self.data[None], self.lags)[0] @ self.coefficients
        )

    def resampled(self, replications: int, rng: np.random.Generator) -> np.ndarray:
        """Data (R, L + T, V) that the estimate itself generates from residuals drawn with
        replacement and the first quarters as they were.

        Runkle (1987), Vector autoregressions and reality, Journal of Business and Economic
        Statistics 5(4).
        """
        residuals = self.residuals - self.residuals.mean(axis=0)
        drawn = residuals[rng.integers(len(residuals), size=(replications, len(residuals)))]
        data = np.empty((replications, *self.data.shape))
        data[:, : self.lags] = self.data[: self.lags]
        for t in range(self.lags, len(self.data)):
            past = data[:, t - self.lags : t][:, ::-1].reshape(replications, -1)
            data[:, t] = (
                self.coefficients[0] + past @ self.coefficients[1:] + drawn[:, t - self.lags]
            )
        return data


def _regressors(data_RTV: np.ndarray, lags: int) -> np.ndarray:
    """Constant and lags, (R, T, 1 + L V)."""
    length = data_RTV.shape[1]
    past = [data_RTV[:, lags - lag : length - lag] for lag in range(1, lags + 1)]
    return np.concatenate([np.ones((len(data_RTV), length - lags, 1)), *past], axis=2)


def fitted(data_RTV: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """Least squares for each replication: coefficients (R, 1 + L V, V) and the covariance of
    residuals (R, V, V), degrees of freedom counted.
    """
    x, y = _regressors(data_RTV, lags), data_RTV[:, lags:]
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
    impact = np.linalg.cholesky(covariance)[:, :, shock]
    irf = np.zeros((len(impact), lags + horizon + 1, impact.shape[1]))  # zeros before the shock
    irf[:, lags] = impact
    for h in range(lags + 1, lags + horizon + 1):
        past = irf[:, h - lags : h][:, ::-1].reshape(len(irf), 1, -1)
        irf[:, h] = (past @ coefficients[:, 1:])[:, 0]
    return irf[:, lags:]


def from_var(
    results: Any,
    innovation: str,
    observables: Mapping[str, str],
    *,
    shock: str = "monetary",
    horizon: int = 20,
    replications: int = 2000,
    seed: int = 0,
    cumulated: Iterable[str] = (),
    name: str = "var",
) -> Target:
    """The target that an estimated `statsmodels` VAR gives
    (`statsmodels.tsa.api.VAR(...).fit(lags)`), recursively in the order of its columns.

    innovation: the column whose shock is asked for; observables: output, inflation and rate ->
    column, of which some may be missing; the columns must be in this package's units, output in
    percent (100 times the logarithm), inflation and rate in annualised percentage points.
    cumulated: observables whose column is in differences and whose response is summed. The columns
    ordered before `innovation` are not matched on impact. Raises `UnknownNameError`, `TargetError`.
    """
    estimated, names = _read(results)
    for kind, given, known in (
        ("column of the VAR", [innovation, *observables.values()], names),
        ("observable", [*observables, *cumulated], OBSERVABLES),
    ):
        for one in given:
            if one not in known:
                raise unknown_name(kind, one, known)
    if not observables or replications < FEWEST or horizon < 0:
        raise TargetError(
            f"Found {len(observables)} observables, horizon {horizon} and {replications}"
            f" replications; expected an observable, a horizon of 0 or more and {FEWEST}"
            " replications."
        )
    place, summed = names.index(innovation), set(cumulated)
    resampled = estimated.resampled(replications, np.random.default_rng(seed))
    irf = np.full((1 + replications, horizon + 1, 3), np.nan)
    for part, data in ((slice(0, 1), estimated.data[None]), (slice(1, None), resampled)):
        responses = recursive_responses(
            *fitted(data, estimated.lags), estimated.lags, place, horizon
        )
        for observable, column in observables.items():
            found = responses[:, :, names.index(column)]
            irf[part, :, OBSERVABLES.index(observable)] = (
                found.cumsum(axis=1) if observable in summed else found
            )
    matched = np.isfinite(irf[0])
    for observable, column in observables.items():
        if names.index(column) < place:
            matched[0, OBSERVABLES.index(observable)] = False
    source = (
        f"VAR({estimated.lags}) in {', '.join(names)}, {len(estimated.data) - estimated.lags}"
        f" quarters, recursive in this order, shock of {innovation}; residual bootstrap,"
        f" {replications} replications, seed {seed}"
    )
    covariance = np.cov(irf[1:].reshape(replications, -1), rowvar=False)
    return Target(name, shock, irf[0], covariance, matched, source)


def _read(results: Any) -> tuple[Autoregression, list[str]]:
    """What is needed of `statsmodels`' results, refused with `TargetError` where they are of
    another kind.
    """
    wanted = ("endog", "params", "k_ar", "trend", "names")
    if any(not hasattr(results, name) for name in wanted):
        raise TargetError(
            f"Found a {type(results).__name__}; expected the results of"
            " statsmodels.tsa.api.VAR(...).fit(lags)."
        )
    if results.trend != "c" or getattr(results, "exog", None) is not None or results.k_ar < 1:
        raise TargetError(
            f"The VAR has trend '{results.trend}' and {results.k_ar} lags; expected a constant"
            " (trend='c'), one lag or more, and no exogenous variables."
        )
    data = np.asarray(results.endog, dtype=np.float64)
    return Autoregression(data, np.asarray(results.params, dtype=np.float64), int(results.k_ar)), [
        str(name) for name in results.names
    ]
