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
    from emulator.estimation.result import Estimate

RESULT = "result.json"
OF_A_WORLD = ("posterior.nc", "parameters.csv", "fit.csv", "weights.csv", RESULT)


def write_estimate(estimate: Estimate, folder: Path) -> None:
    """Write one world's files into a folder, which is made where it does not exist.

    Raises `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        whole = Path(aside) / "posterior.nc"
        estimate.posterior.to_netcdf(str(whole))
        write_bytes(folder / "posterior.nc", whole.read_bytes())
    write_text(folder / "parameters.csv", estimate.table().to_csv(lineterminator="\n"))
    write_text(folder / "fit.csv", estimate.fit().to_csv(lineterminator="\n"))
    if estimate.rescored is not None:
        weights = pd.DataFrame(
            estimate.rescored.theta, columns=list(estimate.spec.parameter_names)
        ).assign(weight=estimate.rescored.weights)
        write_text(folder / "weights.csv", weights.to_csv(index=False, lineterminator="\n"))
    write_json(folder / RESULT, result(estimate))


def result(estimate: Estimate) -> dict[str, Any]:
    """What is not in a table, as JSON takes it; numbers that are not finite are null."""
    target = estimate.target
    criterion = estimate.density.criterion
    scored = estimate.rescored
    chains = estimate.diagnostics
    return {
        "world": estimate.spec.name,
        "answered_by": estimate.density.responder.title,
        "target": {
            "name": target.name,
            "shock": target.shock,
            "source": target.source,
            "matched_entries": int(target.matched.sum()),
        },
        "world_shock": estimate.spec.shock_names[estimate.density.responder.shock],
        "weighting": criterion.weighting,
        "estimated": list(estimate.density.prior.names),
        "held": {
            name: {"value": value, "why": why} for name, (value, why) in estimate.held.items()
        },
        "point": {
            "distance": _finite(estimate.point.distance),
            "log_likelihood": _finite(estimate.point.log_likelihood),
            "searches": len(estimate.point.objectives),
            "agreeing": estimate.point.agreeing,
            "at_bound": list(estimate.point.at_bound),
        },
        "sampler": estimate.budget.sampler,
        "kept": estimate.budget.kept,
        "seed": estimate.budget.seed,
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
        "flagged_share": estimate.flagged,
        "complaints": estimate.complaints,
        "seconds": {stage: round(value, 3) for stage, value in estimate.seconds.items()},
        "processor_seconds": {
            stage: round(value, 3) for stage, value in estimate.processor_seconds.items()
        },
        "versions": provenance.versions(),
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
