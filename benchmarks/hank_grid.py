"""What `hank`'s asset grid errs by: responses to quarter 40 on several grids against 4,000 points.

A difference is the largest along a path, relative to that path's peak. The table has the median and
the largest over draws of the worst path of the five observables that are sums over all households,
the share within which nine of ten paths lie by observable, and by how much the grid moves the
margin of the regime. A second table has the share within which nine of ten responses lie, by
quarter, on the grids whose error a band holds (`World.solution_error`).

    python benchmarks/hank_grid.py [--draws 30]
"""

from __future__ import annotations

import os

# One thread; read once, when NumPy is imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from emulator.worlds.hank.accuracy import QUARTERS
from emulator.worlds.hank.household import GRID, PUBLISHED
from emulator.worlds.hank.world import SPEC, HeterogeneousAgents

REFERENCE = GRID._replace(points=4000)
GRIDS = (PUBLISHED, GRID, GRID._replace(points=1000), GRID._replace(points=2000))
LAST = QUARTERS[-1]
OF_ALL = 5
"""The first observables are sums over all households; the others are of groups."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--draws", type=int, default=30)
    draws = parser.parse_args().draws
    theta = np.random.default_rng(21).uniform(SPEC.low, SPEC.high, size=(draws, SPEC.n_parameters))
    worlds = [HeterogeneousAgents(grid) for grid in GRIDS]
    reference = HeterogeneousAgents(REFERENCE)
    apart = np.empty((len(worlds), draws, SPEC.n_shocks, LAST + 1, SPEC.n_observables))
    moved = np.empty((len(worlds), draws))
    for k, row in enumerate(track(theta[:, None], "solving")):
        exact, margin = reference.irf(row, horizon=LAST)[0], reference.regime_margin(row)[0]
        peak = np.abs(exact).max(axis=1, keepdims=True)
        for world, differences, margins in zip(worlds, apart, moved, strict=True):
            differences[k] = np.abs(world.irf(row, horizon=LAST)[0] - exact) / peak
            margins[k] = np.abs(world.regime_margin(row)[0] - margin)
    console = Console(width=160)
    console.print(table(apart.max(axis=3), moved))
    console.print(by_quarter(apart))


def table(apart: np.ndarray, moved: np.ndarray) -> Table:
    """Differences (grid, draw, shock, observable) of paths, and of margins (grid, draw)."""
    shown = Table(title=f"hank on its grid and others, {apart.shape[1]} draws")
    for name in ("points, pivot", "median draw", "largest", *SPEC.observable_names, "margin"):
        shown.add_column(name, justify="left" if name.startswith("points") else "right")
    for grid, differences, margins in zip(GRIDS, apart, moved, strict=True):
        worst = differences[..., :OF_ALL].max(axis=(1, 2))
        nine_of_ten = np.quantile(differences, 0.9, axis=(0, 1))
        numbers = [np.median(worst), worst.max(), *nine_of_ten, margins.max()]
        shown.add_row(f"{grid.points}, {grid.pivot:g}", *(f"{number:.1e}" for number in numbers))
    return shown


def by_quarter(apart: np.ndarray) -> Table:
    """Of differences (grid, draw, shock, quarter, observable) those that hold nine of ten."""
    shown = Table(title="nine of ten responses")
    for name in ("points, pivot", "quarter", *SPEC.observable_names):
        shown.add_column(name, justify="left" if name.startswith("points") else "right")
    for grid, differences in zip(GRIDS, apart, strict=True):
        if grid not in (GRID, PUBLISHED):
            continue
        for quarter in QUARTERS:
            shares = np.quantile(differences[:, :, quarter], 0.9, axis=(0, 1))
            named = f"{grid.points}, {grid.pivot:g}" if quarter == 0 else ""
            shown.add_row(named, str(quarter), *(f"{share:.1e}" for share in shares))
    return shown


if __name__ == "__main__":
    main()
