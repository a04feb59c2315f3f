"""Steady states of a batch of draws: the file's own formulas, else Newton's method from its initial
values.

Axes: N draw, V variable, K exogenous variable, P column of theta.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.calibration import Calibration
from emulator.modfile.compiling.equations import Equations
from emulator.modfile.compiling.evaluate import MATLAB_CONSTANTS, evaluate
from emulator.modfile.compiling.functions import MATLAB, NUMERIC
from emulator.modfile.compiling.newton import damped_newton, solve_by_blocks
from emulator.modfile.compiling.planner_steady import (
    instruments_of,
    starting_points,
    with_best_instruments,
)
from emulator.modfile.compiling.steady_program import SteadyProgram
from emulator.modfile.reading.syntax import (
    Assignment,
    ModFile,
    MultiAssignment,
    Place,
    calls,
    symbols,
)

ACCEPTED = 1e-5
"""Largest residual of a steady state that the file gives by formulas: Dynare's own tolerance
(`solve_tolf`, manual).
"""

HOMOTOPY = 8
"""Steps from the file's own parameters to those of a draw at which Newton's method does not
converge from afar.
"""


class SteadyStates:
    """Finds steady states of one model."""

    def __init__(
        self,
        file: ModFile,
        calibration: Calibration,
        equations: Equations,
        variables: tuple[str, ...],
        n_parameters: int,
        multipliers: tuple[str, ...] = (),
        unsettled: bool = False,
        program: SteadyProgram | None = None,
    ) -> None:
        self.file = file
        self.calibration = calibration
        self.equations = equations
        self.variables = variables
        self.n_parameters = n_parameters
        self.n_multipliers = len(multipliers)
        self.unsettled = unsettled
        self.program = program
        self.parameters = tuple(d.name for d in file.parameters)
        self.shocks = tuple(d.name for d in (*file.shocks, *file.deterministic_shocks))
        self.columns = {name: k for k, name in enumerate(variables)}
        self.formulas = self._formulas()
        self._anchor: tuple[np.ndarray, np.ndarray] | None = None

    def _formulas(self) -> tuple[Assignment, ...] | None:
        """The assignments of the file's steady_state_model, None where it has none or calls MATLAB
        functions; nothing in the place of a program that stands for them.
        """
        if self.program is not None:
            return ()
        block = self.calibration.steady
        if block is None:
            return None
        plain = [
            a
            for a in block.assignments
            if isinstance(a, Assignment)
            and all(
                c.function in NUMERIC or c.function in MATLAB or c.function == "STEADY_STATE"
                for c in calls(a.value)
            )
        ]
        if len(plain) < len(block.assignments):
            if not self.calibration.initval:
                outside = next(
                    a for a in block.assignments if isinstance(a, MultiAssignment) or a not in plain
                )
                raise ModFileError(
                    "this steady_state_model calls a MATLAB function, which is not run. Write its"
                    " formula, or give an initval block.",
                    outside.place,
                )
            return None
        return tuple(plain)

    @cached_property
    def assigned(self) -> frozenset[str]:
        """Parameters that the formulas set."""
        if self.program is not None:
            return frozenset(name for name in self.parameters if self.program.sets(name))
        return frozenset(a.name for a in self.formulas or ()) & frozenset(self.parameters)

    @property
    def checked(self) -> bool:
        """Whether formulas have to solve the model, unless the file says steady(nocheck)."""
        return "nocheck" not in self.calibration.options

    @cached_property
    def read(self) -> frozenset[str]:
        """Names that the formulas need from outside."""
        if self.program is not None:
            return frozenset(name for name in self.parameters if self.program.reads(name))
        known: set[str] = set()
        needed: set[str] = set()
        for assignment in self.formulas or ():
            needed |= {s.name for s in symbols(assignment.value)} - known
            known.add(assignment.name)
        return frozenset(needed)

    def solve(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steady states (N, V), NaN where none was found, and theta (N, P) with the parameters that
        the formulas set.
        """
        if self.formulas is not None and not self.n_multipliers:
            return self._by_formulas(theta)
        if self.unsettled:  # a policymaker chooses what equations leave open: deviations from zero
            zeros = np.zeros((len(theta), len(self.variables)))
            error = np.abs(self.residual(zeros, theta)).max(axis=1, initial=0.0)
            return np.where((error < ACCEPTED)[:, None], zeros, np.nan), theta
        if (
            self.formulas is not None
        ):  # a planner's model: formulas hold at given instruments, which are to be found
            theta = self._evaluated(theta)[1]
        return self._by_newton(theta), theta

    def skip(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steady states where no derivative depends on them: zeros (N, V) where they solve the
        model, so that there is nothing to search; else as `solve`.
        """
        if self.formulas is not None:
            return self.solve(theta)
        zeros = np.zeros((len(theta), len(self.variables)))
        if np.abs(self.residual(zeros, theta)).max(initial=0.0) < ACCEPTED:
            return zeros, theta
        return self.solve(theta)

    def exogenous(self, theta: np.ndarray) -> np.ndarray:
        """Values (N, K) of the exogenous variables in the steady state: zero unless initval says
        otherwise; under discretion zero in any case, as in Dynare.
        """
        if self.unsettled:
            return np.zeros((len(theta), len(self.shocks)))
        values = self._initial(theta)
        columns = [np.broadcast_to(values[name], len(theta)) for name in self.shocks]
        return np.stack(columns, axis=1) if columns else np.zeros((len(theta), 0))

    def residual(self, steady: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Residuals (N, V) of the static equations."""
        return self.equations.residual(self.inputs(steady, theta), len(theta))

    def inputs(self, steady: np.ndarray, theta: np.ndarray) -> list[np.ndarray]:
        return self.equations.inputs(steady, self.exogenous(theta), theta[:, : self.n_parameters])

    def _values(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        return dict(
            zip(self.parameters, np.ascontiguousarray(theta[:, : self.n_parameters].T), strict=True)
        )

    def _initial(self, theta: np.ndarray) -> dict[str, Any]:
        """Parameters, and variables and shocks as the initval blocks set them, in order."""
        given = self._values(theta)
        computed: dict[str, Any] = {}
        if self._reads_computed:
            computed = {
                name: value
                for name, value in self.calibration.values(given).items()
                if not isinstance(value, ModFileError)
            }
        values: dict[str, Any] = dict(MATLAB_CONSTANTS) | computed | self._zeros() | given
        for assignment in self.calibration.initval:
            values[assignment.name] = evaluate(assignment.value, values, assignment.place)
        return values

    @cached_property
    def _reads_computed(self) -> bool:
        """Whether initval reads what the file computes besides its parameters: numbers of MATLAB's,
        such as q = 2*a.
        """
        initval = self.calibration.initval
        declared = {*self.parameters, *self.variables, *self.shocks, *MATLAB_CONSTANTS}
        return any(s.name not in declared for a in initval for s in symbols(a.value))

    def _zeros(self) -> dict[str, Any]:
        """Variables that initval has not set yet are zero, as in Dynare."""
        return dict.fromkeys((*self.variables, *self.shocks), np.float64(0.0))

    def candidate(self, theta: np.ndarray) -> np.ndarray:
        """What the formulas give, or where Newton's method starts, (N, V): to say what is wrong
        with it.
        """
        return (
            self._evaluated(theta)[0]
            if self.formulas is not None and not self.n_multipliers
            else self._start(theta)
        )

    def worst(self, point: np.ndarray, theta: np.ndarray) -> tuple[int, str]:
        """Which equation is furthest from being solved at a point (1, V), and by how much."""
        error = self.residual(point, theta)[0]
        if not np.isfinite(error).all():
            return int(np.argmin(np.isfinite(error))), "is not finite there"
        worst = int(np.argmax(np.abs(error)))
        return worst, f"is off by {error[worst]:.2e}"

    @property
    def places(self) -> list[Place]:
        """Where the static equations of the file stand; a planner's conditions come after them."""
        return [e.place for e in self.file.model.equations if "dynamic" not in e.tags]

    def shortfall(self, theta: np.ndarray) -> str:
        """The equation that the formulas solve least at theta (1, P), and by how much; or ''."""
        point, theta = self._evaluated(theta)
        if self.n_multipliers:  # which are not the formulas' to give
            return ""
        worst, reason = self.worst(point, theta)
        return f"the equation at {self.places[worst]} {reason}"

    def _by_formulas(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        steady, theta = self._evaluated(theta)
        if not self.checked:
            return steady, theta
        error = np.abs(self.residual(steady, theta)).max(axis=1, initial=0.0)
        return np.where((error < ACCEPTED)[:, None], steady, np.nan), theta

    def _evaluated(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (N, V) of the formulas, and theta (N, P) with the parameters that they set."""
        if self.program is not None:
            return self.followed(theta, self.exogenous(theta))
        values = self._initial(theta)
        for assignment in self.formulas or ():
            values[assignment.name] = evaluate(assignment.value, values, assignment.place)
        if self.assigned:
            theta = theta.copy()
            for name in self.assigned:
                theta[:, self.parameters.index(name)] = values[name]
        return (
            np.stack(
                [np.broadcast_to(values[name], len(theta)) for name in self.variables], axis=1
            ),
            theta,
        )

    def followed(self, theta: np.ndarray, exogenous: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the program gives (N, V) at values of exogenous variables (N, K), and theta (N, P)
        with the parameters that it sets.
        """
        assert self.program is not None
        steady, declared = self.program(theta[:, : self.n_parameters], exogenous)
        theta = theta.copy()
        theta[:, : self.n_parameters] = declared
        return steady, theta

    def _start(self, theta: np.ndarray) -> np.ndarray:
        if self.formulas is not None:
            start = self._evaluated(theta)[0]
        else:
            values = self._initial(theta)
            start = np.stack(
                [np.broadcast_to(values[name], len(theta)) for name in self.variables], axis=1
            )
        return self._with_multipliers(start, theta) if self.n_multipliers else start

    def _with_multipliers(self, start: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """The multipliers that come closest to the planner's conditions, which are linear in them
        (least squares).
        """
        start = start.copy()
        start[:, -self.n_multipliers :] = 0.0
        inputs = self.inputs(start, theta)
        slope = self.equations.jacobian(inputs, len(theta), self.columns)[
            :, :, -self.n_multipliers :
        ]
        level = self.equations.residual(inputs, len(theta))
        for row in np.flatnonzero(
            np.isfinite(slope).all(axis=(1, 2)) & np.isfinite(level).all(axis=1)
        ):
            start[row, -self.n_multipliers :] = -np.linalg.lstsq(
                slope[row], level[row], rcond=None
            )[0]
        return start

    def _newton(self, theta: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        def residual(point: np.ndarray, rows: np.ndarray) -> np.ndarray:
            return self.residual(point, theta[rows])

        def jacobian(point: np.ndarray, rows: np.ndarray) -> np.ndarray:
            return self.equations.jacobian(self.inputs(point, theta[rows]), len(rows), self.columns)

        return damped_newton(residual, jacobian, start)

    def _by_newton(self, theta: np.ndarray) -> np.ndarray:
        """Newton's method from initval; where that fails, by small steps from the steady state of
        the file's own parameters.
        """
        theta = theta[:, : self.n_parameters]
        steady, solved = self._newton(theta, self._start(theta))
        if not solved.all():
            steady[~solved] = np.nan
            base, anchor = self._at_file_parameters()
            rows = np.flatnonzero(
                ~solved & np.isfinite(theta).all(axis=1) & np.isfinite(anchor).all()
            )
            point = np.repeat(anchor, len(rows), axis=0)
            for share in np.linspace(0, 1, HOMOTOPY + 1)[1:] if len(rows) else ():
                point, solved = self._newton(base + share * (theta[rows] - base), point)
                rows = rows[solved]
                point = point[solved]
            steady[rows] = point
        return steady

    def _at_file_parameters(self) -> tuple[np.ndarray, np.ndarray]:
        """The file's own theta (1, P) and its steady state (1, V), computed once, with patience."""
        if self._anchor is None:
            of_file = self.calibration.values({})
            values = (of_file.get(name, np.nan) for name in self.parameters)
            known = [np.nan if isinstance(value, Exception) else value for value in values]
            base = np.array([known], dtype=float)
            start = self._start(base)
            steady, solved = self._newton(base, start)
            if not solved[0]:
                point = solve_by_blocks(
                    lambda x: self.residual(x[None], base)[0],
                    lambda x: self.equations.jacobian(self.inputs(x[None], base), 1, self.columns)[
                        0
                    ],
                    self.pattern(),
                    start[0],
                )
                steady, solved = self._newton(base, point[None])
            if not solved[0] and self.n_multipliers:
                steady, solved = self._by_instruments(base, start[0])
            self._anchor = base, np.where(solved[:, None], steady, np.nan)
        return self._anchor

    def _by_instruments(self, base: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A planner's steady state (1, V) by way of the model's equations at given instruments, and
        whether it was found (1,).
        """

        def at(n: int) -> np.ndarray:
            return np.repeat(base, n, axis=0)

        def residual(points: np.ndarray) -> np.ndarray:
            return self.residual(points, at(len(points)))

        def jacobian(points: np.ndarray) -> np.ndarray:
            inputs = self.inputs(points, at(len(points)))
            return self.equations.jacobian(inputs, len(points), self.columns)

        def with_multipliers(points: np.ndarray) -> np.ndarray:
            return self._with_multipliers(points, at(len(points)))

        count = self.n_multipliers
        pattern = self.pattern()[:count, : len(self.variables) - count]
        instruments = instruments_of(self.file, self.variables, pattern)
        nothing = np.full((1, len(start)), np.nan), np.zeros(1, dtype=bool)
        if instruments is None:
            return nothing
        points = starting_points(residual, jacobian, start, instruments, count)
        for point in with_multipliers(points):
            steady, solved = self._newton(base, point[None])
            if not solved[0]:
                closest = with_best_instruments(
                    residual=residual,
                    jacobian=jacobian,
                    with_multipliers=with_multipliers,
                    point=point,
                    instruments=instruments,
                    n_equations=count,
                )
                steady, solved = self._newton(base, closest[None])
            if solved[0]:
                return steady, solved
        return nothing

    def pattern(self) -> np.ndarray:
        """Which variable stands in which static equation (V, V)."""
        pattern = np.zeros((len(self.variables), len(self.variables)), dtype=bool)
        for entry in self.equations.static_entries:
            pattern[entry.row, self.columns[entry.name]] = True
        return pattern
