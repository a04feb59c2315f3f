"""Remake theta.csv, irfs.csv and verdicts.csv of this folder with Dynare under Octave (see
README.md).

python emulator/tests/reference/sw07/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emulator.tests.reference import dynare

HERE = Path(__file__).resolve().parent
WORLDS = Path(__file__).resolve().parents[3] / "worlds"
SEED = 20261125
N_IRF, N_VERDICT, PERIODS = 25, 120, 21
BOX = dynare.box(WORLDS / "sw07.world.yaml")
NAMES = tuple(BOX)
SHOCKS = [f"eta_{letter}" for letter in "abgirpw"]
OBSERVED = {
    "output": ("y", 1.0),
    "inflation": ("pi", 4.0),
    "rate": ("r", 4.0),
    "consumption": ("c", 1.0),
    "investment": ("inv", 1.0),
    "hours": ("l", 1.0),
    "wage": ("w", 1.0),
}
"""For each observable the file's variable and its units for one of the file's."""


def prior(n: int, rng: np.random.Generator) -> np.ndarray:
    """n draws (n, 34) from the box of two standard deviations around the means, six decimals."""
    low, high = np.array(list(BOX.values())).T
    return rng.uniform(low, high, size=(n, len(NAMES))).round(6)


def verdict_draws(rng: np.random.Generator) -> np.ndarray:
    """120 draws; in all but the first 30 consumption and hours are strong complements (sigma_c from
    0.25 to 0.7), where indeterminacy is common, and the rule reacts to inflation little more than
    one for one.
    """
    theta = prior(N_VERDICT, rng)
    theta[30:, NAMES.index("sigma_c")] = rng.uniform(0.25, 0.7, N_VERDICT - 30).round(6)
    theta[30:, NAMES.index("r_pi")] = rng.uniform(1.0, 1.3, N_VERDICT - 30).round(6)
    return theta


def main(output: Path, matlab: Path) -> None:
    rng = np.random.default_rng(SEED)
    theta = np.concatenate([prior(N_IRF, rng), verdict_draws(rng)])
    variables, units = zip(*OBSERVED.values(), strict=True)
    answer = dynare.ask(WORLDS / "sw07.mod", NAMES, theta, variables, SHOCKS, matlab)
    dynare.require_solved(answer.info[:N_IRF])
    dynare.write_theta(output / "theta.csv", NAMES, theta[:N_IRF], digits=13)
    irf = answer.irf[:N_IRF, :, :PERIODS] * np.array(units)
    dynare.write_irfs(output / "irfs.csv", irf, digits=13, observables=list(OBSERVED))
    dynare.write_verdicts(
        output / "verdicts.csv", NAMES, theta[N_IRF:], answer.verdicts[N_IRF:], digits=13
    )


if __name__ == "__main__":
    dynare.command_line(main, HERE, __doc__)
