"""How often intervals and bands cover the truth where the target's VAR is run on the world's own
data as well.

    python benchmarks/like_the_data.py [--histories 100] [--quarters 80,200] [--draws 50000]
    [--truth defaults|prior] [--output benchmarks/like_the_data.csv]

Each history is simulated by `nk` at its default parameters, which are the truth, or with `--truth
prior` each at another draw of the prior. A VAR with four lags, recursive with the rate last, which
is false in `nk`, makes a target of it (bootstrap of 500 replications). Three posteriors of `nk` by
its exact solver, with uniform priors over its ranges:

like the data        what `estimate(..., like_the_data=True)` takes: the VAR on endless data of the
                     world, principal components, weights pooled over a first posterior
first step           that first posterior, which `weighting="principal"` asks for: the same with the
                     bootstrap's covariance
own responses        what `estimate(...)` takes: the world's own responses, the bootstrap's
                     variances

The prior and the density are the package's own. The posteriors are by weights of draws of the
prior, which all histories share, so that a history costs a fraction of a second. `effective` is the
size of the weighted sample. A row a history and posterior: which 90 % intervals of the parameters
cover the truth, and which share of the 90 % bands of the world's own responses to the monetary
shock (horizons 0 to 20) does, by observable.

Rows are written when their history ends; one that is in the file is not run again. The last lines
count by posterior and length.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from statsmodels.tsa.api import VAR

import emulator
from emulator.console import out, run, say
from emulator.estimation import Target, from_var
from emulator.estimation.density import Criterion
from emulator.estimation.indirect.pooled import FIRST, pooled, short_errors
from emulator.estimation.indirect.responder import LikeTheData
from emulator.estimation.prior import JointPrior
from emulator.estimation.settings import QUANTILES
from emulator.files import sole_writer, write_text
from emulator.spec import OBSERVABLES

LAGS = 4
HORIZON = 20
BURN_IN = 100
"""Quarters that pass before a history begins, so that it does not start in the steady state."""

BLOCK = 4096
RESAMPLED = 2000
"""Draws that are made of the weights, of which quantiles are taken."""


class Prior:
    """Draws (n, P) of the prior, and at each the responses (n, N) that the VAR finds in the world's
    data, and the world's own (n, N), horizon by horizon.
    """

    def __init__(self, world: emulator.Economy, target: Target, n: int) -> None:
        joint = JointPrior.of(world.spec, None, None, shapes={})
        self.theta = joint.theta(joint.sample(n, np.random.default_rng(0)))
        self.world = world
        responder = LikeTheData(world.answerer, "monetary", target)
        blocks = [self.theta[start : start + BLOCK] for start in range(0, n, BLOCK)]
        like = [responder.responses(block).reshape(len(block), -1) for block in blocks]
        own = [responder.own(block).reshape(len(block), -1) for block in blocks]
        self.like = np.concatenate(like).astype(np.float32)
        self.own = np.concatenate(own).astype(np.float32)
        self.solved = np.isfinite(self.like).all(axis=1)
        self.like[~self.solved] = self.own[~self.solved] = 0.0

    def log_likelihood(self, criterion: Criterion, responses: np.ndarray) -> np.ndarray:
        """(n,), minus infinity where there is no solution."""
        entries = criterion.target.entries
        whitener = criterion.whitener.astype(np.float32)
        at = criterion.target.values.astype(np.float32)
        residuals = responses[:, entries] @ whitener.T - at @ whitener.T
        squares = np.einsum("nk,nk->n", residuals, residuals, dtype=np.float64)
        return np.where(self.solved, -0.5 * squares, -np.inf)

    def pooled_weights(self, target: Target, first: np.ndarray, seed: list[int]) -> Criterion:
        """The criterion of the second step from log-likelihoods (n,) of the first."""
        rng = np.random.default_rng(seed)
        chosen = rng.choice(len(first), size=FIRST, p=weights_of(first))
        responder = LikeTheData(self.world.answerer, "monetary", target)
        errors = short_errors(responder, self.theta[chosen], rng)
        return Criterion(pooled(target, errors), "pooled")


def weights_of(log_likelihood: np.ndarray) -> np.ndarray:
    """Weights (n,) of draws of the prior that sum up to one."""
    weights = np.exp(log_likelihood - log_likelihood.max())
    return np.asarray(weights / weights.sum())


def main(
    histories: Annotated[int, typer.Option(min=1, help="Histories of each length.")] = 100,
    first: Annotated[int, typer.Option(min=0, help="Number of the first history.")] = 0,
    quarters: Annotated[str, typer.Option(help="Lengths, separated by commas.")] = "80,200",
    draws: Annotated[int, typer.Option(min=1000, help="Draws of the prior.")] = 50_000,
    truth: Annotated[
        str, typer.Option(help="Parameters of the histories: defaults, or prior (draws of it).")
    ] = "defaults",
    output: Annotated[Path, typer.Option(help="CSV of all rows.")] = Path(
        "benchmarks/like_the_data.csv"
    ),
) -> None:
    """Coverage of intervals and bands."""
    world = emulator.world("nk")
    lengths = [int(text) for text in quarters.split(",")]
    rows: list[dict[Any, Any]] = pd.read_csv(output).to_dict("records") if output.exists() else []
    there = {(row["truth"], row["quarters"], row["history"]) for row in rows}
    prior = Prior(world, target_of(world, world.spec.theta(), 80, 0), draws)
    if truth not in ("defaults", "prior"):
        raise typer.BadParameter(f"--truth is '{truth}'; expected defaults or prior.")
    with sole_writer(output.parent):
        for history in range(first, first + histories):
            for length in lengths:
                if (truth, length, history) in there:
                    continue
                theta = world.spec.theta()
                if truth == "prior":
                    theta = world.solver.sample(1, np.random.default_rng([history, 3]))
                about = {"truth": truth, "quarters": length, "history": history}
                rows += [about | row for row in posteriors(world, prior, theta, length, history)]
                write_text(output, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
                say(f"{length} quarters, history {history}: {rows[-3]['covered']:.0%} covered")
    show(pd.DataFrame(rows))


def target_of(world: emulator.Economy, theta: np.ndarray, quarters: int, seed: int) -> Target:
    """What a recursive VAR makes of one history of a world at parameters (1, P)."""
    n = BURN_IN + LAGS + quarters
    shocks = np.random.default_rng([seed, quarters]).normal(size=(1, n, world.spec.n_shocks))
    history = world.solver.simulate(theta, shocks)[0, BURN_IN:]
    data = pd.DataFrame(history, columns=list(OBSERVABLES))
    same = {name: name for name in OBSERVABLES}
    return from_var(VAR(data).fit(LAGS), "rate", same, horizon=HORIZON, seed=seed, replications=500)


def posteriors(
    world: emulator.Economy, prior: Prior, theta: np.ndarray, quarters: int, history: int
) -> list[dict[str, Any]]:
    """The rows of one history at parameters (1, P)."""
    start = time.process_time()
    target = target_of(world, theta, quarters, history)
    principal = Criterion(target, "principal")
    first = prior.log_likelihood(principal, prior.like)
    second = prior.pooled_weights(target, first, [history, quarters, 4])
    values = {
        "like the data": prior.log_likelihood(second, prior.like),
        "first step": first,
        "own responses": prior.log_likelihood(Criterion(target), prior.own),
    }
    components = {"like the data": second.size, "first step": principal.size}
    seed = [history, quarters, 2]
    rows = [
        {"posterior": name, "components": components.get(name, len(target.entries))}
        | covered(world, prior, theta, value, seed)
        for name, value in values.items()
    ]
    spent = time.process_time() - start
    return [row | {"processor_seconds": spent} for row in rows]


def covered(
    world: emulator.Economy,
    prior: Prior,
    theta: np.ndarray,
    log_likelihood: np.ndarray,
    seed: list[int],
) -> dict[str, Any]:
    """Intervals and bands of a posterior beside the truth (1, P)."""
    weights = weights_of(log_likelihood)
    chosen = np.random.default_rng(seed).choice(len(weights), size=RESAMPLED, p=weights)
    low, median, high = np.quantile(prior.theta[chosen], QUANTILES, axis=0)
    truth = theta[0]
    own = world.solver.irf(theta, horizon=HORIZON)[0, 0]
    band = np.quantile(prior.own[chosen], QUANTILES, axis=0).reshape(-1, *own.shape)
    inside = ((band[0] <= own) & (own <= band[-1])).mean(axis=0)
    names = world.spec.parameter_names
    covers = (low <= truth) & (truth <= high)
    sigma = names.index("sigma")
    return {
        **{f"covers_{name}": bool(one) for name, one in zip(names, covers, strict=True)},
        "covered": covers.mean(),
        **{f"band_{name}": share for name, share in zip(OBSERVABLES, inside, strict=True)},
        "band": inside.mean(),
        "sigma_q05": low[sigma],
        "sigma_q50": median[sigma],
        "sigma_q95": high[sigma],
        "effective": 1 / (weights**2).sum(),
    }


def show(table: pd.DataFrame) -> None:
    """Shares of what covers, by posterior and length of the histories."""
    groups = table.groupby(["truth", "posterior", "quarters"], sort=False)
    begins = ("covers_", "band", "covered", "sigma_")
    chosen = [name for name in table if str(name).startswith(begins)]
    means = groups[[*chosen, "processor_seconds"]].mean()
    means.insert(0, "histories", groups.size())
    means["effective, least"] = groups["effective"].min()
    out.print(means.T.round(3).to_string(), soft_wrap=True, markup=False, highlight=False)


if __name__ == "__main__":
    run(main)
