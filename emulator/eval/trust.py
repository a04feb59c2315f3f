"""How far what a network claims of its own errors holds: its band and flags against the truth, its
probability of determinacy against the solver.

A network may carry `trust` with
    half_width(theta, world) -> (B, S, H+1, O)   half width of the 90 % band, natural units
    flagged(theta, world) -> (B,) bool           whether the draw should not be trusted
    determinacy(theta, world) -> (B,)            probability of a unique stable solution, where
                                                 judges(world)
    held_out(n) -> slice                         which of n draws of the prior no fit saw
What it does not carry is reported as absent, never as good.

Axes: n draws, P parameters, S shocks, H+1 horizons, O observables.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from emulator.data import DataSet
from emulator.data.verdicts import VERDICTS_FILE
from emulator.eval.alignment import Alignment
from emulator.eval.bootstrap import interval, mean
from emulator.eval.cases import Case, Claims
from emulator.eval.metrics import nrmse
from emulator.eval.request import Request
from emulator.eval.scores import zero_where_failed
from emulator.models.trained import TrainedNetwork, answering, in_batches
from emulator.models.trust import judge
from emulator.spec import BAND_LEVEL, Status

NOMINAL = BAND_LEVEL
"""The share of responses that the band claims to hold."""
REFERENCE = "test"
"""The split whose errors say what is large elsewhere."""
LARGE = 2.0
"""A draw is badly predicted when its relative error exceeds this many times the 95th percentile of
`REFERENCE`.
"""

COLUMNS = (
    "world",
    "split",
    "draws",
    "coverage",
    "low",
    "high",
    "width",
    "flagged",
    "bad",
    "bad_flagged",
    "nrmse_unflagged",
)
DETERMINACY_COLUMNS = ("world", "draws", "determinate", "auc", "brier", "accuracy")


def claims(
    trained: TrainedNetwork, aligned: Alignment, theta: np.ndarray, request: Request
) -> Claims | None:
    """Band and flags of a network at theta (n, P), natural units; None where it has no `trust`."""
    trust, world = trained.trust, aligned.spec.name
    if trust is None:
        return None
    with answering(trained, request.device, request.threads) as device:
        width = in_batches(
            lambda batch: trust.half_width(batch, world), theta, device, request.batch_size
        )
        flags = in_batches(
            lambda batch: trained.flagged(batch, world), theta, device, request.batch_size
        )
    return Claims(aligned.of_network(width), flags > 0)


def scores(cases: list[Case], resamples: int, seed: int) -> pd.DataFrame:
    """Coverage, width and flags of the network's cases, one row a world and split (`COLUMNS`);
    shares, not percent.

    coverage: share of the responses, over draws, horizons and what is not masked, whose truth lies
    within the band, with a bootstrap interval over draws; width: mean half width in training
    standard deviations; flagged: share of all draws; bad: number of draws whose relative error
    exceeds `LARGE` times the 95th percentile of `REFERENCE`, and bad_flagged the share of these
    that is flagged, NaN where there are none or that split was not scored; nrmse_unflagged: mean
    NRMSE over the draws that are not flagged, NaN where all are.
    """
    usual = {
        case.spec.name: float(np.nanquantile(case.score.relative_error, 0.95))
        for case in cases
        if case.split == REFERENCE
    }
    rows = [
        _row(case, case.claims, usual.get(case.spec.name, np.nan), resamples, seed)
        for case in cases
        if case.claims
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(case: Case, claimed: Claims, usual: float, resamples: int, seed: int) -> dict[str, Any]:
    covered = _covered(case, claimed)[:, None]
    low, high = interval(lambda counts: mean(covered, counts), len(covered), resamples, seed)
    relative = claimed.half_width.mean(axis=(0, 2), dtype=np.float64) / case.scale.sigma
    bad = case.score.relative_error > LARGE * usual
    return {
        "world": case.spec.name,
        "split": case.split,
        "draws": len(covered),
        "coverage": float(covered.mean()),
        "low": float(low[0]),
        "high": float(high[0]),
        "width": float(relative[~case.scale.masked].mean()),
        "flagged": float(claimed.flagged.mean()),
        "bad": int(bad.sum()) if np.isfinite(usual) else np.nan,
        "bad_flagged": float(claimed.flagged[bad].mean()) if bad.any() else np.nan,
        "nrmse_unflagged": _nrmse(case, ~claimed.flagged),
    }


def _nrmse(case: Case, kept: np.ndarray) -> float:
    """Mean NRMSE over some of the draws, NaN if there are none; failures count as in `score`."""
    if not kept.any():
        return float("nan")
    assert case.prediction is not None
    prediction, _ = zero_where_failed(case.prediction[kept])
    return nrmse(case.truth[kept], prediction, case.scale.sigma)


def _covered(case: Case, claimed: Claims) -> np.ndarray:
    """Share of each draw's responses (n,) that the band holds; a prediction that is not finite
    holds none.
    """
    assert case.prediction is not None
    with np.errstate(invalid="ignore"):
        within = np.abs(case.truth - case.prediction) <= claimed.half_width
    return within.mean(axis=2)[:, ~case.scale.masked].mean(axis=1)


def determinacy(
    trained: TrainedNetwork, data: DataSet, world: str, request: Request
) -> list[dict[str, Any]]:
    """The network's probability of a unique stable solution against the solver's answer, one row,
    or none if absent.

    Scored on the draws that `trust.held_out(n)` names: those it did not learn from. See
    `emulator.models.trust.judge`. Raises `DatasetError` if the draws of the prior that the data
    set holds were altered.
    """
    trust = trained.trust
    if (
        trust is None
        or not trust.judges(world)
        or VERDICTS_FILE not in data.world(world).metadata_sha256
    ):
        return []
    theta, status = data.verdicts(world)
    rows = trust.held_out(len(theta))
    with answering(trained, request.device, request.threads) as device:
        probability = in_batches(
            lambda batch: trust.determinacy(batch, world), theta[rows], device, request.batch_size
        )
    scores = judge(torch.from_numpy(probability), torch.as_tensor(status[rows]))
    determinate = float(np.mean(status[rows] == Status.OK))
    auc = np.nan if scores.auc is None else scores.auc
    values = (world, scores.n, determinate, auc, scores.brier, scores.accuracy)
    return [dict(zip(DETERMINACY_COLUMNS, values, strict=True))]
