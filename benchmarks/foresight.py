"""Perfect foresight beside Dynare: a folder of `.mod` files, the path that the last `simul` or
`perfect_foresight_solver` of each leaves, ours against Dynare's, and the time that it takes.

    python benchmarks/foresight.py FOLDER [--dynare /usr/lib/dynare/matlab] [--csv
    benchmarks/foresight.csv] [--rounds 3] [--draws 100]

Dynare runs a scratch copy of the file's folder in which its tolerances are tightened to 1e-10, and
again at its own where it finds nothing at these; its time is the median processor time of the
command, the preprocessor left out. Ours is that of `Foresight.solve`, reading and compiling left
out, for one draw and a draw of many. `largest` is the largest difference on the path, relative to
max(1, |Dynare's|). Exit code 1 if a path differs by more than 1e-6.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass, fields
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.io import loadmat

from emulator.errors import EmulatorError
from emulator.modfile import load
from emulator.modfile.compiling.foresight import Foresight

SCRIPT = Path(__file__).resolve().parent / "dynare" / "foresight.m"
SOLVING = re.compile(r"^\s*(simul|perfect_foresight_solver)\b", re.MULTILINE)
TIGHTENED = re.compile(r"^(\s*)(steady|simul|perfect_foresight_solver)\b", re.MULTILINE)
"""Commands before which Dynare's tolerances are set: the path is as good as its ends."""

TIGHT = "options_.dynatol.f = 1e-10; options_.dynatol.x = 1e-10; options_.solve_tolf = 1e-12;\n"
TOLERANCE = 1e-6
LIMIT = 1800


@dataclass(frozen=True)
class Row:
    """One file of the table; seconds of processor time a path."""

    file: str
    outcome: str
    largest: float | None = None
    variables: int = 0
    periods: int = 0
    dynare: float | None = None
    ours: float | None = None
    many: float | None = None
    reason: str = ""


def dynare(path: Path, matlab: Path, rounds: int) -> dict:
    """What Dynare's last run left, {} where it did not come to an end; `loose` where it did so at
    its own tolerances alone.
    """
    tight = _run(path, matlab, rounds, TIGHT)
    if tight.get("solved"):
        return tight | {"loose": False}
    loose = _run(path, matlab, rounds, "")
    return loose | {"loose": True} if loose.get("solved") else tight


def _run(path: Path, matlab: Path, rounds: int, before: str) -> dict:
    """What Dynare leaves where these lines stand before its commands."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        shutil.copytree(path.parent, work, ignore=shutil.ignore_patterns("+*", ".git"))
        text = (work / path.name).read_text("latin-1")
        (work / path.name).write_text(TIGHTENED.sub(rf"\1{before}\1\2", text), "latin-1")
        shutil.copy(SCRIPT, work / "foresight_referee.m")
        script = SCRIPT.read_text().replace("function foresight(", "function foresight_referee(")
        (work / "foresight_referee.m").write_text(script)
        order = f"addpath('{matlab}'); foresight_referee('{path.stem}', {rounds})"
        try:
            subprocess.run(
                ["octave-cli", "--norc", "--quiet", "--eval", order],
                cwd=work,
                capture_output=True,
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {}
        answer = work / "answer.mat"
        return loadmat(answer, simplify_cells=True)["record"] if answer.exists() else {}


def compared(path: Path, name: str, matlab: Path, rounds: int, draws: int) -> Row:
    theirs = dynare(path, matlab, rounds)
    solved = bool(theirs.get("solved"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = load(path)
            foresight = Foresight(model)
            theta = model.theta()
            answer = foresight.solve(theta)
    except EmulatorError as error:
        return Row(name, "refused" if solved else "neither", reason=str(error))
    if answer.status[0]:
        return Row(name, "failed" if solved else "neither", reason=answer.worst[0])
    if not solved:
        return Row(name, "ours alone", reason=str(theirs.get("message", "time limit")))
    variables = [str(v) for v in np.atleast_1d(theirs["variables"])]
    path_of_theirs = np.atleast_2d(theirs["path"]).reshape(len(variables), -1).T
    begin = 1 - int(theirs["lag"])
    columns = [model.variables.index(v) for v in variables]
    ours = answer.path[0][begin : begin + len(path_of_theirs)][:, columns]
    largest = float((np.abs(ours - path_of_theirs) / np.maximum(1, np.abs(path_of_theirs))).max())
    return Row(
        file=name,
        outcome="same" if largest < TOLERANCE else "differs",
        largest=largest,
        variables=len(variables),
        periods=answer.path.shape[1] - 2,
        dynare=float(theirs["seconds"]),
        ours=seconds(foresight, theta, rounds),
        many=seconds(foresight, np.repeat(theta, draws, axis=0), 1) / draws,
        reason="at Dynare's own tolerances" if theirs["loose"] else "",
    )


def seconds(foresight: Foresight, theta: np.ndarray, rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.process_time()
        foresight.solve(theta)
        times.append(time.process_time() - began)
    return float(np.median(times))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dynare", type=Path, default=Path("/usr/lib/dynare/matlab"))
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--only", default="", help="a pattern that paths must hold")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=100)
    given = parser.parse_args()
    files = [
        path
        for path in sorted(given.folder.rglob("*.mod"))
        if SOLVING.search(path.read_text("latin-1")) and re.search(given.only, str(path))
    ]
    rows = []
    for path in files:
        name = str(path.relative_to(given.folder))
        rows.append(compared(path, name, given.dynare, given.rounds, given.draws))
        print(*(v for v in asdict(rows[-1]).values()), flush=True)
    if given.csv:
        with open(given.csv, "w", newline="") as file:
            writer = csv.DictWriter(file, [f.name for f in fields(Row)])
            writer.writeheader()
            writer.writerows(
                asdict(row) | {"reason": row.reason.replace(f"{given.folder}/", "")} for row in rows
            )
    return int(any(row.outcome == "differs" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
