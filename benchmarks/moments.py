"""Theoretical moments before the referee: a folder of `.mod` files, ours against Dynare's tables,
one row a file; and the cost of a draw of `sw07`.

    python benchmarks/moments.py FOLDER [--files benchmarks/dsge_mod.csv] [--cache DIR] [--csv
    benchmarks/moments.csv] [--only PATTERN]
    python benchmarks/moments.py --speed [--draws 1000] [--loop-draws 50] [--rounds 3]

Ours is `Economy.moments` and `Economy.variance_decomposition` of every variable of the file, plain
and HP-filtered (lambda 1600). Dynare's are `oo_.mean`, `oo_.var`, `oo_.autocorr`,
`oo_.variance_decomposition` and `oo_.conditional_variance_decomposition` at 1, 4, 8 and 20 periods,
by its own disp_th_moments.m at order 1. `--files` names a table of modfiles.py, of which the files
that are solved there are compared.

Differences: of means relative to max(1, |mean|), of covariances to the product of standard
deviations, of correlations and shares as they are. Compared are variables that Dynare calls
stationary and whose variance is above 1e-12, as Dynare prints them. Known of Dynare 5.3: filtered
autocorrelation matrices come out transposed; its conditional decomposition fails on a singular
covariance; with one shock it prints 100 for variables that are not stationary, too; it calls a
variable not stationary wherever a unit root could reach it, whether it does or not. Those that we
answer alone are held to the sums of their squared responses (`alone`, `alone_error`).

Exit code 1 if a difference is above 1e-6.
"""

from __future__ import annotations

import os

# one thread, here and in Octave; read once, when NumPy is imported
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from collection import add_options, console, record_of, rows_of, show, write
from referee import SCRIPTS, Octave
from rich.console import Console
from scipy.io import loadmat

import emulator
from emulator.inference import Economy
from emulator.inference.over_solver import SolverAnswerer
from emulator.solvers.second_moments import autocovariances_of_responses
from emulator.tests.reference.dynare import write_theta
from emulator.worlds.filemodel import FileModel

OWN_SCRIPTS = SCRIPTS / "moments"
TOLERANCE = 1e-6
PRINTED = 1e-12
"""Variance from which on Dynare prints a variable."""
FILTERED = 20
"""Variables whose filtered moments Dynare is asked for, the first of a file."""
AHEAD = (1, 4, 8, 20)
LONG = 4_000
"""Periods of responses whose squares are summed."""
BAR = 20.0
SW07 = Path(emulator.__file__).parent / "worlds/sw07.mod"


@dataclass
class Row:
    """One file: largest differences by quantity, None where Dynare has none."""

    file: str
    variables: int = 0
    shocks: int = 0
    mean: float | None = None
    covariance: float | None = None
    autocorrelation: float | None = None
    decomposition: float | None = None
    conditional: float | None = None
    hp_covariance: float | None = None
    hp_autocorrelation: float | None = None
    hp_decomposition: float | None = None
    non_stationary: int = 0
    alone: int = 0
    """Variables that Dynare calls not stationary and ours answers."""
    alone_error: float | None = None
    """Their standard deviations against those of the summed responses, relative."""
    note: str = ""

    @property
    def worst(self) -> float:
        numbers = [getattr(self, name) for name in QUANTITIES]
        return max((x for x in numbers if x is not None), default=0.0)


QUANTITIES = (
    "mean",
    "covariance",
    "autocorrelation",
    "decomposition",
    "conditional",
    "hp_covariance",
    "hp_autocorrelation",
    "hp_decomposition",
    "alone_error",
)


def ask(tree: Path, file: Path, cache: Path, octave: Octave) -> dict[str, Any] | None:
    """Dynare's moments of a file of the folder `tree`, from the cache where it was asked before;
    None where it has none.
    """
    os.environ["MOMENTS_FILTERED"] = str(FILTERED)
    return record_of(tree, file, octave, cache, OWN_SCRIPTS, asked=f"filtered {FILTERED}")


def compare(file: Path, name: str, theirs: dict[str, Any]) -> Row:
    economy = Economy(SolverAnswerer(FileModel.read(file)))
    variables = [str(v) for v in np.atleast_1d(theirs["variables"])]
    row = Row(name, len(variables), economy.spec.n_shocks)
    shocks = [str(s) for s in np.atleast_1d(theirs["shocks"])]
    columns = [shocks.index(shock) for shock in economy.spec.shock_names]
    plain = theirs["plain"]
    notes = [str(plain["message"])] if len(plain["message"]) else []
    if "var" in plain:
        _compare_plain(row, economy, variables, columns, plain)
    _compare_conditional(row, economy, variables, columns, theirs)
    if len(theirs["conditional_message"]):
        notes.append(f"conditional: {theirs['conditional_message']}")
    filtered = theirs["filtered"]
    if "var" in filtered:
        few = [str(v) for v in np.atleast_1d(theirs["filtered_variables"])]
        _compare_filtered(row, economy, few, columns, filtered)
    if row.worst > TOLERANCE:
        notes.append(f"ours against summed responses {_against_responses(economy, variables):.1e}")
    row.note = "; ".join(dict.fromkeys(notes))
    return row


