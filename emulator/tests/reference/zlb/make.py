"""Remake the reference files of this folder with Dynare's OccBin under Octave (see README.md).

python emulator/tests/reference/zlb/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emulator.tests.reference import dynare
from emulator.worlds.zlb import SPEC, ZeroLowerBound

HERE = Path(__file__).resolve().parent
SEED = 20261125
HORIZON, QUARTERS = 24, 24
POOL = 20_000
KINDS = {
    "never": 4,
    "without any shock only": 5,
    "without a shock and with some": 5,
    "with each shock, from impact": 6,
    "later, not at impact": 5,
    "ten quarters and more": 5,
    "after a shock only": 2,
}
"""How many draws of each kind; by which the pool is sorted with our own solution.

The answers are OccBin's alone.
"""


def kinds(theta: np.ndarray) -> dict[str, np.ndarray]:
    """Which draws (n,) are of which kind; the bound binds where the rate is at its lowest possible
    value.
    """
    paths, spells, _ = ZeroLowerBound().solve(theta, HORIZON)
    floor = 400 * np.log(theta[:, SPEC.index("beta")]) - theta[:, SPEC.index("pi_star")]
    at_impact = paths[:, :, 0, 2] < floor[:, None] + 1e-9
    binds = spells > 0
    without, after = binds[:, 0], binds[:, 1:]
    return {
        "never": ~binds.any(axis=1),
        "without any shock only": without & ~after.any(axis=1),
        "without a shock and with some": without & after.any(axis=1) & ~after.all(axis=1),
        "with each shock, from impact": binds.all(axis=1) & at_impact.all(axis=1),
        "later, not at impact": without & ~at_impact[:, 0],
        "ten quarters and more": spells[:, 0] >= 10,
        "after a shock only": ~without & after.any(axis=1),
    }


def draws(rng: np.random.Generator) -> np.ndarray:
    """Draws (32, 14) from the prior, seven decimals, of every kind."""
    theta = rng.uniform(SPEC.low, SPEC.high, size=(POOL, SPEC.n_parameters)).round(7)
    taken: list[int] = []
    for kind, rows_of_kind in kinds(theta).items():
        taken += [row for row in np.flatnonzero(rows_of_kind) if row not in taken][: KINDS[kind]]
    return theta[taken]


@dataclass(frozen=True)
class Answer:
    """OccBin's answer at n draws, in the world's units; NaN where OccBin ends without a solution.

    paths (n, 4, 41, 3) without a shock and with each; seconds (n,): its CPU time for these;
    simulations (n, T, 3).
    """

    paths: np.ndarray
    seconds: np.ndarray
    simulations: np.ndarray


def ask(theta: np.ndarray, matlab: Path, surprises: np.ndarray | None = None) -> Answer:
    """OccBin's answer at theta (n, 14), with simulations under surprises (n, T, 3) in standard
    deviations if there are any.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("zlb.mod", "solve_all.m"):
            shutil.copy(HERE / name, work)
        dynare.write_theta(work / "draws.csv", SPEC.parameter_names, theta)
        simulations = np.empty((len(theta), 0, 3))
        if surprises is not None:
            np.savetxt(work / "surprises.csv", surprises.reshape(-1, 3), fmt="%.17g", delimiter=",")
        dynare.run_octave(work, matlab)
        table = np.loadtxt(work / "paths.csv", delimiter=",")
        seconds = np.loadtxt(work / "seconds.csv", ndmin=1)
        if surprises is not None:
            simulations = np.loadtxt(work / "simulations.csv", delimiter=",").reshape(
                surprises.shape
            )
    paths = np.full((len(theta), 4, 41, 3), np.nan)
    draw, path, quarter = table[:, :3].astype(int).T
    paths[draw, path, quarter] = table[:, 3:]
    return Answer(paths, seconds, simulations)


def write(path: Path, names: str, values: np.ndarray) -> None:
    """One line a place in values (.., 3), its indices first, twelve digits."""
    with open(path, "w") as file:
        file.write(f"{names},output,inflation,rate\n")
        for place in np.ndindex(values.shape[:-1]):
            file.write(
                ",".join([*map(str, place), *(f"{value:.12g}" for value in values[place])]) + "\n"
            )


def main(output: Path, matlab: Path) -> None:
    rng = np.random.default_rng(SEED)
    theta = draws(rng)
    if len(theta) != sum(KINDS.values()):
        raise SystemExit(
            f"The pool has {len(theta)} of the {sum(KINDS.values())} draws wanted; enlarge POOL."
        )
    surprises = rng.normal(size=(len(theta), QUARTERS, 3)).round(4)
    answer = ask(theta, matlab, surprises)
    for what, numbers in (("paths", answer.paths), ("simulations", answer.simulations)):
        if np.isnan(numbers).any():
            raise SystemExit(
                f"OccBin finds no solution for the {what} at draws"
                f" {np.unique(np.argwhere(np.isnan(numbers))[:, 0])}."
            )
    dynare.write_theta(output / "theta.csv", SPEC.parameter_names, theta, digits=10)
    write(output / "paths.csv", "draw,path,quarter", answer.paths[:, :, : HORIZON + 1])
    with open(output / "surprises.csv", "w") as file:
        file.write(",".join(SPEC.shock_names) + "\n")
        np.savetxt(file, surprises.reshape(-1, 3), fmt="%.4f", delimiter=",")
    write(output / "simulations.csv", "draw,quarter", answer.simulations)


if __name__ == "__main__":
    dynare.command_line(main, HERE, __doc__)
