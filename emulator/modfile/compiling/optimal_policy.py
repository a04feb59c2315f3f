"""Optimal policy under commitment (`ramsey_model`): the planner's first-order conditions in place
of a policy rule.

The planner maximises E sum_t beta^t U_t subject to the model's equations f_i = 0, of which there
are fewer than variables. With a multiplier m_i for each equation the conditions are, one for each
variable y and summed over the dates s at which it stands in a term g of `U + sum_i m_i f_i`,

    sum_g sum_s beta^(-s) (dg / dy(s)) moved by -s periods = 0

from the timeless perspective (Woodford 2003, Interest and Prices, ch. 7; Dynare manual, "Optimal
policy under commitment").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.differentiate import gradient
from emulator.modfile.compiling.evaluate import evaluate
from emulator.modfile.compiling.namespace import Namespace, moved
from emulator.modfile.reading.syntax import (
    Command,
    Declaration,
    Expression,
    ModFile,
    Number,
    Place,
    symbols,
)
from emulator.modfile.reading.syntax_policy import PlannerObjective


@dataclass(frozen=True)
class Policymaker:
    """What a policymaker wants, and at which discount factor."""

    objective: Expression
    discount: Expression
    place: Place

    def factor(self, values: Mapping[str, Any]) -> Any:
        """The discount factor at values of the parameters."""
        return evaluate(self.discount, values, self.place)

    def discounts(self, values: Mapping[str, Any]) -> Any:
        """Whether the discount factor lies above zero and not above one, at values of the
        parameters.
        """
        factor = self.factor(values)
        return (factor > 0.0) & (factor <= 1.0)

    def refuse_no_discount(self, values: Mapping[str, Any]) -> None:
        """Raise `ModFileError` for a discount factor that is known and not one."""
        known = {name: v for name, v in values.items() if not isinstance(v, ModFileError)}
        if {symbol.name for symbol in symbols(self.discount)} <= known.keys() and not np.all(
            self.discounts(known)
        ):
            factor = np.min(self.factor(known))
            raise ModFileError(
                f"planner_discount is {factor:g}; a discount factor above 0 and up to 1 was"
                " expected.",
                self.place,
            )


@dataclass(frozen=True)
class Planner(Policymaker):
    """A planner under commitment, with the multipliers of the model's equations."""

    multipliers: tuple[str, ...]


def objective_of(file: ModFile, command: Command) -> PlannerObjective:
    """The `planner_objective` that a command of optimal policy is about. Raises `ModFileError`
    where there is none.
    """
    objective = next(
        (s for s in reversed(file.statements) if isinstance(s, PlannerObjective)), None
    )
    if objective is None:
        raise ModFileError(f"'{command.name}' needs a planner_objective.", command.place)
    return objective


def planner_of(file: ModFile) -> Planner | None:
    """The planner of a file, None where it has none.

    Raises `ModFileError` if it has no objective, or nothing left to choose.
    """
    command = next(
        (
            s
            for s in file.statements
            if isinstance(s, Command) and s.name in ("ramsey_model", "ramsey_policy")
        ),
        None,
    )
    if command is None:
        return None
    objective = objective_of(file, command)
    dated = next((s.name for s in symbols(objective.value) if s.shift), None)
    if dated is not None:
        raise ModFileError(
            f"the planner's objective holds '{dated}' at another date. Define a variable for it in"
            " the model.",
            objective.place,
        )
    equations = [e for e in file.model.equations if "static" not in e.tags]
    if len(equations) >= len(file.variables):
        raise ModFileError(
            f"the model has {len(equations)} equations for {len(file.variables)} variables, so that"
            " the planner has nothing to choose. Leave out the policy rule.",
            command.place,
        )
    taken = {
        d.name
        for d in (*file.variables, *file.shocks, *file.deterministic_shocks, *file.parameters)
    }
    names = tuple(f"MULT_{k}" for k in range(1, len(equations) + 1))
    if taken & set(names):
        raise ModFileError(
            f"'{min(taken & set(names))}' is the name of a planner's multiplier; give the variable"
            " another.",
            command.place,
        )
    return Planner(objective.value, objective.discount or Number(1.0), objective.place, names)


def with_multipliers(file: ModFile, planner: Planner) -> ModFile:
    """The file with the multipliers among its variables, last."""
    return replace(
        file,
        variables=(
            *file.variables,
            *(Declaration(name, planner.place) for name in planner.multipliers),
        ),
    )


def first_order_conditions(
    names: Namespace,
    objective: int,
    constraints: Sequence[int],
    discount: int,
    multipliers: Sequence[str],
    chosen: Sequence[str],
) -> list[int]:
    """One condition for each of the chosen variables, in their order."""
    graph = names.graph
    terms = [
        objective,
        *(graph.multiply(names.at(m, 0), f) for m, f in zip(multipliers, constraints, strict=True)),
    ]
    conditions: dict[str, list[int]] = {name: [] for name in chosen}
    for term in terms:
        dates = names.dates_in(term)
        for symbol, slope in gradient(graph, term, list(dates)).items():
            name, shift = dates[symbol]
            if name in conditions:
                value = moved(names, slope, -shift)
                conditions[name].append(
                    graph.product([(discount, float(-shift)), (value, 1.0)]) if shift else value
                )
    return [graph.add(*parts) for parts in conditions.values()]
