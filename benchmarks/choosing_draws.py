"""Chosen draws against draws at random, as `emulator generate --until` takes them.

    python benchmarks/choosing_draws.py --worlds zlb,switching

For each world and seed: an emulator of `--start` draws at random, then as many again, chosen by it
or at random; both are fitted anew and scored on the same fresh draws of the prior (NRMSE of the
better of two kinds). A draw that turns out to have no solution has cost its solution too and counts
as one.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from emulator.choice.committee import chosen, fitted
from emulator.choice.pool import Pool, drawn, solved
from emulator.choice.scoring import answers_of
from emulator.worlds import World, get_world

HORIZON, TEST = 40, 300


def error(world: World, pool: Pool, test: Pool) -> float:
    networks, splits = fitted(world, pool, test)
    return min(
        splits.error(answers_of(network, splits, "test"), "test") for network in networks.values()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", default="zlb,switching")
    parser.add_argument("--start", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| world | draws | seed | at first | at random | chosen | without a solution |")
    print("|---|---|---|---|---|---|---|")
    for name in options.worlds.split(","):
        world, ratios = get_world(name), []
        test, _ = drawn(world, TEST, HORIZON, np.random.default_rng(10**6))
        for seed in range(options.seeds):
            rng = np.random.default_rng([seed, 1])
            first, _ = drawn(world, options.start, HORIZON, rng)
            more, _ = drawn(world, options.start, HORIZON, rng)
            networks, splits = fitted(world, first, test)
            theta = chosen(world, networks, splits, first, options.start, rng)
            picked = solved(world, theta, HORIZON)
            errors = [
                error(world, pool, test) for pool in (first, first.add(more), first.add(picked))
            ]
            ratios.append(errors[2] / errors[1])
            print(
                f"| `{name}` | {options.start} + {options.start} | {seed} |"
                f" {' | '.join(f'{e:.3f}' for e in errors)} | {len(picked.failed_theta)} |",
                flush=True,
            )
        print(f"`{name}`: chosen over random, median of seeds {np.median(ratios):.2f}", flush=True)


if __name__ == "__main__":
    main()
