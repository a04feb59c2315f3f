"""What a file asks of perfect foresight: the past, the end, and the paths of exogenous variables,
as its blocks set them from top to bottom.

Dynare's own rules (Reference Manual, "Initial and terminal conditions", "Shocks on exogenous
variables"): `initval` sets the values in force; `endval` makes these the past and sets those of
the end; `steady` replaces the values in force by the steady state that they lead to; `histval` sets
the past alone, zero where it names none; `shocks` with `periods` are added up until `overwrite`.
Each is evaluated with the parameters in force where it stands.

Axes: N draw, T period, V variable (those that stand for expectations last), K exogenous variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.evaluate import MATLAB_CONSTANTS, evaluate
from emulator.modfile.compiling.kinds import FORESIGHT
from emulator.modfile.compiling.matlab import value_of
from emulator.modfile.compiling.matlab_values import Beyond
from emulator.modfile.compiling.newton import damped_newton, solve_by_blocks
from emulator.modfile.compiling.runs import statements_until, steps_of
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.syntax import (
    Command,
    HistvalBlock,
    InitvalBlock,
    Place,
    ShockPath,
    ShocksBlock,
    Statement,
)

if TYPE_CHECKING:
    from emulator.modfile.compiling.model import CompiledModel

UNSUPPORTED = {
    "initval_file": "values from a file are not supported. Write them into initval or histval.",
    "histval_file": "values from a file are not supported. Write them into histval.",
    "perfect_foresight_controlled_paths": "controlled paths are not supported.",
    "heteroskedastic_shocks": "",
}
"""Commands that decide a path and are not carried out; '' those that do not count here."""


@dataclass
class State:
    """The values in force while a file is gone through; all (N, V) or (N, K)."""

    endogenous: np.ndarray
    exogenous: np.ndarray
    past: tuple[np.ndarray, np.ndarray] | None = None
    """Endogenous and exogenous variables before the first period, where `endval` set the end."""
    history: dict[tuple[str, int], np.ndarray] | None = None
    """Of `histval`, by name and shift; 0 is the period before the first."""
    shocks: list[tuple[ShockPath, list[np.ndarray]]] = field(default_factory=list)
    """Paths, with the values (N, periods) of each of their ranges."""


@dataclass(frozen=True)
class Scenario:
    """One problem of perfect foresight for N draws.

    before (N, L, V): the past; terminal (N, V), after the last period; exogenous (N, L+T+F, K),
    exogenous_terminal (N, K), in the end; theta (N, P) with what a steady_state_model sets. NaN
    where a steady state was not found.
    """

    before: np.ndarray
    terminal: np.ndarray
    exogenous: np.ndarray
    exogenous_terminal: np.ndarray
    theta: np.ndarray

    @property
    def periods(self) -> int:
        """Of all of the paths."""
        return self.exogenous.shape[1]


class Steady:
    """Steady states of a model at given values of its exogenous variables."""

    def __init__(self, model: CompiledModel) -> None:
        self.model = model
        self.shocks = model.steady.shocks
        self.n_declared = len(model.file.parameters)

    def solve(
        self, start: np.ndarray, exogenous: np.ndarray, theta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Steady states (N, V), NaN where none was found, from starting points (N, V) at exogenous
        values (N, K), and theta (N, P) with what formulas set.
        """
        steady = self.model.steady
        if steady.formulas is not None and self.model.planner is None:
            point, theta = self._by_formulas(exogenous, theta)
            if not steady.checked:
                return point, theta
            error = np.abs(self._residual(point, exogenous, theta)).max(axis=1, initial=0.0)
            return np.where((error < 1e-5)[:, None], point, np.nan), theta
        if self.model.planner is not None:
            at_rest = self.model.steady_state(theta)
            start = np.where(np.isfinite(at_rest), at_rest, start)
        point, solved = self._newton(start, exogenous, theta)
        for k in np.flatnonzero(~solved & np.isfinite(start).all(axis=1)):
            row = slice(k, k + 1)
            closer = self._patient(start[k], exogenous[row], theta[row])
            root, is_root = self._newton(closer[None], exogenous[row], theta[row])
            point[k] = root[0]
            solved[k] = is_root[0]
        return np.where(solved[:, None], point, np.nan), theta

    def _patient(self, start: np.ndarray, exogenous: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """A point (V,) nearer to the steady state of one draw, block by block."""
        return solve_by_blocks(
            lambda point: self._residual(point[None], exogenous, theta)[0],
            lambda point: self._jacobian(point[None], exogenous, theta)[0],
            self.model.steady._pattern(),
            start,
        )

    def _newton(
        self, start: np.ndarray, exogenous: np.ndarray, theta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return damped_newton(
            lambda point, rows: self._residual(point, exogenous[rows], theta[rows]),
            lambda point, rows: self._jacobian(point, exogenous[rows], theta[rows]),
            start,
        )

    def _inputs(self, point: np.ndarray, exogenous: np.ndarray, theta: np.ndarray) -> list[Any]:
        return self.model.equations.inputs(point, exogenous, theta[:, : self.n_declared])

    def _residual(self, point: np.ndarray, exogenous: np.ndarray, theta: np.ndarray) -> np.ndarray:
        inputs = self._inputs(point, exogenous, theta)
        return self.model.equations.residual(inputs, len(theta))

    def _jacobian(self, point: np.ndarray, exogenous: np.ndarray, theta: np.ndarray) -> np.ndarray:
        inputs = self._inputs(point, exogenous, theta)
        return self.model.equations.jacobian(inputs, len(theta), self.model.steady.columns)

    def _by_formulas(
        self, exogenous: np.ndarray, theta: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        model, n = self.model, len(theta)
        values: dict[str, Any] = dict(MATLAB_CONSTANTS)
        values |= dict.fromkeys(model.variables, np.float64(0.0))
        names = [d.name for d in model.file.parameters]
        values |= dict(zip(names, np.ascontiguousarray(theta[:, : len(names)].T), strict=True))
        values |= dict(zip(self.shocks, exogenous.T, strict=True))
        for assignment in model.steady.formulas or ():
            values[assignment.name] = evaluate(assignment.value, values, assignment.place)
        theta = theta.copy()
        for name in model.steady.assigned:
            theta[:, names.index(name)] = values[name]
        point = [np.broadcast_to(values[name], n) for name in model.variables]
        return np.stack(point, axis=1), theta


class Reading:
    """Goes through the statements of a file for draws theta (N, P)."""

    def __init__(self, model: CompiledModel, theta: np.ndarray) -> None:
        self.model = model
        self.theta = theta
        self.steady = Steady(model)
        self.shocks = self.steady.shocks
        n = len(theta)
        self.state = State(np.zeros((n, len(model.variables))), np.zeros((n, len(self.shocks))))
        self._own = model.own_values()[0]
        self._before: tuple[int, dict[str, Any]] | None = None

    def read(self) -> State:
        """The state at the run that is answered."""
        run = self.model.calibration.run
        statements = statements_until(self.model.file, run)
        for position, statement in enumerate(statements):
            self._take(statement, position)
        return self.state

    def _take(self, statement: Statement, position: int) -> None:
        if isinstance(statement, InitvalBlock) and statement.kind in ("initval", "endval"):
            self._set(statement, self._values(position))
        elif isinstance(statement, HistvalBlock):
            self._remember(statement, self._values(position))
        elif isinstance(statement, ShocksBlock):
            self._add(statement, position)
        elif isinstance(statement, Command) and statement.name == "steady":
            self.state.endogenous = self.steady.solve(
                self.state.endogenous, self.state.exogenous, self._theta(position)
            )[0]
        elif isinstance(statement, Command) and UNSUPPORTED.get(statement.name):
            message = f"'{statement.name}': {UNSUPPORTED[statement.name]}"
            raise ModFileError(message, statement.place)

    def _values(self, position: int) -> dict[str, Any]:
        """Values of all names where a statement stands: the file's own there, and the draw's where
        it gives a parameter another value than the file ends with.
        """
        file, settings = self.model.file, self.model.calibration
        steps, _ = steps_of(file, file.statements[:position], Budget(file.model.place))
        lead = len(settings.steps) - len(
            steps_of(file, statements_until(file, settings.run), Budget(file.model.place))[0]
        )
        if self._before is None or self._before[0] != len(steps):
            known = replace(settings, steps=(*settings.steps[:lead], *steps)).values({})
            self._before = len(steps), known
        values = dict(MATLAB_CONSTANTS) | {
            name: value
            for name, value in self._before[1].items()
            if not isinstance(value, ModFileError)
        }
        for k, name in enumerate(self.model.parameters):
            column = self.theta[:, k]
            if name in values and np.isfinite(self._own[k]):
                column = np.where(column == self._own[k], values[name], column)
            if np.isfinite(column).any():
                values[name] = column
        names = (*self.model.variables, *self.shocks)
        columns = [*self.state.endogenous.T, *self.state.exogenous.T]
        return values | dict(zip(names, columns, strict=True))

    def _theta(self, position: int) -> np.ndarray:
        values = self._values(position)
        columns = [
            np.broadcast_to(values.get(name, self.theta[:, k]), len(self.theta))
            for k, name in enumerate(self.model.parameters)
        ]
        return np.stack(columns, axis=1) if columns else self.theta

    def _set(self, block: InitvalBlock, values: dict[str, Any]) -> None:
        state = self.state
        if block.kind == "endval":
            state.past = state.endogenous.copy(), state.exogenous.copy()
        state.endogenous = state.endogenous.copy()
        state.exogenous = state.exogenous.copy()
        for assignment in block.assignments:
            values[assignment.name] = evaluate(assignment.value, values, assignment.place)
            if assignment.name in self.model.variables:
                column = self.model.variables.index(assignment.name)
                state.endogenous[:, column] = values[assignment.name]
            elif assignment.name in self.shocks:
                state.exogenous[:, self.shocks.index(assignment.name)] = values[assignment.name]

    def _remember(self, block: HistvalBlock, values: dict[str, Any]) -> None:
        n = len(self.theta)
        history = dict(self.state.history or {})
        for item in block.values:
            value = evaluate(item.value, values, item.place)
            history[item.name, item.shift] = np.array(np.broadcast_to(value, n), dtype=float)
        self.state.history = history

    def _add(self, block: ShocksBlock, position: int) -> None:
        if block.overwrite:
            self.state.shocks = []
        if {"learnt_in", "surprise"} & block.options.keys():
            raise ModFileError(
                "shocks that are learnt later are not supported; write a model of perfect foresight"
                " for each part.",
                block.place,
            )
        if not block.paths:
            return
        values = self._values(position)
        for path in block.paths:
            ranges = [
                of_range(expression, last - first + 1, values, path.place, len(self.theta))
                for expression, (first, last) in zip(path.values, path.periods, strict=True)
            ]
            self.state.shocks.append((path, ranges))


def of_range(
    expression: Any, count: int, values: Mapping[str, Any], place: Place, n: int
) -> np.ndarray:
    """Values (N, periods) of a range of periods: a number for all, or a vector with one for
    each.
    """
    try:
        cells = value_of(expression, values)
    except Beyond:
        cells = np.asarray(evaluate(expression, values, place), dtype=float).reshape(1, 1, -1)
    flat = cells.reshape(-1, cells.shape[2]) if isinstance(cells, np.ndarray) else np.empty((0, 1))
    if len(flat) not in (1, count):
        raise ModFileError(
            f"the values of a shock are {len(flat)} numbers for {count} periods; expected one, or"
            " one for each period.",
            place,
        )
    return np.array(np.broadcast_to(flat.T, (n, count)), dtype=float)


def scenario(
    model: CompiledModel,
    theta: np.ndarray,
    periods: int,
    lags: int,
    leads: int,
    given: Given | None = None,
) -> Scenario:
    """The problem that a file asks for at draws theta (N, P), over T periods, with what is `given`
    in place of it.

    Raises `ModFileError` for values that cannot be, such as a shock after the last period.
    """
    reading = Reading(model, theta)
    state = reading.read()
    steady = reading.steady
    run = model.calibration.run
    place = run.place if run is not None else model.file.model.place
    if state.past is not None and state.history is not None:
        raise ModFileError("histval and endval cannot be used together, as in Dynare.", place)
    if model.kind is not FORESIGHT:  # a file that asks for something else begins and ends at rest
        state.exogenous = model.steady.exogenous(theta)
        state.endogenous, theta = model.steady.solve(theta)
    elif model.steady.formulas is not None or model.planner is not None:
        state.endogenous, theta = steady.solve(state.endogenous, state.exogenous, theta)
    if given is not None and given.terminal:
        given.end(state, steady, theta, reading.shocks)
    past, past_exogenous = state.past or (state.endogenous, state.exogenous)
    before = np.repeat(past[:, None], lags, axis=1)
    exogenous = np.repeat(state.exogenous[:, None], lags + periods + leads, axis=1)
    exogenous[:, :lags] = past_exogenous[:, None]
    if state.history is not None:
        before[:] = 0.0
        exogenous[:, :lags] = 0.0
        for (name, shift), value in state.history.items():
            row = lags - 1 + shift
            if row < 0:
                continue  # further back than any equation looks
            if name in model.variables:
                before[:, row, model.variables.index(name)] = value
            elif name in reading.shocks:
                exogenous[:, row, reading.shocks.index(name)] = value
    if given is not None and given.initial:
        for name, value in given.initial.items():
            before[:, :, model.variables.index(name)] = np.asarray(value)[:, None]
    if given is None or given.shocks is None:
        for path, ranges in state.shocks:
            _apply(path, ranges, exogenous, reading.shocks.index(path.name), lags, periods)
    else:
        for name, values in given.shocks.items():
            column = reading.shocks.index(name)
            known = np.isfinite(values)
            part = exogenous[:, lags : lags + values.shape[1], column]
            exogenous[:, lags : lags + values.shape[1], column] = np.where(known, values, part)
    return Scenario(before, state.endogenous, exogenous, state.exogenous, theta)


@dataclass(frozen=True)
class Given:
    """What a caller gives in place of the file's own.

    shocks: paths (N, T') of exogenous variables from period 1 on, NaN where the file's value in the
    end stays; initial: values (N,) of variables before the first period; terminal: values (N,) of
    exogenous variables from period 1 on and in the end, whose steady state is looked for.
    """

    shocks: Mapping[str, np.ndarray] | None = None
    initial: Mapping[str, np.ndarray] = field(default_factory=dict)
    terminal: Mapping[str, np.ndarray] = field(default_factory=dict)

    def end(self, state: State, steady: Steady, theta: np.ndarray, shocks: Sequence[str]) -> None:
        """The end that the given values lead to; what held before is the past."""
        if state.past is None and state.history is None:
            state.past = state.endogenous, state.exogenous
        state.exogenous = state.exogenous.copy()
        for name, value in self.terminal.items():
            state.exogenous[:, shocks.index(name)] = value
        state.endogenous = steady.solve(state.endogenous, state.exogenous, theta)[0]


def _apply(
    path: ShockPath,
    ranges: Sequence[np.ndarray],
    exogenous: np.ndarray,
    column: int,
    lags: int,
    periods: int,
) -> None:
    for (first, last), values in zip(path.periods, ranges, strict=True):
        if last > periods:
            raise ModFileError(
                f"'{path.name}' is given a value in period {last}, after the last one, {periods}."
                " Raise the option periods.",
                path.place,
            )
        part = slice(lags + first - 1, lags + last)
        if path.multiplicative:
            exogenous[:, part, column] *= values
        else:
            exogenous[:, part, column] = values
