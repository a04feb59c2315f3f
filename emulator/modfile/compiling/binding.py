"""Occasionally binding constraints of a file (`occbin_solver`): its regimes as matrices, the
conditions as tapes, and paths under surprises by `emulator.solvers.piecewise_linear`.

An equation with tags is one of several versions that share a `name`: `bind = 'A'` holds where
constraint A binds, `relax = 'A'` where it does not, and one without either always; of two versions
that hold at once the sum holds, as in Dynare. Every regime is linearised at the steady state of the
one in which no constraint binds.

Axes: N draw, R regime, C constraint, P column of theta, S shock, H horizon, T period, V variable of
the file, n variable with auxiliary ones, K shock of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.conditions import Condition
from emulator.modfile.compiling.equations import Equations, compile_equations, compiled
from emulator.modfile.compiling.evaluate import evaluate
from emulator.modfile.compiling.matrices import Dates
from emulator.modfile.compiling.scenario_reading import of_range
from emulator.modfile.compiling.symbolic import symbolic_model
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.constraints import constraints_of, in_regime
from emulator.modfile.reading.grammar import Reader
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax import (
    ModFile,
    ShockPath,
    ShocksBlock,
)
from emulator.solvers import Solution, Structure, solve_linear_re
from emulator.solvers.piecewise_linear import (
    ROUNDS,
    PiecewisePath,
    Regimes,
    simulate_surprises,
)
from emulator.spec import Status

if TYPE_CHECKING:
    from emulator.modfile.compiling.model import CompiledModel

AHEAD = 200
"""Periods after a surprise that are looked at (`simul_check_ahead_periods`)."""

MOST_PERIODS = 5000
"""Periods of the longest path of a file."""

BLOCK = 256
"""Draws whose paths are in memory at once."""

UNIT = "deviation from the steady state, in the units of the file"

SURPRISES = "surprises"
"""What the file's `shocks(surprise)` are called among the shocks that an answer names."""


@dataclass(frozen=True)
class Answer:
    """Paths of N draws, S surprises: piecewise and linear (N, S, T, V) in deviations, binding (N,
    S, T, C), status (N,).
    """

    piecewise: np.ndarray
    linear: np.ndarray
    binding: np.ndarray
    status: np.ndarray


