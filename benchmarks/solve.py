"""Solved draws per second of the world `nk`: the batched solver against a loop over `scipy.linalg.ordqz`, one thread.

Both start from the same prior draws. The loop gets its compact pencils ready-made and gives the decision rule of the
lagged and led variables; the batched solver starts from the parameters and certifies every draw. The methods run in
turn in one process; a figure is the median over the repeats, in CPU time.

    python benchmarks/solve.py [--draws 20000] [--loop-draws 2000] [--repeats 7]
"""

from __future__ import annotations

import os

# one thread; read once, when NumPy is imported
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy import linalg

from emulator.solvers.qz import pencil
from emulator.worlds.nk import NewKeynesian, equations

Pencils = list[tuple[np.ndarray, np.ndarray]]


def ordqz_alone(pencils: Pencils) -> None:
    """The ordered Schur form and nothing else: the least that a loop can cost."""
    for g0, g1 in pencils:
        linalg.ordqz(g1, g0, sort="iuc", output="real")


def ordqz_rule(pencils: Pencils, n_lagged: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Decision rules (led by lagged, lagged by lagged) of the determinate draws."""
    rules = []
    for g0, g1 in pencils:
        aa, bb, alpha, beta, _, z = linalg.ordqz(g1, g0, sort="iuc", output="real")
        if np.sum(np.abs(alpha) < np.abs(beta)) != n_lagged:
            continue
        z11, s = z[:n_lagged, :n_lagged], slice(0, n_lagged)
        dynamics = z11 @ np.linalg.solve(bb[s, s], aa[s, s])
        stacked = np.concatenate([z[n_lagged:, :n_lagged], dynamics])
        rule = np.linalg.solve(z11.T, stacked.T).T
        rules.append((rule[:-n_lagged], rule[-n_lagged:]))
    return rules


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def check(world: NewKeynesian, theta: np.ndarray, pencils: Pencils, lagged: np.ndarray, forward: np.ndarray) -> float:
    """Largest difference between the two decision rules, before anything is timed."""
    solution = world.solve(theta)
    transition = solution.transition[solution.status == 0]
    rules = ordqz_rule(pencils, len(lagged))
    led, own = (np.stack([rule[k] for rule in rules]) for k in range(2))
    found = (transition[:, forward][:, :, lagged], transition[:, lagged][:, :, lagged])
    return max(float(np.abs(mine - theirs).max()) for mine, theirs in zip(found, (led, own), strict=True))


def main(draws: int, loop_draws: int, repeats: int) -> None:
    world = NewKeynesian()
    theta = world.propose(draws, np.random.default_rng(0))
    few = theta[:loop_draws]
    found = [pencil(*matrices) for matrices in zip(*equations(few)[:3], strict=True)]
    pencils, lagged, forward = [(g0, g1) for g0, g1, _, _ in found], found[0][2], found[0][3]
    print(f"largest difference between the decision rules: {check(world, few, pencils, lagged, forward):.1e}")
    methods: dict[str, tuple[Callable[[], object], int]] = {
        "batched, parameters to certified solution": (lambda: world.solve(theta), draws),
        "batched, parameters to responses over 41 quarters": (lambda: world.irf(theta, on_failure="nan"), draws),
        "loop, ordqz alone": (lambda: ordqz_alone(pencils), loop_draws),
        "loop, ordqz and decision rule": (lambda: ordqz_rule(pencils, len(lagged)), loop_draws),
    }
    timings: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(repeats):
        for name, (run, n) in methods.items():
            timings[name].append(seconds(run) / n)
    cost = {name: float(np.median(values)) for name, values in timings.items()}
    for name, value in cost.items():
        print(f"{name:52s}{1e6 * value:8.2f} us a draw {1 / value:12,.0f} draws/s")
    ours, alone, rule = (cost[name] for name in list(cost)[:1] + list(cost)[2:])
    print(f"solved draws per second, ratio: {alone / ours:.1f} to ordqz alone, {rule / ours:.1f} with its decision rule")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20_000, help="draws a batch")
    parser.add_argument("--loop-draws", type=int, default=2_000, help="draws a loop")
    parser.add_argument("--repeats", type=int, default=7)
    main(**vars(parser.parse_args()))
