"""The start of `hank`'s solver, fitted again to solutions at draws from the prior's box.

python -m emulator.worlds.hank.fit --draws 2000
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
from emulator.worlds.hank.household import Tastes
from emulator.worlds.hank.start import FILE, features
from emulator.worlds.hank.steady import calibrate, coarse_start, grids
from emulator.worlds.hank.world import N_TASTES, POINTS, SPEC

RIDGE = 1e-6


def as_start(theta: np.ndarray, points: int) -> np.ndarray:
    """The start (2 + 4 + EC,) that leads straight to the solution at tastes theta (P,)."""
    tastes = Tastes(*theta)
    begin = coarse_start(tastes, points)
    steady = calibrate(tastes, points, begin)
    unknown = np.log([1 - steady.beta * (1 + tastes.r), steady.vphi])
    marginal = np.log(steady.marginal[:, grids(points).index])
    return np.concatenate([unknown, begin.slope.ravel(), marginal.ravel()])


def fit(low: np.ndarray, high: np.ndarray, draws: int, points: int, seed: int = 0) -> bytes:
    """The file of the fit, from solutions at draws that are uniform over the box."""
    rng = np.random.default_rng(seed)
    rows: list[np.ndarray] = []
    values: list[np.ndarray] = []
    with progress() as bar:
        task = bar.add_task("solving", total=draws, unit="draws")
        for row in rng.uniform(low, high, size=(draws, N_TASTES)):
            bar.advance(task)
            try:
                values.append(as_start(row, points))
            except NoSolutionError:
                continue  # the fit needs no draw in particular
            rows.append(row)
    x = features(2 * (np.array(rows) - low) / (high - low) - 1)
    normal = x.T @ x + RIDGE * len(x) * np.eye(x.shape[1])
    coefficients = np.linalg.solve(normal, x.T @ np.array(values)).astype(np.float32)
    stream = io.BytesIO()
    np.savez_compressed(stream, low=low, high=high, coefficients=coefficients)
    return stream.getvalue()


def main(draws: int = 2000, seed: int = 0) -> None:
    """Fit the start again, to the ranges and the grid that the world has now."""
    content = fit(SPEC.low[:N_TASTES], SPEC.high[:N_TASTES], draws, POINTS, seed)
    target = Path(str(files("emulator.worlds.hank"))) / FILE
    write_bytes(target, content)
    say(f"Wrote {target} ({len(content) / 1000:.0f} kB).")


if __name__ == "__main__":
    import typer

    typer.run(main)
