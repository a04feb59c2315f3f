"""Which data sets are the same draws, made on machines that round differently.

The last bits of a solution depend on the processor, so that a data set which is made again
elsewhere may have another fingerprint. What the trivial predictors score depends on every response
of the training split and of the split that is scored: two data sets on which all of them agree to
`AGREE` in a world hold the same draws of that world.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from emulator.eval.cases import NETWORK

AGREE = 1e-9
"""Relative difference of scores up to which they are the same but for rounding."""

Scores = dict[tuple[str, str, str], float]
"""Of one world, by split, predictor and column: mean NRMSE and number of draws."""


class TrivialScores(NamedTuple):
    """What the trivial predictors scored in one result, by world, and the fingerprint of its
    data.
    """

    fingerprint: str
    worlds: dict[str, Scores]


def trivial_scores(document: dict[str, Any]) -> TrivialScores:
    """Those of the content of a `results.json`."""
    worlds: dict[str, Scores] = {str(world): {} for world in document["worlds"]}
    for row in document["scores"]:
        if row["predictor"] != NETWORK and row["metric"] == "nrmse":
            worlds[row["world"]] |= {
                (row["split"], row["predictor"], column): float(row[column])
                for column in ("value", "n")
            }
    return TrivialScores(str(document["provenance"]["dataset"]["fingerprint"]), worlds)


def common_names(results: Sequence[TrivialScores]) -> dict[tuple[str, str], str]:
    """By fingerprint and world, the fingerprint under which the same draws go: the one that most
    results have, the first where two have as many.
    """
    counts = Counter(result.fingerprint for result in results)
    known: dict[str, dict[str, Scores]] = {name: {} for name, _ in counts.most_common()}
    for result in results:
        for world, scores in result.worlds.items():
            known[result.fingerprint].setdefault(world, {}).update(scores)
    names: dict[tuple[str, str], str] = {}
    for fingerprint, worlds in known.items():  # the most frequent first
        for world, scores in worlds.items():
            same = (
                name
                for (name, other), first in names.items()
                if other == world and name == first and _agree(scores, known[name][world])
            )
            names[fingerprint, world] = next(same, fingerprint)
    return names


def _agree(scores: Scores, others: Scores) -> bool:
    common = scores.keys() & others.keys()
    return bool(common) and all(
        math.isclose(scores[key], others[key], rel_tol=AGREE) for key in common
    )
