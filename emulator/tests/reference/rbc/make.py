"""Remake the reference files of this folder with Dynare under Octave (see README.md).

python emulator/tests/reference/rbc/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emulator.tests.reference import dynare

HERE = Path(__file__).resolve().parent
WORLDS = Path(__file__).resolve().parents[3] / "worlds"
SEED = 20261124
N_IRF, N_VERDICT = 28, 120
BOX = dynare.box(WORLDS / "rbc.world.yaml")
NAMES = tuple(BOX)
SHOCKS = ("e_a", "e_g", "e_m")
OBSERVED = {
    "output": ("y", 100.0),
    "inflation": ("Pi", 400.0),
    "rate": ("R", 400.0),
    "consumption": ("c", 100.0),
    "investment": ("inv", 100.0),
    "hours": ("n", 100.0),
}
"""For each observable the file's variable and its units for one of its logarithm."""


def prior(n: int, rng: np.random.Generator) -> np.ndarray:
    """n draws (n, 14), six decimals."""
    low, high = np.array(list(BOX.values())).T
    return rng.uniform(low, high, size=(n, len(NAMES))).round(6)


def column(name: str) -> int:
    return NAMES.index(name)


def irf_draws(rng: np.random.Generator) -> np.ndarray:
    """Determinate draws (28, 14): 20 from the prior, 4 just above the border phi_pi = 1, 4 at the
    ends of persistence.
    """
    theta = prior(4 * N_IRF, rng)
    theta = theta[theta[:, column("phi_pi")] > 1.01][:N_IRF]
    theta[20:24, column("phi_pi")] = 1 + 10.0 ** -np.arange(4, 0, -1)
    for name in ("rho_i", "rho_a", "rho_g", "rho_m"):
        low, high = BOX[name]
        theta[24:, column(name)] = (high, high, low, low)
    theta[25:27, column("sigma")] = BOX["sigma"]
    return theta


def verdict_draws(rng: np.random.Generator) -> np.ndarray:
    """56 draws from the prior, 56 within 1e-4 to 1e-1 of the border phi_pi = 1 on either side, 8
    with an explosive shock.
    """
    theta = prior(N_VERDICT, rng)
    theta[56:112, column("phi_pi")] = (
        1 + 10.0 ** rng.uniform(-4, -1, 56) * np.where(np.arange(56) % 2, 1, -1)
    ).round(6)
    for row in range(112, N_VERDICT):  # outside the prior, which knows no explosive draw
        theta[row, column("phi_pi")] = 1.5
        theta[row, column(("rho_a", "rho_g", "rho_m")[row % 3])] = rng.uniform(1.005, 1.1)
    return theta.round(6)


def main(output: Path, matlab: Path) -> None:
    rng = np.random.default_rng(SEED)
    theta = np.concatenate([irf_draws(rng), verdict_draws(rng)])
    variables, units = zip(*OBSERVED.values(), strict=True)
    answer = dynare.ask(WORLDS / "rbc.mod", NAMES, theta, variables, SHOCKS, matlab)
    dynare.require_solved(answer.info[:N_IRF])
    # Dynare answers in levels.
    irf = np.array(units) * answer.irf / answer.steady[:, None, None, :]
    dynare.write_theta(output / "theta.csv", NAMES, theta[:N_IRF], digits=13)
    dynare.write_irfs(output / "irfs.csv", irf[:N_IRF], digits=13, observables=list(OBSERVED))
    dynare.write_verdicts(
        output / "verdicts.csv", NAMES, theta[N_IRF:], answer.verdicts[N_IRF:], digits=13
    )


if __name__ == "__main__":
    dynare.command_line(main, HERE, __doc__)
