"""The score table: every metric of one predictor on one split of one world, with intervals, as tidy
rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from emulator.errors import EvaluationError
from emulator.eval.bootstrap import SUMMARIES, interval
from emulator.eval.metrics import METRICS, horizon_nrmse
from emulator.eval.scale import Scale
from emulator.spec import WorldSpec

COLUMNS = (
    "predictor",
    "world",
    "split",
    "shock",
    "observable",
    "metric",
    "value",
    "low",
    "high",
    "n",
)
ALL = "all"
"""Stands for the shock and the observable of a score of the whole world."""


@dataclass(frozen=True)
class Score:
    """Scores of one predictor on one split: tidy rows, the error of each horizon, and the draws
    that failed.
    """

    rows: pd.DataFrame
    """Columns `COLUMNS`, less predictor, world and split."""
    horizon_nrmse: np.ndarray
    """(H+1,), in training standard deviations."""
    relative_error: np.ndarray
    """(n,), a share."""
    failures: int
    """Draws whose prediction was not finite; each is scored as a response of zero."""


def score(
    spec: WorldSpec,
    scale: Scale,
    truth: np.ndarray,
    prediction: np.ndarray,
    resamples: int = 1000,
    seed: int = 0,
) -> Score:
    """Score predictions (n, S, H+1, O) against the truth (n, S, H+1, O), both in natural units.

    A draw whose prediction is not finite throughout counts as a failure and is scored as a response
    of zero: it is never dropped. Raises `EvaluationError` when shapes differ, there are no draws,
    or the truth is not finite.
    """
    truth, prediction = _checked(truth, prediction)
    prediction, failed = zero_where_failed(prediction)
    per_draw = {
        name: metric.per_draw(truth, prediction, scale.sigma) for name, metric in METRICS.items()
    }
    rows = _rows(spec, scale, per_draw, resamples, seed)
    curve = horizon_nrmse(truth, prediction, scale.sigma)
    return Score(rows, curve, per_draw["relative_error_median"], int(failed.sum()))


def zero_where_failed(prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predictions (n, S, H+1, O) with zero for each draw that is not finite throughout, and which
    draws those are (n,).
    """
    failed = ~np.isfinite(prediction).all(axis=(1, 2, 3))
    return np.where(failed[:, None, None, None], 0.0, prediction), failed


def _checked(truth: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    truth = np.asarray(truth, dtype=np.float64)
    prediction = np.asarray(prediction, dtype=np.float64)
    if truth.shape != prediction.shape or truth.ndim != 4:
        raise EvaluationError(
            f"Truth {truth.shape} and prediction {prediction.shape} differ; expected (n, S,"
            " H+1, O)."
        )
    if not len(truth):
        raise EvaluationError("There is no draw to score; expected at least one.")
    if not np.isfinite(truth).all():
        raise EvaluationError(
            "The true responses are not finite everywhere; no score can be computed from them."
        )
    return truth, prediction


def _rows(
    spec: WorldSpec, scale: Scale, per_draw: dict[str, np.ndarray], resamples: int, seed: int
) -> pd.DataFrame:
    columns = {name: _columns(values, scale) for name, values in per_draw.items()}
    n = len(next(iter(columns.values())))

    def statistic(counts: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [_summary(name, values, counts) for name, values in columns.items()], axis=1
        )

    value = statistic(np.ones((1, n)))[0]
    low, high = interval(statistic, n, resamples, seed)
    labels = [
        label for name, values in columns.items() for label in _labels(name, values, spec, scale)
    ]
    frame = pd.DataFrame(labels, columns=["shock", "observable", "metric", "n"])
    return frame.assign(value=value, low=low, high=high)[
        ["shock", "observable", "metric", "value", "low", "high", "n"]
    ]


def _columns(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Per-draw values as (n, K): one column for each response that is not masked, or a single
    one.
    """
    return values[:, None] if values.ndim == 1 else values[:, ~scale.masked]


def _summary(name: str, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Summaries (B, K) of a metric; with more than a world's single column, their mean over
    responses comes last.
    """
    summary = SUMMARIES[METRICS[name].summary](values, counts)
    if METRICS[name].pooled:
        return summary
    known = ~np.isnan(summary)
    total = known.sum(axis=1, keepdims=True)
    sums = np.where(known, summary, 0.0).sum(axis=1, keepdims=True)
    return np.concatenate(
        [summary, np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0)], axis=1
    )


def _labels(
    name: str, values: np.ndarray, spec: WorldSpec, scale: Scale
) -> list[tuple[str, str, str, int]]:
    """(shock, observable, metric, draws that count) of each column of `_summary`."""
    counted = ~np.isnan(values)
    world = (ALL, ALL, name, int(counted.any(axis=1).sum()))
    if METRICS[name].pooled:
        return [world]
    pairs = [(spec.shock_names[s], spec.observable_names[o]) for s, o in np.argwhere(~scale.masked)]
    return [(*pair, name, int(n)) for pair, n in zip(pairs, counted.sum(axis=0), strict=True)] + [
        world
    ]


def masked_report(
    spec: WorldSpec, scale: Scale, truth: np.ndarray, prediction: np.ndarray
) -> list[dict[str, str | float]]:
    """Responses left out of the scores: names, and the largest true and predicted value, in natural
    units.
    """
    finite = np.where(np.isfinite(prediction), prediction, 0.0)
    return [
        {
            "shock": spec.shock_names[s],
            "observable": spec.observable_names[o],
            "largest_truth": float(np.abs(truth[:, s, :, o]).max()),
            "largest_prediction": float(np.abs(finite[:, s, :, o]).max()),
        }
        for s, o in np.argwhere(scale.masked)
    ]
