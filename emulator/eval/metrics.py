"""Metrics of predicted impulse responses: what each draw contributes, and how the draws are
summarised.

Axes: truth and prediction (n, S, H+1, O) in natural units, each observable in its own; sigma (S, O)
in the same units, from the training split. A per-draw function returns (n, S, O), or (n,) where it
pools all responses of a draw; NaN means "does not count here": sigma is NaN where a response is
identically zero, and some metrics do not count draws whose true response is negligible.

All metrics see responses divided by sigma, so none depends on units: scores of output and of
inflation compare.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

NEGLIGIBLE = 0.05
"""A true impact or a true peak smaller than this share of sigma is negligible: its sign, size and
date say nothing.
"""

Summary = Literal["root_mean", "mean", "median", "p95"]
PerDraw = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def normalised(irf: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Responses (n, S, H+1, O) in training standard deviations, float64; NaN where sigma is."""
    return np.asarray(irf, dtype=np.float64) / sigma[None, :, None, :]


def squared_error(truth: np.ndarray, prediction: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """mean_h ((yhat - y) / sigma)^2, (n, S, O). The root of its mean over draws is the NRMSE:

    NRMSE[s, o] = sqrt(mean_{n,h} (yhat - y)^2) / sigma[s, o], with sigma[s, o] the standard
    deviation of y over draws and horizons of the training split; the variance-scaled error of Ohana
    et al. (2024, "The Well"), with the scale taken from training so that no score depends on what
    else is in its split.
    """
    return np.mean(normalised(prediction - truth, sigma) ** 2, axis=2)


def pooled_squared_error(
    truth: np.ndarray, prediction: np.ndarray, sigma: np.ndarray
) -> np.ndarray:
    """mean_{s,h,o} ((yhat - y) / sigma)^2 over responses that are not masked, (n,).

    The root of its mean over draws is

    pooled NRMSE = sqrt(mean_{n,s,h,o} ((yhat - y) / sigma[s, o])^2): the root mean square of the
    NRMSEs, which large errors dominate, where the mean NRMSE gives each response the same say.
    """
    return np.nanmean(squared_error(truth, prediction, sigma), axis=(1, 2))


def relative_error(truth: np.ndarray, prediction: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """||(yhat - y) / sigma|| / ||y / sigma|| of a draw, (n,): Euclidean norms over shocks,
    horizons, observables.

    A share: 0 is exact, 1 is what a prediction of zero earns. Draws whose truth is zero throughout
    do not count.
    """
    error = np.nansum(normalised(prediction - truth, sigma) ** 2, axis=(1, 2, 3))
    size = np.nansum(normalised(truth, sigma) ** 2, axis=(1, 2, 3))
    return np.sqrt(_ratio(error, size))


def integrated_absolute_error(
    truth: np.ndarray, prediction: np.ndarray, sigma: np.ndarray
) -> np.ndarray:
    """IAE = sum_h |yhat - y| / sigma, (n, S, O), in periods: the area between the curves, in
    standard deviations.

    Times sigma[s, o] it is in percent-periods or percentage-point-periods. Graham and Lathrop
    (1953).
    """
    return np.sum(np.abs(normalised(prediction - truth, sigma)), axis=2)


def sign_at_impact(truth: np.ndarray, prediction: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """1 where yhat[h=0] has the sign of y[h=0], else 0, (n, S, O); counted where |y[h=0]| > 0.05
    sigma.

    Its mean is the share of right signs: 1 is best. The check that sign restrictions make (Uhlig,
    2005).
    """
    t = normalised(truth[:, :, 0:1], sigma)[:, :, 0]
    p = normalised(prediction[:, :, 0:1], sigma)[:, :, 0]
    return np.where(np.abs(t) > NEGLIGIBLE, (np.sign(t) == np.sign(p)).astype(np.float64), np.nan)


def peak_size_error(truth: np.ndarray, prediction: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """|yhat[that] - y[t]| / |y[t]|, (n, S, O), where t and that maximise |y| and |yhat| over h; a
    share of the peak.

    The peak keeps its sign, so that a prediction of the wrong sign is wrong by 2. Counted where
    |y[t]| > 0.05 sigma.
    """
    peak, counted, at, guess = _peaks(truth, prediction, sigma)
    t = np.take_along_axis(peak, at, axis=2)
    p = np.take_along_axis(normalised(prediction, sigma), guess, axis=2)
    return np.where(counted, _ratio(np.abs(p - t), np.abs(t)), np.nan)[:, :, 0]


def peak_time_error(truth: np.ndarray, prediction: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """|that - t| in periods, (n, S, O), where t and that maximise |y| and |yhat| over h (the
    first, where several do).

    Counted where |y[t]| > 0.05 sigma.
    """
    _, counted, at, guess = _peaks(truth, prediction, sigma)
    return np.where(counted, np.abs(guess - at), np.nan)[:, :, 0]


def spectral_error(truth: np.ndarray, prediction: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """sum_k |Phat[k] - P[k]| / sum_k P[k], (n, S, O): distance between power spectra along the
    horizon.

    P[k] = w[k] |sum_h y[h] exp(-2 pi i k h / (H+1))|^2 is the two-sided periodogram (Brockwell and
    Davis, 1991, chapter 10) of the response divided by sigma, folded onto k = 0 .. (H+1)//2 with
    w[k] = 2 for frequencies that occur twice, else 1. Blind to timing, it sees spurious wiggles and
    lost swings; a prediction of zero earns 1. Counted where the true response exceeds 0.05 sigma
    somewhere.
    """
    p_true, p_hat = _power(normalised(truth, sigma)), _power(normalised(prediction, sigma))
    distance = _ratio(np.abs(p_hat - p_true).sum(axis=2), p_true.sum(axis=2))
    return np.where(_peaks(truth, prediction, sigma)[1][:, :, 0], distance, np.nan)


def nrmse(truth: np.ndarray, prediction: np.ndarray, sigma: np.ndarray) -> float:
    """Mean over responses of the root mean square error in training standard deviations (the mean
    NRMSE), of finite predictions.
    """
    return float(np.nanmean(np.sqrt(squared_error(truth, prediction, sigma).mean(axis=0))))


def horizon_nrmse(truth: np.ndarray, prediction: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """sqrt(mean_{n,s,o} ((yhat[h] - y[h]) / sigma)^2), (H+1,): the pooled NRMSE of each horizon on
    its own.
    """
    return np.sqrt(np.nanmean(normalised(prediction - truth, sigma) ** 2, axis=(0, 1, 3)))


def _peaks(truth: np.ndarray, prediction: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, ...]:
    """Normalised truth, whether its peak counts, and the dates of both peaks; the last three (n, S,
    1, O).
    """
    t = normalised(truth, sigma)
    p = normalised(prediction, sigma)
    at = np.argmax(np.abs(t), axis=2, keepdims=True)
    guess = np.argmax(np.abs(p), axis=2, keepdims=True)
    return t, np.abs(np.take_along_axis(t, at, axis=2)) > NEGLIGIBLE, at, guess


def _power(irf: np.ndarray) -> np.ndarray:
    """Periodogram along the horizon, folded so that its sum is (H+1) times the sum of squares
    (Parseval).
    """
    length = irf.shape[2]
    power = np.abs(np.fft.rfft(irf, axis=2)) ** 2
    twice = slice(1, -1) if length % 2 == 0 else slice(1, None)
    power[:, :, twice] *= 2
    return power


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, NaN where the denominator is not positive."""
    return np.divide(
        numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0
    )


@dataclass(frozen=True)
class Metric:
    """A row of the table of metrics: what a draw contributes, how draws are summarised, and how to
    read the result.
    """

    per_draw: PerDraw
    summary: Summary
    title: str
    unit: str
    best: float = 0.0
    pooled: bool = False
    """True where a draw contributes one number, (n,); False where it contributes one for each
    response, (n, S, O).
    """
    label: str = ""
    """Short title for tables; the title where there is none."""
    column: str = ""
    """Heading in the narrow table of the terminal; a metric without one stands in the report alone.
    """
    percent: bool = False
    """Whether tables show the value in percent."""


METRICS: dict[str, Metric] = {
    "nrmse": Metric(
        squared_error, "root_mean", "NRMSE", "training standard deviations", label="mean NRMSE"
    ),
    "pooled_nrmse": Metric(
        pooled_squared_error,
        "root_mean",
        "Pooled NRMSE",
        "training standard deviations",
        pooled=True,
        column="pooled",
    ),
    "relative_error_median": Metric(
        relative_error,
        "median",
        "Relative error, median draw",
        "share",
        pooled=True,
        label="rel. error, median",
        column="err50%",
        percent=True,
    ),
    "relative_error_p95": Metric(
        relative_error,
        "p95",
        "Relative error, 95th percentile",
        "share",
        pooled=True,
        label="rel. error, 95th pct",
        column="err95%",
        percent=True,
    ),
    "iae": Metric(
        integrated_absolute_error,
        "mean",
        "Integrated absolute error",
        "standard deviations x periods",
        label="IAE (sd x periods)",
        column="IAE",
    ),
    "sign_at_impact": Metric(
        sign_at_impact,
        "mean",
        "Right sign at impact",
        "share",
        best=1.0,
        column="sign%",
        percent=True,
    ),
    "peak_size_error": Metric(
        peak_size_error,
        "median",
        "Peak size error, median draw",
        "share of the peak",
        label="peak size error",
        column="peak%",
        percent=True,
    ),
    "peak_time_error": Metric(
        peak_time_error,
        "mean",
        "Peak time error",
        "periods",
        label="peak time error",
        column="peak t",
    ),
    "spectral_error": Metric(
        spectral_error,
        "median",
        "Spectral error, median draw",
        "share of the power",
        label="spectral error",
        column="spec%",
        percent=True,
    ),
}
"""Every metric by name.

A pooled one is reported for the world alone; the others for each response that is not masked, and
their mean over these responses for the world.
"""
