"""Ask Dynare, in one Octave session, for the responses of a `.mod` file at many parameter vectors.

The reference tables of this folder are made with it; each world's `make.py` says at which draws.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from emulator.spec import OBSERVABLES

HERE = Path(__file__).resolve().parent
DYNARE = Path("/usr/lib/dynare/matlab")
VERDICT_OF_INFO = {
    0: "determinate",
    3: "no_stable_solution",
    4: "indeterminate",
    5: "indeterminate",
}


@dataclass(frozen=True)
class Answer:
    """Dynare's answer at n draws.

    info (n,): its code, 0 where there is a solution. Where there is none the rest is NaN: steady
    (n, V), the steady state of the variables; irf (n, S, H+1, V), level deviations from it in the
    file's own units after a shock of one.
    """

    info: np.ndarray
    steady: np.ndarray
    irf: np.ndarray

    @property
    def verdicts(self) -> list[str]:
        return [VERDICT_OF_INFO[int(code)] for code in self.info]


def ask(
    mod: Path,
    names: Sequence[str],
    theta: np.ndarray,
    variables: Sequence[str],
    shocks: Sequence[str],
    matlab: Path = DYNARE,
) -> Answer:
    """Dynare's answer to the file `mod`, whose last command is `stoch_simul(order=1, irf=H+1,
    ...)`.

    theta (n, P): values of the file's parameters `names`. Shocks of unit variance, whatever the
    file says: Dynare evaluates the shocks block once, and adds 1e-14 to every variance, which tells
    where variances are small.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(mod, work / "model.mod")
        shutil.copy(HERE / "solve_all.m", work)
        (work / "variables.txt").write_text("\n".join(variables))
        (work / "shocks.txt").write_text("\n".join(shocks))
        write_theta(work / "draws.csv", names, theta)
        run_octave(work, matlab)
        info = np.loadtxt(work / "verdict.csv", dtype=int)
        solved = np.flatnonzero(info == 0)
        steady, irf = (_table(work / name, len(variables)) for name in ("steady.csv", "irfs.csv"))
    answer = Answer(
        info=info,
        steady=np.full((len(theta), len(variables)), np.nan),
        irf=np.full(
            (len(theta), len(shocks), len(irf) // (len(solved) * len(shocks)), len(variables)),
            np.nan,
        ),
    )
    answer.steady[solved] = steady
    answer.irf[solved] = irf.reshape(len(solved), *answer.irf.shape[1:])
    return answer


def run_octave(work: Path, matlab: Path) -> None:
    """Run the script `solve_all.m` of a folder in one Octave session; leave with its last words if
    it fails.
    """
    command = [
        "octave",
        "--no-gui",
        "--norc",
        "--quiet",
        "--eval",
        f"addpath('{matlab}'); solve_all",
    ]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            "Octave failed with code"
            f" {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        )


def ask_octave(work: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, in one Octave session with one thread; what it printed."""
    (work / "ask.m").write_text(script)
    return subprocess.run(
        ["octave-cli", "--norc", "--quiet", "ask.m"],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def lines_after(path: Path, script: str, matlab: Path = DYNARE) -> list[str]:
    """The lines that a script of Octave writes into the file that it has open as `handle`, after
    Dynare has run a `.mod` file as it stands, with what lies beside it under its name. `{stem}` in
    the script is the name of the file; other braces stand twice.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for source in path.parent.glob(f"{path.stem}.*"):
            shutil.copy(source, work)
        done = ask_octave(
            work,
            f"addpath('{matlab}');\n"
            f"dynare {path.stem} nolog noclearall nopreprocessoroutput nograph\n"
            "handle = fopen('answer.csv', 'w');\n"
            f"{script.format(stem=path.stem)}\n"
            "fclose(handle);\n",
        )
        lines = (work / "answer.csv").read_text().splitlines() if not done.returncode else []
        if not lines:
            raise SystemExit(
                f"Dynare did not solve {path.name}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            )
        return lines


def box(mapping: Path) -> dict[str, tuple[float, float]]:
    """For each parameter of a `.world.yaml`, the ends between which reference draws are taken.

    The range of a uniform prior; two standard deviations around the mean of another within its
    range; for an inverse gamma prior, whose standard deviation need not exist, half to six times
    its mean.
    """
    ends = {}
    for name, prior in yaml.safe_load(mapping.read_text())["parameters"].items():
        low, high = prior["low"], prior["high"]
        if prior["prior"] == "inv_gamma":
            low, high = 0.5 * prior["mean"], 6 * prior["mean"]
        elif prior["prior"] != "uniform":
            low, high = (
                max(low, prior["mean"] - 2 * prior["sd"]),
                min(high, prior["mean"] + 2 * prior["sd"]),
            )
        ends[name] = (low, high)
    return ends


def _table(path: Path, width: int) -> np.ndarray:
    return np.loadtxt(path, delimiter=",", usecols=range(width), ndmin=2)


def write_theta(path: Path, names: Sequence[str], theta: np.ndarray, digits: int = 17) -> None:
    np.savetxt(path, theta, fmt=f"%.{digits}g", delimiter=",", header=",".join(names), comments="")


def write_irfs(
    path: Path, irf: np.ndarray, digits: int = 17, observables: Sequence[str] = OBSERVABLES
) -> None:
    """One line a draw, shock and horizon of irf (n, S, H+1, O), in the world's units."""
    with open(path, "w") as file:
        file.write(",".join(["draw", "shock", "horizon", *observables]) + "\n")
        for place in np.ndindex(irf.shape[:3]):
            file.write(
                ",".join([*map(str, place), *(f"{value:.{digits}g}" for value in irf[place])])
                + "\n"
            )


def write_verdicts(
    path: Path, names: Sequence[str], theta: np.ndarray, verdicts: Sequence[str], digits: int = 17
) -> None:
    with open(path, "w") as file:
        file.write(",".join(names) + ",verdict\n")
        for row, verdict in zip(theta, verdicts, strict=True):
            file.write(",".join(f"{value:.{digits}g}" for value in row) + f",{verdict}\n")


def require_solved(info: np.ndarray) -> None:
    """Leave with a message if Dynare finds no unique solution at one of the draws whose responses
    are wanted.
    """
    if (info != 0).any():
        raise SystemExit(
            f"Dynare finds no unique solution at draws {np.flatnonzero(info)} of the responses."
        )


def command_line(main: Callable[[Path, Path], None], here: Path, description: str | None) -> None:
    """Run a `make.py`: `main(output, dynare)` with the two folders from the command line."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=here, help="folder to write to")
    parser.add_argument("--dynare", type=Path, default=DYNARE, help="Dynare's matlab folder")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    main(given.output, given.dynare)
