"""Estimates on disk, for people, for other programs and for the explorer.

target.csv, target.npz      what was matched (see `emulator.estimation.target_files`)
comparison.csv, fit.png     several worlds: a row a world; all fitted responses over the data's band
WORLD/posterior.nc          ArviZ InferenceData
WORLD/parameters.csv        a row a free parameter
WORLD/fit.csv               a row a horizon and observable: target and fitted responses
WORLD/weights.csv           draws that the exact solution scored, with their weights
WORLD/result.json           everything else: settings, diagnostics, what was held, versions
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from emulator import provenance
from emulator.files import write_bytes, write_json, write_text

if TYPE_CHECKING:
    from emulator.estimation.matching import Estimate

RESULT = "result.json"
OF_A_WORLD = ("posterior.nc", "parameters.csv", "fit.csv", "weights.csv", RESULT)


def write_estimate(found: Estimate, folder: Path) -> None:
    """Write one world's files into a folder, which is made where it does not exist.

    Raises `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        whole = Path(aside) / "posterior.nc"
        found.posterior.to_netcdf(str(whole))
        write_bytes(folder / "posterior.nc", whole.read_bytes())
    write_text(folder / "parameters.csv", found.table().to_csv(lineterminator="\n"))
    write_text(folder / "fit.csv", found.fit().to_csv(lineterminator="\n"))
    if found.rescored is not None:
        weights = pd.DataFrame(
            found.rescored.theta, columns=list(found.spec.parameter_names)
        ).assign(weight=found.rescored.weights)
        write_text(folder / "weights.csv", weights.to_csv(index=False, lineterminator="\n"))
    write_json(folder / RESULT, result(found))


def result(found: Estimate) -> dict[str, Any]:
    """What is not in a table, as JSON takes it; numbers that are not finite are null."""
    target, criterion, scored, chains = (
        found.target,
        found.density.criterion,
        found.rescored,
        found.diagnostics,
    )
    return {
        "world": found.spec.name,
        "answered_by": found.density.responder.title,
        "target": {
            "name": target.name,
            "shock": target.shock,
            "source": target.source,
            "matched_entries": int(target.matched.sum()),
        },
        "world_shock": found.spec.shock_names[found.density.responder.shock],
        "weighting": criterion.weighting,
        "estimated": list(found.density.prior.names),
        "held": {name: {"value": value, "why": why} for name, (value, why) in found.held.items()},
        "point": {
            "distance": _finite(found.point.distance),
            "log_likelihood": _finite(found.point.log_likelihood),
            "searches": len(found.point.objectives),
            "agreeing": found.point.agreeing,
            "at_bound": list(found.point.at_bound),
        },
        "sampler": found.budget.sampler,
        "kept": found.budget.kept,
        "seed": found.budget.seed,
        "unlike_the_scout": list(found.missed),
        "chains": {
            "chains": chains.chains,
            "draws": chains.draws,
            "r_hat": _finite(chains.r_hat),
            "ess_bulk": _finite(chains.ess_bulk),
            "ess_tail": _finite(chains.ess_tail),
            "divergences": chains.divergences,
        },
        "log_marginal_likelihood": {
            "value": _finite(found.evidence.log),
            "standard_error": _finite(found.evidence.error),
            "exact": _finite(found.exact_evidence),
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
        "flagged_share": found.flagged,
        "complaints": found.complaints,
        "seconds": {stage: round(value, 3) for stage, value in found.seconds.items()},
        "processor_seconds": {
            stage: round(value, 3) for stage, value in found.processor_seconds.items()
        },
        "versions": provenance.versions(),
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
