"""Every `results.json` below a folder as one table: a row a run, world and split.

What a run is, is read from the configuration that its checkpoint recorded, never from its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from emulator.errors import EvaluationError
from emulator.eval.cases import NETWORK
from emulator.eval.results import LEFT_OUT, read
from emulator.files import sha256
from emulator.leaderboard.recipe import recipe_of
from emulator.leaderboard.same_data import Draws, common_names, draws_of, trivial_scores

UNIVERSAL, SPECIALIST, BASELINE = "universal", "specialist", "baseline"
UNIVERSAL_MODEL = "UniversalEmulator"
PLAIN = {
    "PerWorldMLPBaseline": "plain MLP",
    "PooledMLPBaseline": "plain MLP",
    "PCAMLPBaseline": "PCA + MLP",
    "GaussianProcessBaseline": "GP",
    "LightGBM": "LightGBM",
}
"""Networks without structure that a target is about, by their family."""
PER_WORLD = (
    "PerWorldMLPBaseline",
    "PerWorldGRUBaseline",
    "PCAMLPBaseline",
    "GaussianProcessBaseline",
    "LinearBaseline",
    "LightGBM",
)
"""Models that share nothing between their worlds: specialists, however many worlds one file holds.
"""

INTERVALS = ("nrmse", "pooled_nrmse", "relative_error_median", "relative_error_p95", "coverage")
"""Scores that come with an interval over draws: each has columns of its name, `_low` and `_high`.
"""
PLAIN_SCORES = (
    "width",
    "flagged",
    "bad",
    "bad_flagged",
    "nrmse_unflagged",
    "determinate",
    "auc",
    "brier",
    "accuracy",
)
"""Scores without one; NaN where the network makes no such claim."""


def read_runs(folder: Path) -> pd.DataFrame:
    """One row a run, world and split, of every `results.json` below a folder.

    Raises `EvaluationError` if there is none, or naming the file that is damaged or none of ours.
    """
    if not folder.is_dir():
        raise EvaluationError(
            f"{folder} is no folder; expected the folder of the results, such as results/."
        )
    files = sorted(folder.rglob("results.json"))
    if not files:
        raise EvaluationError(
            f"There is no results.json below {folder}. Make one with: emulator evaluate"
        )
    documents = {path: read(path) for path in files}
    scored = []
    for path, document in documents.items():
        with _named_if_damaged(path):
            scored.append(trivial_scores(document))
    names = common_names(scored)
    rows: list[dict[str, Any]] = []
    for path, document in documents.items():
        with _named_if_damaged(path):
            rows += _rows(document, path.relative_to(folder).as_posix(), names)
    return pd.DataFrame(rows)


def role(model: str, worlds: list[str]) -> str:
    """What a network is among the others: `UNIVERSAL`, `SPECIALIST` or `BASELINE`."""
    if len(worlds) == 1 or model in PER_WORLD:
        return SPECIALIST
    return UNIVERSAL if model == UNIVERSAL_MODEL else BASELINE


@contextmanager
def _named_if_damaged(path: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvaluationError(
            f"{path} is damaged: {type(error).__name__} {error} in a result of the right format. "
            "Run the evaluation again, or move the file out of the folder."
        ) from None


def _rows(
    document: dict[str, Any], shown: str, names: dict[tuple[str, Draws], str]
) -> list[dict[str, Any]]:
    """The rows of one result; names: those under which data go (`common_names`)."""
    origin = document["provenance"]
    scored_on, trained_on = origin["dataset"], str(origin["checkpoint"].get("data_fingerprint"))
    data = {draws: names[str(scored_on["fingerprint"]), draws] for draws in draws_of(document)}
    known = bool(scored_on["trained_on"]) or all(
        names.get((trained_on, draws)) == name for draws, name in data.items()
    )
    run = _run(document, shown, data, known)
    scores = _scores(document)
    claims = {(row["world"], row["split"]): row for row in document["trust"]}
    determinacy = {row["world"]: row for row in document["determinacy"]}
    return [
        run
        | {"data": data[entry["world"], entry["split"]]}
        | _case(entry, document["worlds"][entry["world"]])
        | scores[entry["world"], entry["split"]]
        | _trust(
            claims.get((entry["world"], entry["split"]), {}),
            determinacy.get(entry["world"], {}),
        )
        for entry in document["summary"]
    ]


def _run(
    document: dict[str, Any], shown: str, data: dict[Draws, str], trained_on: bool
) -> dict[str, Any]:
    """The part of a row that is the same for all worlds and splits of a run.

    data: the name of the draws of each world and split; trained_on: whether the network was trained
    on these data.
    """
    origin = document["provenance"]
    checkpoint = origin["checkpoint"]
    worlds = [str(world) for world in checkpoint["worlds"]]
    config = dict(checkpoint["config"])
    # Runs of one recipe may be scored on fewer or more splits: the first in the alphabet says.
    firsts = {world: data[world, split] for world, split in sorted(data, reverse=True)}
    known = [
        checkpoint["model_name"],
        worlds,
        recipe_of(config),
        sorted(firsts.items()),
        trained_on,
    ]
    seed = config.get("seed")
    return {
        "run": str(document["name"]),
        "model": str(checkpoint["model_name"]),
        "role": role(checkpoint["model_name"], worlds),
        "worlds": len(worlds),
        "recipe": sha256(
            json.dumps(known if seed is not None else [*known, shown], sort_keys=True).encode()
        ),
        "seed": -1 if seed is None else int(seed),
        "steps": _steps(config),
        "trained_on": trained_on,
        "checkpoint_sha256": str(checkpoint["sha256"]),
        "commit": str(origin["commit"]),
        "command": str(origin["command"]),
        "file": shown,
    }


def _steps(config: dict[str, Any]) -> float:
    """Optimiser steps of the whole training; NaN, which equals nothing, where epochs have no fixed
    number of steps.
    """
    return float(int(config.get("epochs") or 0) * int(config.get("steps_per_epoch") or 0)) or float(
        "nan"
    )


def _case(entry: dict[str, Any], world: dict[str, Any]) -> dict[str, Any]:
    """The part of a row that comes from the summary of one world and split."""
    return {
        "world": str(entry["world"]),
        "split": str(entry["split"]),
        "n_train": int(world["n_train"]),
        LEFT_OUT: ", ".join(name for names in world.get(LEFT_OUT, {}).values() for name in names),
        "best_trivial": str(entry["best_trivial"]),
        "best_trivial_nrmse": float(entry["best_trivial_nrmse"]),
        "beats_trivial": bool(entry["beats_trivial"]),
        "draws": int(entry["draws"]),
        "failures": int(entry["failures"]),
        "outside_range": int(entry["outside_range"]),
    }


def _scores(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, float]]:
    """The network's scores of each world and split, with the ends of their intervals."""
    scores: dict[tuple[str, str], dict[str, float]] = {}
    for row in document["scores"]:
        if row["predictor"] == NETWORK and row["metric"] in INTERVALS:
            name = row["metric"]
            case = scores.setdefault((row["world"], row["split"]), {})
            case |= {
                name: float(row["value"]),
                f"{name}_low": _number(row["low"]),
                f"{name}_high": _number(row["high"]),
            }
    return scores


def _trust(claim: dict[str, Any], determinacy: dict[str, Any]) -> dict[str, float]:
    """What the network claims of itself against the truth; NaN for what it does not claim."""
    named = {"coverage": "coverage", "coverage_low": "low", "coverage_high": "high"}
    named |= {name: name for name in ("width", "flagged", "bad", "bad_flagged", "nrmse_unflagged")}
    numbers = {column: _number(claim.get(name)) for column, name in named.items()}
    return numbers | {
        name: _number(determinacy.get(name)) for name in ("determinate", "auc", "brier", "accuracy")
    }


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