class BindingPaths:
    """Who answers an `occbin_solver`: a `PathSolver`.

    Shocks: those with a standard deviation, one at a time, and the file's `shocks(surprise)`, all
    of them together, which are one more "shock" of the answer.
    """

    unit = UNIT

    def __init__(self, model: CompiledModel) -> None:
        self.model = model
        run = model.calibration.run
        self.place = model.file.model.place if run is None else run.place
        self.constraints = constraints_of(model.tagged)
        if not self.constraints:
            raise ModFileError("'occbin_solver' needs the block occbin_constraints.", self.place)
        self.surprises = _surprises_of(model)
        self.shocks = (*model.shocks, *((self._free_name(),) if self.surprises else ()))
        if not self.shocks:
            raise ModFileError(
                "no shock moves the model: give surprises in a block shocks(surprise); var e;"
                " periods 1; values 1; end;, or a shock a standard deviation.",
                self.place,
            )
        self.conditions = [
            (
                Condition.of(model.file, constraint.bind, constraint.place),
                None
                if constraint.relax is None
                else Condition.of(model.file, constraint.relax, constraint.place),
            )
            for constraint in self.constraints
        ]

    def _free_name(self) -> str:
        name = SURPRISES
        while name in self.model.shocks:
            name += "_"
        return name

    @cached_property
    def exogenous(self) -> tuple[str, ...]:
        """All shocks of the file, with a standard deviation or without."""
        return tuple(d.name for d in self.model.file.shocks)

    @cached_property
    def regimes(self) -> list[tuple[Equations, Dates]]:
        """The equations of each regime; dates share their auxiliary variables."""
        model = self.model
        names = [constraint.name for constraint in self.constraints]
        equations = []
        for code in range(2 ** len(names)):
            held = [name for k, name in enumerate(names) if code >> k & 1]
            equations.append(_equations(in_regime(model.tagged, held), model, "+".join(held)))
        auxiliary = equations[0].auxiliary
        entries = [entry for regime in equations for entry in regime.dynamic_entries]
        dates = Dates.of(
            entries=entries,
            variables=(*model.variables, *auxiliary),
            exogenous=[*self.exogenous, *(d.name for d in model.file.deterministic_shocks)],
            shocks=self.exogenous,
        )
        cells = iter(dates.cells)
        return [
            (regime, replace(dates, cells=tuple(next(cells) for _ in regime.dynamic_entries)))
            for regime in equations
        ]

    def solved(self, theta: np.ndarray) -> tuple[Regimes, Solution, np.ndarray, np.ndarray]:
        """The models at theta (N, P) in all regimes, the solution in which nothing binds, steady
        states (N, V), and theta with what a steady_state_model sets.
        """
        steady, theta = (
            self.model.steady.solve(theta)
            if self.model.needs_steady_state
            else self.model.steady.skip(theta)
        )
        declared = theta[:, : len(self.model.file.parameters)]
        exogenous = self.model.steady.exogenous(theta)
        matrices, constants = [], []
        for equations, dates in self.regimes:
            inputs = equations.inputs(steady, exogenous, declared)
            matrices.append(dates.matrices(equations.dynamic(inputs), len(theta)))
            constant = np.zeros((len(theta), len(dates.variables)))
            constant[:, : len(self.model.variables)] = equations.residual(inputs, len(theta))
            constants.append(constant)
        lead, current, lag, shock = (np.stack(part) for part in zip(*matrices, strict=True))
        current[0][~np.isfinite(steady).all(axis=1)] = np.nan
        structure = Structure.of(*(self._pattern(k) for k in range(3)))
        solution = solve_linear_re(lead[0], current[0], lag[0], shock[0], structure)
        constants[0][:] = 0.0  # within rounding: it is where the steady state was found
        regimes = Regimes(
            lead=lead,
            current=current,
            lag=lag,
            shock=shock,
            constant=np.stack(constants),
            transition=solution.transition,
            impact=solution.impact,
        )
        return regimes, solution, steady, theta

    def _pattern(self, matrix: int) -> np.ndarray:
        equations, dates = self.regimes[0]
        return dates.matrices([1.0] * len(equations.dynamic_entries), 1)[matrix]

    def paths(self, theta: np.ndarray, shocks: np.ndarray, periods: int) -> Answer:
        """Paths of so many periods at theta (N, P) under shocks (N, S, T, K), in the units of the
        file.
        """
        n, many = shocks.shape[:2]
        count = len(self.model.variables)
        shape = (n, many, periods, count)
        answer = Answer(
            piecewise=np.full(shape, np.nan),
            linear=np.full(shape, np.nan),
            binding=np.zeros((*shape[:3], len(self.constraints)), dtype=bool),
            status=np.full(n, Status.NOT_CONVERGED, dtype=np.uint8),
        )
        for first in range(0, n, BLOCK):
            part = slice(first, first + BLOCK)
            regimes, solution, steady, at = self.solved(theta[part])
            answer.status[part] = solution.status
            rows = np.flatnonzero(solution.status == Status.OK)
            some = regimes.take(rows)
            for k in range(many):
                surprise = shocks[part][rows, k]
                path = self._path(some, steady[rows], at[rows], surprise, periods)
                answer.piecewise[first + rows, k] = path.values[:, :, :count]
                answer.binding[first + rows, k] = path.binding
                answer.linear[first + rows, k] = _linear(some, surprise, periods)[:, :, :count]
                answer.status[first + rows[~path.solved]] = Status.NOT_CONVERGED
        failed = answer.status != Status.OK
        answer.piecewise[failed] = np.nan
        return answer

    def _path(
        self,
        regimes: Regimes,
        steady: np.ndarray,
        theta: np.ndarray,
        surprise: np.ndarray,
        periods: int,
    ) -> PiecewisePath:
        declared = theta[:, : len(self.model.file.parameters)]
        count = len(self.model.variables)

        def checks(values: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            levels = values[:, :, :count] + steady[rows, None]
            inputs = [
                *np.moveaxis(levels, 2, 0),
                *steady[rows].T[:, :, None],
                *declared[rows].T[:, :, None],
            ]
            binds, relaxes = [], []
            for bind, relax in self.conditions:
                binds.append(bind.holds(inputs, values.shape[:2]))
                relaxes.append(
                    ~binds[-1] if relax is None else relax.holds(inputs, values.shape[:2])
                )
            return np.stack(binds, axis=2), np.stack(relaxes, axis=2)

        with np.errstate(all="ignore"):
            return simulate_surprises(
                regimes=regimes,
                checks=checks,
                shocks=surprise[:, :periods],
                periods=periods,
                ahead=self._number("simul_check_ahead_periods", AHEAD),
                rounds=self._number("simul_maxit", ROUNDS),
                one_at_a_time="simul_curb_retrench" in self.model.calibration.options,
            )

    def responses(self, theta: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """Responses (N, S, H+1, V) and status (N,): to one standard deviation of each shock that
        has one, and to the file's surprises.
        """
        answer = self.paths(theta, self.unit_shocks(theta), horizon + 1)
        return answer.piecewise, answer.status

    def unit_shocks(self, theta: np.ndarray) -> np.ndarray:
        """What each of `shocks` is in the file's own shocks, (N, S, T, K)."""
        sizes = self.model.cholesky(theta)
        path = self.surprise_path(theta)
        shocks = np.zeros((len(theta), len(self.shocks), path.shape[1], path.shape[2]))
        columns = [self.exogenous.index(name) for name in self.model.shocks]
        shocks[:, : len(columns), 0, columns] = np.swapaxes(sizes, 1, 2)
        if self.surprises:
            shocks[:, -1] = path
        return shocks

    def surprise_path(self, theta: np.ndarray) -> np.ndarray:
        """The file's `shocks(surprise)` (N, T, K) in its own units, in values of its parameters."""
        values = dict(zip(self.model.parameters, theta.T, strict=True))
        known = self.model.calibration.values({})
        outside = {k: v for k, v in known.items() if not isinstance(v, ModFileError)}
        longest = max((last for s in self.surprises for _, last in s.periods), default=1)
        path = np.zeros((len(theta), longest, len(self.exogenous)))
        for surprise in self.surprises:
            column = self.exogenous.index(surprise.name)
            for value, (first, last) in zip(surprise.values, surprise.periods, strict=True):
                path[:, first - 1 : last, column] = of_range(
                    value, last - first + 1, outside | values, surprise.place, len(theta)
                )
        return path

    def explain(self, theta: np.ndarray) -> str:
        """Why one draw (1, P) has no solution, in a sentence with file and line."""
        from emulator.modfile.compiling.responses import explain

        _, solution, _, _ = self.solved(theta)
        if solution.status[0] != Status.OK:
            return explain(self.model, theta, Status(solution.status[0]))
        names = ", ".join(constraint.name for constraint in self.constraints)
        return (
            f"{self.place}: no path was found on which {names} bind(s) where the conditions say so:"
            " every guess contradicts itself, or the constraint never ceases to bind. Try smaller"
            " shocks, or look at the conditions 'bind' and 'relax'."
        )

    @property
    def usual_periods(self) -> int:
        """Periods of the file's own answer (`simul_periods`)."""
        return self._number("simul_periods", 100)

    def _number(self, option: str, usual: int) -> int:
        text = self.model.calibration.options.get(option)
        if text is None:
            return usual
        place = self.place
        expression = Reader().expression(Span(text, (place,)), f"the option {option}")
        value = float(evaluate(expression, {}, place))
        if not 1 <= value <= MOST_PERIODS:
            raise ModFileError(
                f"{option} is {text}; a number from 1 to {MOST_PERIODS} was expected.", place
            )
        return int(value)


def _equations(file: ModFile, model: CompiledModel, regime: str) -> Equations:
    if any({"static", "dynamic"} & e.tags.keys() for e in file.model.equations):
        place = next(e.place for e in file.model.equations if {"static", "dynamic"} & e.tags.keys())
        raise ModFileError(
            "tags 'static' and 'dynamic' beside constraints of OccBin are not supported.",
            place,
        )
    exogenous = tuple(d.name for d in (*file.shocks, *file.deterministic_shocks))
    declared = tuple(d.name for d in file.parameters)
    key = f"{file.sha256}-{regime}" if regime else file.sha256
    budget = Budget(file.model.place)
    return compiled(
        key,
        lambda: compile_equations(
            symbolic_model(file, None, budget), model.variables, exogenous, declared
        ),
    )


def _surprises_of(model: CompiledModel) -> tuple[ShockPath, ...]:
    """The paths of the blocks `shocks(surprise)` up to the run; `overwrite` begins anew, and a
    shock named again has its later path. Raises `ModFileError` for what is no shock, and for
    periods beyond `MOST_PERIODS`.
    """
    run = model.calibration.run
    statements = model.file.statements[: None if run is None else run.stop]
    paths: list[ShockPath] = []
    for statement in statements:
        if isinstance(statement, ShocksBlock) and "surprise" in statement.options:
            if "overwrite" in statement.options:
                paths = []
            paths += statement.paths
    known = {declared.name for declared in model.file.shocks}
    for path in paths:
        if path.name not in known:
            raise ModFileError(f"'{path.name}' is no shock (varexo) of the file.", path.place)
        if max(last for _, last in path.periods) > MOST_PERIODS:
            raise ModFileError(
                f"a surprise comes after period {MOST_PERIODS}, the last one that is solved.",
                path.place,
            )
    return tuple(paths)


def _linear(regimes: Regimes, surprise: np.ndarray, periods: int) -> np.ndarray:
    """Paths (N, T, n) on which nothing ever binds."""
    state: np.ndarray = np.zeros(regimes.transition.shape[:2])
    values = np.empty((len(state), periods, state.shape[1]))
    for t in range(periods):
        state = np.einsum("nij,nj->ni", regimes.transition, state)
        if t < surprise.shape[1]:
            state = state + np.einsum("nik,nk->ni", regimes.impact, surprise[:, t])
        values[:, t] = state
    return values
