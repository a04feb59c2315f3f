"""Remake the reference files of this folder with Dynare under Octave (see README.md).

python emulator/tests/reference/nk/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emulator.tests.reference import dynare
from emulator.worlds.nk import SPEC

HERE = Path(__file__).resolve().parent
SEED = 20261123
N_IRF, N_VERDICT = 32, 136


def border(theta: np.ndarray) -> np.ndarray:
    """phi_pi at which kappa (phi_pi - 1) + (1 - beta) phi_y = 0, (n,): the border of
    determinacy.
    """
    beta, kappa, phi_y = (theta[:, SPEC.index(name)] for name in ("beta", "kappa", "phi_y"))
    return 1 - (1 - beta) * phi_y / kappa


def prior(n: int, rng: np.random.Generator) -> np.ndarray:
    """n draws (n, 12) whose border lies within the range of phi_pi."""
    theta = rng.uniform(SPEC.low, SPEC.high, size=(40 * n, SPEC.n_parameters))
    return theta[border(theta) > SPEC.low[SPEC.index("phi_pi")] + 0.05][:n]


def irf_draws(rng: np.random.Generator) -> np.ndarray:
    """Determinate draws (32, 12): 18 from the prior, 8 just above the border, 6 at the ends of
    persistence.
    """
    theta = prior(2 * N_IRF, rng)
    phi_pi = SPEC.index("phi_pi")
    theta = theta[theta[:, phi_pi] > border(theta)][:N_IRF]
    theta[18:26, phi_pi] = border(theta[18:26]) + 10.0 ** np.linspace(-4, -2, 8)
    ends = [SPEC.index(name) for name in ("rho_i", "rho_m", "rho_r", "rho_u")]
    theta[26:29, ends] = SPEC.high[ends]
    theta[29, ends] = SPEC.low[ends]
    theta[30, ends], theta[31, ends] = (0.95, 0.0, 0.95, 0.0), (0.0, 0.9, 0.0, 0.95)
    return theta


def verdict_draws(rng: np.random.Generator) -> np.ndarray:
    """64 draws from the prior, 64 within 1e-4 to 1e-2 of the border on either side, 8 with an
    explosive shock.
    """
    theta = prior(N_VERDICT, rng)
    distance = 10.0 ** rng.uniform(-4, -2, 64) * np.where(np.arange(64) % 2, 1, -1)
    theta[64:128, SPEC.index("phi_pi")] = border(theta[64:128]) + distance
    shocks = [SPEC.index(name) for name in ("rho_m", "rho_r", "rho_u")]
    for row in range(128, N_VERDICT):  # outside the prior, which knows no explosive draw
        theta[row, SPEC.index("phi_pi")] = 1.5
        theta[row, shocks[row % 3]] = rng.uniform(1.005, 1.1)
    return theta


def main(output: Path, matlab: Path) -> None:
    rng = np.random.default_rng(SEED)
    theta = np.concatenate([irf_draws(rng), verdict_draws(rng)])
    names = SPEC.parameter_names
    answer = dynare.ask(
        HERE / "nk.mod", names, theta, ("x", "pi", "i"), ("e_m", "e_r", "e_u"), matlab
    )
    dynare.require_solved(answer.info[:N_IRF])
    dynare.write_theta(output / "theta.csv", names, theta[:N_IRF])
    dynare.write_irfs(output / "irfs.csv", answer.irf[:N_IRF] * np.array([1.0, 4.0, 4.0]))
    dynare.write_verdicts(output / "verdicts.csv", names, theta[N_IRF:], answer.verdicts[N_IRF:])


if __name__ == "__main__":
    dynare.command_line(main, HERE, __doc__)
