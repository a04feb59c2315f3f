"""How often intervals and bands cover the truth where the target's VAR is run on the world's own
data as well.

    python benchmarks/like_the_data.py [--histories 100] [--quarters 80,200] [--draws 150] [--output
    benchmarks/like_the_data.csv]

Each history is simulated by `nk` at its default parameters, which are the truth. A VAR with four
lags, recursive with the rate last, which is false in `nk`, makes a target of it. `nk` is fitted to
it by `estimate(..., like_the_data=True)` with its exact solver and uniform priors over its ranges.
A row a history: which 90 % intervals of the parameters cover the truth, and which share of the 90 %
bands of the world's own responses to the monetary shock (horizons 0 to 20), by observable.

A row is written when its history ends; one that is in the file is not run again. With `--today` the
world's own responses are matched, as without `like_the_data`. The last lines count by length.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time
import warnings
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from statsmodels.tsa.api import VAR

import emulator
from emulator.console import out, run, say
from emulator.errors import EstimationWarning
from emulator.estimation import Budget, Target, estimate, from_var
from emulator.files import sole_writer, write_text
from emulator.spec import OBSERVABLES

LAGS = 4
HORIZON = 20
BURN_IN = 100
"""Quarters that pass before a history begins, so that it does not start in the steady state."""

KEYS = ["method", "quarters", "history"]


def main(
    histories: Annotated[int, typer.Option(min=1, help="Histories of each length.")] = 100,
    quarters: Annotated[str, typer.Option(help="Lengths, separated by commas.")] = "80,200",
    draws: Annotated[int, typer.Option(min=20, help="Draws of the posterior.")] = 150,
    today: Annotated[
        bool, typer.Option("--today", help="Match the world's own responses instead.")
    ] = False,
    output: Annotated[Path, typer.Option(help="CSV of all rows.")] = Path(
        "benchmarks/like_the_data.csv"
    ),
) -> None:
    """Coverage of intervals and bands."""
    world = emulator.world("nk")
    method = "today" if today else "like the data"
    lengths = [int(text) for text in quarters.split(",")]
    with sole_writer(output.parent):
        rows = pd.read_csv(output).to_dict("records") if output.exists() else []
        there = {tuple(row[key] for key in KEYS) for row in rows}
        for history in range(histories):
            for length in lengths:
                if (method, length, history) in there:
                    continue
                row = {"method": method, "quarters": length, "history": history}
                rows.append(row | fit(world, length, history, draws, like_the_data=not today))
                write_text(output, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
                say(f"{length} quarters, history {history}: {rows[-1]['covered']:.0%} covered")
    show(pd.DataFrame(rows))


def target_of(world: emulator.Economy, quarters: int, seed: int) -> Target:
    """What a recursive VAR makes of one history of a world."""
    n = BURN_IN + LAGS + quarters
    shocks = np.random.default_rng([seed, quarters]).normal(size=(1, n, world.spec.n_shocks))
    history = world.solver.simulate(world.spec.theta(), shocks)[0, BURN_IN:]
    data = pd.DataFrame(history, columns=list(OBSERVABLES))
    same = {name: name for name in OBSERVABLES}
    return from_var(VAR(data).fit(LAGS), "rate", same, horizon=HORIZON, seed=seed, replications=500)


def fit(
    world: emulator.Economy, quarters: int, history: int, draws: int, like_the_data: bool
) -> dict[str, Any]:
    """One history: intervals and bands beside the truth."""
    start = time.process_time()
    budget = Budget(starts=1, chains=1, draws=draws, rescored=0, seed=history)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EstimationWarning)
        result = estimate(
            target_of(world, quarters, history),
            world,
            exact=True,
            priors={},
            budget=budget,
            like_the_data=like_the_data,
        )
    table = result.table()
    truth = dict(zip(world.spec.parameter_names, world.spec.theta()[0], strict=True))
    own = world.solver.irf(world.spec.theta(), horizon=HORIZON)[0, 0]
    covers = {name: bool(row["q05"] <= truth[name] <= row["q95"]) for name, row in table.iterrows()}
    inside = ((result.own[0] <= own) & (own <= result.own[-1])).mean(axis=0)
    return {
        **{f"covers_{name}": covered for name, covered in covers.items()},
        **{f"band_{name}": share for name, share in zip(OBSERVABLES, inside, strict=True)},
        **{f"sigma_{name}": table.loc["sigma", name] for name in ("q05", "q50", "q95")},
        "covered": np.mean(list(covers.values())),
        "components": result.density.criterion.size,
        "distance": result.point.distance,
        "processor_seconds": time.process_time() - start,
    }


def show(table: pd.DataFrame) -> None:
    """Shares of what covers, by method and length of the histories."""
    chosen = [name for name in table if name.startswith(("covers_", "band_"))]
    columns = [*chosen, "covered", "sigma_q50", "processor_seconds"]
    means = table.groupby(["method", "quarters"])[columns].mean()
    means.insert(0, "histories", table.groupby(["method", "quarters"]).size())
    out.print(means.T.round(3).to_string(), soft_wrap=True, markup=False, highlight=False)


if __name__ == "__main__":
    run(main)
