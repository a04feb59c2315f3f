"""`hank` by its solver beside the way of before: processor time a draw, and the differences.

The way of before iterates policies and distribution with sequence-jacobian's own steps, takes every
period of the Jacobians and every column of the equilibrium (`emulator/tests/worlds/hank_oracle`).
Both answer the same draws from the prior, in turn, in one process on one thread; figures are
medians over draws, ratios that of before over now. A difference is the largest along a path,
relative to that path's peak. Then: a further policy for households that are solved already, draws
that have no solution among many, and sequence-jacobian's own solution of its published example.

    python benchmarks/hank.py [--draws 30] [--many 3000]
"""

from __future__ import annotations

import os

# One thread; read once, when NumPy is imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ[
    "MKL_NUM_THREADS"
] = "1"

import argparse
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from emulator.spec import Status
from emulator.tests.worlds.hank_oracle import equilibrium, jacobian, steady
from emulator.worlds.hank import world as hank
from emulator.worlds.hank.equilibrium import determinacy
from emulator.worlds.hank.household import GRID
from emulator.worlds.hank.world import LONG, N_POLICY, N_TASTES, SHORT, SPEC, Policy, Tastes

FASTER_TO_40, FASTER_TO_200, FASTER_POLICY = 15, 10, 30
LARGEST, MEDIAN = 1e-5, 1e-7
"""Goals: times as fast, and differences relative to a path's peak."""
FURTHER = 20
"""Policies for the same households."""


def seconds(task: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time of a task, and what it returns."""
    started = time.process_time()
    answer = task()
    return time.process_time() - started, answer


def before(row: np.ndarray) -> np.ndarray:
    """Responses (S, 201, O) of one draw by the way of before, in the units of the world."""
    tastes, policy = Tastes(*row[:N_TASTES]), Policy(*row[N_TASTES : N_TASTES + N_POLICY])
    persistence, size = np.reshape(row[N_TASTES + N_POLICY :], (2, -1))
    households = steady.calibrate(tastes, GRID)
    derivatives = jacobian.jacobian(tastes, households, LONG.periods)
    if determinacy(derivatives, tastes, policy) != Status.OK:
        return np.full((4, LONG.horizon + 1, 3), np.nan)
    forces = hank.processes(persistence, LONG.periods)
    paths, _ = equilibrium.solve(derivatives, tastes, policy, forces)
    unit = (np.array([100.0, 400.0, 400.0])[:, None, None] * paths).transpose(2, 1, 0)
    return unit[:, : LONG.horizon + 1] * (size / 100)[:, None, None]


def forget() -> None:
    for remembered in (hank.solve_draw, hank.rest, hank.solve_household):
        remembered.cache_clear()


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    horizon = min(ours.shape[1], theirs.shape[1])
    peak = np.abs(theirs).max(axis=1, keepdims=True)
    return float((np.abs(ours[:, :horizon, :3] - theirs[:, :horizon]) / peak).max())


def solve_all(theta: np.ndarray) -> None:
    for row in theta.tolist():
        hank.solve_draw(tuple(row), SHORT)


def compare(theta: np.ndarray) -> tuple[Table, bool]:
    """The table of times and differences, and whether the goals are met."""
    rows = [tuple(row) for row in theta.tolist()]
    for row in rows[:2]:  # compiles
        before(np.array(row))
        hank.solve_draw(row, SHORT)
        hank.solve_draw(row, LONG)
    times: dict[str, list[float]] = {name: [] for name in ("before", "short", "long", "policy")}
    apart: dict[str, list[float]] = {"short": [], "long": []}
    rng = np.random.default_rng(1)
    for row in track(rows, "solving"):
        taken, theirs = seconds(partial(before, np.array(row)))
        times["before"].append(taken)
        for name, truncation in (("long", LONG), ("short", SHORT)):
            forget()
            taken, ours = seconds(partial(hank.solve_draw, row, truncation))
            times[name].append(taken)
            apart[name].append(difference(ours.irf, theirs))
        others = rng.uniform(SPEC.low, SPEC.high, size=(FURTHER, SPEC.n_parameters))
        others[:, :N_TASTES] = row[:N_TASTES]
        taken, _ = seconds(partial(solve_all, others))
        times["policy"].append(taken / FURTHER)
    return _table(times, apart)


def _table(times: dict[str, list[float]], apart: dict[str, list[float]]) -> tuple[Table, bool]:
    table = Table(title=f"hank, {len(times['before'])} draws, processor time, one thread")
    for name in ("", "ms a draw", "ratio", "goal", "largest difference", "median"):
        table.add_column(name, justify="left" if not name else "right")
    old = np.array(times["before"])
    table.add_row("before", f"{1e3 * np.median(old):.0f}", "", "", "", "")
    met = True
    for name, label, goal in (
        ("short", "to quarter 40", FASTER_TO_40),
        ("long", "to quarter 200", FASTER_TO_200),
        ("policy", "a further policy", FASTER_POLICY),
    ):
        ratio = float(np.median(old / np.array(times[name])))
        differences = apart.get(name, [])
        met &= ratio >= goal
        if differences:
            met &= max(differences) <= LARGEST and float(np.median(differences)) <= MEDIAN
        table.add_row(
            label,
            f"{1e3 * np.median(times[name]):.1f}",
            f"{ratio:.1f}",
            f"{goal}",
            f"{max(differences):.1e}" if differences else "",
            f"{np.median(differences):.1e}" if differences else "",
        )
    return table, met


def failures(many: int) -> Counter[str]:
    """The status of many draws from the prior's box."""
    draws = np.random.default_rng(2).uniform(SPEC.low, SPEC.high, size=(many, SPEC.n_parameters))
    forget()
    return Counter(
        hank.solve_draw(tuple(row), SHORT).status.label for row in track(draws.tolist(), "statuses")
    )


def published() -> float:
    """Processor seconds of sequence-jacobian's own solution of its example: steady state and
    responses.
    """
    from emulator.tests.reference.hank.make import published_example

    published_example()  # compiles
    return seconds(published_example)[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--draws", type=int, default=30)
    parser.add_argument("--many", type=int, default=3000)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    theta = rng.uniform(SPEC.low, SPEC.high, size=(options.draws, SPEC.n_parameters))
    table, met = compare(theta)
    console = Console()
    console.print(table)
    console.print(f"status of {options.many} draws: {dict(failures(options.many))}")
    console.print(f"sequence-jacobian, its published example: {published():.2f} s")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
