"""A compiled model: steady state, matrices and solution for whole batches of parameters.

theta (N, P) holds every declared parameter, then a standard deviation for each shock with a
variance (`stderr_<shock>`), then a correlation for each pair that has one. `theta(...)` makes it
from the file. Axes: N draw, P column of theta, V variable of the file, n variable with auxiliary
ones, K shock.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from emulator.errors import ModFileError, ModFileWarning, ParameterError, unknown_name
from emulator.modfile.compiling.cache import compiled
from emulator.modfile.compiling.calibration import Calibration, calibration, refuse_without_shocks
from emulator.modfile.compiling.dates import Dates
from emulator.modfile.compiling.equations import Equations, compile_equations
from emulator.modfile.compiling.optimal_policy import Planner, planner_of, with_multipliers
from emulator.modfile.compiling.steady_state import SteadyStates
from emulator.modfile.compiling.symbolic import symbolic_model
from emulator.modfile.reading.parser import parse, parse_text
from emulator.modfile.reading.support import check_supported
from emulator.modfile.reading.syntax import ModFile, Place
from emulator.solvers import Solution, Structure, solve_equations
from emulator.solvers.qz import CRITERIUM

TOO_DEEP = (
    "an expression nests too many operations once its '#' variables are written out; introduce"
    " variables for parts of it."
)


@dataclass(frozen=True)
class Linearised:
    """A batch of linear models and where they were taken.

    steady (N, V): steady states, NaN where none was found, zeros where `needs_steady_state` is
    false; theta (N, P): with what a steady_state_model sets; matrices: see
    `CompiledModel.matrices`.
    """

    steady: np.ndarray
    theta: np.ndarray
    matrices: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class CompiledModel:
    """The model of a `.mod` file; made by `emulator.modfile.load`."""

    file: ModFile
    calibration: Calibration
    equations: Equations
    variables: tuple[str, ...]
    """The file's endogenous variables, in its order."""
    shocks: tuple[str, ...]
    """The shocks that have a variance, in the order of their declaration."""
    parameters: tuple[str, ...]
    """Names of the columns of theta."""
    dates: Dates = field(repr=False)
    planner: Planner | None = None
    """Of a model of optimal policy: its multipliers are the last of `variables`."""

    @property
    def name(self) -> str:
        return self.file.path.stem

    @property
    def all_variables(self) -> tuple[str, ...]:
        """`variables`, then those that stand for longer leads and lags: the order of the
        matrices.
        """
        return self.dates.variables

    def theta(self, values: Mapping[str, Any] | None = None, **named: Any) -> np.ndarray:
        """Parameters (N, P) as the file sets them, with the given ones (numbers or arrays (N,)) in
        their place.

        What the file computes from a given parameter follows it. Raises `UnknownNameError` for a
        name the model does not have, `ModFileError` for a parameter that the model needs and the
        file gives no value.
        """
        given = {
            name: np.asarray(value, dtype=np.float64)
            for name, value in {**(values or {}), **named}.items()
        }
        for name, value in given.items():
            if name not in self.parameters:
                raise unknown_name(f"parameter of '{self.name}'", name, self.parameters)
            if value.ndim > 1 or not np.isfinite(value).all():
                raise ParameterError(
                    f"Parameter '{name}' of '{self.name}' was given as {value!r}; expected finite"
                    " numbers, one or (N,)."
                )
        found = self.calibration.run(given)
        columns = [self._known(found, name) for name in self.parameters]
        try:
            return np.stack(np.broadcast_arrays(*map(np.atleast_1d, columns)), axis=1)
        except ValueError:
            sizes = {name: value.shape for name, value in given.items() if value.ndim}
            raise ParameterError(
                f"The parameters given to '{self.name}' differ in length: {sizes}."
            ) from None

    def _known(self, found: Mapping[str, Any], name: str) -> Any:
        value = found.get(name, ModFileError("It is declared but never assigned."))
        if not isinstance(value, ModFileError):
            return value
        if name in self.needed:
            raise ModFileError(
                f"the parameter '{name}' has no value. {value}",
                self._declared(name) if value.place is None else None,
            )
        return np.nan

    def _declared(self, name: str) -> Place:
        """Where a parameter is declared."""
        return next(
            (d.place for d in self.file.parameters if d.name == name), self.file.model.place
        )

    @cached_property
    def needed(self) -> frozenset[str]:
        """Columns of theta without which there is no solution: those that stand in the model, and
        sizes of shocks.
        """
        shift = len(self.variables) + len(self.file.shocks) + len(self.file.deterministic_shocks)
        declared = len(self.file.parameters)
        read = {
            self.parameters[k - shift]
            for k in self.equations.static.used() | self.equations.read
            if k >= shift
        }
        return frozenset(
            read - self.steady.assigned
            | set(self.parameters[declared:])
            | (self.steady.read & set(self.parameters))
        )

    @cached_property
    def steady(self) -> SteadyStates:
        multipliers = self.planner.multipliers if self.planner else ()
        return SteadyStates(
            self.file,
            self.calibration,
            self.equations,
            self.variables,
            len(self.file.parameters),
            multipliers,
        )

    def check_theta(self, theta: Any) -> np.ndarray:
        """theta as float64 (N, P). Raises `ParameterError` if its shape is another."""
        array = np.asarray(theta, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != len(self.parameters):
            raise ParameterError(
                f"'{self.name}' takes theta of shape (N, {len(self.parameters)}); found"
                f" {array.shape}. Make it with theta(...)."
            )
        return array

    def steady_state(self, theta: Any) -> np.ndarray:
        """Steady state (N, V) in the units of the file; NaN for draws at which none was found."""
        return self.steady.solve(self.check_theta(theta))[0]

    def matrices(self, theta: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """lead, current, lag (N, n, n) and shock (N, n, K) of `lead E[y'] + current y + lag y_1 +
        shock e = 0`.

        y is the deviation from the steady state of `all_variables`; e are independent shocks of
        standard deviation one, the file's own being the lower Cholesky factor of their covariance
        times e. NaN where there is no steady state.
        """
        return self.linearise(theta).matrices

    def linearise(self, theta: Any) -> Linearised:
        """The matrices at theta (N, P), with the point at which they were taken."""
        theta = self.check_theta(theta)
        steady, theta = (
            self.steady.solve(theta) if self.needs_steady_state else self.steady.skip(theta)
        )
        inputs = self.equations.inputs(
            steady, self.steady.exogenous(theta), theta[:, : len(self.file.parameters)]
        )
        lead, current, lag, shock = self.dates.matrices(self.equations.dynamic(inputs), len(theta))
        return Linearised(steady, theta, (lead, current, lag, shock @ self.cholesky(theta)))

    @property
    def needs_steady_state(self) -> bool:
        """Whether the derivatives depend on where they are taken; they do not in a model linear in
        its variables.
        """
        return min(self.equations.read, default=len(self.variables)) < len(self.variables)

    def cholesky(self, theta: np.ndarray) -> np.ndarray:
        """Lower Cholesky factor (N, K, K) of the covariance of the shocks, in the units of the
        file.
        """
        sizes = theta[
            :, [self.parameters.index(self.calibration.stderr[name]) for name in self.shocks]
        ]
        factor = np.broadcast_to(
            np.eye(len(self.shocks)), (len(theta), len(self.shocks), len(self.shocks))
        )
        if self.calibration.correlated:
            factor = self._correlations(theta)
        return sizes[:, :, None] * factor

    def _correlations(self, theta: np.ndarray) -> np.ndarray:
        """Lower Cholesky factors (N, K, K) of the correlations; NaN where they are not those of any
        shocks.
        """
        matrix = np.zeros((len(theta), len(self.shocks), len(self.shocks))) + np.eye(
            len(self.shocks)
        )
        for pair in self.calibration.correlated:
            first, second = (self.shocks.index(name) for name in pair)
            matrix[:, first, second] = matrix[:, second, first] = theta[
                :, self.parameters.index(self.calibration.corr[pair])
            ]
        matrix = np.where(
            np.isfinite(matrix), matrix, 0.0
        )  # a shock of size zero: any correlation will do
        factor = np.full_like(matrix, np.nan)
        for k, correlations in enumerate(matrix):
            try:
                factor[k] = np.linalg.cholesky(correlations + 1e-14 * np.eye(len(self.shocks)))
            except np.linalg.LinAlgError:
                continue
        return factor

    def solve(self, theta: Any) -> Solution:
        """Decision rules `y = transition y_1 + impact e` of `all_variables`, certified draw by
        draw; see `Solution`.

        A draw without a steady state or without a unique stable solution is not an error: its
        status says why.
        """
        solution = solve_equations(self.scaled, self.check_theta(theta), self.structure)
        return (
            solution
            if self.growth == 1.0
            else replace(solution, transition=solution.transition * self.growth)
        )

    def scaled(self, theta: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """`matrices` of variables divided by `growth` once a period, so that the roots to be stable
        are below the usual bound.
        """
        lead, current, lag, shock = self.matrices(theta)
        return (
            (lead, current, lag, shock)
            if self.growth == 1.0
            else (lead * self.growth, current, lag / self.growth, shock)
        )

    @cached_property
    def growth(self) -> float:
        """The file's `qz_criterium`, the modulus up to which roots count as stable, relative to the
        usual one.
        """
        text = self.calibration.options.get("qz_criterium", str(CRITERIUM))
        try:
            return float(text) / CRITERIUM
        except ValueError:
            raise ModFileError(
                f"stoch_simul(qz_criterium = {text}): a number was expected.", self.file.path.name
            ) from None

    @cached_property
    def structure(self) -> Structure:
        """Which variables are led and lagged, read off the equations and not off any draw."""
        lead, current, lag, _ = self.dates.matrices([1.0] * len(self.equations.dynamic_entries), 1)
        return Structure.of(lead, current, lag)


def load(path: str | Path) -> CompiledModel:
    """Read and compile a `.mod` file; compiled equations are kept on disk by the content of the
    file.

    Raises `ModFileError`, with file and line, for a file that cannot be read, is not well formed or
    asks for what is not supported.
    """
    return _compiled(parse(path))


def load_text(text: str, name: str) -> CompiledModel:
    """`load` of a text at hand; `name` is the file name that messages give it."""
    return _compiled(parse_text(text, name))


def _compiled(file: ModFile) -> CompiledModel:
    settings = calibration(file)
    check_supported(file)
    if not settings.shocks:
        refuse_without_shocks(file)
    for note in settings.notes:
        warnings.warn(note, ModFileWarning, stacklevel=3)
    planner = planner_of(file)
    file = with_multipliers(file, planner) if planner else file
    variables = tuple(d.name for d in file.variables)
    exogenous = tuple(d.name for d in (*file.shocks, *file.deterministic_shocks))
    declared = tuple(d.name for d in file.parameters)
    try:
        equations = compiled(
            file.sha256,
            lambda: compile_equations(
                symbolic_model(file, planner), variables, exogenous, declared
            ),
        )
    except RecursionError:
        raise ModFileError(TOO_DEEP, file.model.place) from None
    columns = (
        *declared,
        *(settings.stderr[name] for name in settings.shocks),
        *settings.corr.values(),
    )
    dates = Dates.of(equations.dynamic_entries, variables, exogenous, settings.shocks)
    return CompiledModel(
        file, settings, equations, variables, settings.shocks, columns, dates, planner
    )
