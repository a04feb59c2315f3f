"""From the model block to a graph: equations in symbols of variables at dates, with every operator
of the language resolved.

A symbol is one of: a variable or shock at a shift, a steady-state value, a parameter. Trends
(`deflator`) are removed here as Dynare does: each variable is multiplied by its trend, trends at
other dates are written with growth factors, and today's trend must then drop out of every equation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emulator.errors import ModFileError
from emulator.modfile.compiling.differentiate import gradient
from emulator.modfile.compiling.expressions import ExpressionReader
from emulator.modfile.compiling.namespace import Namespace
from emulator.modfile.compiling.optimal_policy import Planner, first_order_conditions
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.syntax import (
    Expression,
    ModFile,
    Place,
)


@dataclass(frozen=True)
class SymbolicModel:
    """Residuals `left - right` of the dynamic equations, and of the static ones where variables
    stand still, as nodes of `names.graph`.
    """

    names: Namespace
    dynamic: tuple[int, ...]
    static: tuple[int, ...]
    auxiliary: tuple[str, ...] = ()
    """Variables that stand for expectations; their equations are the last dynamic ones."""
    objective: int | None = None
    """What a planner wants, where variables stand still."""
    levels: Mapping[int, int] = field(default_factory=dict)
    """Their steady states by their symbols of today, as expressions of the other variables."""

    def today(self) -> dict[int, int]:
        """For each symbol the one whose value it has in the steady state, or an expression."""
        names = self.names
        today = {s: names.at(name, 0) for (name, shift), s in list(names.dated.items()) if shift}
        today |= {s: names.at(name, 0) for name, s in names.steady.items()}
        of_expectation = {s: self.levels.get(node, node) for s, node in today.items()}
        return {**of_expectation, **self.levels}


def symbolic_model(
    file: ModFile,
    planner: Planner | None = None,
    budget: Budget | None = None,
    instruments: int = 0,
) -> SymbolicModel:
    """The model block in symbols, with a planner's first-order conditions after it, or an empty
    equation for each of the instruments that a policymaker under discretion chooses.

    Raises `ModFileError` for what cannot be resolved, with its place, and for derivatives beyond
    the `budget`.
    """
    budget = budget or Budget()
    names = Namespace(
        frozenset(d.name for d in file.variables),
        frozenset(d.name for d in (*file.shocks, *file.deterministic_shocks)),
        frozenset(d.name for d in file.parameters),
    )
    reader = ExpressionReader(file, names, budget)
    dynamic = [e for e in file.model.equations if "static" not in e.tags]
    if not dynamic:
        raise ModFileError("the model has no equations.", file.model.place)
    if planner is None and len(dynamic) + instruments != len(file.variables):
        raise ModFileError(
            f"the model has {len(dynamic)} equations for {len(file.variables)} endogenous"
            " variables; it does not close. Add or remove an equation or a declaration.",
            file.model.place,
        )
    residuals = [reader.residual(e) for e in dynamic]
    if file.model.linear:
        for residual, equation in zip(residuals, dynamic, strict=True):
            _check_linear(names, residual, equation.place)
    conditions = [names.graph.zero] * instruments
    objective: int | None = None
    if planner is not None:
        for residual, equation in zip(residuals, dynamic, strict=True):
            # Their derivatives are differentiated once more.
            variables = len(names.dates_in(residual))
            budget.place = equation.place
            budget.derivatives(variables * len(names.graph.reached([residual])), variables)
        wanted, discount = (
            reader.read(e, planner.place) for e in (planner.objective, planner.discount)
        )
        (objective,) = reader.standing([wanted])
        chosen = [d.name for d in file.variables if d.name not in planner.multipliers]
        conditions = first_order_conditions(
            names=names,
            objective=wanted,
            constraints=residuals,
            discount=discount,
            multipliers=planner.multipliers,
            chosen=chosen,
        )
    still = [r for r, e in zip(residuals, dynamic, strict=True) if "dynamic" not in e.tags]
    still += [reader.residual(e) for e in file.model.equations if "static" in e.tags]
    if reader.expected and planner is not None:
        raise ModFileError(
            "EXPECTATION beside a planner is not supported; introduce a variable for what is"
            " expected.",
            planner.place,
        )
    static = tuple(reader.standing([*still, *conditions]))
    expectations = [
        names.graph.subtract(names.at(name, 0), value) for value, name in reader.expected.items()
    ]
    levels = {
        names.at(name, 0): reader.standing([value])[0] for value, name in reader.expected.items()
    }
    return SymbolicModel(
        names=names,
        dynamic=(*residuals, *conditions, *expectations),
        static=static,
        objective=objective,
        auxiliary=tuple(reader.expected.values()),
        levels=levels,
    )


def _check_linear(names: Namespace, residual: int, place: Place) -> None:
    """Raise `ModFileError` for an equation that is not linear in variables and shocks, though the
    block says `model(linear)`.
    """
    dated = names.dates_in(residual)
    for symbol, slope in gradient(names.graph, residual, list(dated)).items():
        if names.dates_in(slope):
            raise ModFileError(
                f"the block is model(linear), but this equation is not linear in"
                f" '{dated[symbol][0]}'. Write model; instead.",
                place,
            )


def in_steady_state(
    file: ModFile, expressions: Iterable[tuple[Expression, Place]]
) -> tuple[Namespace, list[int]]:
    """Expressions of the file's variables today, read as in a model block (locals, steady states),
    and their symbols.
    """
    names = Namespace(
        frozenset(d.name for d in file.variables),
        frozenset(),
        frozenset(d.name for d in file.parameters),
    )
    reader = ExpressionReader(file, names, Budget(), trends=False)
    return names, [reader.whole(expression, place) for expression, place in expressions]
