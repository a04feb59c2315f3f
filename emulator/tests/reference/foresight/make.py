"""Remake the tables of this folder with Dynare: `python make.py [--output DIR] [--dynare DIR]`.

news.csv: responses to shocks that are known 4 periods ahead, of `states.mod`, where each period of
the news is a state. paths.csv: the path that the last command of each other file leaves, with
Dynare's tolerances at 1e-11, period 0 being the one before the first.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from emulator.tests.reference.dynare import ask, command_line, run_octave

HERE = Path(__file__).resolve().parent
PATHS = ("growth", "lags", "bound")
VARIABLES = ("x", "pi", "i", "a")
SHOCKS = ("e_m", "e_a")
SCRIPT = """function solve_all()
  global M_ options_ oo_
  dynare model.mod noclearall nograph nolog
  variables = M_.endo_names(1:M_.orig_endo_nbr);
  path = oo_.endo_simul(1:M_.orig_endo_nbr, :);
  lag = M_.maximum_lag;
  save('-v6', 'answer.mat', 'variables', 'path', 'lag');
end
"""
TIGHT = "options_.dynatol.f = 1e-11; options_.dynatol.x = 1e-11; options_.solve_tolf = 1e-13;\n"


def path_of(name: str, matlab: Path) -> tuple[list[str], np.ndarray]:
    """Names of variables (V) and their path (T, V) from period 0 on."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        text = (HERE / f"{name}.mod").read_text()
        (work / "model.mod").write_text(text.replace("model;", f"{TIGHT}model;", 1))
        (work / "solve_all.m").write_text(SCRIPT)
        run_octave(work, matlab)
        answer = loadmat(work / "answer.mat", simplify_cells=True)
    path = np.asarray(answer["path"]).T
    first = np.full((1 - int(answer["lag"]), path.shape[1]), np.nan)
    return [str(v) for v in answer["variables"]], np.concatenate([first, path])


def main(output: Path, matlab: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # `ask` takes shocks of one; those of the file are 0.25 and 0.5.
        mod = Path(shutil.copy(HERE / "states.mod", folder))
        irf = ask(mod, ["rho"], np.array([[0.7], [0.3]]), VARIABLES, SHOCKS, matlab).irf
    irf = irf * np.array([0.25, 0.5])[:, None, None]
    with open(output / "news.csv", "w") as file:
        file.write("rho,shock,horizon," + ",".join(VARIABLES) + "\n")
        for draw, shock, horizon in np.ndindex(irf.shape[:3]):
            values = ",".join(f"{value:.15g}" for value in irf[draw, shock, horizon])
            file.write(f"{(0.7, 0.3)[draw]},{SHOCKS[shock]},{horizon},{values}\n")
    with open(output / "paths.csv", "w") as file:
        file.write("file,period,variable,value\n")
        for name in PATHS:
            variables, path = path_of(name, matlab)
            for period, row in enumerate(path):
                for variable, value in zip(variables, row, strict=True):
                    if np.isfinite(value):
                        file.write(f"{name},{period},{variable},{value:.15g}\n")


if __name__ == "__main__":
    command_line(main, HERE, __doc__)
