"""Second and third order before the referee: a folder of `.mod` files, ours against Dynare's own
rules, paths, responses and moments, one row a file and order.

    python benchmarks/orders.py FOLDER [--cache DIR] [--csv benchmarks/orders.csv] [--only PATTERN]

The files are those of `FILES`, not linear, of JohannesPfeifer/DSGE_mod. Every file is solved at
order 2 and 3, whatever it asks for: its `stoch_simul` is rewritten in a scratch copy, so that the
preprocessor writes third derivatives. Dynare's answers are those of
`k_order_perturbation`, `simult_` with pruning, `irf` with the same random numbers (3 replications,
12 periods before the shock, 12 from it on), and `pruned_state_space_system`.

Differences: of each array of the rules, relative to the larger of one and its largest entry; of
paths, responses and moments relative to the larger of one and the largest value of the variable
(of covariances to the product of standard deviations). Exit code 1 if one is above 1e-8, Dynare's
autocovariances of third order aside (`WRONG`).
"""

from __future__ import annotations

import os

# one thread, here and in Octave; read once, when NumPy is imported
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from collection import add_options, console, record_of, rows_of, show, write
from referee import SCRIPTS, Octave
from rich.console import Console

from emulator.errors import EmulatorError
from emulator.modfile import CompiledModel, load
from emulator.modfile.compiling.rules import decision_rules
from emulator.solvers.perturbation import (
    Rules,
    pruned_moments,
    simulate,
    simulated_responses,
)

OWN_SCRIPTS = SCRIPTS / "orders"
TOLERANCE = 1e-8
PRINTED = 1e-12
"""Variance from which on a variable's moments are compared."""
SIMULATION = re.compile(r"\bstoch_simul\b\s*(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\))?")
ORDER = re.compile(r"\s*(?:order|k_order_solver|pruning|loglinear)\s*(?:=[^,]*)?", re.IGNORECASE)
FILES = (
    "Aguiar_Gopinath_2007/Aguiar_Gopinath_2007.mod",
    "Andreasen_2012/Andreasen_2012_rare_disasters.mod",
    "Ascari_Sbordone_2014/Ascari_Sbordone_2014.mod",
    "Born_Pfeifer_2014/Born_Pfeifer_RM_Comment.mod",
    "Born_Pfeifer_2018/Welfare/Born_Pfeifer_2018_welfare.mod",
    "Caldara_et_al_2012/Caldara_et_al_2012.mod",
    "Collard_2001/Collard_2001_example1.mod",
    "Gali_2015/Gali_2015_chapter_3_nonlinear.mod",
    "GarciaCicco_et_al_2010/GarciaCicco_et_al_2010.mod",
    "Hansen_1985/Hansen_1985.mod",
    "Jermann_1998/Jermann_1998.mod",
    "RBC_baseline/RBC_baseline.mod",
    "RBC_baseline_welfare/RBC_baseline_welfare.mod",
    "RBC_capitalstock_shock/RBC_capitalstock_shock.mod",
    "RBC_news_shock_model/RBC_news_shock_model.mod",
    "RBC_state_dependent_GIRF/RBC_state_dependent_GIRF.mod",
    "SGU_2003/SGU_2003.mod",
    "SGU_2004/SGU_2004.mod",
)
WRONG = ("autocovariance", 3)
"""What Dynare 5.3 leaves a term out of: its innovations of third order hold products of states and
squared shocks with their mean, so that they are correlated over time, and
pruned_state_space_system.m does not count that. Simulated paths agree with ours.
"""
QUANTITIES = ("rules", "path", "response", "mean", "covariance", "autocovariance")


@dataclass
class Row:
    """One file at one order: largest differences by quantity, None where Dynare has none."""

    file: str
    order: int
    variables: int = 0
    states: int = 0
    shocks: int = 0
    rules: float | None = None
    path: float | None = None
    response: float | None = None
    mean: float | None = None
    covariance: float | None = None
    autocovariance: float | None = None
    largest: str = ""
    """The array of the rules that differs most."""
    note: str = ""

    @property
    def worst(self) -> float:
        numbers = [getattr(self, name) for name in QUANTITIES if (name, self.order) != WRONG]
        return max((x for x in numbers if x is not None), default=0.0)


