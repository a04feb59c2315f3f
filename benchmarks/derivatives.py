"""How far a network's derivatives by each parameter are from the solver's.

    python benchmarks/derivatives.py [--worlds nk,switching,hank] [--draws 10] [--shock monetary]
    [--horizon 20]

At draws of the prior that the network does not flag: of each parameter the distance between the
network's derivative and the solver's (differences), over the size of the solver's, both as root
mean squares over quarters and observables. Medians over draws, in percent; 100 is what a derivative
of zero would have.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np
import pandas as pd
import typer

import emulator
from emulator.console import out, run
from emulator.errors import ParameterError
from emulator.inference import Emulator
from emulator.worlds import split_names


def main(
    checkpoint: Annotated[
        str, typer.Option(help="The network: a name that ships, a file or the folder of a run.")
    ] = "universal",
    worlds: Annotated[str, typer.Option(help="Worlds, separated by commas.")] = "nk,switching,hank",
    draws: Annotated[
        int,
        typer.Option(
            min=1, help="Draws of a world; of hank, which takes a second a solution, at most six."
        ),
    ] = 10,
    shock: Annotated[str, typer.Option(help="The shock.")] = "monetary",
    horizon: Annotated[int, typer.Option(min=0, help="Last quarter.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
) -> None:
    """Errors of a network's derivatives, by world and parameter."""
    network = emulator.load(checkpoint)
    for name in split_names(worlds):
        table = errors(
            network, name, min(draws, 6) if name == "hank" else draws, shock, horizon, seed
        )
        out.print(
            f"\n{name}, {shock}: error of derivatives, percent of their own size, median over"
            f" {table.shape[0]} draws"
        )
        out.print(
            table.median().dropna().round(1).sort_values().to_string()
        )  # others do not move this shock


def errors(
    network: Emulator, name: str, draws: int, shock: str, horizon: int, seed: int
) -> pd.DataFrame:
    """Relative errors in percent, a row a draw, a column a parameter.

    Raises `ParameterError` if the network flags too many draws.
    """
    world = emulator.world(name)
    theta = world.sample(20 * draws, seed=seed)
    answer = network.irf(name, theta, shocks=shock, horizon=horizon, on_failure="nan")
    calm = np.flatnonzero(~answer["flagged"].values & answer["determinate"].values)[:draws]
    if len(calm) < draws:
        raise ParameterError(
            f"Of {len(theta)} draws of {name} the network does not flag {len(calm)}; expected"
            f" {draws}. Ask for fewer."
        )
    guess, truth = (
        ask(theta.iloc[calm], shocks=shock, horizon=horizon)
        for ask in (partial(network.jacobian, name), world.jacobian)
    )
    axes = ["shock", "horizon", "observable"]
    distance, size = (
        ((values**2).mean(axes) ** 0.5).values
        for values in (guess - truth.drop_vars(truth.coords), truth)
    )
    return pd.DataFrame(
        100 * distance / np.where(size > 0, size, np.nan), columns=truth["parameter"].values
    )


if __name__ == "__main__":
    run(main)
