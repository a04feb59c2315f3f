"""Summaries over draws and their bootstrap intervals, computed from how often each draw was taken.

A resample of n draws is a vector of n counts. Means and quantiles under counts need no copy of the
values, so that all metrics share one set of resamples and memory stays bounded.

Axes: n draws, K columns (responses), B resamples.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy.stats import DegenerateDataWarning, bootstrap

CONFIDENCE = 0.95
BATCH_ENTRIES = 2_000_000
"""Resamples are drawn in batches of about this many draws in all: some tens of megabytes."""

Statistic = Callable[[np.ndarray], np.ndarray]


def root_mean(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Square root of the mean of values (n, K), which are squares, under counts (B, n): (B, K)."""
    return np.sqrt(mean(values, counts))


def mean(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean of values (n, K) under counts (B, n), over draws that are not NaN: (B, K), NaN where
    there are none.
    """
    counted = ~np.isnan(values)
    total = counts @ counted.astype(np.float64)
    sums = counts @ np.where(counted, values, 0.0)
    return np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0)


def quantile(values: np.ndarray, counts: np.ndarray, share: float) -> np.ndarray:
    """Quantile of values (n, K) under counts (B, n), over draws that are not NaN: (B, K), NaN where
    there are none.

    Linear interpolation between order statistics, type 7 of Hyndman and Fan (1996), as in
    `numpy.quantile`.
    """
    out = np.full((len(counts), values.shape[1]), np.nan)
    whole = counts.astype(np.int32)
    for k, column in enumerate(values.T):
        order = np.argsort(column)[: np.count_nonzero(~np.isnan(column))]  # NaN sorts last
        if not len(order):
            continue
        # one running count through all resamples, row after row: it never falls, so that one search
        # serves them all
        running = np.cumsum(np.take(whole, order, axis=1), dtype=np.int64)
        ends = running[len(order) - 1 :: len(order)]
        before = np.concatenate([[0], ends[:-1]])
        some = ends > before
        position = share * (ends - before - 1)[some]
        below = np.floor(position).astype(np.int64)
        above = np.ceil(position).astype(np.int64)
        rows = np.flatnonzero(some) * len(order)
        value_below = column[
            order[np.searchsorted(running, before[some] + below, side="right") - rows]
        ]
        value_above = column[
            order[np.searchsorted(running, before[some] + above, side="right") - rows]
        ]
        out[some, k] = value_below + (position - below) * (value_above - value_below)
    return out


def median(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Median of values (n, K) under counts (B, n); see `quantile`."""
    return quantile(values, counts, 0.5)


def p95(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """95th percentile of values (n, K) under counts (B, n); see `quantile`."""
    return quantile(values, counts, 0.95)


SUMMARIES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "root_mean": root_mean,
    "mean": mean,
    "median": median,
    "p95": p95,
}


def interval(
    statistic: Statistic, n: int, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile bootstrap interval of a statistic of n draws at 95 percent: lower and upper ends,
    each (K,).

    `statistic` maps counts (B, n) to (B, K). Draws are resampled with replacement, whole, so that
    the dependence between the responses of a draw is kept (Efron and Tibshirani, 1993, chapter 13).
    The seed alone decides the resamples: predictors scored on the same draws share them. Both ends
    are NaN with fewer than two draws, without resamples, or where some resample had no draw that
    counts.
    """
    if n < 2 or resamples < 1:
        size = statistic(np.ones((1, n))).shape[1]
        return np.full(size, np.nan), np.full(size, np.nan)

    def of_resample(drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        return statistic(_counts(drawn, n)).T

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)  # an end that is NaN says it
        result = bootstrap(
            (np.arange(n),),
            of_resample,
            n_resamples=resamples,
            batch=max(1, BATCH_ENTRIES // n),
            vectorized=True,
            axis=-1,
            confidence_level=CONFIDENCE,
            method="percentile",
            random_state=np.random.default_rng(seed),
        )
    return np.asarray(result.confidence_interval.low), np.asarray(result.confidence_interval.high)


def _counts(drawn: np.ndarray, n: int) -> np.ndarray:
    """How often each of n draws occurs in each row of drawn (B, n): (B, n), float64."""
    offset = np.arange(len(drawn))[:, None] * n
    return (
        np.bincount((drawn + offset).ravel(), minlength=len(drawn) * n)
        .reshape(len(drawn), n)
        .astype(np.float64)
    )
