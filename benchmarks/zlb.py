"""Solved draws per second of the world `zlb`: the batched solver against Dynare's OccBin, each on
one thread.

A draw is four paths over 41 quarters from parameters: without a shock and with each of the three.
OccBin runs in one Octave session with its decision rules computed once a draw, and is timed inside
it (CPU time), so that neither its start nor the preprocessor counts. The same draws are solved by
both and compared first; ours is then timed on more of them, each of which is also certified.

    python benchmarks/zlb.py [--draws 20000] [--occbin-draws 300] [--repeats 7] [--dynare
    /usr/lib/dynare/matlab]
"""

from __future__ import annotations

import os

# one thread, here and in Octave; read once, when NumPy is imported
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ[
    "MKL_NUM_THREADS"
] = "1"

import argparse
import time
from pathlib import Path

import numpy as np

from emulator.tests.reference.dynare import DYNARE
from emulator.tests.reference.zlb.make import ask
from emulator.worlds.zlb import ZeroLowerBound

HORIZON = 40


def seconds(world: ZeroLowerBound, theta: np.ndarray) -> float:
    start = time.process_time()
    world.solve(theta, HORIZON)
    return time.process_time() - start


def main(draws: int, occbin_draws: int, repeats: int, dynare: Path) -> None:
    world = ZeroLowerBound()
    theta = world.sample(draws, np.random.default_rng(0))
    few = theta[:occbin_draws]
    answer = ask(few, dynare)
    theirs, their_seconds = answer.paths, answer.seconds
    ours, spells, _ = world.solve(few, HORIZON)
    solved = np.isfinite(theirs[:, :, 0, 0])
    print(
        f"the bound binds in {(spells > 0).any(axis=1).mean():.0%} of the draws; OccBin fails on"
        f" {(~solved).sum()} of {solved.size} paths"
    )
    print(f"largest difference between the paths: {np.abs(ours - theirs)[solved].max():.1e}")
    batched = float(np.median([seconds(world, theta) for _ in range(repeats)])) / draws
    binds = (spells > 0).any(axis=1)
    rows = {
        "batched, certified": batched,
        "OccBin": their_seconds.mean(),
        "OccBin, draws at which the bound binds": their_seconds[binds].mean(),
    }
    for name, value in rows.items():
        print(f"{name:40s}{1e6 * value:12.1f} us a draw {1 / value:12,.0f} draws/s")
    print(f"ratio to OccBin: {rows['OccBin'] / batched:.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=20_000, help="draws in the batch")
    parser.add_argument(
        "--occbin-draws", type=int, default=300, help="draws that OccBin solves too"
    )
    parser.add_argument("--repeats", type=int, default=7, help="times the batch is solved")
    parser.add_argument("--dynare", type=Path, default=DYNARE, help="Dynare's matlab folder")
    main(**vars(parser.parse_args()))
