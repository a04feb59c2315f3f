"""What a prediction costs beside the exact solution of the same draws, and after how many calls
training has paid.

    python benchmarks/prediction.py --checkpoint universal-alone [--draws 10000]
    [--repeats 7]

One process, one thread, in turn: the network at one draw, the network at a batch, the world's exact
solver at the same draws. Medians of processor time, written to `results/speed.csv`, of which
`emulator leaderboard` makes a table and verdicts; worlds measured before keep their rows. Training
has paid after its time (of the run's `cost.json`) over what a draw saves; never where the solver is
the faster.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch
import typer

from emulator.console import out, run
from emulator.errors import ParameterError
from emulator.files import write_text
from emulator.leaderboard.speed import COLUMNS, SPEED, read_speed, speed_table
from emulator.models import load
from emulator.models.base import EmulatorModel
from emulator.progress import progress
from emulator.worlds import get_world, split_names


def seconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def main(
    checkpoint: Annotated[
        str, typer.Option(help="The network: a name that ships, a file or the folder of a run.")
    ] = "universal-alone",
    draws: Annotated[int, typer.Option(help="Draws of a batch.")] = 10_000,
    repeats: Annotated[int, typer.Option(help="Rounds; medians are shown.")] = 7,
    worlds: Annotated[
        str, typer.Option(help="Worlds, separated by commas; all of the network if empty.")
    ] = "",
    costly: Annotated[
        float,
        typer.Option(
            help=(
                "Seconds that one exact round may take; fewer draws are solved where it would take"
                " more."
            )
        ),
    ] = 3.0,
    trained: Annotated[
        float, typer.Option(help="Seconds that training took; 0: what the run's folder says.")
    ] = 0.0,
    results: Annotated[Path, typer.Option(help="Folder of the table.")] = Path("results"),
) -> None:
    """Time a network's predictions against exact solutions."""
    torch.set_num_threads(1)
    network = load(checkpoint).network
    if not trained:
        place = Path(checkpoint)
        cost = (place if place.is_dir() else place.parent) / "cost.json"
        if not cost.exists():
            raise ParameterError(
                f"{cost} is missing; expected the folder of a run, which says how long training"
                " took, or --trained, as the model card says."
            )
        trained = json.loads(cost.read_text())["seconds"]
    names = split_names(worlds) or list(network.world_specs)
    rows = []
    with progress() as display:
        bar = display.add_task("timing", total=len(names) * repeats, unit="rounds", note="")
        for name in names:
            rows.append(
                measure(
                    network, name, draws, repeats, costly, trained, lambda: display.advance(bar)
                )
            )
    table, before = pd.DataFrame(rows, columns=list(COLUMNS)), read_speed(results)
    out.print(speed_table(table).to_string(index=False))
    if before is not None:
        table = pd.concat([before[~before["world"].isin(table["world"])], table])
    write_text(results / SPEED, table.to_csv(index=False, lineterminator="\n"))


@torch.inference_mode()
def measure(
    network: EmulatorModel,
    name: str,
    draws: int,
    repeats: int,
    costly: float,
    trained: float,
    advance: Callable[[], None],
) -> tuple[object, ...]:
    """One row of the table: medians in microseconds, and what training took."""
    world, rng = get_world(name), np.random.default_rng(0)
    low, high = world.spec.low, world.spec.high

    def exactly(n: int) -> float:
        fresh = world.propose(n, rng)  # some worlds keep the solutions of draws that they have seen
        return seconds(lambda: world.irf(fresh, on_failure="nan")) / n

    exactly(4)  # compiles
    one = max(exactly(4), 1e-9)  # clocks may pass over so short a time
    exact_draws = int(min(draws, max(4, costly / one)))
    theta = torch.from_numpy(
        low + (high - low) * rng.random((draws, world.spec.n_parameters))
    ).float()
    network(theta[:1], name), network(theta, name)
    singles, batches, exacts = [], [], []
    for _ in range(repeats):
        singles.append(seconds(lambda: [network(theta[k : k + 1], name) for k in range(100)]) / 100)
        batches.append(seconds(lambda: network(theta, name)) / draws)
        exacts.append(exactly(exact_draws))
        advance()
    return name, *(1e6 * statistics.median(times) for times in (singles, batches, exacts)), trained


if __name__ == "__main__":
    run(main)