def ask(tree: Path, file: Path, cache: Path, octave: Octave) -> dict[str, Any] | None:
    """Dynare's answers to a file of the folder `tree`, from the cache where it was asked before;
    None where it has none.
    """
    return record_of(tree, file, octave, cache, OWN_SCRIPTS, of_third_order)


def of_third_order(text: str) -> str:
    """The text of a file whose commands ask for order 3."""

    def changed(match: re.Match[str]) -> str:
        options = [part for part in (match[1] or "").split(",") if part.strip()]
        kept = [part for part in options if not ORDER.fullmatch(part)]
        return f"stoch_simul({', '.join(['order=3', 'k_order_solver', 'pruning', *kept])})"

    return SIMULATION.sub(changed, text)


def compare(file: Path, name: str, theirs: dict[str, Any]) -> list[Row]:
    model = load(file)
    rows = []
    for order in (2, 3):
        part = theirs[f"order_{order}"]
        row = Row(name, order, len(model.variables), 0, len(model.shocks))
        rows.append(row)
        if len(part["message"]):
            row.note = f"Dynare: {part['message']}"
            continue
        try:
            rules, status = decision_rules(model, model.theta(), order)
        except EmulatorError as error:
            row.note = "refused: " + str(error).replace(str(file.parent), ".")
            continue
        row.states = rules.n_states
        if status[0]:
            row.note = f"status {status[0]}"
            continue
        _compare(row, model, rules, theirs, part)
    return rows


def _compare(
    row: Row, model: CompiledModel, rules: Rules, theirs: dict[str, Any], part: dict[str, Any]
) -> None:
    names = [str(v) for v in np.atleast_1d(theirs["variables"])]
    shown = [v for v in names[: int(theirs["original"])] if v in model.variables]
    at = [names.index(v) for v in shown]
    own = rules.of([model.variables.index(v) for v in shown])
    every = [str(v) for v in np.atleast_1d(theirs["shocks"])]
    shocks = [every.index(v) for v in model.shocks]
    factor = np.atleast_2d(part["factor"])[:, shocks]
    arrays = _own_arrays(own)
    states = _states(model, rules, theirs, part)
    worst = ("", 0.0)
    for key, mine in arrays.items():
        if key not in part or mine is None:
            continue
        other = _theirs(key, np.asarray(part[key]), at, states, factor)
        apart = np.abs(mine - other).max(initial=0.0) / max(1.0, np.abs(other).max(initial=0.0))
        worst = max(worst, (key, float(apart)), key=lambda pair: pair[1])
    row.largest, row.rules = worst
    unit = np.asarray(part["unit"]).reshape(-1, len(every), 3)[:, shocks].transpose(2, 0, 1)
    steady = np.atleast_1d(part["ys"])[at]
    path = simulate(own, unit[:1])[0]
    row.path = _relative(path, np.atleast_2d(part["path"])[:, at] - steady, steady)
    burn = int(part["burn"])
    periods = unit.shape[1] - burn
    moving = np.flatnonzero(np.diag(factor[shocks]) > 0)
    response = np.asarray(part["response"]).reshape(len(moving), periods, -1)[:, :, at]
    pulses = np.zeros((len(moving), periods, len(shocks)))
    pulses[np.arange(len(moving)), 0, moving] = 1.0
    repeated = own.at(np.zeros(len(moving), dtype=int))
    row.response = _relative(simulated_responses(repeated, pulses, unit, burn), response, steady)
    if len(part["moments_message"]):
        row.note = f"moments: {part['moments_message']}"[:60]
    else:
        _compare_moments(row, own, part, at, steady)


def _compare_moments(
    row: Row, own: Rules, part: dict[str, Any], at: list[int], steady: np.ndarray
) -> None:
    mean, (covariances,), _ = pruned_moments(own, 3)
    if not np.isfinite(mean).all():
        row.note = "a unit root: no moments"
        return
    other = np.atleast_1d(part["mean"])[at] - steady
    row.mean = float((np.abs(mean[0] - other) / np.maximum(1, np.abs(other + steady))).max())
    variance = np.atleast_2d(part["variance"])[np.ix_(at, at)]
    moving = np.diag(variance) > PRINTED
    size = np.sqrt(np.where(moving, np.diag(variance), 1.0))
    scale = np.outer(size, size)
    pairs = np.outer(moving, moving)
    row.covariance = float((np.abs(covariances[0] - variance) / scale)[pairs].max(initial=0.0))
    lagged = np.asarray(part["lagged"]).reshape(*np.atleast_2d(part["variance"]).shape, -1)
    lagged = lagged[np.ix_(at, at)].transpose(2, 0, 1)
    apart = np.abs(covariances[1:] - lagged) / scale
    row.autocovariance = float(apart[:, pairs].max(initial=0.0))


