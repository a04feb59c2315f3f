"""How often intervals cover the truth where a target's identification holds in the world, and where
it does not.

    python benchmarks/identification.py [--histories 20] [--quarters 80] [--output FILE.csv]

Each history is simulated by a world at its default parameters, which are the truth. A VAR with four
lags, recursive with the rate last, makes a target of it, with bootstrap covariance; the world that
made the data is fitted to it by its exact solver, with uniform priors over its ranges, and the 90 %
intervals of the parameters are held against the truth. Three rows a history:

nk, recursive VAR               false: output and inflation of `nk` move on impact
nk, its own responses           true: the exact responses and independent errors of the VAR's size
decided ahead, recursive VAR    true: `examples/decided_ahead.mod` moves on impact in the rate only

The last line of the output counts, by setting: intervals that cover, of all parameters and of
sigma; histories in which `complaints` says that the identification is false; and those in which it
says nothing else.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

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
from emulator.files import write_text
from emulator.spec import OBSERVABLES

AHEAD = Path(__file__).parents[1] / "examples" / "decided_ahead.mod"
FALSE = "target's identification is false"
LAGS = 4
HORIZON = 20
BURN_IN = 100
"""Quarters that pass before a history begins, so that it does not start in the steady state."""


def main(
    histories: Annotated[int, typer.Option(min=1, help="Histories that are simulated.")] = 20,
    quarters: Annotated[int, typer.Option(min=40, help="Quarters of a history.")] = 80,
    draws: Annotated[int, typer.Option(min=20, help="Draws of each of four runs.")] = 500,
    output: Annotated[Path | None, typer.Option(help="CSV of all rows.")] = None,
) -> None:
    """Coverage of intervals under a true and a false identification."""
    nk = emulator.world("nk")
    ahead = emulator.world(AHEAD)
    budget = Budget(starts=4, chains=4, draws=draws, rescored=0)
    rows = []
    for history in range(histories):
        recursive = recursive_target(nk, quarters, history)
        targets = {
            "nk, recursive VAR": (nk, recursive),
            "nk, its own responses": (nk, own_responses(nk, recursive, history)),
            "decided ahead, recursive VAR": (ahead, recursive_target(ahead, quarters, history)),
        }
        for setting, (world, target) in targets.items():
            rows.append({"setting": setting, "history": history, **fit(world, target, budget)})
            say(f"{setting}, history {history}: missed {rows[-1]['missed'] or 'none'}")
    table = pd.DataFrame(rows)
    if output is not None:
        write_text(output, table.to_csv(index=False, lineterminator="\n"))
    columns = [
        "covered",
        "parameters",
        "sigma_covered",
        "identification_false",
        "no_other_complaint",
    ]
    out.print(table.groupby("setting", sort=False)[columns].sum().to_string(), soft_wrap=True)


def recursive_target(world: emulator.Economy, quarters: int, seed: int) -> Target:
    """What a recursive VAR makes of one history of a world."""
    n = BURN_IN + LAGS + quarters
    shocks = np.random.default_rng(seed).normal(size=(1, n, world.spec.n_shocks))
    history = world.solver.simulate(world.spec.theta(), shocks)[0, BURN_IN:]
    data = pd.DataFrame(history, columns=list(OBSERVABLES))
    same = {name: name for name in OBSERVABLES}
    return from_var(VAR(data).fit(LAGS), "rate", same, horizon=HORIZON, seed=seed)


def own_responses(world: emulator.Economy, like: Target, seed: int) -> Target:
    """The world's exact responses, on impact as well, with independent errors of another target's
    size; what has none there gets that of the next quarter.
    """
    irf = world.solver.irf(world.spec.theta(), horizon=HORIZON)[
        0, world.spec.shock_index(like.shock)
    ]
    sd = np.where(like.matched, like.sd, like.sd[1])
    noise = np.random.default_rng([seed, 1]).normal(size=irf.shape)
    return Target.of("own responses", like.shock, irf + sd * noise, sd)


def fit(world: emulator.Economy, target: Target, budget: Budget) -> dict[str, Any]:
    """The intervals of one fit beside the truth, and what the estimate says against itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EstimationWarning)
        result = estimate(target, world, exact=True, priors={}, budget=budget)
    table = result.table()
    truth = dict(zip(world.spec.parameter_names, world.spec.theta()[0], strict=True))
    values = np.array([truth[name] for name in table.index])
    covered = (table["q05"] <= values) & (values <= table["q95"])
    false = [complaint for complaint in result.complaints if FALSE in complaint]
    return {
        "parameters": len(table),
        "covered": int(covered.sum()),
        "missed": " ".join(table.index[~covered]),
        "sigma_covered": bool(covered["sigma"]),
        "sigma_q05": table.loc["sigma", "q05"],
        "sigma_q50": table.loc["sigma", "q50"],
        "sigma_q95": table.loc["sigma", "q95"],
        "distance_per_entry": result.point.distance / len(target.entries),
        "identification_false": len(false),
        "no_other_complaint": len(result.complaints) == len(false),
    }


if __name__ == "__main__":
    run(main)
