"""Do credible intervals cover? Posteriors of histories that `nk` made itself, and how near a model
file's posterior is to Dynare's chain.

    python benchmarks/posterior.py --histories 200 --quarters 80 --csv coverage.csv
    python benchmarks/posterior.py --dynare fs2000.mod --data fsdat.csv --chain fs2000/metropolis

Each history has parameters of its own, drawn from the prior where there is a solution, so that 90 %
intervals cover 90 % of them, and ranks of the truth among the draws are uniform, if everything is
right (Talts, Betancourt, Simpson, Vehtari and Gelman 2018, arXiv:1804.06788). The CSV gains the
rows of a history as it ends; the same command goes on from there. Several commands, each with
histories and a CSV of its own (`--first`), go side by side. `--dynare` holds means against
the draws of Dynare's random walk (`metropolis/MODEL_mh1_blck1.mat` or the folder, the first fifth
left out), in standard deviations of the posterior, beside the Monte Carlo error of that chain.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import binom, kstest

import emulator
from emulator.estimation import Budget, estimate_from_data
from emulator.estimation.full_information.density import DataDensity
from emulator.estimation.full_information.harmonic import harmonic_mean
from emulator.estimation.full_information.mode import find_peaks
from emulator.estimation.full_information.question import DataProblem, DataSettings
from emulator.estimation.full_information.start import AroundModes
from emulator.estimation.moves import kinds_for
from emulator.estimation.smc import FromPrior, Moves, Start, run_smc

WORLD = "nk"
SERIES = ("output", "inflation", "rate")
PARTICLES = 500
STARTS = 8
BURN = 200
LEVEL = 0.9
COMPARED = 200


def history(number: int, quarters: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Parameters (P,) of a history, drawn from the prior, and its data."""
    economy = emulator.world(WORLD)
    theta = economy.sample(1, seed=number).to_numpy()
    shocks = np.random.default_rng([number, 1]).normal(size=(1, BURN + quarters, 3))
    path = economy.solver.simulate(theta, shocks)[0, BURN:]
    periods = pd.period_range("1960Q1", periods=quarters, freq="Q").astype(str)
    return theta[0], pd.DataFrame(path, index=pd.Index(periods, name="period"), columns=SERIES)


def of_history(number: int, quarters: int, begin: str) -> pd.DataFrame:
    """A row a parameter: truth, posterior, rank of the truth among the draws."""
    theta, table = history(number, quarters)
    problem = DataProblem.of(emulator.read_data(table), WORLD, DataSettings(observe=SERIES))
    density = problem.density
    start: Start = FromPrior()
    if begin == "mode":
        start = AroundModes(find_peaks(density, STARTS, np.random.default_rng([number, 2])).peaks)
    moves = Moves(kinds_for(PARTICLES, len(density.prior.free)), adaptive=True)
    particles = run_smc(
        density,
        PARTICLES,
        np.random.default_rng([number, 3]),
        start=start,
        moves=moves,
    )
    draws = density.prior.values(expit(particles.z))
    truth = theta[list(density.prior.free)]
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    return pd.DataFrame(
        {
            "history": number,
            "quarters": quarters,
            "from": begin,
            "parameter": density.prior.names,
            "truth": truth,
            "mean": draws.mean(axis=0),
            "low": low,
            "high": high,
            "covered": (low <= truth) & (truth <= high),
            "rank": (draws < truth).mean(axis=0),
            "evaluations": particles.evaluations,
        }
    )


def coverage(first: int, last: int, quarters: int, begin: str, path: Path) -> None:
    """Run the histories from `first` to before `last` that the CSV lacks, and show what it says."""
    rows = pd.read_csv(path) if path.exists() else None
    done = set() if rows is None else set(rows["history"])
    for number in sorted(set(range(first, last)) - done):
        history = of_history(number, quarters, begin)
        history.to_csv(path, index=False, mode="a", header=not path.exists())
    show(pd.read_csv(path))


