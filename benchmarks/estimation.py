"""A posterior from the network beside the exact solver's: how far apart, and what each costs.

    python benchmarks/estimation.py [--worlds nk,zlb,sw07,hank] [--chains 4] [--draws 500] [--output
    results/estimation]

Each world is estimated on `us-monetary` (VAR of US data, diagonal weighting, horizon 20) three
times in one process with one thread: by the network, by the exact solver, and by the exact solver
with another seed, which shows what the sampler alone makes differ. Sampler, its settings and the
parameters estimated are the same. A world of `--weighted` is estimated by the network only, since
its solver takes too long: the solver scores `--rescored` draws, its weights say how far the
posterior moves, and the time of a whole exact run is the number of the network's evaluations times
what one costs the solver: a proportion, not a measurement (column `exact_run`). Where the solver
scores all draws (`--rescored` of chains times draws) `means.csv` holds the posterior means of both,
and with `--walked` those of a chain that the solver corrects; `--marginals` draws them.

Times are those of the processor, not of the clock on the wall. Distances are Wasserstein's of
marginals, in standard deviations of the prior. A row is written when its world ends; a world that
has its row is not run again. `--figure` draws the fits of all worlds in the folder, by the exact
solver where that was sampled with.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import dataclasses
import time
import warnings
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
import typer
from exact_means import Beside, exact_means

import emulator
from emulator.console import out, run, say
from emulator.errors import EstimationWarning
from emulator.estimation import (
    Budget,
    Estimate,
    estimate,
    posterior_distance,
    us_monetary,
    weighted_distance,
)
from emulator.estimation.comparison import draw_fitted
from emulator.estimation.density import Responder
from emulator.estimation.settings import QUANTILES
from emulator.estimation.target import Target
from emulator.files import sole_writer, write_text
from emulator.inference import Economy, Emulator
from emulator.spec import OBSERVABLES
from emulator.worlds import split_names

EXACT = "exact"
"""Folder of the solver's estimate, in that of the network's."""

TIMED = 20
"""Draws at which a solver is timed that is too slow to sample with; none of them has it seen
before.
"""


def main(
    worlds: Annotated[str, typer.Option(help="Worlds, separated by commas.")] = "nk,zlb,sw07,hank",
    weighted: Annotated[
        str,
        typer.Option(
            help=(
                "Worlds whose solver is too slow to sample with: it scores draws of the network"
                " instead."
            )
        ),
    ] = "hank",
    chains: Annotated[
        int, typer.Option(help="Runs of sequential Monte Carlo for each posterior.")
    ] = 4,
    draws: Annotated[int, typer.Option(help="Particles of a run.")] = 500,
    kept: Annotated[
        float,
        typer.Option(
            help="Share of particles that stay effective at each rise of the likelihood's power."
        ),
    ] = Budget.kept,
    rescored: Annotated[
        int, typer.Option(help="Draws of the network's posterior that the solver scores.")
    ] = 500,
    walked: Annotated[
        int,
        typer.Option(
            help="Solutions of a chain that the solver corrects, in each world of --weighted."
        ),
    ] = 0,
    starts: Annotated[int, typer.Option(help="Searches for the point estimate.")] = 2,
    checkpoint: Annotated[str, typer.Option(help="The network.")] = "universal",
    output: Annotated[
        Path, typer.Option(help="Folder of the table and of the network's estimates.")
    ] = Path("results/estimation"),
    figure: Annotated[
        Path | None, typer.Option(help="Draw the fits of the folder's worlds here.")
    ] = None,
    marginals: Annotated[
        Path | None,
        typer.Option(help="Draw the marginals of the last world of --weighted here."),
    ] = None,
) -> None:
    """Posteriors by network and by solver: distances and times."""
    torch.set_num_threads(1)
    target = us_monetary()
    network = Emulator.load(checkpoint)
    slow = split_names(weighted)
    budget = Budget(kept=kept, starts=starts, chains=chains, draws=draws, rescored=rescored)
    with sole_writer(output):
        table = output / "estimation.csv"
        rows: list[dict[Any, Any]] = pd.read_csv(table).to_dict("records") if table.exists() else []
        for name in split_names(worlds):
            if name in [row["world"] for row in rows]:
                say(f"{name}: in {table} already")
                continue
            beside = Beside(walked, marginals) if name in slow else None
            rows.append(measure(target, network, name, budget, output, beside))
            write_text(table, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
            out.print(
                pd.Series(rows[-1]).to_string(), soft_wrap=True, markup=False, highlight=False
            )
        if figure is not None:
            draw_fitted(
                target, {row["world"]: fitted(output / row["world"]) for row in rows}, figure
            )


def measure(
    target: Target,
    network: Emulator,
    name: str,
    budget: Budget,
    output: Path,
    beside: Beside | None,
) -> dict[str, Any]:
    """One row: the network's posterior, then the exact solver's, sampled (twice) or weighted."""
    world = emulator.world(name)
    result = posterior(target, name, budget, emulator=network)
    result.write(output / name)
    scored = result.rescored
    shifts = weighted_distance(result)
    assert scored is not None
    row = {
        "world": name,
        "parameters": len(result.density.prior.names),
        "chains": budget.chains,
        "draws": budget.draws,
        "kept": budget.kept,
        "log_ml_network": result.evidence.log,
        "its_error": result.evidence.error,
        "log_ml_by_weights": result.exact_evidence,
        "r_hat_network": result.diagnostics.r_hat,
        "rescored": len(scored.theta),
        "effective_share": scored.effective,
        "pareto_k": scored.k_hat,
        "flagged": result.flagged,
        "weighted_largest": shifts["in_prior_sd"].max(),
        "weighted_median": shifts["in_prior_sd"].median(),
        "weighted_noise_largest": shifts["noise_in_prior_sd"].max(),
        "weighted_noise_median": shifts["noise_in_prior_sd"].median(),
    }
    if beside is None:
        return row | against_exact(target, name, world, budget, result, output)
    if len(scored.theta) == len(flat(result)):
        row |= exact_means(result, world, beside, output / name)
    return row | costs(result, "proportion", seconds_a_draw(world, target, result))


def against_exact(
    target: Target,
    name: str,
    world: Economy,
    budget: Budget,
    result: Estimate,
    output: Path,
) -> dict[str, Any]:
    """The columns of a world whose solver is sampled with, twice."""
    exact, again = (
        posterior(target, world, dataclasses.replace(budget, seed=seed, rescored=0), exact=True)
        for seed in (budget.seed, budget.seed + 1)
    )
    exact.write(output / name / EXACT)
    ours = posterior_distance(result, exact)
    noise = posterior_distance(again, exact)
    write_text(
        output / name / "distance.csv",
        ours.join(noise.add_suffix("_other_seed")).to_csv(lineterminator="\n"),
    )
    spent = exact.processor_seconds["posterior"]
    return {
        "log_ml_exact": exact.evidence.log,
        "its_error_exact": exact.evidence.error,
        "log_ml_exact_other_seed": again.evidence.log,
        "r_hat_exact": exact.diagnostics.r_hat,
        "largest": ours["in_prior_sd"].max(),
        "largest_parameter": ours["in_prior_sd"].idxmax(),
        "median": ours["in_prior_sd"].median(),
        "noise_largest": noise["in_prior_sd"].max(),
        "noise_median": noise["in_prior_sd"].median(),
        "largest_in_posterior_sd": ours["in_sd"].max(),
        "noise_largest_in_posterior_sd": noise["in_sd"].max(),
    } | costs(result, "measured", spent / exact.posterior.attrs["evaluations"], exact)


def posterior(target: Target, world: str | Economy, budget: Budget, **settings: Any) -> Estimate:
    """`estimate`, whose warnings the table's columns say better."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EstimationWarning)
        return estimate(target, world, budget=budget, **settings)


