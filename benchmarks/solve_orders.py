"""CPU time a draw of a model of RBC size at second order: our batch against Dynare's loop.

Both go from parameters to decision rules of second order: steady state, first order, second order.
The answers are compared at the same draws before anything is said. Part of `solve.py`.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from orders import of_third_order
from scipy.io import loadmat

import emulator
from emulator.modfile.compiling.rules import decision_rules
from emulator.solvers.perturbation import Rules
from emulator.tests.reference.dynare import write_theta
from emulator.worlds import get_world

WORLD = "rbc"
FILE = Path(emulator.__file__).parent / "worlds/rbc.mod"
SCRIPT = Path(__file__).with_name("solve_order_loop.m")


def measure(
    matlab: Path, rounds: int, draws: int, loop_draws: int
) -> tuple[dict[str, float], float]:
    """Median CPU seconds a draw of ours and of Dynare, and the largest difference of the rules,
    relative to the larger of one and the largest entry of the array.
    """
    world: Any = get_world(WORLD)
    theta = world.sample(draws, np.random.default_rng(0))
    times: dict[str, list[float]] = {"ours": [], "Dynare": []}
    for _ in range(max(1, rounds // 2)):
        started = time.process_time()
        decision_rules(world.model, _full(world, theta), 2)
        times["ours"].append((time.process_time() - started) / draws)
        loop = _loop(theta[:loop_draws], list(world.spec.parameter_names), matlab)
        times["Dynare"].append(float(loop["seconds"]) / loop_draws)
    rules, _ = decision_rules(world.model, _full(world, theta[:loop_draws], units=True), 2)
    apart = _apart(world, rules, loop)
    return {name: float(np.median(seconds)) for name, seconds in times.items()}, apart


def _full(world: Any, theta: np.ndarray, units: bool = False) -> np.ndarray:
    """theta of the model; units: with shocks of size one, as Dynare's."""
    given = dict(zip(world.spec.parameter_names, theta.T, strict=True))
    full: np.ndarray = world.model.theta(given)
    if units:
        full = full.copy()
        stderr = world.model.calibration.stderr.values()
        full[:, [world.model.parameters.index(column) for column in stderr]] = 1.0
    return full


def _loop(theta: np.ndarray, names: list[str], matlab: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        text = of_third_order(FILE.read_text()).replace("order=3, k_order_solver", "order=2")
        (work / FILE.name).write_text(text)
        (work / SCRIPT.name).write_text(SCRIPT.read_text())
        write_theta(work / "draws.csv", names, theta)
        done = subprocess.run(
            ["octave-cli", "--norc", "--quiet", "--eval",
             f"addpath('{matlab}'); {SCRIPT.stem}('{FILE.stem}')"],
            cwd=work, capture_output=True, text=True, check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        if not (work / "loop.mat").exists():
            raise SystemExit(f"Octave ended:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
        return loadmat(work / "loop.mat", simplify_cells=True)


def _apart(world: Any, rules: Rules, loop: dict[str, Any]) -> float:
    model = world.model
    at = [list(loop["variables"]).index(name) for name in model.variables]
    order = [list(loop["states"]).index(model.all_variables[k]) for k in rules.states]
    s, k = rules.n_states, rules.n_shocks
    own = rules.of(slice(0, len(model.variables)))
    parts = {
        "ghx": own.first[:, :, :s],
        "ghu": own.first[:, :, s:],
        "ghxx": own.second[:, :, :s, :s],
        "ghxu": own.second[:, :, :s, s:],
        "ghuu": own.second[:, :, s:, s:],
        "ghs2": own.risk,
    }
    worst = 0.0
    for name, mine in parts.items():
        shape = [s if letter == "x" else k for letter in name[2:] if letter in "xu"]
        other = loop["record"][name][at].reshape(len(at), *shape, -1)
        other = np.moveaxis(other, -1, 0)
        for axis, letter in enumerate(name[2:].replace("s2", ""), start=2):
            if letter == "x":
                other = np.take(other, order, axis=axis)
        scale = max(1.0, float(np.abs(other).max()))
        worst = max(worst, float(np.abs(mine - other).max()) / scale)
    return worst
