"""`hank2` by its solver beside sequence-jacobian: processor time, and the differences.

The library solves its own two-asset example, steady state and responses to its three shocks over
300 quarters, on the example's grids (10 liquid and 16 illiquid assets, 4 multipliers) and on the
paper's (50, 70, 50). Ours finds the same steady state, the Jacobians over 600 quarters and the
responses to its four shocks. In turn, in one process on one thread, after what Numba compiles;
medians of a few rounds. Then the times of the world's own grids: a household, a further policy for
it; and the largest differences from the library's graph over the draws of
`emulator/tests/reference/hank2`.

    python benchmarks/hank2.py [--paper] [--rounds 3] [--draws 10]

With --grids alone what the world's grids and finer ones err by (with --paper the paper's as well):
responses to quarter 40 at draws of the prior against those on grids that are finer still. A
difference is the largest along a path, relative to that path's peak; the table has the median and
the largest over draws of the worst path, and by observable the share within which nine of ten paths
lie. A second table has the share within which nine of ten responses on the world's own grids lie,
by quarter (`World.solution_error`).

    python benchmarks/hank2.py --grids [--paper] [--draws 20] [--reference 120,165,45]
"""

from __future__ import annotations

import os

# One thread; read once, when NumPy is imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ[
    "MKL_NUM_THREADS"
] = "1"

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from emulator.worlds.hank2 import world as hank2
from emulator.worlds.hank2.accuracy import QUARTERS
from emulator.worlds.hank2.household import EXAMPLE, GRID, PAPER, Size
from emulator.worlds.hank2.spec import SPEC
from emulator.worlds.hank2.world import N_TASTES, TwoAssets

FASTER, LARGEST = 10, 1e-5
"""Goals: times as fast as the library, and differences relative to a path's peak."""
REFERENCE = files("emulator.tests") / "reference" / "hank2"
FINE = "120,165,45"
"""Points of the reference for the error of the grids."""
BETWEEN = Size(80, 110, 30)
"""Grids whose error says how far the reference may err itself."""
RATES = {"rstar": 0.61, "Z": 0.9, "G": 0.8}


