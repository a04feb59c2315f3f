"""Remake the reference files of this folder with Dynare under Octave (see README.md).

    python emulator/tests/reference/nk/make.py [--output FOLDER] [--dynare /usr/lib/dynare/matlab]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from emulator.worlds.nk import SPEC

HERE = Path(__file__).resolve().parent
DYNARE = Path("/usr/lib/dynare/matlab")
SEED = 20261123
N_IRF, N_VERDICT = 32, 136
VERDICT_OF_INFO = {0: "determinate", 3: "no_stable_solution", 4: "indeterminate", 5: "indeterminate"}


def border(theta: np.ndarray) -> np.ndarray:
    """phi_pi at which kappa (phi_pi - 1) + (1 - beta) phi_y = 0, (n,): the border of determinacy."""
    beta, kappa, phi_y = (theta[:, SPEC.index(name)] for name in ("beta", "kappa", "phi_y"))
    return 1 - (1 - beta) * phi_y / kappa


def prior(n: int, rng: np.random.Generator) -> np.ndarray:
    """n draws (n, 12) whose border lies within the range of phi_pi."""
    theta = rng.uniform(SPEC.low, SPEC.high, size=(40 * n, SPEC.n_parameters))
    return theta[border(theta) > SPEC.low[SPEC.index("phi_pi")] + 0.05][:n]


def irf_draws(rng: np.random.Generator) -> np.ndarray:
    """Determinate draws (32, 12): 18 from the prior, 8 just above the border, 6 at the ends of persistence."""
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
    """64 draws from the prior, 64 within 1e-4 to 1e-2 of the border on either side, 8 with an explosive shock."""
    theta = prior(N_VERDICT, rng)
    distance = 10.0 ** rng.uniform(-4, -2, 64) * np.where(np.arange(64) % 2, 1, -1)
    theta[64:128, SPEC.index("phi_pi")] = border(theta[64:128]) + distance
    shocks = [SPEC.index(name) for name in ("rho_m", "rho_r", "rho_u")]
    for row in range(128, N_VERDICT):  # outside the prior, which knows no explosive draw
        theta[row, SPEC.index("phi_pi")] = 1.5
        theta[row, shocks[row % 3]] = rng.uniform(1.005, 1.1)
    return theta


def ask_dynare(theta: np.ndarray, matlab: Path) -> tuple[np.ndarray, list[str]]:
    """Dynare's info code of each draw (n,) and its lines `draw,shock,horizon,output,inflation,rate`."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("nk.mod", "solve_all.m"):
            shutil.copy(HERE / name, work)
        write_theta(work / "draws.csv", theta)
        command = ["octave", "--no-gui", "--norc", "--quiet", "--eval", f"addpath('{matlab}'); solve_all"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"Octave failed with code {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        info = np.loadtxt(work / "verdict.csv", dtype=int)
        return info, (work / "irfs.csv").read_text().splitlines()


def write_theta(path: Path, theta: np.ndarray) -> None:
    np.savetxt(path, theta, fmt="%.17g", delimiter=",", header=",".join(SPEC.parameter_names), comments="")


def main(output: Path, dynare: Path) -> None:
    rng = np.random.default_rng(SEED)
    draws, judged = irf_draws(rng), verdict_draws(rng)
    info, lines = ask_dynare(np.concatenate([draws, judged]), dynare)
    if (info[:N_IRF] != 0).any():
        raise SystemExit(f"Dynare finds no unique solution at draws {np.flatnonzero(info[:N_IRF])} of the responses.")
    output.mkdir(parents=True, exist_ok=True)
    write_theta(output / "theta.csv", draws)
    header = "draw,shock,horizon,output,inflation,rate"
    kept = [line for line in lines if int(line.split(",", 1)[0]) < N_IRF]
    (output / "irfs.csv").write_text("\n".join([header, *kept]) + "\n")
    with open(output / "verdicts.csv", "w") as file:
        file.write(",".join(SPEC.parameter_names) + ",verdict\n")
        for row, code in zip(judged, info[N_IRF:], strict=True):
            file.write(",".join(f"{value:.17g}" for value in row) + f",{VERDICT_OF_INFO[int(code)]}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    parser.add_argument("--dynare", type=Path, default=DYNARE, help="Dynare's matlab folder")
    main(**vars(parser.parse_args()))
