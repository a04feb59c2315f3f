"""Optimal policy under discretion (`discretionary_policy`): the loss of a file's policymaker, and
the decision rules of `emulator.solvers.discretion` with it.

As in Dynare the model is taken in deviations: derivatives are those at the steady state of a
steady_state_model, or at zero, and the loss is `planner_objective`, minimised, to second order
around zero, where its first derivatives must be zero (Dynare manual, "Optimal policy under
discretion").

Axes: N draw, V variable of the file, n variable with auxiliary ones, P column of theta.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.differentiate import gradient, higher
from emulator.modfile.compiling.optimal_policy import Policymaker, objective_of
from emulator.modfile.compiling.runs import Run
from emulator.modfile.compiling.symbolic import in_steady_state
from emulator.modfile.compiling.tape import Tape, record
from emulator.modfile.reading.grammar import Reader
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax import Command, Expression, ModFile, Number
from emulator.solvers import Solution
from emulator.solvers.discretion import Search, search, solve_discretion
from emulator.spec import Status

if TYPE_CHECKING:
    from emulator.modfile.compiling.model import CompiledModel

COMMAND = "discretionary_policy"


@dataclass(frozen=True)
class Discretion(Policymaker):
    """What the policymaker minimises, at which discount factor, with which instruments, of which
    there is one for each equation that the model lacks.
    """

    instruments: tuple[str, ...]


def discretion_of(file: ModFile, run: Run | None) -> Discretion | None:
    """The policymaker of a run; None where no `discretionary_policy` stands up to it.

    Raises `ModFileError` where there is no objective, or where instruments and missing equations
    differ in number.
    """
    statements = file.statements if run is None else file.statements[: run.stop]
    commands = [s for s in statements if isinstance(s, Command) and s.name == COMMAND]
    if not commands:
        return None
    command = commands[-1]
    named = command.options.get("instruments", "")
    instruments = tuple(named.strip("() ").replace(",", " ").split())
    objective = objective_of(file, command)
    _check_instruments(file, command, instruments)
    return Discretion(objective.value, _discount(command), command.place, instruments)


def _discount(command: Command) -> Expression:
    """Of each command its own, one where it gives none, as in Dynare."""
    text = command.options.get("planner_discount")
    if not text:
        return Number(1.0)
    return Reader().expression(Span(text, (command.place,)), "the planner's discount factor")


def _check_instruments(file: ModFile, command: Command, instruments: Sequence[str]) -> None:
    variables = [d.name for d in file.variables]
    unknown = next((name for name in instruments if name not in variables), None)
    if unknown is not None:
        raise ModFileError(f"the instrument '{unknown}' is not a variable.", command.place)
    missing = len(variables) - sum("static" not in e.tags for e in file.model.equations)
    if missing < 1:
        raise ModFileError(
            f"the model has {len(variables) - missing} equations for {len(variables)} variables, so"
            " that the policymaker has nothing to choose. Leave out the policy rule.",
            command.place,
        )
    if len(set(instruments)) != missing:
        listed = f" ({', '.join(instruments)})" if instruments else ""
        raise ModFileError(
            f"{len(set(instruments))} instrument(s){listed} for {missing} missing equation(s);"
            " expected as many. Name them: discretionary_policy(instruments = (i), ...).",
            command.place,
        )


@dataclass(frozen=True)
class Loss:
    """First and second derivatives of a loss at zero, by pairs of variables; `beyond`: variables
    in which it is not quadratic.
    """

    first: tuple[int, ...]
    second: tuple[tuple[int, int], ...]
    beyond: tuple[int, ...]
    tape: Tape
    n_variables: int

    @classmethod
    def of(cls, file: ModFile, policymaker: Discretion, variables: Sequence[str]) -> Loss:
        names, (node,) = in_steady_state(file, [(policymaker.objective, policymaker.place)])
        dated = next((n for n, shift in names.dates_in(node).values() if shift), None)
        if dated is not None:
            raise ModFileError(
                f"the planner's objective holds '{dated}' at another date. Define a variable for it"
                " in the model.",
                policymaker.place,
            )
        today = [names.at(name, 0) for name in variables]
        position = {symbol: k for k, symbol in enumerate(today)}
        first = gradient(names.graph, node, today)
        second = higher(names.graph, first, today, 2)
        third = higher(names.graph, first, today, 3)
        tape = record(
            names.graph,
            [*today, *(names.parameter(d.name) for d in file.parameters)],
            [*first.values(), *second.values()],
            {symbol: names.at(name, 0) for name, symbol in names.steady.items()},
        )
        pairs = tuple((position[a], position[b]) for a, b in second)
        beyond = tuple(sorted({position[symbol] for by in third for symbol in by}))
        return cls(tuple(position[s] for s in first), pairs, beyond, tape, len(today))

    def at(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First (N, V) and second (N, V, V) derivatives at declared parameters (N, P)."""
        n = len(parameters)
        zeros = np.zeros((self.n_variables, n))
        values = self.tape([*zeros, *np.ascontiguousarray(parameters.T)])
        slopes = np.zeros((n, self.n_variables))
        curvature = np.zeros((n, self.n_variables, self.n_variables))
        for column, value in zip(self.first, values, strict=False):
            slopes[:, column] = value
        for (a, b), value in zip(self.second, values[len(self.first) :], strict=True):
            curvature[:, a, b] = value
            curvature[:, b, a] = value
        return slopes, curvature


