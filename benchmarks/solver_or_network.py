"""Solver or network? What each costs in every world, how far the network errs, and from how many
draws it is worth asking.

    python benchmarks/solver_or_network.py [--checkpoint universal] [--repeats 7]

One process, one thread, solver and network in turn at draws of the prior: a call with one draw, a
draw of a batch of 10,000 (in worlds that are dear to solve of as many as take a second). Medians of
processor time. What it costs to load the network, PyTorch among it, is timed in processes of their
own. Errors are those of the network's results on `test`. Writes `solver_or_network.csv` beside this
file and the table of `docs/solver_or_network.md`.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from emulator.console import out, run
from emulator.files import write_text

HERE = Path(__file__).parent
TABLE = HERE / "solver_or_network.csv"
PAGE = HERE.parent / "docs" / "solver_or_network.md"
NOISE = 0.05
"""Share of a time that it may differ by from run to run."""
BEGIN, END = "<!-- table: begins -->", "<!-- table: ends -->"
NETWORKS = ("universal-alone", "structure_hank", "structure_hank2")
"""The networks that ship; `universal` answers in `hank` and `hank2` by those of structure."""
BATCH = 10_000
SINGLES = 50
COLUMNS = (
    "world",
    "network",
    "solver_one_us",
    "network_one_us",
    "solver_batch_us",
    "network_batch_us",
    "error_median",
    "error_p95",
    "load_s",
)
"""Microseconds of a call with one draw and of a draw in a batch; relative error of a draw, all its
responses together; seconds of processor time to load the network.
"""
NUMBERS = COLUMNS[2:]

SOLVER = "import emulator; emulator.world('nk').irf()"
NETWORK = "import emulator; emulator.load({!r})[{!r}].irf()"


def main(
    results: Annotated[
        Path,
        typer.Option(help="Folder of the scores of the networks that ship, each in its own."),
    ] = Path("results"),
    repeats: Annotated[int, typer.Option(help="Rounds; medians are shown.")] = 7,
) -> None:
    """Time solver and network beside each other, and write the table."""
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)  # one for all: some worlds keep the draws that they have solved
    rows = [row for shipped in NETWORKS for row in rows_of(shipped, results, repeats, rng)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    write_text(TABLE, table.to_csv(index=False, lineterminator="\n", float_format="%.4g"))
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    shown = markdown(pd.read_csv(TABLE))
    write_text(PAGE, f"{before}{BEGIN}\n{shown}\n{END}{after}")
    out.print(shown)


def rows_of(shipped: str, results: Path, repeats: int, rng: np.random.Generator) -> list[tuple]:
    """A row for each world of a network that ships."""
    from emulator.leaderboard.targets import read_targets
    from emulator.models import load
    from emulator.models.shipped import ALONE

    network = load(shipped).network
    targets = read_targets(results)
    scored = targets.held if targets and targets.held and shipped.endswith(ALONE) else shipped
    errors = errors_of(results / scored / "results.json")
    load_s = loading(shipped, next(iter(network.world_specs)), repeats)
    return [
        (name, shipped, *times(network, name, repeats, rng), *errors[name], load_s)
        for name in network.world_specs
    ]


def errors_of(results: Path) -> dict[str, tuple[float, float]]:
    """Median and 95th percentile of each world's relative errors on `test`."""
    scores = json.loads(results.read_text(encoding="utf-8"))["scores"]
    value = {
        (row["world"], row["metric"]): row["value"]
        for row in scores
        if row["split"] == "test" and row["predictor"] == "network"
    }
    return {
        world: (value[world, "relative_error_median"], value[world, "relative_error_p95"])
        for world in dict.fromkeys(world for world, _ in value)
    }


def loading(checkpoint: str, world: str, repeats: int) -> float:
    """Seconds of processor time that a first answer costs more from the network than from a
    solver, medians over processes of their own.
    """
    codes = SOLVER, NETWORK.format(checkpoint, world)
    seconds: dict[str, list[float]] = {code: [] for code in codes}
    for _ in range(repeats):
        for code in codes:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            seconds[code].append(used)
    return statistics.median(seconds[codes[1]]) - statistics.median(seconds[codes[0]])


def times(
    network: Callable, name: str, repeats: int, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Microseconds: one draw by solver and by network, a draw of a batch by both."""
    import torch

    from emulator.worlds import get_world

    world = get_world(name)

    def fresh(n: int) -> np.ndarray:
        return world.propose(n, rng).astype(np.float32).astype(np.float64)

    # Calls are timed in a row: clocks of processor time may advance by milliseconds.
    def solved(*batches: np.ndarray) -> float:
        seconds = clocked(lambda: [world.irf(theta, on_failure="nan") for theta in batches])
        return seconds / len(batches)

    @torch.inference_mode()
    def predicted(*batches: np.ndarray) -> float:
        tensors = [torch.from_numpy(theta).float() for theta in batches]
        return clocked(lambda: [network(theta, name) for theta in tensors]) / len(batches)

    solved(fresh(4)), predicted(fresh(4))
    taken = max(solved(fresh(4)), 1e-9)
    many = int(min(BATCH, max(4, 4 / taken)))
    rounds = []
    for _ in range(repeats):
        count = SINGLES if many == BATCH else 10
        singles = np.split(fresh(count), count)
        batch = fresh(BATCH)
        rounds.append(
            (
                solved(*singles),
                predicted(*singles),
                solved(batch[:many]) / many,
                predicted(batch) / BATCH,
            )
        )
    one_solved, one_predicted, each_solved, each_predicted = (
        1e6 * statistics.median(column) for column in zip(*rounds, strict=True)
    )
    return one_solved, one_predicted, each_solved, each_predicted


def clocked(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def draws_that_pay(row: pd.Series) -> float:
    """From how many draws, asked for at once, loading and asking the network costs less than
    solving; infinite where solving costs no more, but for what runs differ by (`NOISE`).
    """
    saved = row["solver_batch_us"] - row["network_batch_us"]
    clear = saved > NOISE * row["solver_batch_us"]
    return 1e6 * row["load_s"] / saved if clear else math.inf


def markdown(table: pd.DataFrame) -> str:
    """The measurements as a table for the page, a row a world."""
    lines = [
        "| world | network | one draw, us: solver | network | a draw of many, us: solver | network"
        " | relative error: median | 95th percentile | ask |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for _, row in table.iterrows():
        pays = draws_that_pay(row)
        ask = (
            "the solver"
            if math.isinf(pays)
            else f"the network from {int(float(f'{pays:.2g}')):,} draws"
        )
        times_us = [f"{row[name]:,.3g}" if row[name] < 1000 else f"{row[name]:,.0f}"
                    for name in NUMBERS[:4]]  # fmt: skip
        errors = [f"{100 * row[name]:.2g} %" for name in NUMBERS[4:6]]
        names = [f"`{row[column]}`" for column in COLUMNS[:2]]
        lines.append(f"| {' | '.join([*names, *times_us, *errors, ask])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    run(main)
