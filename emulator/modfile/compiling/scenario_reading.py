"""Goes through the statements of a file that set a path of perfect foresight, from top to bottom.

Dynare's own rules (Reference Manual, "Initial and terminal conditions", "Shocks on exogenous
variables"): `initval` sets the values in force; `endval` makes these the past and sets those of
the end; `steady` replaces the values in force by the steady state that they lead to; `histval` sets
the past alone, zero where it names none; `shocks` with `periods` are added up until `overwrite`;
`initval_file` sets past, end and exogenous variables, `histval_file` the past. Each is evaluated
with the parameters in force where it stands.

Axes: N draw, V variable (those that stand for expectations last), K exogenous variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.calibration import Calibration
from emulator.modfile.compiling.evaluate import MATLAB_CONSTANTS, evaluate
from emulator.modfile.compiling.kinds import FORESIGHT
from emulator.modfile.compiling.matlab import value_of
from emulator.modfile.compiling.matlab_values import Beyond, Cell, Matrix, plain
from emulator.modfile.compiling.runs import statements_until, steps_of
from emulator.modfile.compiling.steady_at import Steady
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.given_paths import learnt_in
from emulator.modfile.reading.syntax import (
    Assignment,
    Command,
    ControlledPath,
    ControlledPaths,
    HistvalBlock,
    InitvalBlock,
    LearntEnds,
    Place,
    ShockPath,
    ShocksBlock,
    Skipped,
    Statement,
    walk,
)

if TYPE_CHECKING:
    from emulator.modfile.compiling.model import CompiledModel

UNSUPPORTED = {
    "smoother2histval": (
        "a past that a smoother found is not supported. Write its values into histval."
    ),
    "heteroskedastic_shocks": "",
}
"""Commands that decide a path and are not carried out; '' those that do not count here."""


_STEADY = ("oo_.steady_state", "oo_.exo_steady_state")


@dataclass
class State:
    """The values in force while a file is gone through; all (N, V) or (N, K)."""

    endogenous: np.ndarray
    exogenous: np.ndarray
    past: tuple[np.ndarray, np.ndarray] | None = None
    """Endogenous and exogenous variables before the first period, where `endval` set the end."""
    history: dict[tuple[str, int], np.ndarray] | None = None
    """Of `histval`, by name and shift; 0 is the period before the first."""
    shocks: list[Ranges] = field(default_factory=list)
    controls: list[Controlling] = field(default_factory=list)
    series: Command | None = None
    """The `initval_file` in force."""
    past_series: Command | None = None
    """The `histval_file` in force."""
    learnt: dict[int, News] = field(default_factory=dict)
    """What `learnt_in` says, by period."""


Ranges = tuple[ShockPath, list[np.ndarray]]
"""The path of a shock, with the values (N, periods) of each of its ranges."""


Controlling = tuple[ControlledPath, list[np.ndarray]]
"""The path of a variable that is given, in the same way."""


@dataclass
class News:
    """What is learnt in one period: of the end, (name, operator, values (N,)), of shocks, and of
    variables that are given.
    """

    ends: list[tuple[str, str, np.ndarray]] = field(default_factory=list)
    shocks: list[Ranges] = field(default_factory=list)
    controls: list[Controlling] = field(default_factory=list)


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
        self._followed: dict[str, Any] = {}
        """Names of MATLAB's that lines set from the steady state (`oo_.steady_state`)."""
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
        elif isinstance(statement, LearntEnds):
            self._learn(statement, self._values(position))
        elif isinstance(statement, ControlledPaths):
            self._control(statement, self._values(position))
        elif isinstance(statement, Command) and statement.name == "initval_file":
            self.state.series = statement
        elif isinstance(statement, Command) and statement.name == "histval_file":
            self.state.past_series = statement
        elif isinstance(statement, Command) and statement.name == "steady":
            self.state.endogenous = self.steady.solve(
                self.state.endogenous, self.state.exogenous, self._theta(position)
            )[0]
        elif isinstance(statement, Skipped | Assignment):
            self._follow(statement, position)
        elif isinstance(statement, Command) and UNSUPPORTED.get(statement.name):
            message = f"'{statement.name}': {UNSUPPORTED[statement.name]}"
            raise ModFileError(message, statement.place)

    def _follow(self, line: Skipped | Assignment, position: int) -> None:
        """Carry out a line that sets a name of MATLAB's from the steady state that is in force, or
        from such a name; pass over one that is more than that.
        """
        codes: Sequence[Any] = line.code or () if isinstance(line, Skipped) else (line,)
        if len(codes) != 1 or codes[0].value is None or codes[0].name in self.model.parameters:
            return
        value, name = codes[0].value, codes[0].name
        read = {getattr(part, "name", getattr(part, "function", "")) for part in walk(value)}
        if not name or getattr(codes[0], "index", None) or not read & {*_STEADY, *self._followed}:
            return
        workspace = self._values(position) | {
            "oo_.steady_state": Matrix(self.state.endogenous.T[:, None]),
            "oo_.exo_steady_state": Matrix(self.state.exogenous.T[:, None]),
            "M_.endo_names": Cell(tuple(self.model.variables)),
            "M_.exo_names": Cell(tuple(self.shocks)),
        }
        try:
            self._followed[name] = plain(value_of(value, workspace))
        except Beyond:
            self._followed.pop(name, None)

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
            there = replace(settings, steps=(*settings.steps[:lead], *steps))
            self._before = len(steps), self._followed_by_draws(there)
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
        return values | self._followed | dict(zip(names, columns, strict=True))

    def _followed_by_draws(self, there: Calibration) -> dict[str, Any]:
        """Values of a file's names after these steps; numbers that MATLAB computes follow the
        parameters of the draws, which are the file's own here still.
        """
        own = there.values({})
        given = {
            name: np.where(column == value, own[name], column)
            for name, column, value in zip(
                self.model.parameters, self.theta.T, self._own, strict=True
            )
            if (column != value).any() and name in own and not isinstance(own[name], ModFileError)
        }
        if not given:
            return own
        return there.values(given) | {name: own[name] for name in given}

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
        if "surprise" in block.options:
            raise ModFileError(
                "shocks(surprise) are those of occbin_solver. Under perfect foresight shocks that"
                " surprise are written as shocks(learnt_in = PERIOD).",
                block.place,
            )
        if not block.paths:
            return
        values = self._values(position)
        into = self.state.shocks
        if "learnt_in" in block.options:
            into = self._news(learnt_in(block.options, block.place), block.place).shocks
        for path in block.paths:
            into.append((path, self._ranges(path, values)))

    def _learn(self, block: LearntEnds, values: dict[str, Any]) -> None:
        news = self._news(block.period, block.place)
        for end in block.ends:
            value = evaluate(end.value, values, end.place)
            column = np.array(np.broadcast_to(value, len(self.theta)), dtype=float)
            news.ends.append((end.name, end.operator, column))

    def _control(self, block: ControlledPaths, values: dict[str, Any]) -> None:
        into = self.state.controls
        if block.period > 1:
            into = self._news(block.period, block.place).controls
        for path in block.paths:
            into.append((path, self._ranges(path, values)))

    def _ranges(
        self, path: ShockPath | ControlledPath, values: Mapping[str, Any]
    ) -> list[np.ndarray]:
        return [
            of_range(expression, last - first + 1, values, path.place, len(self.theta))
            for expression, (first, last) in zip(path.values, path.periods, strict=True)
        ]

    def _news(self, period: int, place: Place) -> News:
        if self.model.kind is FORESIGHT:
            raise ModFileError(
                "what is learnt later (learnt_in) is solved by"
                " perfect_foresight_with_expectation_errors_setup and"
                " perfect_foresight_with_expectation_errors_solver.",
                place,
            )
        return self.state.learnt.setdefault(period, News())


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
