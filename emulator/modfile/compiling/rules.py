"""Decision rules of second and third order of a compiled model.

Axes: N draw, P column of theta, n variable with auxiliary ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from emulator.errors import ModFileError, ParameterError
from emulator.modfile.compiling.higher import HigherEntry
from emulator.modfile.compiling.model import CompiledModel
from emulator.solvers.perturbation import Expansion, Point, Rules, solve_rules
from emulator.spec import Status

NUMBERS, MOST_NUMBERS = 2**22, 2**27
"""Numbers of one array that are in memory at once, as draws are solved in blocks, and the most of
one draw: 1 GiB, of which several are needed.
"""


def decision_rules(model: CompiledModel, theta: Any, order: int) -> tuple[Rules, np.ndarray]:
    """Rules of order 1, 2 or 3 of all variables (`model.all_variables`) at theta (N, P), and the
    `Status` (N,) of the draws, that of the first order. Units: those of the file; shocks are
    independent and of standard deviation one, as in `CompiledModel.matrices`.

    NaN where a draw has no unique stable solution. Raises `ModFileError` where derivatives are
    beyond the budget of a file, and for leads that the order cannot treat; `ParameterError` for
    rules that no memory holds.
    """
    theta = model.check_theta(theta)
    width = len(states_of(model)) + len(model.shocks)
    size = len(model.all_variables) * max(width, 1) ** order
    if size > MOST_NUMBERS:
        raise ParameterError(
            f"Rules of order {order} of '{model.name}' hold {size:,} numbers,"
            f" {len(model.all_variables)} variables by products of {width} states and shocks;"
            f" {MOST_NUMBERS:,} are the most. Ask for a lower order: order={order - 1}."
        )
    expansions = {k: expansion_of(model, k) for k in range(2, order + 1)}
    block = max(1, NUMBERS // max(size, 1))
    parts = [
        _solved(model, theta[start : start + block], expansions, order)
        for start in range(0, max(len(theta), 1), block)
    ]
    rules = parts[0][0] if len(parts) == 1 else _joined([rules for rules, _ in parts])
    return rules, np.concatenate([status for _, status in parts])


def _solved(
    model: CompiledModel, theta: np.ndarray, expansions: dict[int, Expansion], order: int
) -> tuple[Rules, np.ndarray]:
    solution = model.solve(theta)
    at = model.linearise(theta)
    declared = at.theta[:, : len(model.file.parameters)]
    inputs = model.equations.inputs(at.steady, model.steady.exogenous(at.theta), declared)
    with np.errstate(all="ignore"):
        values = {k: model.higher_derivatives(k)(inputs, len(theta)) for k in expansions}
    lead, current, _, _ = at.matrices
    point = Point(
        lead=lead,
        current=current,
        factor=model.cholesky(at.theta),
        transition=solution.transition,
        impact=solution.impact,
        states=states_of(model),
        led=tuple(int(k) for k in np.flatnonzero(_pattern(model, 0).any(axis=0))),
    )
    rules = solve_rules(point, {k: (expansions[k], values[k]) for k in expansions}, order)
    status = np.where(
        (solution.status == Status.OK) & ~rules.solved, Status.NOT_CONVERGED, solution.status
    )
    return rules, status.astype(np.uint8)


def _joined(parts: list[Rules]) -> Rules:
    first = parts[0]

    def all_of(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)

    return Rules(
        order=first.order,
        states=first.states,
        **{name: all_of(name) for name in ("first", "second", "risk", "third", "risk_slope")},
    )


def states_of(model: CompiledModel) -> tuple[int, ...]:
    """Positions among all variables of those that some equation lags, in their order."""
    return tuple(int(k) for k in np.flatnonzero(_pattern(model, 2).any(axis=0)))


def _pattern(model: CompiledModel, matrix: int) -> np.ndarray:
    """Which entries (n, n) of lead (0), current (1) or lag (2) are not identically zero."""
    ones = [1.0] * len(model.equations.dynamic_entries)
    return np.asarray(model.dates.matrices(ones, 1)[matrix][0] != 0)


def expansion_of(model: CompiledModel, order: int) -> Expansion:
    """Where the derivatives of that order belong among the symbols of the equations.

    Raises `ModFileError` for an equation that is not linear in what is expected two or more periods
    ahead, in a file that asks for the first order: an expectation of a product is not the product
    of expectations.
    """
    if order not in model.expansions:
        entries = model.higher_derivatives(order).entries
        model.expansions[order] = Expansion.of(
            order, len(model.all_variables), _placed(model, entries)
        )
    return model.expansions[order]


def _placed(
    model: CompiledModel, entries: tuple[HigherEntry, ...]
) -> Iterator[tuple[int, tuple[int, ...]] | None]:
    """The equation and the symbols of each derivative; None of one by a shock without variance."""
    size = len(model.all_variables)
    pairs = zip(model.equations.dynamic_entries, model.dates.cells, strict=True)
    places = {(entry.name, entry.shift): cell for entry, cell in pairs}
    for entry in entries:
        if sum(shift > 1 for _, shift in entry.by) > 1:
            _refuse_far(model, entry)
        cells = [places[by] for by in entry.by]
        if any(cell is None for cell in cells):
            yield None
        else:
            yield entry.row, tuple(cell[0] * size + cell[2] for cell in cells if cell is not None)


def _refuse_far(model: CompiledModel, entry: HigherEntry) -> None:
    equations = [e for e in model.file.model.equations if "static" not in e.tags]
    where = equations[entry.row].place if entry.row < len(equations) else model.file.model.place
    far = ", ".join(f"{name}(+{shift})" for name, shift in entry.by if shift > 1)
    raise ModFileError(
        f"this equation is not linear in {far}: beyond the first order the expectation of what"
        " stands there is not that of its parts. The file asks for the first order; with order=2"
        " in its stoch_simul the term becomes a variable of its own.",
        where,
    )
