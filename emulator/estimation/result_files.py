"""Estimates on disk, for people and for other programs.

target.csv, target.npz      what was matched (see `emulator.estimation.target_files`)
comparison.csv, fit.png     several worlds: a row a world; all fitted responses over the data's band
parameters.csv              several worlds: medians and credible intervals beside each other
estimate.json               the worlds, and the SHA-256 of every file; written last
WORLD/posterior.nc          ArviZ InferenceData
WORLD/parameters.csv        a row a free parameter
WORLD/fit.csv               a row a horizon and observable: target and fitted responses
WORLD/weights.csv           draws that the exact solver scored, with their weights
WORLD/result.json           everything else: settings, diagnostics, what was held, versions

Both JSON files carry their own checksum and the SHA-256 of the files beside them, so that an
altered digit is noticed by `read_estimate` and `check_estimates`. Arrays of posterior.nc have
HDF5's checksum as well, which every program verifies that reads them.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from emulator import provenance
from emulator.errors import EmulatorError, EstimationError
from emulator.estimation.density import Responder
from emulator.estimation.indirect.responder import LikeTheData
from emulator.files import (
    check_seal,
    netcdf_bytes,
    read_regular,
    sealed,
    sha256,
    sha256_file,
    sweep,
    write_bytes,
    write_json,
)
from emulator.inference.posterior_draws import COMMAND, STAGES

if TYPE_CHECKING:
    from emulator.estimation.result import Estimate

RESULT = "result.json"
SUMMARY = "estimate.json"
OF_A_WORLD = ("posterior.nc", "parameters.csv", "fit.csv", "weights.csv", RESULT)
OF_ALL = ("target.csv", "target.npz", "parameters.csv", "fit.png", "comparison.csv")

FROM_DATA = (
    "predictive.csv",
    "identification.csv",
    "prior_posterior.png",
    "predictive.png",
)
WORLDS_ON_DATA = ("worlds.csv", "worlds.png")
"""Of a world, and of all, where data were estimated from, beside the others' names."""

LARGEST = 1 << 26
"""Bytes of a JSON document; those of estimates have some thousands."""

LAST = (SUMMARY, "comparison.csv")
"""Either says that an estimate was finished; before there was a summary, the comparison was written
last.
"""


@dataclass(frozen=True)
class SavedEstimate:
    """One world's estimate as it was written.

    result: the content of `result.json`; parameters, fit: tables as `Estimate.table` and
    `Estimate.fit` make them; weights: draws that the exact solver scored, None without them;
    posterior: ArviZ InferenceData.
    """

    result: dict[str, Any]
    parameters: pd.DataFrame
    fit: pd.DataFrame
    weights: pd.DataFrame | None
    posterior: Any


def write_estimate(estimate: Estimate, folder: Path) -> None:
    """Write one world's files into a folder, which is made where it does not exist; `result.json`
    last, with the checksums of the others.

    Raises `OSError`.
    """
    posterior = estimate.posterior
    groups = {"/": xr.Dataset(attrs=dict(posterior.attrs))}
    groups |= {name: posterior[name] for name in posterior.groups()}
    contents = {
        "posterior.nc": netcdf_bytes(groups),
        "parameters.csv": csv_bytes(estimate.table()),
        "fit.csv": csv_bytes(estimate.fit()),
    }
    if estimate.rescored is not None:
        weights = pd.DataFrame(
            estimate.rescored.theta, columns=list(estimate.spec.parameter_names)
        ).assign(weight=estimate.rescored.weights)
        contents["weights.csv"] = csv_bytes(weights, index=False)
    for name, content in contents.items():
        write_bytes(folder / name, content)
    checksums = {name: sha256(content) for name, content in contents.items()}
    write_json(folder / RESULT, sealed({**result(estimate), "files": checksums}))


