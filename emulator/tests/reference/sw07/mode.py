"""Remake mode_theta.csv and mode_irfs.csv from the replication file of Smets and Wouters (2007)
(see README.md).

    python emulator/tests/reference/sw07/mode.py FOLDER [--output FOLDER] [--dynare
    /usr/lib/dynare/matlab]

FOLDER holds Smets_Wouters_2007.mod and usmodel_mode.mat. Their names for the parameters, in the
order of the mode file, stand beside ours.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from scipy.io import loadmat

from emulator.tests.reference import dynare

HERE = Path(__file__).resolve().parent
SHOCKS = {
    "ea": "sigma_a",
    "eb": "sigma_b",
    "eg": "sigma_g",
    "eqs": "sigma_i",
    "em": "sigma_r",
    "epinf": "sigma_p",
    "ew": "sigma_w",
}
PARAMETERS = {
    "crhoa": "rho_a",
    "crhob": "rho_b",
    "crhog": "rho_g",
    "crhoqs": "rho_i",
    "crhoms": "rho_r",
    "crhopinf": "rho_p",
    "crhow": "rho_w",
    "cmap": "mu_p",
    "cmaw": "mu_w",
    "csadjcost": "varphi",
    "csigma": "sigma_c",
    "chabb": "h",
    "cprobw": "xi_w",
    "csigl": "sigma_l",
    "cprobp": "xi_p",
    "cindw": "iota_w",
    "cindp": "iota_p",
    "czcap": "psi",
    "cfc": "phi_p",
    "crpi": "r_pi",
    "crr": "rho",
    "cry": "r_y",
    "crdy": "r_dy",
    "constepinf": "pi_bar",
    "constebeta": "beta_bar",
    "constelab": "l_bar",
    "ctrend": "gamma_bar",
    "cgy": "rho_ga",
    "calfa": "alpha",
}
VARIABLES = {
    "y": "y",
    "pinf": "pi",
    "r": "r",
    "c": "c",
    "inve": "inv",
    "lab": "l",
    "w": "w",
    "yf": "y_f",
}


def main(folder: Path, output: Path, matlab: Path) -> None:
    mode = loadmat(folder / "usmodel_mode.mat")["xparam1"].ravel()
    model = (
        (folder / "Smets_Wouters_2007.mod")
        .read_text(encoding="latin-1")
        .partition("estimated_params;")[0]
    )
    with tempfile.TemporaryDirectory() as scratch:
        mod = Path(scratch) / "replication.mod"
        mod.write_text(
            model
            + "\nstoch_simul(order=1, irf=21, nograph, noprint, nomoments, nofunctions, nocorr);\n"
        )
        answer = dynare.ask(
            mod, list(PARAMETERS), mode[None, len(SHOCKS) :], list(VARIABLES), list(SHOCKS), matlab
        )
    dynare.require_solved(answer.info)
    dynare.write_theta(
        output / "mode_theta.csv", [*SHOCKS.values(), *PARAMETERS.values()], mode[None]
    )
    with open(output / "mode_irfs.csv", "w") as file:
        file.write(",".join(["shock", "horizon", *VARIABLES.values()]) + "\n")
        for shock, name in enumerate(SHOCKS.values()):
            for horizon, row in enumerate(mode[shock] * answer.irf[0, shock]):
                file.write(
                    ",".join(
                        [
                            name.replace("sigma", "eta"),
                            str(horizon),
                            *(f"{value:.17g}" for value in row),
                        ]
                    )
                    + "\n"
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of the replication file")
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    parser.add_argument(
        "--dynare", type=Path, default=dynare.DYNARE, dest="matlab", help="Dynare's matlab folder"
    )
    main(**vars(parser.parse_args()))
