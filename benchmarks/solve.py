"""CPU time a draw, from parameters to responses over 41 quarters: our batched solver against the
loops of others.

Ours takes a batch from theta to responses through `get_world(name).irf`: steady state, derivatives,
solution, certificate, responses of all that the world observes to every shock; peers give those of
output, inflation and rate, which are compared. Against it, draw by
draw: a loop over `scipy.linalg.ordqz` (pencils ready-made, decision rules only), dsgelab, Dynare's
loop (steady state, `resol`, `irf`) in one Octave session and, for `zlb`, Dynare's OccBin.
Everything runs on one thread and in turn, round after round; a figure is the median over the
rounds, in CPU time, a ratio theirs over ours. Before anything is timed the answers are compared at
the same draws. A peer that is not installed has no figure.

    python benchmarks/solve.py [--rounds 7] [--draws 20000] [--loop-draws 100] [--dynare
    /usr/lib/dynare/matlab]
    python benchmarks/solve.py --scaling      # cost a draw and memory against the number of draws,
                                              ours alone
"""

from __future__ import annotations

import os

# one thread, here and in Octave; read once, when NumPy is imported
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ[
    "MKL_NUM_THREADS"
] = "1"

import argparse
import importlib.util
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import solve_orders
from peers import CASES, Case, Dsgelab, DynareLoop, Ordqz
from rich.console import Console
from rich.table import Table

from emulator.spec import OBSERVABLES
from emulator.tests.reference.dynare import DYNARE
from emulator.tests.reference.zlb.make import ask
from emulator.worlds import get_world

AGREED = 1e-6
"""Largest difference between answers, relative to max(1, |response|), that is the same answer."""
BARS = {"nk": 150, "rbc": 150, "sw07": 15, "zlb": 100, "rbc, order 2": 20}
"""How many times Dynare's speed ours shall have."""
SIZES = (1_000, 10_000, 100_000)
SHOWN = Console(width=None if sys.stdout.isatty() else 160)

Loop = Callable[[Case, np.ndarray], float]


def ours(world: str, theta: np.ndarray) -> float:
    """CPU seconds of a batch."""
    started = time.process_time()
    get_world(world).irf(theta)
    return time.process_time() - started


def difference(answer: np.ndarray, expected: np.ndarray) -> float:
    return float((np.abs(answer - expected) / np.maximum(1, np.abs(expected))).max())


def peers(folder: Path, matlab: Path) -> dict[str, Any]:
    """The peers that are installed, by the name of their column."""
    installed: dict[str, Any] = {"ordqz": Ordqz()}
    if importlib.util.find_spec("dsgelab"):
        installed["dsgelab"] = Dsgelab()
    if shutil.which("octave-cli") and matlab.is_dir():
        installed["Dynare"] = DynareLoop(folder, matlab)
    return installed


def measure(
    case: Case, against: dict[str, Any], rounds: int, draws: int, loop_draws: int
) -> tuple[dict[str, float], float]:
    """Median CPU seconds a draw of ours and of each peer, and the largest difference between their
    answers.
    """
    world = get_world(case.world)
    theta = world.sample(draws, np.random.default_rng(0))
    few = theta[:loop_draws]
    asked = [world.spec.observable_names.index(name) for name in OBSERVABLES]
    own = world.irf(few)[..., asked]
    apart = max(difference(peer.irf(case, few), own) for peer in against.values())
    if not apart < AGREED:
        raise SystemExit(f"{case.world}: answers differ by {apart:.1e}; nothing was timed.")
    times: dict[str, list[float]] = {name: [] for name in ("ours", *against)}
    for _ in range(rounds):
        for name, peer in against.items():
            times["ours"].append(ours(case.world, theta) / draws)
            times[name].append(peer.seconds(case, few) / loop_draws)
    return {name: float(np.median(seconds)) for name, seconds in times.items()}, apart