def _against_responses(economy: Economy, variables: list[str]) -> float:
    """Largest difference of our autocorrelations, of all pairs, from those of long responses."""
    ours = economy.moments(observables=variables, cross=True)["cross_correlation"].values[0]
    irf = economy.irf(observables=variables, horizon=LONG)["irf"].values
    covariances = autocovariances_of_responses(irf, len(ours))[0]
    deviation = np.sqrt(np.diag(covariances[0]))
    with np.errstate(invalid="ignore"):
        expected = covariances[1:] / np.outer(deviation, deviation)
    return float(np.nanmax(np.abs(ours - expected)))


def _largest(difference: np.ndarray, where: np.ndarray) -> float | None:
    where = np.broadcast_to(where, difference.shape)
    return float(np.abs(difference[where]).max()) if where.any() else None


def _compare_plain(
    row: Row, economy: Economy, variables: list[str], columns: list[int], theirs: dict[str, Any]
) -> None:
    ours = economy.moments(observables=variables, cross=True).isel(draw=0)
    covariance = np.atleast_2d(theirs["var"])
    variance = np.diag(covariance)
    there = np.isfinite(variance)
    here = ours["stationary"].values
    row.non_stationary = int((~here).sum())
    row.alone = int((here & ~there).sum())
    if row.alone:
        row.alone_error = _alone(economy, variables, ours, here & ~there)
    shown = there & here & (np.nan_to_num(variance) > PRINTED)
    pairs = np.outer(shown, shown)
    mean = np.atleast_1d(theirs["mean"])
    row.mean = _largest((ours["mean"].values - mean) / np.maximum(1, np.abs(mean)), there & here)
    deviation = np.sqrt(np.where(shown, variance, 1.0))
    scaled = covariance / np.outer(deviation, deviation)
    own = ours["std"].values
    mine = ours["correlation"].values * np.outer(own / deviation, own / deviation)
    row.covariance = _largest(mine - scaled, pairs)
    if "autocorr" in theirs:
        lagged = np.asarray(theirs["autocorr"]).reshape(len(variables), len(variables), -1)
        row.autocorrelation = _largest(
            ours["cross_correlation"].values - lagged.transpose(2, 0, 1), pairs
        )
    if "variance_decomposition" in theirs:
        row.decomposition = _shares(
            economy, {"horizons": np.inf}, variables, columns, theirs, shown
        )


def _shares(
    economy: Economy,
    options: dict[str, Any],
    variables: list[str],
    columns: list[int],
    theirs: dict[str, Any],
    shown: np.ndarray,
) -> float | None:
    """Difference of unconditional shares, of one."""
    share = economy.variance_decomposition(observables=variables, **options)["share"]
    other = np.asarray(theirs["variance_decomposition"]).reshape(len(variables), -1)
    return _largest((share.values[0, -1] - other[:, columns]) / 100, shown[:, None])


def _alone(economy: Economy, variables: list[str], ours: Any, alone: np.ndarray) -> float:
    """Standard deviations of variables against the sums of their squared responses."""
    names = [name for name, one in zip(variables, alone, strict=True) if one]
    irf = economy.irf(observables=names, horizon=LONG)["irf"].values[0]
    summed = np.sqrt((irf**2).sum(axis=(0, 1)))
    own = ours["std"].sel(observable=names).values
    return float((np.abs(own - summed) / np.maximum(summed, np.sqrt(PRINTED))).max())


def _compare_conditional(
    row: Row, economy: Economy, variables: list[str], columns: list[int], theirs: dict[str, Any]
) -> None:
    if "conditional" not in theirs or not np.size(theirs["conditional"]):
        return
    data = economy.variance_decomposition(observables=variables, horizons=AHEAD).isel(draw=0)
    other = np.asarray(theirs["conditional"]).reshape(len(variables), len(AHEAD), -1)
    share = data["share"].values.transpose(1, 0, 2) / 100
    shown = data["variance"].values.T > PRINTED
    row.conditional = _largest(share - other[:, :, columns], shown[:, :, None])


