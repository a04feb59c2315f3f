"""Optimal simple rules (`osr`): the coefficients that minimise a weighted sum of unconditional
variances and covariances, for many draws of the other parameters at once.

The objective is that of Dynare (manual, "Optimal simple rules"), from the first-order solution. A
coefficient that a caller gives is held where it was given; the search for the others begins at the
file's values and stays within `osr_params_bounds`.

Axes: N draw, P column of theta, F coefficient of the rule, W weighed variable.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.evaluate import evaluate
from emulator.modfile.compiling.initial_values import assigned
from emulator.modfile.compiling.runs import Run
from emulator.modfile.reading.syntax import (
    Assignment,
    Command,
    ModFile,
    Place,
    Script,
    Skipped,
    SteadyStateModel,
)
from emulator.modfile.reading.syntax_policy import OptimWeights, RuleBound, RuleBounds, Weight
from emulator.solvers import StateSpace
from emulator.solvers.minimising import minimise
from emulator.solvers.second_moments import Recursion, autocovariances, stationary_part
from emulator.spec import Status

if TYPE_CHECKING:
    from emulator.modfile.compiling.model import CompiledModel

COMMAND = "osr"


@dataclass(frozen=True)
class SimpleRule:
    """What an `osr` chooses, within which bounds, and what it weighs."""

    coefficients: tuple[str, ...]
    weights: tuple[Weight, ...]
    bounds: tuple[RuleBound, ...]
    place: Place


@dataclass(frozen=True)
class OptimalRule:
    """theta (N, P) with the coefficients of the rule at their optimum; `objective` and `at_start`
    (N,): what is minimised there and at the file's coefficients, infinite where there is no
    solution; converged (N,): whether a minimum was reached.
    """

    theta: np.ndarray
    objective: np.ndarray
    at_start: np.ndarray
    converged: np.ndarray


Block = TypeVar("Block", OptimWeights, RuleBounds)


def rule_of(file: ModFile, run: Run | None) -> SimpleRule | None:
    """The rule that a run optimises; None where it is no `osr`.

    Raises `ModFileError` where parameters or weights are not there.
    """
    if run is None or run.command != COMMAND:
        return None
    before = file.statements[: run.stop]
    names = next(
        (s.names for s in reversed(before) if isinstance(s, Command) and s.name == "osr_params"), ()
    )
    if not names:
        raise ModFileError(
            "'osr' needs the names of the coefficients to be chosen: osr_params NAME ...;",
            run.place,
        )
    declared = {d.name for d in file.parameters}
    unknown = next((name for name in names if name not in declared), None)
    if unknown is not None:
        raise ModFileError(f"osr_params: '{unknown}' is not a parameter.", run.place)
    weights = _last(file, run, OptimWeights)
    if weights is None or not weights.weights:
        raise ModFileError("'osr' needs weights: optim_weights; NAME VALUE; ... end;", run.place)
    variables = {d.name for d in file.variables}
    for weight in weights.weights:
        gone = next((name for name in weight.names if name not in variables), None)
        if gone is not None:  # under nostrict
            raise ModFileError(f"'{gone}' stands in no equation of the model.", weight.place)
    bounds = _last(file, run, RuleBounds)
    return SimpleRule(
        coefficients=tuple(dict.fromkeys(names)),
        weights=weights.weights,
        bounds=() if bounds is None else bounds.bounds,
        place=run.place,
    )


def _last(file: ModFile, run: Run, kind: type[Block]) -> Block | None:
    before = file.statements[: run.stop]
    return next((s for s in reversed(before) if isinstance(s, kind)), None)


def earlier_rule(
    file: ModFile, runs: Collection[Run], run: Run | None
) -> tuple[Run, frozenset[str]] | None:
    """The `osr` before a run, whose optimum stays in force, and the parameters that the file sets
    anew in between; None where there is none.
    """
    before = [r for r in runs if r.command == COMMAND and run is not None and r.stop < run.stop]
    if run is None or not before:
        return None
    between = file.statements[before[-1].stop : run.stop]
    steps = [s for s in between if isinstance(s, Assignment | Script | Skipped | SteadyStateModel)]
    return before[-1], frozenset(name for step in steps for name in assigned(step))


def optimal_rule(
    model: CompiledModel, rule: SimpleRule, theta: np.ndarray, held: Collection[str]
) -> OptimalRule:
    """The best coefficients at theta (N, P), which holds those to begin with; `held` stay.

    Raises `ModFileError` where the objective is infinite though there is a solution.
    """
    free = [name for name in rule.coefficients if name not in held]
    columns = [model.parameters.index(name) for name in free]
    at_start = losses(model, rule, theta)
    _refuse_infinite(model, rule, theta, at_start)
    if not free:
        return OptimalRule(theta, at_start, at_start, np.ones(len(theta), dtype=bool))

    def objective(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
        moved = theta[rows]
        moved[:, columns] = points
        return losses(model, rule, moved)

    low, high = _bounds(model, rule, free)
    minimum = minimise(objective, theta[:, columns], low, high)
    best = theta.copy()
    solved = np.isfinite(minimum.value)
    best[np.ix_(solved, columns)] = minimum.point[solved]
    return OptimalRule(best, minimum.value, at_start, minimum.converged)


def losses(model: CompiledModel, rule: SimpleRule, theta: np.ndarray) -> np.ndarray:
    """The weighted sum of variances and covariances (N,) at theta (N, P); infinite without a unique
    stable solution, and where a weighed variable has no variance.
    """
    solution = model.solve(theta)
    rows = np.flatnonzero(solution.status == Status.OK)
    names = list(dict.fromkeys(name for weight in rule.weights for name in weight.names))
    seen = np.zeros((len(rows), len(names), len(model.all_variables)))
    seen[:, range(len(names)), [model.variables.index(name) for name in names]] = 1.0
    recursion = Recursion.of(StateSpace(solution.transition[rows], solution.impact[rows], seen))
    recursion, stationary = stationary_part(recursion)
    covariance = np.asarray(autocovariances(recursion, 0))[:, 0]
    weights = _weights(model, rule, names, theta[rows])
    result = np.full(len(theta), np.inf)
    result[rows] = np.where(stationary.all(axis=1), (weights * covariance).sum(axis=(1, 2)), np.inf)
    return np.where(np.isfinite(result), result, np.inf)


def _weights(
    model: CompiledModel, rule: SimpleRule, names: list[str], theta: np.ndarray
) -> np.ndarray:
    """Weights (N, W, W) at theta (N, P); that of a covariance counts as it is written, once."""
    values = dict(zip((d.name for d in model.file.parameters), theta.T, strict=False))
    weights = np.zeros((len(theta), len(names), len(names)))
    for weight in rule.weights:
        pair = names.index(weight.names[0]), names.index(weight.names[-1])
        weights[:, pair[0], pair[1]] = evaluate(weight.value, values, weight.place)
    return weights


def _bounds(
    model: CompiledModel, rule: SimpleRule, names: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    values = {
        name: value
        for name, value in model.calibration.values({}).items()
        if not isinstance(value, ModFileError)
    }
    low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    for bound in rule.bounds:
        ends = [float(evaluate(end, values, bound.place)) for end in (bound.low, bound.high)]
        if not ends[0] < ends[1]:
            raise ModFileError(
                f"osr_params_bounds of '{bound.name}' are {ends[0]:g} and {ends[1]:g}; expected a"
                " smaller and a larger number.",
                bound.place,
            )
        if bound.name in names:
            k = names.index(bound.name)
            low[k] = ends[0]
            high[k] = ends[1]
    return low, high


def _refuse_infinite(
    model: CompiledModel, rule: SimpleRule, theta: np.ndarray, at_start: np.ndarray
) -> None:
    infinite = np.flatnonzero(~np.isfinite(at_start))
    solved = model.solve(theta[infinite]).status == Status.OK
    if solved.any():
        names = ", ".join(dict.fromkeys(n for weight in rule.weights for n in weight.names))
        raise ModFileError(
            f"the objective of osr is infinite at the coefficients of the file: of {names} at least"
            " one has no variance, which a unit root moves. Weigh a stationary variable in its"
            " place.",
            rule.place,
        )
