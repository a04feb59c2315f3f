"""One predictor on one split of one world, scored, and the draws of it that are shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from emulator.eval.scale import Scale
from emulator.eval.scores import Score
from emulator.spec import WorldSpec

NETWORK = "network"
RANKS = ("best", "median", "worst")


@dataclass(frozen=True)
class Claims:
    """What a network says of its own predictions: half width (n, S, H+1, O) of its 90 % band,
    natural units; flags (n,).
    """

    half_width: np.ndarray
    flagged: np.ndarray


@dataclass(frozen=True)
class Case:
    """One predictor on one split of one world, scored.

    Predictions and claims are the network's, else None.
    """

    predictor: str
    spec: WorldSpec
    split: str
    scale: Scale
    score: Score
    outside_range: int
    truth: np.ndarray
    prediction: np.ndarray | None
    masked: list[dict[str, str | float]]
    claims: Claims | None
    left_out: dict[str, list[str]]
    """Observables that are not scored, by the reason (`Alignment.left_out`); `spec` has the others.
    """


def examples(case: Case) -> xr.Dataset:
    """Truth, prediction and band of the draws of smallest, middle and largest relative error,
    natural units.

    Draws without a relative error (no truth to compare) come last. A network without a band has one
    of NaN.
    """
    error = case.score.relative_error
    order = np.argsort(error)[: max(1, np.count_nonzero(~np.isnan(error)))]
    rows = [int(order[0]), int(order[len(order) // 2]), int(order[-1])]
    assert case.prediction is not None
    truth = case.truth[rows].astype(np.float64)
    band = (
        np.full_like(truth, np.nan)
        if case.claims is None
        else case.claims.half_width[rows].astype(np.float64)
    )
    axes = ("rank", "shock", "horizon", "observable")
    return xr.Dataset(
        {
            "truth": (axes, truth),
            "prediction": (axes, case.prediction[rows].astype(np.float64)),
            "half_width": (axes, band),
            "relative_error": ("rank", error[rows]),
            "row": ("rank", rows),
        },
        coords={
            "rank": list(RANKS),
            "shock": list(case.spec.shock_names),
            "horizon": np.arange(case.truth.shape[2]),
            "observable": list(case.spec.observable_names),
        },
        attrs={
            "world": case.spec.name,
            "split": case.split,
            "periods": case.spec.periods,
            "units": list(case.spec.observable_units),
        },
    )