def notes_on_objective(model: CompiledModel) -> tuple[str, ...]:
    """A note where the objective is not quadratic, with the variables that have no weight at rest,
    at the file's own parameters.
    """
    if model.discretion is None or not model.loss.beyond:
        return ()
    _, curvature = model.loss.at(model.theta()[:, : len(model.file.parameters)])
    unweighed = [f"'{model.variables[k]}'" for k in model.loss.beyond if not curvature[0, k].any()]
    nowhere = f", where {', '.join(unweighed)} has no weight" if unweighed else ""
    return (
        f"{model.discretion.place}: the planner_objective is not quadratic. Under discretion it is"
        f" taken to second order around zero{nowhere}.",
    )


def solve(model: CompiledModel, theta: np.ndarray) -> Solution:
    """Decision rules of `model.all_variables` at theta (N, P), certified draw by draw."""
    return solve_discretion(**_matrices(model, theta))


def _matrices(model: CompiledModel, theta: np.ndarray) -> dict[str, Any]:
    """The arguments of `solve_discretion` at theta (N, P)."""
    policymaker = model.discretion
    assert policymaker is not None
    at = model.linearise(theta)
    lead, current, lag, shock = at.matrices
    size = len(model.all_variables)
    private = [row for row in range(size) if not model.n_equations <= row < len(model.variables)]
    declared = at.theta[:, : len(model.file.parameters)]
    slopes, curvature = model.loss.at(declared)
    weights = np.zeros((len(theta), size, size))
    weights[:, : len(model.variables), : len(model.variables)] = curvature
    weights[~(slopes == 0).all(axis=1)] = np.nan
    columns = dict(zip((d.name for d in model.file.parameters), declared.T, strict=True))
    return {
        "lead": lead[:, private],
        "current": current[:, private],
        "lag": lag[:, private],
        "shock": shock[:, private],
        "weights": weights,
        "discount": np.broadcast_to(policymaker.factor(columns), len(theta)),
        "instruments": [model.variables.index(name) for name in policymaker.instruments],
    }


def explain(model: CompiledModel, theta: np.ndarray, status: Status) -> str:
    """Why one draw theta (1, P) with a steady state has no solution."""
    policymaker = model.discretion
    assert policymaker is not None
    declared = model.linearise(theta).theta[:, : len(model.file.parameters)]
    slopes, curvature = model.loss.at(declared)
    where = policymaker.place
    if not np.isfinite(curvature).all():
        return f"{where}: the planner_objective has no finite derivatives at zero deviations."
    if (slopes != 0).any():
        name = model.variables[int(np.flatnonzero(slopes[0] != 0)[0])]
        return (
            f"{where}: under discretion the planner_objective is a loss in deviations: its"
            f" derivative by '{name}' at zero must be zero, found {slopes[0][slopes[0] != 0][0]:g}."
        )
    if status is Status.EXPLOSIVE:
        return f"{where}: the economy under discretion is not stable: a root exceeds one."
    ending = search(**_matrices(model, theta))
    return f"{where}: {_why_none(model, ending, np.diagonal(curvature[0]) / 2)}"


def _why_none(model: CompiledModel, ending: Search, squares: np.ndarray) -> str:
    """Why a search has no best policy; squares (V,): the weights of the squares of variables."""
    assert model.discretion is not None
    names = ", ".join(model.discretion.instruments)
    if not ending.moves:
        return (
            f"no policy under discretion was found. Do the instruments ({names}) move what the"
            " objective weighs?"
        )
    curvature = ending.curvature
    up, down = bool(curvature.up[0]), bool(curvature.down[0])
    largest, lowest = int(curvature.largest[0]), int(curvature.lowest[0])
    no_best = "the planner_objective has no best policy. As a loss, which is minimised, it"
    falls = f"falls without bound by the instruments ({names})"
    rises = f"as a welfare, which is maximised, it rises without bound by the instruments ({names})"
    expected = (
        " Expected weights at which a loss is convex, or a welfare concave, in what the policymaker"
        " controls."
    )
    if down and largest >= 0:
        return (
            f"{no_best} {falls} in both directions. It is no welfare either: its largest weight is"
            f" {squares[largest]:g}, of the square of '{model.variables[largest]}', and a welfare's"
            f" is negative.{expected}"
        )
    if up and lowest >= 0:
        return (
            f"{no_best} has a minimum, but its largest weight is {squares[lowest]:g}, of the square"
            f" of '{model.variables[lowest]}', and a loss's is positive; {rises} in both"
            f" directions.{expected}"
        )
    if not up and not down:
        return f"{no_best} {falls} in some directions; {rises} in others.{expected}"
    if ending.settled:
        return (
            "no policy under discretion was found: the rule does not solve the model's equations."
        )
    return (
        "no policy under discretion was found: the iteration on the policy rule did not settle in"
        f" {ending.rounds} round(s). Each policymaker answers the rule that is expected of later"
        " ones; these answers drift apart, or the objective under them is infinite."
    )
