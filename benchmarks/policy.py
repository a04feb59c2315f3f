"""Policy and binding constraints in `.mod` files beside Dynare: benchmarks/policy.py FILE ...

Of each file the last run, at the parameters of the file: paths of `occbin_solver`, decision rules
of `discretionary_policy`, the objective of `osr`. Written is the largest difference from Dynare's:
of paths and rules relative to the largest value of each variable, of the objective relative to
itself, negative where ours is smaller.

And processor times, in milliseconds on one thread, reading and the preprocessor left
out: of Dynare's own functions in one Octave session (`occbin.solver`, `discretionary_policy_1`,
`osr1`, each from where the file begins, median of some rounds), of ours for one draw of the
parameters, and of ours a draw where many are solved together.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when NumPy is imported

import numpy as np

import emulator
from emulator.errors import EmulatorError
from emulator.inference.economy import Economy
from emulator.tests.reference.dynare import ask_octave

DYNARE = Path("/usr/lib/dynare/matlab")
ASK = """
addpath('{dynare}');
dynare model nolog noclearall nopreprocessoroutput nograph
names = fopen('names.txt', 'w'); fprintf(names, '%s\\n', M_.endo_names{{:}}); fclose(names);
{write}
options_.noprint = 1; options_.osr.verbose = 0; parameters = M_.params;
seconds = zeros({rounds}, 1);
for k = 1:{rounds}
  M_.params = parameters * (1 + 1e-13*k);  % remembered rules are not used
  {begin}
  began = cputime();
  {run}
  seconds(k) = cputime() - began;
end
dlmwrite('seconds.csv', seconds, 'precision', '%.9g');
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


RUN = {
    "occbin_solver": ("", "occbin.solver(M_, oo_, options_);"),
    "discretionary_policy": (
        "clear discretionary_policy_1;",
        "discretionary_policy_1(options_.instruments, M_, options_, oo_);",
    ),
    "osr": (
        "M_.params(coefficients) = start;",
        "evalc('osr1(coefficients, M_.osr.variable_indices, M_.osr.variable_weights)');",
    ),
}
"""What is done before Dynare's clock, and what it times."""


def command_of(economy: Economy) -> str:
    """The command that the file is answered by."""
    model: Any = economy.solver.model  # type: ignore[attr-defined]
    return str(model.calibration.run.command)


def ask(
    path: Path, economy: Economy, command: str, dynare: Path, rounds: int
) -> tuple[np.ndarray, list[str], float]:
    """Dynare's answer, the names of its variables, and its milliseconds."""
    begin, run = RUN[command]
    if command == "osr":
        rule = economy.optimal_rule()
        names = ", ".join(f"'{name}'" for name in rule["coefficient_name"].values)
        start = "; ".join(f"{value:.17g}" for value in rule["start"].values)
        begin = (
            f"[~, coefficients] = ismember({{{names}}}, M_.param_names);"
            f" coefficients = coefficients(:); start = [{start}]; {begin}"
        )
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(path, work / "model.mod")
        script = ASK.format(
            dynare=dynare, write=WRITE[command], rounds=rounds, begin=begin, run=run
        )
        done = ask_octave(work, script)
        if not (work / "seconds.csv").exists():
            raise SystemExit(f"{path}: Dynare gave no answer:\n{done.stdout[-1500:]}{done.stderr}")
        answer = np.loadtxt(work / "answer.csv", delimiter=",", ndmin=2)
        seconds = float(np.median(np.loadtxt(work / "seconds.csv")))
        return answer, (work / "names.txt").read_text().split(), 1e3 * seconds


def milliseconds(run: Callable[[], object], rounds: int) -> float:
    """Median processor time."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return 1e3 * float(np.median(times))


def ours(economy: Economy, command: str, draws: int) -> Callable[[], object]:
    """What answers so many draws around the file's own parameters."""
    world: Any = economy.solver
    model = world.model
    own, _ = model.own_values()
    chosen = {*model.rule.coefficients} if model.rule is not None else set()
    known = [k for k, name in enumerate(model.parameters) if own[k] and name not in chosen]
    known = [k for k in known if np.isfinite(own[k])]
    moved = {model.parameters[known[0]]: own[known[0]] * np.linspace(1, 1 + 1e-6, draws)}
    if command == "osr":
        return lambda: economy.optimal_rule(moved)
    if command == "discretionary_policy":
        theta = model.theta(**moved)
        return lambda: model.solve(theta)
    theta = world.complete(moved, draws)
    shocks = world.unit_shocks(theta)[:, -1:]
    return lambda: world.answer(theta, shocks, world.horizon + 1)


def difference(economy: Economy, command: str, theirs: np.ndarray, names: list[str]) -> float:
    """The largest difference of our answer from Dynare's."""
    if command == "osr":
        objective = float(economy.optimal_rule()["objective"][0])
        return objective / float(theirs[0, 0]) - 1
    if command == "occbin_solver":
        paths = economy.occbin(shock=economy.spec.shock_names[-1], horizon=len(theirs) - 1)
        path = paths["piecewise"].isel(draw=0, size=0, shock=0)
        columns = [names.index(str(name)) for name in path["observable"].values]
        theirs = theirs[:, columns]
        size = np.maximum(np.abs(theirs).max(axis=0), 1e-10)
        return float((np.abs(path.values - theirs) / size).max())
    model: Any = economy.solver.model  # type: ignore[attr-defined]
    solution = model.solve(model.theta())
    order = [model.variables.index(name) for name in names]
    transition = solution.transition[0][np.ix_(order, order)]
    size = np.maximum(np.abs(transition).max(axis=1), 1e-10)
    return float((np.abs(transition - theirs[:, : len(order)]) / size[:, None]).max())


HEADER = (
    "file",
    "command",
    "variables",
    "difference",
    "dynare_ms",
    "ours_ms",
    "many_ms",
    "ratio_one",
    "ratio_many",
)


def main(files: list[Path], output: Path, dynare: Path, draws: int, rounds: int) -> None:
    rows = []
    for path in files:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                economy = emulator.world(path)
                command = command_of(economy)
                theirs, names, their_time = ask(path, economy, command, dynare, rounds)
                worst = difference(economy, command, theirs, names)
                one = milliseconds(ours(economy, command, 1), rounds)
                many = milliseconds(ours(economy, command, draws), 1) / draws
            times = (their_time, one, many, their_time / one, their_time / many)
            row = [path.stem, command, len(names), f"{worst:.1e}", *(f"{x:.4g}" for x in times)]
        except EmulatorError as error:
            row = [path.stem, "refused", "", re.sub(r"\s+", " ", str(error))]
        rows.append(row)
        print(*row, sep=",", flush=True)
    with output.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+", help=".mod files")
    parser.add_argument("--output", type=Path, default=Path("policy.csv"), help="where to write")
    parser.add_argument("--dynare", type=Path, default=DYNARE, help="Dynare's matlab folder")
    parser.add_argument("--draws", type=int, default=200, help="solved together")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts")
    main(**vars(parser.parse_args()))
