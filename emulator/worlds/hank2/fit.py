"""The start of `hank2`'s solver, fitted again to solutions at draws from the prior's box.

python -m emulator.worlds.hank2.fit --draws 100
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
from emulator.worlds.hank.start import features, position
from emulator.worlds.hank2.household import GRID, Tastes
from emulator.worlds.hank2.spec import SPEC
from emulator.worlds.hank2.start import DEGREE, FILE
from emulator.worlds.hank2.steady import ROUGH, Households, coarse_solution

RIDGE = 1e-6
N_TASTES = len(Tastes._fields)


def fit(low: np.ndarray, high: np.ndarray, draws: int, seed: int = 0) -> bytes:
    """The file of the fit, from solutions at draws uniform over the box."""
    rows: list[np.ndarray] = []
    values: list[np.ndarray] = []
    with progress() as bar:
        task = bar.add_task("solving", total=draws, unit="draws")
        for row in np.random.default_rng(seed).uniform(low, high, size=(draws, len(low))):
            bar.advance(task)
            try:
                tastes = Tastes(*row)
                unknown, slope = coarse_solution(tastes)
                households = Households(tastes, GRID)
                households.begin(unknown)
                unknown, slope = households.search(unknown, slope, ROUGH)
            except (NoSolutionError, np.linalg.LinAlgError):
                continue  # the fit needs no draw in particular
            values.append(np.concatenate([unknown, slope.ravel()]))
            rows.append(row)
    x = features(position(np.array(rows), low, high), DEGREE)
    normal = x.T @ x + RIDGE * len(x) * np.eye(x.shape[1])
    coefficients = np.linalg.solve(normal, x.T @ np.array(values))
    stream = io.BytesIO()
    np.savez_compressed(stream, low=low, high=high, coefficients=coefficients)
    return stream.getvalue()


def main(draws: int = 100, seed: int = 0) -> None:
    """Fit the start again, to the ranges that the world has now."""
    content = fit(SPEC.low[:N_TASTES], SPEC.high[:N_TASTES], draws, seed)
    target = Path(str(files("emulator.worlds.hank2"))) / FILE
    write_bytes(target, content)
    say(f"Wrote {target} ({len(content) / 1000:.0f} kB).")


if __name__ == "__main__":
    import typer

    typer.run(main)
