"""Ask Dynare for the likelihoods of this folder, and write them (see README.md).

python emulator/tests/reference/likelihood/make.py [--output FOLDER] [--dynare
/usr/lib/dynare/matlab]
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from emulator.tests.reference import dynare
from emulator.tests.reference.likelihood import cases

HERE = Path(__file__).resolve().parent


class Answer(NamedTuple):
    """Dynare's log-likelihood and log-prior (n,), its info codes (n,), 0 where there is a solution,
    and seconds of processor time a call.
    """

    likelihood: np.ndarray
    prior: np.ndarray
    info: np.ndarray
    seconds: float


def ask(
    model: str,
    table: pd.DataFrame,
    draws: pd.DataFrame,
    options: dict[str, object],
    matlab: Path = dynare.DYNARE,
    repeats: int = 0,
    beside: Path | None = None,
) -> Answer:
    """Dynare's answer for a model whose `estimated_params` are the columns of draws; table: data,
    or nothing where the options name a file of `beside`, a folder that is copied.
    """
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch) / "work"
        if beside is None:
            work.mkdir()
        else:
            shutil.copytree(beside, work)
        (work / "model.mod").write_text(model, encoding="latin-1")
        shutil.copy(HERE / "ask_likelihood.m", work)
        if len(table):
            table.to_csv(work / "table.csv", na_rep="NaN", float_format="%.17g")
        lines = "".join(f"options_.{name} = {value};\n" for name, value in options.items())
        (work / "settings.m").write_text("global options_\n" + lines)
        named = draws.rename(columns=lambda name: name.removeprefix("stderr_"))
        named.to_csv(work / "draws.csv", index=False, float_format="%.17g")
        call = f"addpath('{matlab}'); ask_likelihood({repeats})"
        done = subprocess.run(
            ["octave-cli", "--norc", "--quiet", "--eval", call],
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
        )
        if not (work / "seconds.txt").exists():
            raise SystemExit(f"Octave failed:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
        likelihood, prior, info = np.loadtxt(work / "likelihood.csv", delimiter=",", unpack=True)
        seconds = float((work / "seconds.txt").read_text())
    return Answer(likelihood, prior, info, seconds)


def ask_case(name: str, matlab: Path = dynare.DYNARE, repeats: int = 0) -> tuple:
    """Dynare's answer for a case, with its data and draws."""
    case = cases.CASES[name]()
    with tempfile.TemporaryDirectory() as scratch:
        economy = cases.economy(case, Path(scratch))
        draws, table = cases.draws(case, economy), cases.data(case, economy)
    estimated = case.estimated(tuple(draws.columns), draws.to_numpy()[0])
    options = {"datafile": "'table.csv'", **case.options}
    if case.start == "diffuse":
        options["diffuse_filter"] = 1
    answer = ask(f"{case.model}\n{estimated}", table, draws, options, matlab, repeats)
    return answer, draws, table


def main(output: Path, matlab: Path) -> None:
    for name in cases.CASES:
        answer, draws, table = ask_case(name, matlab)
        dynare.require_solved(answer.info)
        table.to_csv(output / f"{name}_data.csv", float_format="%.17g")
        draws["dynare"] = answer.likelihood
        draws.to_csv(output / f"{name}.csv", index=False, float_format="%.17g")
        print(f"{name}: {len(draws)} draws, {answer.likelihood.min():.4f} and more")


if __name__ == "__main__":
    dynare.command_line(main, HERE, __doc__)