def measure_zlb(
    matlab: Path, rounds: int, draws: int, loop_draws: int
) -> tuple[dict[str, float], float]:
    """The same for `zlb` against OccBin: four paths a draw, without a shock and with each; see
    benchmarks/zlb.py for more.
    """
    world: Any = get_world("zlb")
    theta = world.sample(draws, np.random.default_rng(0))
    few, times = theta[:loop_draws], {"ours": [ours("zlb", theta) / draws], "Dynare": []}
    for _ in range(max(1, rounds // 3)):
        answer = ask(few, matlab)
        times["Dynare"].append(float(answer.seconds.mean()))
        times["ours"].append(ours("zlb", theta) / draws)
    solved = np.isfinite(answer.paths[:, :, 0, 0])
    apart = difference(world.solve(few, 40)[0][solved], answer.paths[solved])
    if not apart < AGREED:
        raise SystemExit(f"zlb: answers differ by {apart:.1e}.")
    return {name: float(np.median(seconds)) for name, seconds in times.items()}, apart


def compare(rounds: int, draws: int, loop_draws: int, matlab: Path) -> int:
    """Print the table; 1 if a ratio to Dynare is below its bar."""
    before = os.getloadavg()[0]
    rows: dict[str, tuple[dict[str, float], float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        against = peers(Path(folder), matlab)
        for case in CASES:
            rows[case.world] = measure(
                case, against, rounds, draws if case.world != "sw07" else draws // 4, loop_draws
            )
        if "Dynare" in against:
            against["Dynare"].close()
            rows["zlb"] = measure_zlb(matlab, rounds, draws, loop_draws)
            rows["rbc, order 2"] = solve_orders.measure(matlab, rounds, draws // 4, loop_draws)
    load = f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after"
    table = Table(
        title=f"microseconds of CPU a draw (times ours), {datetime.now(UTC):%Y-%m-%d}, {load}"
    )
    for title in ("world", "ours", *against, "bar", "largest difference"):
        table.add_column(title, justify="left" if title == "world" else "right")
    missed = False
    for world, (cost, apart) in rows.items():
        cells = [
            f"{1e6 * cost[name]:,.0f} ({cost[name] / cost['ours']:,.0f})" if name in cost else ""
            for name in against
        ]
        missed |= "Dynare" in cost and cost["Dynare"] < BARS[world] * cost["ours"]
        table.add_row(world, f"{1e6 * cost['ours']:.1f}", *cells, f"{BARS[world]}", f"{apart:.0e}")
    SHOWN.print(table)
    SHOWN.print(
        "Dynare: its own loop in one Octave session; for zlb its OccBin; at order 2"
        " from parameters to decision rules, by resol."
    )
    return int(missed)


def weigh(world: str, n: int) -> tuple[float, float, float]:
    """In a process of its own: CPU seconds a draw; megabytes of the result and, beyond it, of the
    peak while it was made.
    """
    theta = get_world(world).sample(n, np.random.default_rng(0))
    get_world(world).irf(theta[:1000])
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before, started = memory("VmRSS"), time.process_time()
    result = get_world(world).irf(theta)
    costs, size, peak = [time.process_time() - started], result.nbytes / 2**20, memory("VmHWM")
    del result
    costs += [ours(world, theta) for _ in range(4 if n < max(SIZES) else 0)]
    return float(np.median(costs)) / n, size, peak - before - size


def memory(kind: str) -> float:
    """Megabytes that the process holds (VmRSS), or held at its peak (VmHWM)."""
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(kind)
    )
    return int(line.split()[1]) / 1024


def scaling() -> int:
    """Print cost and memory against the number of draws."""
    table = Table(
        title=(
            f"ours against the number of draws, {datetime.now(UTC):%Y-%m-%d}, load"
            f" {os.getloadavg()[0]:.1f}"
        )
    )
    for title in ("world", "draws", "CPU us a draw", "result, MB", "peak beyond the result, MB"):
        table.add_column(title, justify="left" if title == "world" else "right")
    context = multiprocessing.get_context("spawn")
    for world in [case.world for case in CASES] + ["zlb"]:
        for n in SIZES:
            with context.Pool(1) as pool:
                cost, result, beyond = pool.apply(weigh, (world, n))
            table.add_row(world, f"{n:,}", f"{1e6 * cost:.1f}", f"{result:,.0f}", f"{beyond:,.0f}")
    SHOWN.print(table)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=7, help="times that everything is run, in turn"
    )
    parser.add_argument(
        "--draws", type=int, default=20_000, help="draws in our batch; a quarter of it for sw07"
    )
    parser.add_argument(
        "--loop-draws", type=int, default=100, help="draws that a peer solves in a round"
    )
    parser.add_argument("--dynare", type=Path, default=DYNARE, help="Dynare's matlab folder")
    parser.add_argument(
        "--scaling", action="store_true", help="cost and memory of ours against the number of draws"
    )
    given = parser.parse_args()
    sys.exit(
        scaling()
        if given.scaling
        else compare(given.rounds, given.draws, given.loop_draws, given.dynare)
    )
