"""The polynomials of `start.py`, fitted again to solutions at draws from the prior's box.

python -m emulator.worlds.hank.fit --draws 3000
"""

from __future__ import annotations

import io
from importlib.resources import files
from pathlib import Path

import numpy as np

from emulator.console import say
from emulator.errors import NoSolutionError
from emulator.files import write_bytes
from emulator.progress import progress
from emulator.worlds.hank.household import GRID, Grid, Tastes
from emulator.worlds.hank.start import DEGREE, FILE, HELD_DEGREE, features, position
from emulator.worlds.hank.steady import calibrate, coarse_start, grids
from emulator.worlds.hank.structure import margins
from emulator.worlds.hank.world import N_TASTES, SPEC

RIDGE = 1e-6


def solution(theta: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """The start (2 + 4 + EC,) that leads straight to the solution at tastes theta (P,), and up to
    which assets the limit holds each skill, (E,).
    """
    tastes = Tastes(*theta)
    begin = coarse_start(tastes, grid)
    steady = calibrate(tastes, grid, begin)
    unknown = np.log([1 - steady.beta * (1 + tastes.r), steady.vphi])
    marginal = np.log(steady.marginal[:, grids(grid).index])
    start = np.concatenate([unknown, begin.slope.ravel(), marginal.ravel()])
    return start, margins(tastes, steady)


def fit(low: np.ndarray, high: np.ndarray, draws: int, grid: Grid = GRID, seed: int = 0) -> bytes:
    """The file of the fit, from solutions at draws that are uniform over the box."""
    rng = np.random.default_rng(seed)
    rows: list[np.ndarray] = []
    solutions: list[tuple[np.ndarray, np.ndarray]] = []
    with progress() as bar:
        task = bar.add_task("solving", total=draws, unit="draws")
        for row in rng.uniform(low, high, size=(draws, N_TASTES)):
            bar.advance(task)
            try:
                solutions.append(solution(row, grid))
            except NoSolutionError:
                continue  # the fit needs no draw in particular
            rows.append(row)
    where = position(np.array(rows), low, high)
    starts, held = (np.array(values) for values in zip(*solutions, strict=True))
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        low=low,
        high=high,
        assets=grids(grid).coarse,
        coefficients=regression(features(where, DEGREE), starts),
        held=regression(features(where, HELD_DEGREE), held),
    )
    return stream.getvalue()


def regression(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coefficients (M, K) of the features x (n, M) that tell y (n, K), in single precision."""
    normal = x.T @ x + RIDGE * len(x) * np.eye(x.shape[1])
    return np.linalg.solve(normal, x.T @ y).astype(np.float32)


def main(draws: int = 3000, seed: int = 0) -> None:
    """Fit again, to the ranges and the grid that the world has now."""
    content = fit(SPEC.low[:N_TASTES], SPEC.high[:N_TASTES], draws, GRID, seed)
    target = Path(str(files("emulator.worlds.hank"))) / FILE
    write_bytes(target, content)
    say(f"Wrote {target} ({len(content) / 1000:.0f} kB).")


if __name__ == "__main__":
    import typer

    typer.run(main)
