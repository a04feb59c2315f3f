"""What a file asks of perfect foresight: the past, the end, and the paths of exogenous variables.

Axes: N draw, T period, V variable (those that stand for expectations last), K exogenous variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from emulator.errors import ModFileError, ParameterError
from emulator.modfile.compiling.controls import Controls, clash, refuse_clash, with_path
from emulator.modfile.compiling.kinds import SCENARIOS
from emulator.modfile.compiling.scenario_reading import Controlling, News, Reading, State
from emulator.modfile.compiling.series_file import series_of
from emulator.modfile.compiling.steady_at import Steady
from emulator.modfile.reading.syntax import Place, ShockPath

if TYPE_CHECKING:
    from emulator.modfile.compiling.model import CompiledModel


@dataclass(frozen=True)
class Scenario:
    """One problem of perfect foresight for N draws.

    before (N, L, V): the past; terminal (N, V), after the last period; exogenous (N, L+T+F, K),
    exogenous_terminal (N, K), in the end; theta (N, P) with what a steady_state_model sets. NaN
    where a steady state was not found. course (N, L+T+F, V): a path to begin with, whose end stands
    in place of `terminal`, None without one. learnt: what is learnt later, by period; pinned
    (K, L+T+F) bool: where shocks give the level. first: the file's period that is the first of T.
    """

    before: np.ndarray
    terminal: np.ndarray
    exogenous: np.ndarray
    exogenous_terminal: np.ndarray
    theta: np.ndarray
    course: np.ndarray | None = None
    learnt: Mapping[int, News] = field(default_factory=dict)
    pinned: np.ndarray | None = None
    steady: Steady | None = None
    controls: Controls | None = None
    first: int = 1

    def rows(self, rows: slice | np.ndarray) -> Scenario:
        """The problem of some draws, without what is learnt later."""
        return Scenario(
            before=self.before[rows],
            terminal=self.terminal[rows],
            exogenous=self.exogenous[rows],
            exogenous_terminal=self.exogenous_terminal[rows],
            theta=self.theta[rows],
            course=None if self.course is None else self.course[rows],
            controls=None if self.controls is None else self.controls.rows(rows),
            first=self.first,
        )

    @property
    def periods(self) -> int:
        """Of all of the paths."""
        return self.exogenous.shape[1]


class Extent(NamedTuple):
    """Periods of a path: T that are solved, L before them and F after them that it holds, and of
    these those at which the equations look.
    """

    periods: int
    lags: int
    leads: int
    past: int
    future: int

    @property
    def whole(self) -> int:
        return self.lags + self.periods + self.leads


def scenario(
    model: CompiledModel, theta: np.ndarray, span: Extent, given: Given | None = None
) -> Scenario:
    """The problem that a file asks for at draws theta (N, P), with what is `given` in place of it.

    Raises `ModFileError` for values that cannot be, such as a shock after the last period.
    """
    reading = Reading(model, theta)
    state = reading.read()
    steady = reading.steady
    run = model.calibration.run
    place = run.place if run is not None else model.file.model.place
    if state.past is not None and (state.history is not None or state.past_series is not None):
        raise ModFileError("histval and endval cannot be used together, as in Dynare.", place)
    if model.kind not in SCENARIOS:  # a file that asks for something else begins and ends at rest
        state.exogenous = model.steady.exogenous(theta)
        state.endogenous, theta = model.steady.solve(theta)
        state.series, state.learnt = None, {}
    elif model.steady.formulas is not None or model.planner is not None:
        state.endogenous, theta = steady.solve(state.endogenous, state.exogenous, theta)
    if given is not None and given.terminal:
        given.end(state, steady, theta, reading.shocks)
    past, past_exogenous = state.past or (state.endogenous, state.exogenous)
    lags = span.lags
    before = np.repeat(past[:, None], lags, axis=1)
    exogenous = np.repeat(state.exogenous[:, None], span.whole, axis=1)
    exogenous[:, :lags] = past_exogenous[:, None]
    course = None
    if state.series is not None:
        course = _from_series(model, state, reading.shocks, span, exogenous)
        before = course[:, :lags].copy()
    _apply_history(model, state, reading.shocks, span, before, exogenous)
    if given is not None and given.initial:
        for name, value in given.initial.items():
            before[:, :, model.variables.index(name)] = np.asarray(value)[:, None]
    pinned = np.zeros((len(reading.shocks), span.whole), dtype=bool)
    if given is None or given.shocks is None:
        for path, ranges in state.shocks:
            column = reading.shocks.index(path.name)
            initial = past_exogenous[:, column]
            apply_shock(path, ranges, exogenous[:, :, column], pinned[column], span, initial)
    else:
        for name, values in given.shocks.items():
            column = reading.shocks.index(name)
            known = np.isfinite(values)
            part = exogenous[:, lags : lags + values.shape[1], column]
            exogenous[:, lags : lags + values.shape[1], column] = np.where(known, values, part)
    controls = None
    if model.kind in SCENARIOS and (given is None or not given.controls):
        controls = controlled(None, state.controls, (model.variables, reading.shocks), span, pinned)
    elif given is not None:
        controls = _given_controls(given, (model.variables, reading.shocks), span, pinned)
    return Scenario(
        before=before,
        terminal=state.endogenous,
        exogenous=exogenous,
        exogenous_terminal=state.exogenous,
        theta=theta,
        course=None if given is not None and given.terminal else course,
        learnt=state.learnt,
        pinned=pinned,
        steady=steady,
        controls=controls,
    )


def controlled(
    before: Controls | None,
    paths: Sequence[Controlling],
    names: tuple[Sequence[str], Sequence[str]],
    span: Extent,
    pinned: np.ndarray,
) -> Controls | None:
    """Controls with further paths of a file; names of variables and of exogenous variables, pinned
    (K, L+T+F) where a shock has a value. Raises `ModFileError`.
    """
    controls = before
    variables, shocks = names
    for path, ranges in paths:
        values = np.full((len(ranges[0]), span.whole), np.nan)
        for (first, last), numbers in zip(path.periods, ranges, strict=True):
            if last > span.periods:
                raise beyond_the_last(path.name, last, span, path.place)
            values[:, span.lags + first - 1 : span.lags + last] = numbers
        controls = with_path(controls, variables.index(path.name), shocks.index(path.shock), values)
    refuse_clash(controls, pinned, tuple(variables), [path for path, _ in paths], span.lags)
    return controls


def _given_controls(
    given: Given, names: tuple[Sequence[str], Sequence[str]], span: Extent, pinned: np.ndarray
) -> Controls | None:
    """What a caller controls. Raises `ParameterError` where the file gives the shock a value."""
    controls = None
    variables, shocks = names
    for name, (shock, values) in given.controls.items():
        whole = np.full((len(values), span.whole), np.nan)
        whole[:, span.lags : span.lags + values.shape[1]] = values
        controls = with_path(controls, variables.index(name), shocks.index(shock), whole)
    contradiction = None if controls is None else clash(controls, pinned)
    if controls is not None and contradiction is not None:
        date, pair, text = contradiction
        raise ParameterError(
            f"'{variables[controls.variables[pair]]}' {text}, in period {date - span.lags + 1}, by"
            f" the file. Name another exogenous variable than '{shocks[controls.shocks[pair]]}', or"
            " give shocks={} in place of the file's."
        )
    return controls


def _from_series(
    model: CompiledModel,
    state: State,
    shocks: Sequence[str],
    span: Extent,
    exogenous: np.ndarray,
) -> np.ndarray:
    """The course (N, L+T+F, V) that an `initval_file` says; it sets exogenous (N, L+T+F, K) too."""
    command = state.series
    assert command is not None
    columns = series_of(model.file, command, (*model.shown, *shocks), span.past)
    wanted = span.past + span.periods + span.future
    length = min((len(values) for values in columns.values()), default=0)
    if length < wanted:
        raise ModFileError(
            f"'{command.name}': the file has {length} rows from the first one on that is used;"
            f" {span.past} of the past, {span.periods} periods and {span.future} of the end were"
            " expected.",
            command.place,
        )
    course = np.repeat(state.endogenous[:, None], span.whole, axis=1)
    first = span.lags - span.past
    for name, values in columns.items():
        into, names = (exogenous, shocks) if name in shocks else (course, model.variables)
        into[:, first : first + wanted, list(names).index(name)] = values[:wanted]
    return course


def _apply_history(
    model: CompiledModel,
    state: State,
    shocks: Sequence[str],
    span: Extent,
    before: np.ndarray,
    exogenous: np.ndarray,
) -> None:
    """Set the past (N, L, V) and (N, L+T+F, K) to what `histval` and `histval_file` say."""
    history = dict(state.history or {})
    if state.past_series is not None:
        command = state.past_series
        columns = series_of(model.file, command, (*model.shown, *shocks), span.past)
        length = min((len(values) for values in columns.values()), default=0)
        if length != span.past:
            raise ModFileError(
                f"'{command.name}': {length} rows were selected; the past of the model has"
                f" {span.past}. Select them by first_obs and nobs.",
                command.place,
            )
        of_file = {
            (name, k + 1 - length): np.full(len(before), values[k])
            for name, values in columns.items()
            for k in range(length)
        }
        history = of_file | history
    if not history:
        return
    before[:] = 0.0
    exogenous[:, : span.lags] = 0.0
    for (name, shift), value in history.items():
        row = span.lags - 1 + shift
        if row < 0:
            continue  # further back than any equation looks
        if name in model.variables:
            before[:, row, model.variables.index(name)] = value
        elif name in shocks:
            exogenous[:, row, list(shocks).index(name)] = value


@dataclass(frozen=True)
class Given:
    """What a caller gives in place of the file's own.

    shocks: paths (N, T') of exogenous variables from period 1 on, NaN where the file's value in the
    end stays; initial: values (N,) of variables before the first period; terminal: values (N,) of
    exogenous variables from period 1 on and in the end, whose steady state is looked for; controls:
    for variables, the exogenous one that is solved for and the values (N, T') from period 1 on, NaN
    where none is given.
    """

    shocks: Mapping[str, np.ndarray] | None = None
    initial: Mapping[str, np.ndarray] = field(default_factory=dict)
    terminal: Mapping[str, np.ndarray] = field(default_factory=dict)
    controls: Mapping[str, tuple[str, np.ndarray]] = field(default_factory=dict)

    def end(self, state: State, steady: Steady, theta: np.ndarray, shocks: Sequence[str]) -> None:
        """The end that the given values lead to; what held before is the past."""
        if state.past is None and state.history is None:
            state.past = state.endogenous, state.exogenous
        state.exogenous = state.exogenous.copy()
        for name, value in self.terminal.items():
            state.exogenous[:, shocks.index(name)] = value
        state.endogenous = steady.solve(state.endogenous, state.exogenous, theta)[0]


def beyond_the_last(name: str, period: int, span: Extent, place: Place) -> ModFileError:
    """The error for a value after the path has ended."""
    return ModFileError(
        f"'{name}' is given a value in period {period}, after the last one, {span.periods}. Raise"
        " the option periods.",
        place,
    )


def apply_shock(
    path: ShockPath,
    ranges: Sequence[np.ndarray],
    exogenous: np.ndarray,
    pinned: np.ndarray,
    span: Extent,
    initial: np.ndarray | None = None,
) -> None:
    """Set an exogenous variable (N, L+T+F) to a shock's path; pinned (L+T+F,) says where. initial
    (N,): its value of initval, by default that of the period before the first.
    """
    if initial is None:
        initial = exogenous[:, span.lags - 1]
    for (first, last), values in zip(path.periods, ranges, strict=True):
        if last > span.periods:
            raise beyond_the_last(path.name, last, span, path.place)
        part = slice(span.lags + first - 1, span.lags + last)
        pinned[part] = True
        if path.of_initval:
            exogenous[:, part] = initial[:, None] * values
        elif path.multiplicative:
            exogenous[:, part] *= values
        elif path.added:
            exogenous[:, part] += values
        else:
            exogenous[:, part] = values