def show(rows: pd.DataFrame) -> None:
    """Coverage and uniformity of ranks by parameter, and what chance allows."""
    table = rows.groupby("parameter", sort=False)["covered"].agg(["mean", "size"])
    chance = [binom.interval(0.99, size, LEVEL) for size in table["size"]]
    table["low_99"] = [ends[0] for ends in chance] / table["size"]
    table["high_99"] = [ends[1] for ends in chance] / table["size"]
    ranks = rows.groupby("parameter")["rank"]
    table["ranks_uniform_p"] = ranks.apply(lambda values: kstest(values, "uniform").pvalue)
    print(table.round(3).to_string())
    by_history = rows.groupby("history")["covered"].mean()
    error = by_history.std() / np.sqrt(len(by_history))
    print(f"all: {by_history.mean():.3f}, standard error {error:.3f}; {len(by_history)} histories")


def chain_of(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Draws (n, F) and log posteriors (n,) of Dynare's chain, a file or the folder of them."""
    from scipy.io import loadmat

    files = [path] if path.is_file() else list(path.glob("*_mh*_blck1.mat"))
    numbers = {file: int(file.stem.split("_mh")[-1].split("_")[0]) for file in files}
    contents = [loadmat(file) for file in sorted(files, key=numbers.__getitem__)]
    draws = np.concatenate([content["x2"] for content in contents])
    logs = np.concatenate([content["logpo2"].ravel() for content in contents])
    first = len(draws) // 5
    return draws[first:], logs[first:]


def beside_dynare(model: str, data: str, sample: str | None, chain: Path) -> None:
    """Means in posterior standard deviations of each other beside the chain's own Monte Carlo
    error, log posteriors at draws of the chain, and marginal likelihoods.
    """
    import arviz

    draws, logs = chain_of(chain)
    result = estimate_from_data(data, model, sample=sample, budget=Budget(chains=2))
    table = result.table()
    sizes = [name for name in table.index if name.startswith(("stderr_", "corr_"))]
    table = table.loc[sizes + [name for name in table.index if name not in sizes]]
    table["dynare"] = draws.mean(axis=0)
    table["apart_in_sd"] = (table["mean"] - table["dynare"]).abs() / draws.std(axis=0)
    effective = np.array([float(arviz.ess(column[None])) for column in draws.T])
    table["error_in_sd"] = 1 / np.sqrt(effective)
    columns = ["mode", "mean", "sd", "dynare", "apart_in_sd", "error_in_sd"]
    print(table[columns].round(4).to_string())
    rows = np.unique(np.linspace(0, len(draws) - 1, COMPARED).astype(int))
    order = [table.index.get_loc(name) for name in result.names]
    ours = log_posterior(result.problem.density, draws[rows][:, order])
    print(f"log posteriors at {len(rows)} of {len(draws)} draws of the chain differ by", end=" ")
    print(f"{np.abs(ours - logs[rows]).max():.1e} at most; effective draws: {effective.min():.0f}")
    print(f"log data density: {result.evidences.as_dynare:.2f}; harmonic mean of Dynare's draws:")
    print(f"{harmonic_mean(draws, logs):.2f}; processor seconds: {result.processor_seconds}")


def log_posterior(density: DataDensity, values: np.ndarray) -> np.ndarray:
    """Log posteriors (n,) at free parameters (n, F), priors as Dynare has them."""
    prior = density.prior
    theta = np.repeat(prior.base[None], len(values), axis=0)
    theta[:, list(prior.free)] = values
    theta = theta if density.follow is None else density.follow(theta)
    logs = [
        shape.log_density(column, whole=True)
        for shape, column in zip(prior.shapes, values.T, strict=True)
    ]
    total = density.likelihood.values(theta, strict=False).by_period
    return total[:, density.likelihood.presample :].sum(axis=1) + np.sum(logs, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--quarters", type=int, default=80)
    parser.add_argument("--first", type=int, default=0, help="the first history's number")
    parser.add_argument("--from", dest="begin", choices=("prior", "mode"), default="prior")
    parser.add_argument("--csv", type=Path, default=Path("posterior_coverage.csv"))
    parser.add_argument("--dynare")
    parser.add_argument("--data")
    parser.add_argument("--sample", help="periods of the data")
    parser.add_argument("--chain", type=Path)
    asked = parser.parse_args()
    if asked.dynare:
        beside_dynare(asked.dynare, asked.data, asked.sample, asked.chain)
    else:
        coverage(asked.first, asked.histories, asked.quarters, asked.begin, asked.csv)


if __name__ == "__main__":
    main()
