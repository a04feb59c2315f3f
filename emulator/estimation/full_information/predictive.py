"""Prior and posterior predictive checks: data simulated at draws, by the statistics that they are
looked at with.

Of each draw a history as long as the data, with the same values missing. Gelman, Meng and Stern
(1996, Statistica Sinica 6). Axes: n draw, T period, V series, M statistic.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from emulator.estimation.full_information.density import DataDensity
from emulator.estimation.settings import QUANTILE_NAMES, QUANTILES
from emulator.inference.likelihood.simulating import simulated


def predictive_checks(
    density: DataDensity, prior: np.ndarray, posterior: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """A row a statistic: its value in the data, quantiles over histories simulated at draws of the
    prior and of the posterior, theta (n, P), and the share of those of the posterior that lie below
    the data's (near 0 or 1 the world does not make such data).
    """
    likelihood = density.likelihood
    names = statistic_names(likelihood.observation.series)
    observed = statistics(likelihood.data.values[None])[0]
    columns = {"data": observed}
    for kind, theta in (("prior", prior), ("posterior", posterior)):
        solved = theta[np.isfinite(density.log_solvable(theta))]
        rows = statistics(simulated(likelihood, solved, rng))
        rows = rows[np.isfinite(rows).all(axis=1)]
        if len(rows) == 0:
            rows = np.full((1, len(names)), np.nan)
        for name, row in zip(QUANTILE_NAMES, np.quantile(rows, QUANTILES, axis=0), strict=True):
            columns[f"{kind}_{name}"] = row
        if kind == "posterior":
            columns["share_below"] = (rows < observed).mean(axis=0)
    return pd.DataFrame(columns, index=pd.Index(names, name="statistic"))


def statistic_names(series: tuple[str, ...]) -> list[str]:
    """The names of `statistics`, in order."""
    pairs = [(a, b) for k, a in enumerate(series) for b in series[k + 1 :]]
    return [
        *(f"mean {name}" for name in series),
        *(f"standard deviation {name}" for name in series),
        *(f"autocorrelation {name}" for name in series),
        *(f"correlation {a}, {b}" for a, b in pairs),
    ]


def statistics(histories: np.ndarray) -> np.ndarray:
    """(n, M) of histories (n, T, V), whatever is missing in them."""
    means = np.nanmean(histories, axis=1)
    gaps = histories - means[:, None]
    spread = np.sqrt(np.nanmean(gaps**2, axis=1))
    scaled = gaps / np.where(spread > 0, spread, np.nan)[:, None]
    again = np.nanmean(scaled[:, 1:] * scaled[:, :-1], axis=1)
    series = histories.shape[2]
    pairs = [
        np.nanmean(scaled[:, :, a] * scaled[:, :, b], axis=1)
        for a in range(series)
        for b in range(a + 1, series)
    ]
    return np.concatenate([means, spread, again, np.array(pairs).reshape(-1, len(means)).T], axis=1)