def _relative(mine: np.ndarray, other: np.ndarray, steady: np.ndarray) -> float:
    axes = tuple(range(other.ndim - 1))
    size = np.maximum(1.0, np.maximum(np.abs(other).max(axis=axes), np.abs(steady)))
    return float((np.abs(mine - other) / size).max())


def _own_arrays(rules: Rules) -> dict[str, np.ndarray]:
    s = rules.n_states
    arrays = {
        "ghx": rules.first[0, :, :s],
        "ghu": rules.first[0, :, s:],
        "ghxx": rules.second[0, :, :s, :s],
        "ghxu": rules.second[0, :, :s, s:],
        "ghuu": rules.second[0, :, s:, s:],
        "ghs2": rules.risk[0],
    }
    if rules.third is None or rules.risk_slope is None:
        return arrays
    third, slope = rules.third[0], rules.risk_slope[0]
    return arrays | {
        "ghxxx": third[:, :s, :s, :s],
        "ghxxu": third[:, :s, :s, s:],
        "ghxuu": third[:, :s, s:, s:],
        "ghuuu": third[:, s:, s:, s:],
        "ghxss": slope[:, :s],
        "ghuss": slope[:, s:],
    }


def _states(
    model: CompiledModel, rules: Rules, theirs: dict[str, Any], part: dict[str, Any]
) -> list[int]:
    """For each of our states its position among Dynare's."""
    aux = {str(a): (str(b), int(c)) for a, b, c in np.reshape(theirs["aux"], (-1, 3)).tolist()}
    names = []
    for state in np.atleast_1d(part["states"]):
        name, shift = aux.get(str(state), (str(state), 0))
        first = "(0)" if name in np.atleast_1d(theirs["shocks"]) else ""
        names.append(name + first + "(-1)" * -shift)
    return [names.index(model.all_variables[k]) for k in rules.states]


def _theirs(
    key: str, array: np.ndarray, at: list[int], states: list[int], factor: np.ndarray
) -> np.ndarray:
    """Dynare's array of the variables at `at` as ours: states in our sequence, shocks independent
    and of standard deviation one.
    """
    array = array.reshape(len(array), -1)[at]
    kinds = key.removeprefix("gh").removesuffix("s2").removesuffix("ss")
    n_states = len(states)
    if not kinds:
        return array[:, 0]
    widths = [n_states if kind == "x" else factor.shape[0] for kind in kinds]
    array = array.reshape(len(at), *widths)
    for axis, kind in enumerate(kinds, start=1):
        if kind == "x":
            array = np.take(array, states, axis=axis)
        else:
            array = np.moveaxis(np.moveaxis(array, axis, -1) @ factor, -1, axis)
    return array


def table(options: argparse.Namespace) -> int:
    rows = rows_of(FILES, options, ask, compare, lambda name, note: Row(name, 0, note=note))
    _report(rows, console(200))
    write(rows, Row, options.csv)
    return int(any(row.worst > TOLERANCE for row in rows))


def _report(rows: list[Row], console: Console) -> None:
    show(rows, Row, console)
    for order in (2, 3):
        compared = [row for row in rows if row.order == order and row.rules is not None]
        largest = ", ".join(
            f"{name} {max((getattr(r, name) or 0.0 for r in compared), default=0.0):.1e}"
            for name in QUANTITIES
        )
        console.print(
            f"order {order}: {len(compared)} files compared; within {TOLERANCE:g}:"
            f" {sum(row.worst <= TOLERANCE for row in compared)}. Largest by quantity: {largest}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of .mod files")
    add_options(parser, "dynare_orders")
    sys.exit(table(parser.parse_args()))