def costs(
    result: Estimate, exact_run: str, exact_evaluation: float, exact: Estimate | None = None
) -> dict[str, Any]:
    """Seconds of the processor: an evaluation of the likelihood, sampling, and all from target to
    weights; their ratios, exact over network.
    """
    ours = result.processor_seconds
    evaluations = result.posterior.attrs["evaluations"]
    sampling = (
        exact_evaluation * evaluations if exact is None else exact.processor_seconds["posterior"]
    )
    total = float("nan") if exact is None else sum(exact.processor_seconds.values())
    return {
        "exact_run": exact_run,
        "evaluations_network": evaluations,
        "evaluations_exact": np.nan if exact is None else exact.posterior.attrs["evaluations"],
        "us_an_evaluation_network": 1e6 * ours["posterior"] / evaluations,
        "us_an_evaluation_exact": 1e6 * exact_evaluation,
        "ratio_evaluation": exact_evaluation / (ours["posterior"] / evaluations),
        "sampling_network": ours["posterior"],
        "sampling_exact": sampling,
        "ratio_sampling": sampling / ours["posterior"],
        "verdict_network": ours["rescoring"],
        "total_network": sum(ours.values()),
        "total_exact": total,
        "ratio_total": total / sum(ours.values()),
    }


def seconds_a_draw(world: Economy, target: Target, result: Estimate) -> float:
    """Processor time of the solver for one draw of the network's posterior, of those that it has
    not scored; of the prior, where it has scored all.
    """
    assert result.rescored is not None
    prior = result.density.prior
    theta = prior.theta(prior.places(flat(result)))
    fresh = theta[~(theta[:, None] == result.rescored.theta[None]).all(axis=2).any(axis=1)]
    if not len(fresh):
        fresh = prior.theta(prior.sample(TIMED, np.random.default_rng(0)))
    chosen = fresh[np.linspace(0, len(fresh) - 1, min(TIMED, len(fresh))).astype(int)]
    responder = Responder(world.answerer, target.shock, target.horizon)
    start = time.process_time()
    responder.responses(chosen)
    return (time.process_time() - start) / len(chosen)


def flat(result: Estimate) -> np.ndarray:
    """The posterior's draws (n, F)."""
    return np.stack(
        [result.posterior.posterior[name].values.ravel() for name in result.density.prior.names],
        axis=1,
    )


def fitted(folder: Path) -> np.ndarray:
    """Quantiles (Q, H+1, 3) of responses, from the files of an estimate; the exact solver's where
    there is one.
    """
    exact = folder / EXACT / "fit.csv"
    table = pd.read_csv(exact if exact.exists() else folder / "fit.csv")
    columns = [f"q{100 * q:02.0f}" for q in QUANTILES]
    return np.stack(
        [
            table.pivot(index="horizon", columns="observable", values=column)[
                list(OBSERVABLES)
            ].to_numpy()
            for column in columns
        ]
    )


if __name__ == "__main__":
    run(main)
