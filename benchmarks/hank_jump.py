"""Where the responses of `hank` jump: along public debt, on impact, at a draw near a border.

Debt goes through half its range; all else stays. Beside the responses the figure shows the assets
up to which the limit to borrowing holds each skill: responses jump where one of them is zero.

    python benchmarks/hank_jump.py [--output docs/figures/hank_jump.png] [--steps 120]
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from emulator.worlds import get_world
from emulator.worlds.hank.spec import SPEC

LOW, HIGH = 2.0, 5.0
NEAR = {"sd_e": 0.55, "rho_e": 0.95, "r": 0.005}
"""Parameters that bring the draw near a border."""


def path(steps: int) -> np.ndarray:
    """Draws (n, P) along public debt."""
    draw = np.random.default_rng(1).uniform(SPEC.low, SPEC.high, size=(1, SPEC.n_parameters))
    draw[0, [SPEC.index(name) for name in NEAR]] = list(NEAR.values())
    theta = np.repeat(draw, steps, axis=0)
    theta[:, SPEC.index("debt")] = np.linspace(LOW, HIGH, steps)
    return theta


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--output", type=Path, default=Path("docs/figures/hank_jump.png"))
    parser.add_argument("--steps", type=int, default=120)
    options = parser.parse_args()
    world, theta = get_world("hank"), path(options.steps)
    impact = world.irf(theta, horizon=0)[:, :, 0, 0]
    regime, margin = world.regime(theta), world.regime_margin(theta)
    debt = theta[:, SPEC.index("debt")]
    figure, axes = plt.subplots(1, SPEC.n_shocks + 1, figsize=(14, 2.9), layout="constrained")
    for axis, shock, values in zip(axes, SPEC.shocks, impact.T, strict=False):
        draw(axis, debt, values, regime)
        axis.set_title(f"output after {shock.name.replace('_', ' ')}", fontsize=10)
        axis.set_ylabel("percent, on impact", fontsize=9)
    axes[-1].plot(debt, margin, color="tab:blue")
    axes[-1].set_title("distance from a border", fontsize=10)
    axes[-1].set_ylabel("assets, quarterly output", fontsize=9)
    for axis in axes:
        axis.set_xlabel("public debt, quarterly output", fontsize=9)
        axis.tick_params(labelsize=8)
    axes[0].legend(fontsize=8, frameon=False)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.output, dpi=110, metadata={"Software": None})
    for k in np.flatnonzero(np.diff(regime)):
        print(f"{regime[k]} to {regime[k + 1]} skills held between debt {debt[k : k + 2]}:")
        for name, before, after in zip(SPEC.shock_names, impact[k], impact[k + 1], strict=True):
            print(f"  {name}: {before:.4f}, then {after:.4f}")
    print(f"Figure: {options.output}")


def draw(axis: plt.Axes, debt: np.ndarray, values: np.ndarray, regime: np.ndarray) -> None:
    """A line for each stretch of debt within one regime."""
    ends = [0, *(np.flatnonzero(np.diff(regime)) + 1), len(debt)]
    for first, last in pairwise(ends):
        axis.plot(
            debt[first:last],
            values[first:last],
            color=f"C{regime[first]}",
            label=f"{regime[first]} skills held",
        )


if __name__ == "__main__":
    main()