def read_estimate(folder: str | Path) -> SavedEstimate:
    """One world's estimate, from the folder that `Estimate.write` or `emulator estimate` made for
    it, every checksum verified.

    Raises `EstimationError` for a file that is missing or was altered, `MissingExtraError` without
    ArviZ.
    """
    from emulator.estimation.diagnostics import arviz

    folder = Path(folder)
    document = verified(folder / RESULT)
    contents = {name: (folder / name).read_bytes() for name in document["files"]}
    tables = {
        name: pd.read_csv(io.BytesIO(content))
        for name, content in contents.items()
        if name.endswith(".csv")
    }
    return SavedEstimate(
        result=document,
        parameters=tables["parameters.csv"].set_index("parameter"),
        fit=tables["fit.csv"].set_index(["horizon", "observable"]),
        weights=tables.get("weights.csv"),
        posterior=arviz().from_netcdf(str(folder / "posterior.nc")).load(),
    )


def write_summary(
    worlds: Iterable[str], folder: Path, files_of_all: Iterable[str] = OF_ALL
) -> None:
    """Write `estimate.json`, which says that the estimate of these worlds is finished, with the
    checksums of all their files.

    Raises `OSError`.
    """
    names = list(worlds)
    files = [*files_of_all, *(f"{world}/{RESULT}" for world in names)]
    checksums = {name: sha256_file(folder / name) for name in files}
    write_json(folder / SUMMARY, sealed({"worlds": names, "files": checksums}))


def check_estimates(folder: str | Path) -> list[str]:
    """The worlds of a folder that `emulator estimate` finished, after all checksums were verified.

    Raises `EstimationError` for a file that is missing or was altered, and for an estimate that was
    interrupted.
    """
    folder = Path(folder)
    worlds: list[str] = verified(folder / SUMMARY)["worlds"]
    for world in worlds:
        verified(folder / world / RESULT)
    return worlds


def is_finished(folder: Path) -> bool:
    """Whether an estimate in this folder came to its end."""
    return any((folder / name).exists() for name in LAST)


def remove_estimate(folder: Path) -> list[str]:
    """Remove the files of an estimate, finished or not; what is somebody else's stays.

    Returns the worlds of which there was something. What says that it was finished goes first, so
    that whoever is killed here leaves an unfinished one.
    """
    for name in (*LAST, *OF_ALL, *WORLDS_ON_DATA, COMMAND):
        (folder / name).unlink(missing_ok=True)
    worlds = {file.parent for name in OF_A_WORLD for file in folder.glob(f"*/{name}")}
    worlds |= {file.parent.parent for file in folder.glob(f"*/{STAGES}/*.npz")}
    for place in worlds:
        for name in (*OF_A_WORLD, *FROM_DATA):
            (place / name).unlink(missing_ok=True)
        for file in (place / STAGES).glob("*.npz"):
            file.unlink()
        if (place / STAGES).is_dir() and not any((place / STAGES).iterdir()):
            (place / STAGES).rmdir()
        sweep(place)
        if not any(place.iterdir()):
            place.rmdir()
    return sorted(place.name for place in worlds)


def verified(path: Path) -> dict[str, Any]:
    """A JSON document whose own checksum holds, and those of the files that it names beside it.

    Raises `EstimationError`.
    """
    try:
        document = json.loads(read_regular(path, LARGEST))
    except EmulatorError as error:  # a pipe or a device, which may never end
        raise EstimationError(str(error)) from None
    except OSError as error:
        raise EstimationError(
            f"'{path}' cannot be read: {error.strerror or error}. Expected the folder of a finished"
            " estimate, as `emulator estimate` writes it."
        ) from None
    except (ValueError, RecursionError) as error:
        raise EstimationError(f"'{path}' is damaged: {error}. Estimate again.") from None
    if not isinstance(document, dict) or not isinstance(document.get("files"), dict):
        raise EstimationError(
            f"'{path}' is damaged: expected an object of JSON that names files. Estimate again."
        )
    check_seal(document, path, EstimationError)
    for name, recorded in document["files"].items():
        beside = path.parent / name
        if not beside.is_file():
            raise EstimationError(
                f"'{beside}' is missing, which {path.name} names. Estimate again."
            )
        if sha256_file(beside) != recorded:
            raise EstimationError(
                f"'{beside}' was altered after it was written: its SHA-256 is not the one in"
                f" {path.name}. Restore the file, or estimate again."
            )
    return document


