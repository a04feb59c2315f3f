"""Which data sets are the same draws, made on machines that round differently.

The last bits of a solution depend on the processor, so that a data set which is made again
elsewhere may have another fingerprint. What the trivial predictors score depends on every response
of the training split and of the split that is scored: two data sets on which all of them agree to
`AGREE` in a world and split hold the same draws there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from emulator.eval.cases import NETWORK

AGREE = 1e-9
"""Relative difference of scores up to which they are the same but for rounding."""

Draws = tuple[str, str]
"""A world and a split."""

Scores = dict[tuple[str, str], float]
"""Mean NRMSE and number of draws, by predictor and column."""


class TrivialScores(NamedTuple):
    """What the trivial predictors scored in one result, and the fingerprint of its data."""

    fingerprint: str
    scores: dict[Draws, Scores]


def draws_of(document: dict[str, Any]) -> list[Draws]:
    """The worlds and splits that the content of a `results.json` is about."""
    return [(str(case["world"]), str(case["split"])) for case in document["summary"]]


def trivial_scores(document: dict[str, Any]) -> TrivialScores:
    """Those of the content of a `results.json`; scores that are none are left out."""
    scores: dict[Draws, Scores] = {draws: {} for draws in draws_of(document)}
    for row in document["scores"]:
        if row["predictor"] != NETWORK and row["metric"] == "nrmse" and row["value"] is not None:
            scores[row["world"], row["split"]] |= {
                (row["predictor"], column): float(row[column]) for column in ("value", "n")
            }
    return TrivialScores(str(document["provenance"]["dataset"]["fingerprint"]), scores)


def common_names(results: Sequence[TrivialScores]) -> dict[tuple[str, Draws], str]:
    """By fingerprint, world and split, the fingerprint under which the same draws go: the one that
    most results have, the first where two have as many.
    """
    counts = Counter(result.fingerprint for result in results)
    known: dict[str, dict[Draws, Scores]] = {name: {} for name, _ in counts.most_common()}
    for result in results:
        for draws, scores in result.scores.items():
            known[result.fingerprint].setdefault(draws, {}).update(scores)
    names: dict[tuple[str, Draws], str] = {}
    for fingerprint, own in known.items():  # the most frequent first
        for draws, scores in own.items():
            same = (
                name
                for name in known
                if names.get((name, draws)) == name and _agree(scores, known[name][draws])
            )
            names[fingerprint, draws] = next(same, fingerprint)
    return names


def _agree(scores: Scores, others: Scores) -> bool:
    common = scores.keys() & others.keys()
    telling = any(
        column == "value" and 0 < scores[predictor, column] < math.inf
        for predictor, column in common
    )
    return telling and all(math.isclose(scores[key], others[key], rel_tol=AGREE) for key in common)


def on_same_draws(rows: pd.DataFrame, own: pd.DataFrame) -> np.ndarray:
    """Which rows are of a world, split and data set that are among those of `own`."""
    keys = ["world", "split", "data"]
    return pd.MultiIndex.from_frame(rows[keys]).isin(pd.MultiIndex.from_frame(own[keys]))
