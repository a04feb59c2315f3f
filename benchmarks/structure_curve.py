"""Learning curve of the emulator of structure of a world: how its error falls with the number of
households that it learns from.

    python benchmarks/structure_curve.py --dataset datasets/hank --households 300,1000,3000,10000
    python benchmarks/structure_curve.py --world hank2 --dataset datasets/hank2 --households 100,300

Errors are those of `emulator evaluate`, on draws of the test split, whose households no emulator
has seen. With few households maps have kernels beside their polynomials, with many they need none.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.table import Table

from emulator.closures.parts import DearParts
from emulator.console import out, run
from emulator.data import open_dataset
from emulator.eval.metrics import relative_error, squared_error
from emulator.models import build
from emulator.models.trained import TrainedNetwork, one_thread, predict
from emulator.training.dataset import IRFDataset
from emulator.training.preparation import dear_parts
from emulator.worlds import split_names

OBSERVABLES = {"hank": ("output", "inflation", "rate", "consumption", "hours")}
"""Of worlds that are not learnt with all that they answer."""
COMPONENTS = (100, 60)
FEW, CENTRES = 3000, 1000


def main(
    dataset: Annotated[Path, typer.Option(help="Data in groups, with a test split.")],
    households: Annotated[
        str, typer.Option(help="Numbers of households, separated by commas.")
    ] = "300,1000,3000,10000,30000",
    world: str = "hank",
    draws: Annotated[int, typer.Option(min=1, help="Draws of the test split.")] = 5000,
    seed: int = 42,
) -> None:
    """Print a row for each number of households; the last may be all there are."""
    data = open_dataset(dataset)
    data = data.observing(OBSERVABLES.get(world, data.spec(world).observable_names))
    train = IRFDataset(data, [world], "train")
    parts = dear_parts(train)[world]
    theta, truth = data.read(world, "test")
    chosen = slice(None, None, max(1, len(theta) // draws))
    table = Table(title=f"{world}, {len(theta[chosen])} draws of unseen households")
    for column in ("households", "mean NRMSE", "median", "95 %", "99 %", "processor time, s"):
        table.add_column(column, justify="right")
    sigma = train.statistics[world].irf_scale.double().numpy()
    with one_thread():
        for count in map(int, split_names(households)):
            started = time.process_time()
            network = learnt(parts, train, world, count, seed)
            spent = time.process_time() - started
            answer = predict(network, world, theta[chosen]).astype(np.float64)
            exact = truth[chosen].astype(np.float64)
            nrmse = float(np.sqrt(squared_error(exact, answer, sigma).mean(axis=0)).mean())
            relative = np.nanquantile(relative_error(exact, answer, sigma), (0.5, 0.95, 0.99))
            numbers = [f"{number:.2g}" for number in (nrmse, *relative)]
            known = min(count, len(parts.values))
            table.add_row(f"{known:,}", *numbers, f"{spent:.0f}")
            out.print(f"{known:,} households: mean NRMSE {nrmse:.4f}")
    out.print(table)


def learnt(
    parts: DearParts, train: IRFDataset, world: str, count: int, seed: int
) -> TrainedNetwork:
    """An emulator of the first so many households."""
    rows = parts.group < count
    own = parts._replace(
        theta=parts.theta[rows],
        irf=parts.irf[rows],
        group=parts.group[rows],
        values=parts.values[:count],
    )
    torch.manual_seed(seed)
    specs = {world: train.data.spec(world)}
    options = {"components": COMPONENTS, "centres": CENTRES if count <= FEW else 0}
    network = build("StructureEmulator", specs, train.horizon, options)
    network.bind(train.statistics, specs)
    network.learn_parts({world: own})
    return TrainedNetwork(network.eval())


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(main)