def csv_bytes(table: pd.DataFrame, index: bool = True) -> bytes:
    return table.to_csv(index=index, lineterminator="\n").encode()


def result(estimate: Estimate) -> dict[str, Any]:
    """What is not in a table, as JSON takes it; numbers that are not finite are null."""
    target = estimate.target
    density = estimate.density
    return {
        "world": estimate.spec.name,
        "answered_by": density.responder.title,
        "target": {
            "name": target.name,
            "shock": target.shock,
            "source": target.source,
            "observables": list(target.observables),
            "units": list(target.units),
            "frequency": target.frequency,
            "matched_entries": int(target.matched.sum()),
        },
        "world_shock": estimate.spec.shock_names[density.responder.shock],
        "weighting": density.criterion.weighting,
        "residuals": density.criterion.size,
        "like_the_data": _world_like_data(density.responder),
        "estimated": list(density.prior.names),
        "held": {
            name: {"value": value, "why": why} for name, (value, why) in estimate.held.items()
        },
        "sampler": estimate.budget.sampler,
        "kept": estimate.budget.kept,
        "seed": estimate.budget.seed,
        **_search(estimate),
        **_sampling(estimate),
        "moves_where_the_target_does_not": [move._asdict() for move in estimate.movements],
        "flagged_share": estimate.flagged,
        "complaints": estimate.complaints,
        "seconds": {stage: round(value, 3) for stage, value in estimate.seconds.items()},
        "processor_seconds": {
            stage: round(value, 3) for stage, value in estimate.processor_seconds.items()
        },
        "versions": provenance.versions(),
    }


def _world_like_data(responder: Responder) -> dict[str, Any] | None:
    """How the target's VAR was run on the world's data, None where it was not."""
    if not isinstance(responder, LikeTheData):
        return None
    procedure = responder.procedure
    return {
        "by": responder.words,
        "series": [column._asdict() for column in procedure.columns],
        "lags": procedure.lags,
        "periods": procedure.periods,
        "identification": procedure.identification.kind,
        "errors_of_measurement": dict(responder.data.errors),
    }


def _search(estimate: Estimate) -> dict[str, Any]:
    """Of the point estimate."""
    point = estimate.point
    return {
        "point": {
            "distance": _finite(point.distance),
            "log_likelihood": _finite(point.log_likelihood),
            "searches": len(point.objectives),
            "agreeing": point.agreeing,
            "at_bound": list(point.at_bound),
        }
    }


def _sampling(estimate: Estimate) -> dict[str, Any]:
    """Of the posterior: its chains, the marginal likelihood, the solver's weights."""
    chains = estimate.diagnostics
    scored = estimate.rescored
    return {
        "unlike_the_scout": list(estimate.missed),
        "chains": {
            "chains": chains.chains,
            "draws": chains.draws,
            "r_hat": _finite(chains.r_hat),
            "ess_bulk": _finite(chains.ess_bulk),
            "ess_tail": _finite(chains.ess_tail),
            "divergences": chains.divergences,
        },
        "log_marginal_likelihood": {
            "value": _finite(estimate.evidence.log),
            "standard_error": _finite(estimate.evidence.error),
            "exact": _finite(estimate.exact_evidence),
        },
        "rescored": (
            None
            if scored is None
            else {
                "draws": len(scored.theta),
                "effective_share": _finite(scored.effective),
                "pareto_k": _finite(scored.k_hat),
                "without_solution": scored.unsolved,
            }
        ),
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
