"""Perfect foresight of a `.mod` file: the paths of its scenario, for whole batches of parameters.

Axes: N draw, P column of theta, T period, H horizon, V variable, K exogenous variable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from emulator.errors import ModFileError, ParameterError
from emulator.modfile.compiling.complementarity import (
    Bound,
    bounds_of,
    extended,
    planner_bounds,
    residual_within,
    slopes_within,
)
from emulator.modfile.compiling.controls import Controlled
from emulator.modfile.compiling.dated import DatedEquations, compile_dated
from emulator.modfile.compiling.kinds import SCENARIOS
from emulator.modfile.compiling.model import CompiledModel
from emulator.modfile.compiling.scenario import Extent, Given, Scenario, scenario
from emulator.modfile.compiling.stacked import AsTheyStand, Linearised, Stacked
from emulator.modfile.compiling.symbolic import symbolic_model
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.syntax import Place
from emulator.modfile.reading.syntax_policy import Constraints
from emulator.solvers.perfect_foresight import Solved, solve_by_homotopy, solve_paths
from emulator.spec import Status

USUAL_PERIODS = 200
"""Periods of a path where neither the file nor the caller says how many."""

AT_REST = 1e-5
"""Largest residual of the end around which `linear_approximation` linearises (Dynare's
`solve_tolf` is 6e-6).
"""

AT_ONCE = 4_000_000
"""Numbers that the derivatives of the draws that are solved together may have."""


@dataclass(frozen=True)
class Paths:
    """Paths of N draws.

    path (N, T+2, V): levels from the period before the first, 0, to the one after the last, T+1;
    exogenous (N, T+2, K); status (N,); worst: of draws that failed, what a message says of them.
    """

    path: np.ndarray
    exogenous: np.ndarray
    status: np.ndarray
    worst: tuple[str, ...]


class Whole(NamedTuple):
    """Paths (N, L+T+F, V) and (N, L+T+F, K) of all dates, NaN where there is none; status (N,);
    what a message says of each that failed.
    """

    path: np.ndarray
    exogenous: np.ndarray
    status: np.ndarray
    worst: list[str]


class Foresight:
    """The paths that the run of a file asks for, or others of its model. A `PathSolver`: as
    responses it gives deviations from the values before the first period, horizon 0 being the first
    period.
    """

    shocks = ("scenario",)
    unit = "deviation from the period before the first, in the units of the file"

    def __init__(self, model: CompiledModel) -> None:
        self.model = model
        _refuse_constraints(model)

    @cached_property
    def equations(self) -> DatedEquations:
        file, model = self.model.file, self.model
        budget = Budget(file.model.place)
        return compile_dated(
            symbolic_model(file, model.planner, budget),
            model.variables,
            model.steady.shocks,
            [d.name for d in file.parameters],
        )

    @cached_property
    def _tagged_bounds(self) -> tuple[Bound, ...]:
        dynamic = [e for e in self.model.file.model.equations if "static" not in e.tags]
        return bounds_of(dynamic, self.model.variables)

    def bounds(self, declared: np.ndarray, end: np.ndarray) -> tuple[Bound, ...]:
        """Of variables, by the tags `mcp` of equations and by `ramsey_constraints`, where the run
        asks for `lmmcp`; at parameters (N, P) and ends of paths (N, V).
        """
        options = self.model.calibration.options
        if "lmmcp" not in options and options.get("solve_algo") not in ("10", "11"):
            return ()
        return (*self._tagged_bounds, *planner_bounds(self.model, declared, end))

    @property
    def exogenous(self) -> tuple[str, ...]:
        """Names of the exogenous variables."""
        return self.model.steady.shocks

    @property
    def periods(self) -> int:
        """T, as the file says. Raises `ModFileError` where its run does not."""
        run = self.model.calibration.run
        options = self.model.calibration.options
        text = options.get("periods", "")
        if self.model.kind not in SCENARIOS or (run is None and not text.isdigit()):
            return USUAL_PERIODS
        if not text.isdigit() or int(text) == 0:
            raise ModFileError(
                f"'{run.command if run else 'periods'}': the number of periods is '{text}'; a whole"
                " number was expected, as in perfect_foresight_setup(periods = 200).",
                self.model.file.model.place if run is None else run.place,
            )
        return int(text)

    def responses(self, theta: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        answer = self.solve(theta)
        size = len(self.model.variables)
        path = answer.path[:, :, :size]
        beyond = max(0, horizon + 2 - path.shape[1])
        path = np.concatenate([path, np.repeat(path[:, -1:], beyond, axis=1)], axis=1)
        return (path[:, 1 : horizon + 2] - path[:, :1])[:, None], answer.status

    def explain(self, theta: np.ndarray) -> str:
        return self.solve(theta).worst[0]

    def solve(
        self, theta: np.ndarray, periods: int | None = None, given: Given | None = None
    ) -> Paths:
        """The paths at theta (N, P); `given` stands in place of the file's own blocks.

        Raises `ModFileError` for a scenario that cannot be.
        """
        theta = self.model.check_theta(theta)
        extent = self._extent(self.periods if periods is None else periods)
        whole = scenario(self.model, theta, extent, given)
        return self._answer(whole, self._solved(whole))

    def _extent(self, periods: int) -> Extent:
        """Raises `ParameterError` for a path of no period."""
        if periods < 1:
            raise ParameterError(f"The path has {periods} periods; expected 1 or more.")
        dates = self.equations
        return Extent(periods, dates.lags, dates.leads, dates.past, dates.future)

    def _answer(self, asked: Scenario, solved: Whole) -> Paths:
        """The paths without what lies further back or ahead than a period."""
        inside = slice(self.equations.lags - 1, asked.periods - self.equations.leads + 1)
        exogenous = solved.exogenous[:, inside]
        return Paths(solved.path[:, inside], exogenous, solved.status, tuple(solved.worst))

    def _solved(self, whole: Scenario, start: np.ndarray | None = None) -> Whole:
        """The whole paths of all draws, in parts that fit into memory; start (N, L+T+F, V): paths
        to begin with.
        """
        entries = max(1, len(self.equations.entries))
        block = max(1, AT_ONCE // (whole.periods * entries))
        slices = [slice(k, k + block) for k in range(0, max(len(whole.theta), 1), block)]
        parts = [
            self._solve(whole.rows(part), None if start is None else start[part]) for part in slices
        ]
        return Whole(
            np.concatenate([part.path for part in parts]),
            np.concatenate([part.exogenous for part in parts]),
            np.concatenate([part.status for part in parts]),
            [text for part in parts for text in part.worst],
        )

    def _solve(self, asked: Scenario, start: np.ndarray | None) -> Whole:
        equations = self.equations
        lags, leads = equations.lags, equations.leads
        terminal = self._whole(asked.terminal, asked.exogenous_terminal, asked.theta)
        past = self._whole_past(asked)
        known = np.isfinite(terminal).all(axis=1) & np.isfinite(past).all(axis=(1, 2))
        path = np.repeat(terminal[:, None], asked.periods, axis=1)
        if asked.course is not None:
            path = self._whole_course(asked)
            known &= np.isfinite(path).all(axis=(1, 2))
        if start is not None:
            path[:, lags:-leads] = start[:, lags:-leads]
        path[:, :lags] = past
        status = np.full(len(path), Status.NOT_CONVERGED, dtype=np.uint8)
        worst = ["" if ok else self._without_end() for ok in known]
        if self.is_linear:
            known &= self._at_rest(asked, terminal, worst)
        rows = np.flatnonzero(known)
        exogenous = asked.exogenous
        if len(rows):
            part = asked.rows(rows)
            result, moved = self._newton(part, path[rows], terminal[rows])
            path[rows] = result.path
            exogenous = exogenous.copy()
            exogenous[rows] = moved
            status[rows[result.solved]] = Status.OK
            for k in np.flatnonzero(~result.solved):
                worst[rows[k]] = self._furthest(result, int(k), asked.first)
        path[status != Status.OK] = np.nan
        return Whole(path, exogenous, status, worst)

    @property
    def is_linear(self) -> bool:
        """Whether the run asks for the equations to first order (`linear_approximation`)."""
        return "linear_approximation" in self.model.calibration.options

    def _system(self, asked: Scenario, terminal: np.ndarray) -> AsTheyStand | Linearised:
        """The equations that the run asks for, around ends (N, V)."""
        declared = asked.theta[:, : len(self.model.file.parameters)]
        if not self.is_linear:
            return AsTheyStand(self.equations, terminal, declared)
        return Linearised(self.equations, terminal, asked.exogenous_terminal, declared)

    def _at_rest(self, asked: Scenario, terminal: np.ndarray, worst: list[str]) -> np.ndarray:
        """Which ends (N, V) are steady states, around which equations can be linearised; what a
        message says of the others goes into `worst`.
        """
        system = self._system(asked, terminal)
        assert isinstance(system, Linearised)
        still = (system.level < AT_REST) | np.array(not self.model.steady.checked)
        for k in np.flatnonzero(~still):
            worst[k] = worst[k] or (
                f"{self.place}: linear_approximation: the end of the path is no steady state (an"
                f" equation is off by {system.level[k]:.2e}), and equations are linearised there."
                " Write 'steady;' after initval or endval."
            )
        return still

    def _newton(
        self, asked: Scenario, path: np.ndarray, terminal: np.ndarray
    ) -> tuple[Solved, np.ndarray]:
        """The paths, and those of exogenous variables, of which controls may free some."""
        controls = asked.controls
        system: Stacked = self._system(asked, terminal)
        if controls is None:
            return self._iterated(system, asked, path, terminal), asked.exogenous
        size, freed = path.shape[2], list(controls.freed)
        at_rest = terminal[:, list(controls.variables)]
        augmented = replace(
            asked,
            exogenous=np.concatenate([asked.exogenous, controls.targets], axis=2),
            exogenous_terminal=np.concatenate([asked.exogenous_terminal, at_rest], axis=1),
        )
        result = self._iterated(
            Controlled(self._system(asked, terminal), controls),
            augmented,
            np.concatenate([path, asked.exogenous[:, :, freed]], axis=2),
            np.concatenate([terminal, asked.exogenous_terminal[:, freed]], axis=1),
        )
        exogenous = asked.exogenous.copy()
        exogenous[:, :, freed] = result.path[:, :, size:]
        return replace(result, path=result.path[:, :, :size]), exogenous

    def _iterated(
        self, system: Stacked, asked: Scenario, path: np.ndarray, terminal: np.ndarray
    ) -> Solved:
        """Newton's method from the end on, all periods alike; by homotopy where that fails."""
        equations = self.equations
        declared = asked.theta[:, : len(self.model.file.parameters)]
        lags, leads = equations.lags, equations.leads
        bounds = self.bounds(declared, terminal)
        band = extended(system.band, bounds)
        # Exogenous variables may reach further than endogenous ones.
        cut = slice(lags - band.lags, asked.periods - leads + band.leads)
        now = slice(lags, asked.periods - leads)

        def solve(path: np.ndarray, exogenous: np.ndarray, rows: np.ndarray) -> Solved:
            def at(inner: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, ...]:
                full = path[draws]
                full[:, cut] = inner
                return full, exogenous[draws], rows[draws]

            def residual(inner: np.ndarray, draws: np.ndarray) -> np.ndarray:
                point = at(inner, draws)
                plain = system.residual(*point)
                held = [bound.of(rows[draws]) for bound in bounds]
                return residual_within(plain, point[0][:, now], held)

            def slopes(inner: np.ndarray, draws: np.ndarray) -> np.ndarray:
                point = at(inner, draws)
                plain = system.slopes(*point)
                if not bounds:
                    return plain
                held = [bound.of(rows[draws]) for bound in bounds]
                today = point[0][:, now]
                return slopes_within(plain, system.residual(*point), today, held, band)

            result = solve_paths(residual, slopes, band, path[:, cut])
            full = path.copy()
            full[:, cut] = result.path
            return replace(result, path=full)

        result = solve(path, asked.exogenous, np.arange(len(path)))
        failed = np.flatnonzero(~result.solved)
        if len(failed) == 0:
            return result
        at_rest = np.repeat(terminal[failed][:, None], asked.periods, axis=1)
        quiet = np.repeat(asked.exogenous_terminal[failed][:, None], asked.periods, axis=1)

        def on_the_way(guess: np.ndarray, which: np.ndarray, share: np.ndarray) -> Solved:
            weight = share[:, None, None]
            begun = guess.copy()
            goal = path[failed[which], :lags]
            begun[:, :lags] = weight * goal + (1 - weight) * at_rest[which, :lags]
            goal = path[failed[which], -leads:]
            begun[:, -leads:] = weight * goal + (1 - weight) * at_rest[which, -leads:]
            moved = weight * asked.exogenous[failed[which]] + (1 - weight) * quiet[which]
            return solve(begun, moved, failed[which])

        later = solve_by_homotopy(on_the_way, at_rest, np.arange(len(failed)))
        for name in ("path", "solved", "residual"):
            getattr(result, name)[failed] = getattr(later, name)
        result.steps[failed] += later.steps
        return result

    def _whole(
        self, endogenous: np.ndarray, exogenous: np.ndarray, theta: np.ndarray
    ) -> np.ndarray:
        """Variables with those that stand for expectations, which are at rest."""
        if len(self.equations.variables) == endogenous.shape[1]:
            return endogenous
        inputs = [*endogenous.T, *exogenous.T, *theta[:, : len(self.model.file.parameters)].T]
        levels = [np.broadcast_to(v, len(theta)) for v in self.equations.expectations(inputs)]
        return np.concatenate([endogenous, np.stack(levels, axis=1)], axis=1)

    def _whole_past(self, asked: Scenario) -> np.ndarray:
        return self._stacked(asked.before, asked)

    def _whole_course(self, asked: Scenario) -> np.ndarray:
        assert asked.course is not None
        return self._stacked(asked.course, asked)

    def _stacked(self, path: np.ndarray, asked: Scenario) -> np.ndarray:
        """`_whole` of the first periods, as many as the path (N, .., V) has."""
        parts = [
            self._whole(path[:, k], asked.exogenous[:, k], asked.theta)
            for k in range(path.shape[1])
        ]
        return np.stack(parts, axis=1)

    @property
    def place(self) -> Place:
        run = self.model.calibration.run
        return run.place if run is not None else self.model.file.model.place

    def _without_end(self) -> str:
        return (
            f"{self.place}: no steady state for the end of the path: neither formulas nor"
            " Newton's method from initval or endval solve the static model. Give values near it."
        )

    def _furthest(self, result: Solved, draw: int, first: int) -> str:
        """Where a path from period `first` on is furthest from solving the model."""
        residual = result.residual[draw]
        size = np.where(np.isfinite(residual), np.abs(residual), np.inf)
        period, row = np.unravel_index(int(np.argmax(size)), size.shape)
        equations = [e for e in self.model.file.model.equations if "static" not in e.tags]
        if row < len(equations):
            name = equations[row].tags.get("name")
            which = f"the equation{f' {name!r}' if name else ''} at {equations[row].place}"
        elif row >= len(self.equations.variables):
            which = "a value that a controlled path gives"
        else:
            which = f"first-order condition {row - len(equations) + 1} of the planner"
        value = residual[period, row]
        reason = f"is off by {value:.2e}" if np.isfinite(value) else "is not finite"
        return (
            f"{self.place}: perfect foresight: the path did not converge in"
            f" {int(result.steps[draw]):,} steps of Newton's method, those on the way of a homotopy"
            f" included. The largest residual is in period {period + first}: {which} {reason}."
            " Smaller shocks, or more periods in which the path comes to rest, may be solved."
        )


def _refuse_constraints(model: CompiledModel) -> None:
    """`ModFileError` for constraints of OccBin, which a path under perfect foresight would pass
    over.
    """
    block = next((s for s in model.tagged.statements if isinstance(s, Constraints)), None)
    if block is not None:
        raise ModFileError(
            "occasionally binding constraints (OccBin) are not part of a path under perfect"
            " foresight. Ask emulator occbin, in Python occbin(), or write bounds as tags mcp and"
            " solve with perfect_foresight_solver(lmmcp).",
            block.place,
        )