def _compare_filtered(
    row: Row, economy: Economy, variables: list[str], columns: list[int], theirs: dict[str, Any]
) -> None:
    ours = economy.moments(observables=variables, hp=1600, cross=True).isel(draw=0)
    covariance = np.atleast_2d(theirs["var"])
    variance = np.diag(covariance)
    shown = (variance > PRINTED) & ours["stationary"].values
    pairs = np.outer(shown, shown)
    deviation = np.sqrt(np.where(shown, variance, 1.0))
    own = ours["std"].values
    mine = ours["correlation"].values * np.outer(own / deviation, own / deviation)
    row.hp_covariance = _largest(mine - covariance / np.outer(deviation, deviation), pairs)
    if "autocorr" in theirs:
        lagged = np.asarray(theirs["autocorr"]).reshape(len(variables), len(variables), -1)
        row.hp_autocorrelation = _largest(
            ours["cross_correlation"].values - lagged.transpose(2, 1, 0), pairs
        )
    if "variance_decomposition" in theirs:
        row.hp_decomposition = _shares(economy, {"hp": 1600}, variables, columns, theirs, shown)


def table(options: argparse.Namespace) -> int:
    with open(options.files, encoding="utf-8") as file:
        names = [line["file"] for line in csv.DictReader(file) if line["outcome"] == "solved"]
    rows = rows_of(
        names,
        options,
        ask,
        lambda path, name, theirs: [compare(path, name, theirs)],
        lambda name, note: Row(name, note=note),
    )
    _report(rows, console(240))
    write(rows, Row, options.csv)
    return int(any(row.worst > TOLERANCE for row in rows))


def _report(rows: list[Row], console: Console) -> None:
    show(rows, Row, console)
    compared = [row for row in rows if row.variables]
    console.print(
        f"{len(compared)} files compared, {sum(row.variables for row in compared)} variables;"
        f" within {TOLERANCE:g}: {sum(row.worst <= TOLERANCE for row in compared)}. Largest by"
        " quantity: "
        + ", ".join(
            f"{name} {max((getattr(r, name) or 0.0 for r in compared), default=0.0):.1e}"
            for name in QUANTITIES
        )
    )


def speed(options: argparse.Namespace) -> int:
    """CPU time a draw of `sw07`, from parameters to moments and decompositions."""
    economy = emulator.world("sw07")
    draws = economy.sample(options.draws, 1)
    few = draws.iloc[: options.loop_draws]
    cases = {
        "output, inflation, rate": (economy, ["output", "inflation", "rate"], ["y", "pi", "r"]),
    }
    ratios = []
    for title, (asked, observables, variables) in cases.items():
        loop = dynare_loop(few.to_numpy(), list(few.columns), variables, options)
        times = []
        for _ in range(options.rounds):
            started = time.process_time()
            moments = asked.moments(draws, observables=observables)
            shares = asked.variance_decomposition(draws, observables=observables)
            times.append(time.process_time() - started)
        n = len(few)
        scale = np.array([1.0, 4.0, 4.0])
        difference = max(
            np.abs(moments["std"].values[:n] / scale / np.sqrt(loop["variance"].T) - 1).max(),
            np.abs(
                moments["autocorrelation"].values[:n] - loop["autocorrelation"].transpose(2, 1, 0)
            ).max(),
            np.abs(shares["share"].values[:n, -1] / 100 - loop["share"].transpose(2, 0, 1)).max(),
            np.abs(
                shares["share"].values[:n, :4] / 100 - loop["conditional"].transpose(3, 1, 0, 2)
            ).max(),
        )
        own = float(np.median(times)) / len(draws)
        other = float(loop["seconds"]) / n
        ratios.append(other / own)
        print(
            f"sw07, {title}: ours {1e6 * own:,.0f} us a draw ({len(draws):,} draws), Dynare"
            f" {1e6 * other:,.0f} ({n} draws), ratio {other / own:.0f} (bar {BAR:.0f}); largest"
            f" difference {difference:.1e}"
        )
    return int(min(ratios) < BAR)


def dynare_loop(
    theta: np.ndarray, names: list[str], variables: list[str], options: argparse.Namespace
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(SW07, work)
        shutil.copy(OWN_SCRIPTS / "moments_loop.m", work)
        (work / "variables.txt").write_text("\n".join(variables))
        write_theta(work / "draws.csv", names, theta)
        done = subprocess.run(
            ["octave-cli", "--norc", "--quiet", "--eval",
             f"addpath('{options.dynare}'); moments_loop('sw07')"],
            cwd=work, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if not (work / "loop.mat").exists():
            raise SystemExit(f"Octave ended:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
        return loadmat(work / "loop.mat", simplify_cells=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="folder of .mod files")
    parser.add_argument("--speed", action="store_true", help="the cost of a draw of sw07 instead")
    parser.add_argument(
        "--files",
        type=Path,
        default=Path(__file__).with_name("dsge_mod.csv"),
        help="a table of modfiles.py",
    )
    add_options(parser, "dynare_moments")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--loop-draws", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if not given.speed and given.folder is None:
        parser.error("expected a folder of .mod files, or --speed")
    sys.exit(speed(given) if given.speed else table(given))