def seconds(task: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time of a task, and what it returns."""
    started = time.process_time()
    answer = task()
    return time.process_time() - started, answer


def library(size: Size) -> Any:
    """The library's example on grids of that size: steady state and responses."""
    from sequence_jacobian.examples import two_asset

    original = two_asset.make_grids  # its calibration is inside a function; the grids are not

    def make_grids(
        bmax: float,
        amax: float,
        kmax: float,
        nB: int,
        nA: int,
        nK: int,
        nZ: int,
        rho_z: float,
        sigma_z: float,
    ) -> Any:  # the library reads from the source what goes in and comes out, by name
        b_grid, a_grid, k_grid, e_grid, Pi = original(
            bmax, amax, kmax, size.liquid, size.illiquid, size.multipliers, nZ, rho_z, sigma_z
        )
        return b_grid, a_grid, k_grid, e_grid, Pi

    two_asset.make_grids = make_grids
    try:
        _, ss, model, unknowns, targets, exogenous = two_asset.dag()
    finally:
        two_asset.make_grids = original
    jacobian = model.solve_jacobian(ss, unknowns, targets, exogenous, T=300)
    return {shock: jacobian["Y"][shock] @ rate ** np.arange(300) for shock, rate in RATES.items()}


def ours(size: Size) -> Any:
    forget()
    return hank2.solve_draw(tuple(SPEC.theta()[0].tolist()), size)


def forget() -> None:
    for remembered in (hank2.solve_draw, hank2._rest, hank2.solve_household, hank2.numbers_of):
        remembered.cache_clear()


def own_grids(draws: int) -> tuple[float, float]:
    """Median seconds of a household with a policy, and of a further policy, on the world's
    grids.
    """
    rng = np.random.default_rng(0)
    theta = rng.uniform(SPEC.low, SPEC.high, size=(draws, SPEC.n_parameters))
    first, further = [], []
    for row in theta:
        other = rng.uniform(SPEC.low, SPEC.high)
        other[:N_TASTES] = row[:N_TASTES]
        first.append(seconds(partial(hank2.solve_draw, tuple(row.tolist()), GRID))[0])
        further.append(seconds(partial(hank2.solve_draw, tuple(other.tolist()), GRID))[0])
    return float(np.median(first)), float(np.median(further))


def differences() -> np.ndarray:
    """Largest difference from the library's graph by draw, relative to each path's peak."""
    theta = np.loadtxt(str(REFERENCE / "theta.csv"), delimiter=",", skiprows=1, ndmin=2)
    table = np.loadtxt(str(REFERENCE / "irfs.csv"), delimiter=",", skiprows=1)
    theirs = table[:, 3:].reshape(len(theta), SPEC.n_shocks, 41, SPEC.n_observables)
    apart = np.abs(TwoAssets(EXAMPLE).irf(theta) - theirs)
    return (apart / np.abs(theirs).max(axis=2, keepdims=True)).max(axis=(1, 2, 3))


def grid_errors(row: np.ndarray, sizes: Sequence[Size], fine: Size) -> np.ndarray:
    """Differences (G, S, H+1, O) of one draw (P,) on G grids from its responses on finer ones,
    relative to each path's peak; NaN where it has no solution.
    """
    exact, *others = (
        TwoAssets(size).irf(row[None], horizon=QUARTERS[-1], on_failure="nan")[0]
        for size in (fine, *sizes)
    )
    return np.abs(np.stack(others) - exact) / np.abs(exact).max(axis=1, keepdims=True)


def grid_table(errors: np.ndarray, sizes: Sequence[Size], fine: Size) -> Table:
    """Errors (n, G, S, O) of n draws on G grids."""
    title = f"hank2 on its grids against {tuple(fine)}, {len(errors)} draws"
    shown = Table(title=title)
    for name in ("grids", "median draw", "largest", *SPEC.observable_names):
        shown.add_column(name, justify="right")
    for k, size in enumerate(sizes):
        worst = errors[:, k].max(axis=(1, 2))
        nine_of_ten = np.quantile(errors[:, k], 0.9, axis=(0, 1))
        numbers = [np.median(worst), worst.max(), *nine_of_ten]
        shown.add_row(", ".join(map(str, size)), *(f"{number:.2g}" for number in numbers))
    return shown


def by_quarter(errors: np.ndarray) -> Table:
    """Of errors (n, S, H+1, O) those within which nine of ten lie."""
    shown = Table(title=f"nine of ten responses on the grids {tuple(GRID)}")
    for name in ("quarter", *SPEC.observable_names):
        shown.add_column(name, justify="right")
    for quarter in QUARTERS:
        shares = np.quantile(errors[:, :, quarter], 0.9, axis=(0, 1))
        shown.add_row(str(quarter), *(f"{share:.2g}" for share in shares))
    return shown


def proposed(draws: int) -> np.ndarray:
    """Draws of the prior (n, P), of which some may have no solution."""
    return TwoAssets().propose(draws, np.random.default_rng(21))


def on_grids(draws: int, paper: bool, fine: Size) -> tuple[Table, Table]:
    """What the grids of the world err by, finer ones and, on demand, the paper's, at draws of the
    prior; and the world's by quarter.
    """
    sizes = (GRID, BETWEEN, PAPER)[: 2 + paper]
    errors = np.stack([grid_errors(row, sizes, fine) for row in track(proposed(draws), "solving")])
    errors = errors[np.isfinite(errors).all(axis=(1, 2, 3, 4))]
    return grid_table(errors.max(axis=3), sizes, fine), by_quarter(errors[:, 0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--paper", action="store_true", help="the paper's grids as well")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--grids", action="store_true", help="the error of the grids, and no more")
    parser.add_argument("--reference", default=FINE, help="points of the finer grids")
    options = parser.parse_args()
    if options.grids:
        fine = Size(*map(int, options.reference.split(",")))
        Console(width=160).print(*on_grids(options.draws, options.paper, fine), sep="\n")
        return 0
    library(EXAMPLE)  # compiles
    ours(EXAMPLE)
    table = Table(title="hank2, processor time, one thread")
    for name in ("grids", "sequence-jacobian, s", "ours, s", "ratio", "goal"):
        table.add_column(name, justify="right")
    met = True
    for name, size in (("example", EXAMPLE), ("paper", PAPER))[: 1 + options.paper]:
        times = [
            [seconds(partial(solve, size))[0] for solve in (library, ours)]
            for _ in range(options.rounds)
        ]
        theirs, own = np.median(times, axis=0)
        met &= theirs / own >= FASTER
        table.add_row(name, f"{theirs:.2f}", f"{own:.3f}", f"{theirs / own:.0f}", f"{FASTER}")
    console = Console()
    console.print(table)
    household, policy = own_grids(options.draws)
    console.print(
        f"own grids, median of {options.draws} draws: {household:.3f} s a household,"
        f" {1e3 * policy:.1f} ms a further policy"
    )
    apart = differences()
    met &= float(apart.max()) <= LARGEST
    console.print(
        f"largest difference from the library's graph, {len(apart)} draws: {apart.max():.1e} of a"
        f" path's peak (goal {LARGEST:.0e})"
    )
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
