"""Remake the tables of this folder with Dynare: `python make.py [--output DIR] [--dynare DIR]`.

news.csv: responses to shocks that are known 4 periods ahead, of `states.mod`, where each period of
the news is a state. paths.csv: the path that the last command of each other file leaves, with
Dynare's tolerances tightened, period 0 being the one before the first. extended.csv,
stochastic.csv: the extended paths of these files and the shocks that Dynare drew for them.
runs.csv: the three paths of `runs.mod`. plan.csv: the conditional forecast of `plan.mod`.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from emulator.tests.reference.dynare import ask, command_line, lines_after, run_octave

HERE = Path(__file__).resolve().parent
PATHS = {
    "growth": 1e-11,
    "lags": 1e-11,
    "bound": 1e-11,
    "linear": 1e-8,
    "far": 1e-9,
    "planner": 1e-9,
    "learning": 1e-9,
    "from_file": 1e-9,
    "past_from_file": 1e-9,
}
"""Files, and the tolerance to which Dynare solves each: it does not reach smaller ones in all."""
VARIABLES = ("x", "pi", "i", "a")
SHOCKS = ("e_m", "e_a")
SCRIPT = """function solve_all()
  global M_ options_ oo_
  dynare model.mod noclearall nograph nolog
  variables = M_.endo_names(1:M_.orig_endo_nbr);
  path = oo_.endo_simul(1:M_.orig_endo_nbr, :);
  lag = M_.maximum_lag;
  exogenous = oo_.exo_simul;
  shocks = M_.exo_names;
  runs = {};
  for k = 1:3
    name = sprintf('R%d', k);
    if evalin('base', ['exist("' name '", "var")'])
      runs{k} = evalin('base', name);
    end
  end
  save('-v6', 'answer.mat', 'variables', 'path', 'lag', 'exogenous', 'shocks', 'runs');
end
"""
TIGHT = "options_.dynatol.f = {0}; options_.dynatol.x = {0}; options_.solve_tolf = {0}/100;\n"


def ask_dynare(name: str, tolerance: float, matlab: Path) -> dict[str, Any]:
    """What the last command of a file leaves."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for data in (*HERE.glob("*_data.m"), *HERE.glob("*.csv")):
            shutil.copy(data, work)
        text = (HERE / f"{name}.mod").read_text()
        tight = TIGHT.format(f"{tolerance:g}")
        (work / "model.mod").write_text(text.replace("model;", f"{tight}model;", 1))
        (work / "solve_all.m").write_text(SCRIPT)
        run_octave(work, matlab)
        answer: dict[str, Any] = loadmat(work / "answer.mat", simplify_cells=True)
        return answer


PLAN = """
names = {{'c', 'k', 'y', 'a', 'g', 'e', 'd'}};
fprintf(handle, 'period,c,k,y,a,g,e,d\\n');
for t = 1:3
  fprintf(handle, '%d', t);
  for n = 1:7
    fprintf(handle, ',%.15g', f.(names{{n}}).data(4 + t));
  end
  fprintf(handle, '\\n');
end
"""
"""What `det_cond_forecast` leaves in `plan.mod`; after the periods of the plan it says nothing."""


def path_of(name: str, tolerance: float, matlab: Path) -> tuple[list[str], np.ndarray]:
    """Names of variables (V) and their path (T, V) from period 0 on."""
    answer = ask_dynare(name, tolerance, matlab)
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
        for name, tolerance in PATHS.items():
            variables, path = path_of(name, tolerance, matlab)
            for period, row in enumerate(path):
                for variable, value in zip(variables, row, strict=True):
                    if np.isfinite(value):
                        file.write(f"{name},{period},{variable},{value:.15g}\n")
    with open(output / "runs.csv", "w") as file:
        file.write("run,period,c,k\n")
        for run, path in enumerate(ask_dynare("runs", 1e-9, matlab)["runs"], 1):
            for period, (c, k, *_) in enumerate(np.asarray(path).T):
                file.write(f"{run},{period},{c:.15g},{k:.15g}\n")
    lines = lines_after(HERE / "plan.mod", PLAN, matlab)
    (output / "plan.csv").write_text("\n".join(lines) + "\n")
    for name in ("extended", "stochastic"):
        answer = ask_dynare(name, 1e-9, matlab)
        table = np.concatenate([answer["exogenous"], np.asarray(answer["path"]).T[1:]], axis=1)
        names = [*map(str, answer["shocks"]), *map(str, answer["variables"])]
        header = ",".join(names)
        np.savetxt(output / f"{name}.csv", table, "%.15g", ",", header=header, comments="")


if __name__ == "__main__":
    command_line(main, HERE, __doc__)
