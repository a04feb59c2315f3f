"""The posterior of a world given data on disk, in the folder of `emulator estimate --data`.

worlds.csv, worlds.png        several worlds: a row a world; probabilities and fit
parameters.csv                several worlds: medians and credible intervals beside each other
estimate.json                 the worlds, and the SHA-256 of every file; written last
WORLD/posterior.nc            ArviZ InferenceData: posterior, prior, observed_data, and where a
                              network was sampled exact_posterior; `read_posterior` reads it
WORLD/parameters.csv          a row a free parameter, in the words of Dynare's tables
WORLD/predictive.csv          a row a statistic of the data: prior and posterior predictive checks
WORLD/identification.csv      a row a free parameter
WORLD/prior_posterior.png     prior against posterior; predictive.png: the checks
WORLD/result.json             everything else: settings, marginal likelihoods, diagnostics, versions
WORLD/stages/                 what an interrupted estimate goes on from; gone once it is finished
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from emulator import provenance
from emulator.estimation.full_information.figures import draw_checks, draw_prior_posterior
from emulator.estimation.full_information.result import PosteriorEstimate
from emulator.estimation.full_information.solving import prior_draws
from emulator.estimation.full_information.worlds import draw_worlds, world_table
from emulator.estimation.result_files import RESULT, csv_bytes, write_summary
from emulator.files import netcdf_bytes, sealed, sha256, write_bytes, write_json, write_text
from emulator.inference.posterior_draws import FILE

PRIOR = 1000
"""Draws of the prior in posterior.nc."""


def write_posterior(estimate: PosteriorEstimate, folder: Path) -> None:
    """Write one world's files into a folder; `result.json` last, with the checksums of the others.

    Raises `OSError`.
    """
    contents = {
        FILE: netcdf_bytes(_groups(estimate)),
        "parameters.csv": csv_bytes(estimate.table()),
        "predictive.csv": csv_bytes(estimate.checks),
        "identification.csv": csv_bytes(estimate.identification.table()),
    }
    for name, content in contents.items():
        write_bytes(folder / name, content)
    draw_prior_posterior(estimate, folder / "prior_posterior.png")
    draw_checks(estimate.checks, estimate.spec.name, folder / "predictive.png")
    checksums = {name: sha256(content) for name, content in contents.items()}
    write_json(folder / RESULT, sealed({**result(estimate), "files": checksums}))


def write_worlds(estimates: Sequence[PosteriorEstimate], folder: Path) -> None:
    """Write what all worlds share, and last `estimate.json`, which says that all is finished.

    Raises `OSError`.
    """
    from emulator.estimation.comparison import medians

    tables = {estimate.spec.name: estimate.table() for estimate in estimates}
    table = world_table(estimates)
    write_text(folder / "parameters.csv", medians(tables).to_csv(lineterminator="\n"))
    write_text(folder / "worlds.csv", table.to_csv(lineterminator="\n"))
    draw_worlds(estimates, folder / "worlds.png")
    files = ("parameters.csv", "worlds.csv", "worlds.png")
    write_summary(tables, folder, files)


def _groups(estimate: PosteriorEstimate) -> dict[str, xr.Dataset]:
    """The groups of posterior.nc."""
    problem, names = estimate.problem, estimate.names
    prior = prior_draws(problem, PRIOR)
    data = problem.density.likelihood.data
    attributes = {
        "world": problem.spoken,
        "parameters": json.dumps(list(estimate.spec.parameter_names)),
        "held": json.dumps({name: value for name, (value, _) in estimate.held.items()}),
        "question": json.dumps(question(estimate)),
        "answered_by": problem.density.title,
        "sampler": problem.settings.budget.sampler,
    }
    observed = data.array.drop_vars(["unit", "transformation"]).rename("data")
    groups = {
        "/": xr.Dataset(attrs=attributes),
        **{name: estimate.posterior[name] for name in estimate.posterior.groups()},
        "prior": xr.Dataset(
            {name: (("chain", "draw"), prior[None, :, k]) for k, name in enumerate(names)},
            {"chain": [0], "draw": np.arange(len(prior))},
        ),
        "observed_data": xr.Dataset(
            {
                str(name): ("period", observed.sel(series=name).values)
                for name in observed["series"].values
            },
            {"period": data.labels},
        ),
    }
    if estimate.reweighted is not None:
        exact = estimate.exact_draws
        columns = zip(names, problem.density.prior.free, strict=True)
        groups["exact_posterior"] = xr.Dataset(
            {name: (("chain", "draw"), exact[None, :, k]) for name, k in columns},
            {"chain": [0], "draw": np.arange(len(exact))},
        )
    return groups


def question(estimate: PosteriorEstimate) -> dict[str, Any]:
    """How the data were observed, as `Economy.log_likelihood` takes it."""
    likelihood = estimate.problem.density.likelihood
    observation = likelihood.observation
    return {
        "data": likelihood.data.name,
        "source": likelihood.data.source,
        "origin": dict(likelihood.data.origin),
        "sample": likelihood.data.sample,
        "observe": {e.series: e.text for e in observation.equations},
        "errors": {
            name: getattr(error, "text", error) for name, error in observation.errors.items()
        },
        "transformations": dict(zip(likelihood.data.names, likelihood.data.done, strict=True)),
        "start": likelihood.start,
        "presample": likelihood.presample,
    }


def result(estimate: PosteriorEstimate) -> dict[str, Any]:
    """What is not in a table, as JSON takes it; numbers that are not finite are null."""
    problem, mode, chains = estimate.problem, estimate.mode, estimate.diagnostics
    settings, evidences = problem.settings, estimate.evidences
    scored = estimate.reweighted
    return {
        "world": estimate.spec.name,
        "answered_by": problem.density.title,
        "question": question(estimate),
        "notes": [*problem.notes, *problem.density.likelihood.notes],
        "estimated": list(estimate.names),
        "held": {
            name: {"value": value, "why": why} for name, (value, why) in estimate.held.items()
        },
        "sampler": settings.budget.sampler,
        "from": settings.begin,
        "seed": settings.budget.seed,
        "mode": {
            "log_posterior": _finite(mode.log_posterior),
            "log_likelihood": _finite(mode.log_likelihood),
            "searches": len(mode.objectives),
            "agreeing": mode.agreeing,
            "at_bound": list(mode.at_bound),
        },
        "log_marginal_likelihood": {
            "sampler": _finite(evidences.sampled.log),
            "standard_error": _finite(evidences.sampled.error),
            "laplace": _finite(evidences.laplace),
            "harmonic_mean": _finite(evidences.harmonic),
            "exact": _finite(estimate.log_marginal_likelihood),
            "log_prior_mass_with_a_solution": _finite(evidences.prior_mass),
            "log_prior_mass_between_bounds": _finite(evidences.between_bounds),
            "as_dynare": _finite(evidences.as_dynare),
        },
        "chains": {
            "chains": chains.chains,
            "draws": chains.draws,
            "r_hat": _finite(chains.r_hat),
            "ess_bulk": _finite(chains.ess_bulk),
            "ess_tail": _finite(chains.ess_tail),
            "divergences": chains.divergences,
            "evaluations": int(estimate.posterior.attrs.get("evaluations", 0)),
        },
        "identification": {
            "parameters": len(estimate.names),
            "rank_of_moments": estimate.identification.rank_of_moments,
            "rank_of_spectrum": estimate.identification.rank_of_spectrum,
            "cannot_be_told_apart": [list(group) for group in estimate.identification.groups],
            "weakly": [list(group) for group in estimate.identification.weak],
        },
        "reweighted": None
        if scored is None
        else {
            "draws": len(scored.z),
            "effective_share": _finite(scored.effective),
            "pareto_k": _finite(scored.k_hat),
            "corrected_chain": None
            if scored.corrected is None
            else {
                "accepted": _finite(scored.corrected.accepted),
                "moved": _finite(scored.corrected.moved),
                "evaluations": scored.corrected.evaluations,
            },
        },
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
