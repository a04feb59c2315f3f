"""The result of an evaluation: tables in memory; on disk `results.json`, which is small and goes to
the leaderboard, and the full tables as CSV.
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from emulator.errors import EmulatorError, EvaluationError
from emulator.eval import trust
from emulator.eval.cases import NETWORK, Case, examples
from emulator.eval.metrics import METRICS
from emulator.eval.request import Request
from emulator.eval.scores import ALL, COLUMNS
from emulator.files import SEAL, check_seal, read_regular, sealed, write_json, write_text
from emulator.models.baselines.trivial import TRIVIAL_BASELINES

LARGEST = 1 << 28
"""Bytes of a `results.json`; those of version 2, the largest, have some megabytes."""

FORMAT = "universal-macro-emulator/results"
FORMAT_VERSION = 3
"""3: scores of whole worlds alone, and a checksum. Version 2, which has every response and no
checksum, is still read.
"""
FILE = "results.json"
LEFT_OUT = "left_out"
"""Observables of a world that are not scored, by the reason; not written where there are none."""
SCORES, HORIZONS, SCALES, MASKED = "scores.csv", "horizons.csv", "scales.csv", "masked.csv"

PREDICTOR_TITLES = {
    NETWORK: "network",
    **{name: kind.title for name, kind in TRIVIAL_BASELINES.items()},
}


@dataclass(frozen=True)
class Evaluation:
    """Scores of a network beside the trivial baselines."""

    name: str
    provenance: dict[str, Any]
    scores: pd.DataFrame
    """Tidy: columns `COLUMNS`; shock and observable are 'all' for scores of a world."""
    summary: pd.DataFrame
    """One row a world and split: draws, failures, draws outside the training range, and who wins by
    mean NRMSE.
    """
    by_horizon: xr.DataArray
    """Pooled NRMSE (predictor, world, split, horizon), in training standard deviations."""
    examples: dict[str, xr.Dataset]
    """For each world truth and prediction (rank, shock, horizon, observable), natural units: best,
    median, worst draw.
    """
    worlds: dict[str, dict[str, Any]]
    """For each world its title, units, periods, sigma, masked responses, observables left out and
    size of the training split.
    """
    trust: pd.DataFrame
    """The network's band and flags against the truth, a row a world and split (`trust.COLUMNS`);
    empty without a band.
    """
    determinacy: pd.DataFrame
    """Its probability of a unique stable solution against held-out draws of the prior, a row a
    world (`trust.DETERMINACY_COLUMNS`); empty where it makes no such claim.
    """

    @property
    def beaten(self) -> pd.DataFrame:
        """Rows of `summary` in which a trivial baseline is at least as good as the network."""
        return self.summary[~self.summary["beats_trivial"]]


def assemble(
    request: Request,
    cases: list[Case],
    determinacy: list[dict[str, Any]],
    provenance: dict[str, Any],
) -> Evaluation:
    """Collect scored cases into an `Evaluation`."""
    frames = [
        c.score.rows.assign(predictor=c.predictor, world=c.spec.name, split=c.split) for c in cases
    ]
    scores = pd.concat(frames, ignore_index=True)[list(COLUMNS)]
    networks = [case for case in cases if case.predictor == NETWORK]
    pictured = {c.spec.name: examples(c) for c in networks if c.split == request.splits[0]}
    return Evaluation(
        name=request.name,
        provenance=provenance,
        scores=scores,
        summary=pd.DataFrame([_summary_row(case, scores) for case in networks]),
        by_horizon=_by_horizon(cases),
        examples=pictured,
        worlds={c.spec.name: _world_record(c, networks) for c in networks},
        trust=trust.scores(networks, request.bootstrap, request.seed),
        determinacy=pd.DataFrame(determinacy, columns=list(trust.DETERMINACY_COLUMNS)),
    )


def _summary_row(case: Case, scores: pd.DataFrame) -> dict[str, Any]:
    here = scores[
        (scores["world"] == case.spec.name)
        & (scores["split"] == case.split)
        & (scores["metric"] == "nrmse")
    ]
    rows = {row["predictor"]: row for row in here[here["shock"] == ALL].to_dict(orient="records")}
    network = rows.pop(NETWORK)
    best = min(rows.values(), key=lambda row: row["value"])
    return {
        "world": case.spec.name,
        "split": case.split,
        "draws": len(case.truth),
        "outside_range": case.outside_range,
        "failures": case.score.failures,
        "nrmse": network["value"],
        "low": network["low"],
        "high": network["high"],
        "best_trivial": best["predictor"],
        "best_trivial_nrmse": best["value"],
        "beats_trivial": network["value"] < best["value"],
    }


def _by_horizon(cases: list[Case]) -> xr.DataArray:
    coordinates = {
        "predictor": list(dict.fromkeys(c.predictor for c in cases)),
        "world": list(dict.fromkeys(c.spec.name for c in cases)),
        "split": list(dict.fromkeys(c.split for c in cases)),
        "horizon": np.arange(len(cases[0].score.horizon_nrmse)),
    }
    array = xr.DataArray(
        np.nan,
        coords=coordinates,
        dims=list(coordinates),
        name="nrmse",
        attrs={"units": "training standard deviations"},
    )
    for c in cases:
        array.loc[{"predictor": c.predictor, "world": c.spec.name, "split": c.split}] = (
            c.score.horizon_nrmse
        )
    return array


def _world_record(case: Case, networks: list[Case]) -> dict[str, Any]:
    spec = case.spec
    scale = case.scale
    pairs = [(s, o) for s in range(spec.n_shocks) for o in range(spec.n_observables)]
    return {
        "title": spec.title,
        "n_train": scale.n,
        "units": dict(zip(spec.observable_names, spec.observable_units, strict=True)),
        "sigma": {
            f"{spec.shock_names[s]}/{spec.observable_names[o]}": float(scale.sigma[s, o])
            for s, o in pairs
        },
        "periods": spec.periods,
        LEFT_OUT: case.left_out,
        "masked": {c.split: c.masked for c in networks if c.spec.name == spec.name},
    }


def write(evaluation: Evaluation, folder: Path) -> None:
    """Write the full tables as CSV and, last, `results.json` into a folder; each file replaces its
    predecessor at once.
    """
    for name, table in _tables(evaluation).items():
        write_text(folder / name, table.to_csv(index=False, lineterminator="\n"))
    write_json(folder / FILE, sealed(_plain(_document(evaluation))))


def _tables(evaluation: Evaluation) -> dict[str, pd.DataFrame]:
    """What `results.json` leaves out: every response's scores, scores by horizon, what they were
    scaled by, and what is not scored.
    """
    scales = [
        {"world": world, "response": name, "sigma": sigma}
        for world, about in evaluation.worlds.items()
        for name, sigma in about["sigma"].items()
    ]
    masked = [
        {"world": world, "split": split, **response}
        for world, about in evaluation.worlds.items()
        for split, responses in about["masked"].items()
        for response in responses
    ]
    empty = ["world", "split", "shock", "observable", "largest_truth", "largest_prediction"]
    return {
        SCORES: evaluation.scores,
        HORIZONS: evaluation.by_horizon.to_dataframe().reset_index(),
        SCALES: pd.DataFrame(scales),
        MASKED: pd.DataFrame(masked, columns=empty),
    }


def _document(evaluation: Evaluation) -> dict[str, Any]:
    """What `results.json` holds: origin, summary, scores of whole worlds, claims, determinacy."""
    metrics = {
        name: {"title": m.title, "unit": m.unit, "best": m.best} for name, m in METRICS.items()
    }
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": evaluation.name,
        "provenance": evaluation.provenance,
        "metrics": metrics,
        "worlds": {
            world: {
                **{key: about[key] for key in ("title", "units", "n_train")},
                **({LEFT_OUT: about[LEFT_OUT]} if about[LEFT_OUT] else {}),
            }
            for world, about in evaluation.worlds.items()
        },
        "summary": evaluation.summary.to_dict(orient="records"),
        "scores": _of_worlds(evaluation.scores.to_dict(orient="records")),
        "trust": evaluation.trust.to_dict(orient="records"),
        "determinacy": evaluation.determinacy.to_dict(orient="records"),
    }


def _of_worlds(scores: Iterable[Mapping[Hashable, Any]]) -> list[dict[str, Any]]:
    """The scores of whole worlds: every metric of the network, the mean NRMSE of the others."""
    return [
        {str(key): value for key, value in row.items() if key not in ("shock", "observable")}
        for row in scores
        if row["shock"] == ALL and (row["predictor"] == NETWORK or row["metric"] == "nrmse")
    ]


def read(path: Path) -> dict[str, Any]:
    """A `results.json` as it was written; of version 2 what version 3 holds.

    Raises `EvaluationError`, naming the file, for any other file and for one that was altered.
    """
    advice = "Run the evaluation again, or move the file out of the folder."
    try:
        document = json.loads(read_regular(path, LARGEST).decode("utf-8"))
    except EmulatorError as error:  # a pipe or a device, which may never end
        raise EvaluationError(f"{error} {advice}") from None
    except (OSError, ValueError, RecursionError) as error:  # ValueError: not JSON, or not UTF-8
        raise EvaluationError(f"{path} cannot be read as JSON: {error}. {advice}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise EvaluationError(
            f"{path} is no result of an evaluation: expected the format '{FORMAT}'. {advice}"
        )
    version = document.get("format_version")
    if version not in (2, FORMAT_VERSION):
        raise EvaluationError(
            f"{path} has format version {version}; this program reads 2 and {FORMAT_VERSION}."
            f" {advice}"
        )
    if version == FORMAT_VERSION or SEAL in document:
        check_seal(document, path, EvaluationError)
        return document
    return _from_version_2(document, path)


def _from_version_2(document: dict[str, Any], path: Path) -> dict[str, Any]:
    try:
        return {**document, "scores": _of_worlds(document["scores"])}
    except (KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(
            f"{path} is damaged: {type(error).__name__} {error} in its scores. Run the evaluation"
            " again, or move the file out of the folder."
        ) from None


def _plain(value: Any) -> Any:
    """Values that JSON knows: NaN, which it does not, becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
