"""Policy and binding constraints in `.mod` files beside Dynare: benchmarks/policy.py FILE ...

Of each file the last run, at the parameters of the file: paths of `occbin_solver`, decision rules
of `discretionary_policy`, the objective of `osr`. Written is the largest difference from Dynare's:
of paths and rules relative to the largest value of each variable, of the objective relative to
itself, negative where ours is smaller.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import emulator
from emulator.errors import EmulatorError
from emulator.inference.economy import Economy

DYNARE = Path("/usr/lib/dynare/matlab")
ASK = """
addpath('{dynare}');
dynare model nolog noclearall nopreprocessoroutput nograph
names = fopen('names.txt', 'w'); fprintf(names, '%s\\n', M_.endo_names{{:}}); fclose(names);
{write}
"""

WRITE = {
    "occbin_solver": (
        "dlmwrite('answer.csv', oo_.occbin.simul.piecewise - oo_.occbin.simul.ys',"
        " 'precision', '%.17g');"
    ),
    "discretionary_policy": (
        "o = oo_.dr.order_var; s = o(M_.lead_lag_incidence(1, o) > 0);"
        " a = zeros(M_.endo_nbr); a(o, s) = oo_.dr.ghx;"
        " b = zeros(M_.endo_nbr, M_.exo_nbr); b(o, :) = oo_.dr.ghu;"
        " dlmwrite('answer.csv', [a b], 'precision', '%.17g');"
    ),
    "osr": "dlmwrite('answer.csv', oo_.osr.objective_function, 'precision', '%.17g');",
}


def command_of(economy: Economy) -> str:
    """The command that the file is answered by."""
    model: Any = economy.solver.model  # type: ignore[attr-defined]
    return str(model.calibration.run.command)


def ask(path: Path, command: str, dynare: Path) -> tuple[np.ndarray, list[str]]:
    """Dynare's answer, and the names of its variables."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(path, work / "model.mod")
        (work / "ask.m").write_text(ASK.format(dynare=dynare, write=WRITE[command]))
        done = subprocess.run(
            ["octave", "--no-gui", "--norc", "--quiet", "ask.m"],
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        if not (work / "answer.csv").exists():
            raise SystemExit(f"{path}: Dynare gave no answer:\n{done.stdout[-1500:]}{done.stderr}")
        answer = np.loadtxt(work / "answer.csv", delimiter=",", ndmin=2)
        return answer, (work / "names.txt").read_text().split()


def difference(economy: Economy, command: str, theirs: np.ndarray, names: list[str]) -> float:
    """The largest difference of our answer from Dynare's."""
    if command == "osr":
        ours = float(economy.optimal_rule()["objective"][0])
        return ours / float(theirs[0, 0]) - 1
    if command == "occbin_solver":
        paths = economy.occbin(shock=economy.spec.shock_names[-1], horizon=len(theirs) - 1)
        ours = paths["piecewise"].isel(draw=0, size=0, shock=0)
        columns = [names.index(str(name)) for name in ours["observable"].values]
        theirs = theirs[:, columns]
        size = np.maximum(np.abs(theirs).max(axis=0), 1e-10)
        return float((np.abs(ours.values - theirs) / size).max())
    model: Any = economy.solver.model  # type: ignore[attr-defined]
    solution = model.solve(model.theta())
    order = [model.variables.index(name) for name in names]
    transition = solution.transition[0][np.ix_(order, order)]
    size = np.maximum(np.abs(transition).max(axis=1), 1e-10)
    return float((np.abs(transition - theirs[:, : len(order)]) / size[:, None]).max())


def main(files: list[Path], output: Path, dynare: Path) -> None:
    rows = []
    for path in files:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                economy = emulator.world(path)
                command = command_of(economy)
                theirs, names = ask(path, command, dynare)
                worst = difference(economy, command, theirs, names)
            row = [path.stem, command, len(names), f"{worst:.1e}"]
        except EmulatorError as error:
            row = [path.stem, "refused", "", re.sub(r"\s+", " ", str(error))]
        rows.append(row)
        print(*row, sep=",", flush=True)
    with output.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "command", "variables", "difference"])
        writer.writerows(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+", help=".mod files")
    parser.add_argument("--output", type=Path, default=Path("policy.csv"), help="where to write")
    parser.add_argument("--dynare", type=Path, default=DYNARE, help="Dynare's matlab folder")
    main(**vars(parser.parse_args()))
