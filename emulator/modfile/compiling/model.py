"""A compiled model: steady state, matrices and solution for whole batches of parameters.

theta (N, P) holds every declared parameter, then a standard deviation for each shock with a
variance (`stderr_<shock>`), then a correlation for each pair that has one. `theta(...)` makes it
from the file. Axes: N draw, P column of theta, V variable of the file, n variable with auxiliary
ones, K shock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from emulator.errors import ModFileError, ParameterError, printable
from emulator.modfile.compiling.calibration import Calibration
from emulator.modfile.compiling.discretion import COMMAND as UNDER_DISCRETION
from emulator.modfile.compiling.discretion import Discretion, Loss
from emulator.modfile.compiling.equations import Equations
from emulator.modfile.compiling.evaluate import evaluate
from emulator.modfile.compiling.far_leads import with_near_leads
from emulator.modfile.compiling.given import given_columns, values_of_file
from emulator.modfile.compiling.higher import HigherDerivatives, higher_derivatives
from emulator.modfile.compiling.kinds import FORESIGHT, KINDS, Kind
from emulator.modfile.compiling.matrices import Dates, shock_factor
from emulator.modfile.compiling.optimal_policy import Planner
from emulator.modfile.compiling.reading_notes import notes_on_order
from emulator.modfile.compiling.runs import (
    FIRST_ORDER_ALONE,
    kind_of_run,
    order_of,
)
from emulator.modfile.compiling.simple_rule import OptimalRule, SimpleRule, optimal_rule
from emulator.modfile.compiling.steady_program import SteadyProgram
from emulator.modfile.compiling.steady_state import SteadyStates
from emulator.modfile.compiling.symbolic import symbolic_model
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.grammar import Reader
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax import ModFile, Place
from emulator.solvers import Solution, Structure, solve_equations
from emulator.solvers.perturbation import Expansion
from emulator.solvers.qz import CRITERIUM


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
    tagged: ModFile = field(repr=False)
    """The file with all versions of equations that constraints switch."""
    planner: Planner | None = None
    """Of a model of optimal policy: its multipliers are the last of `variables`."""
    discretion: Discretion | None = None
    """Of a model of optimal policy under discretion."""
    rule: SimpleRule | None = None
    """Of a run that chooses the coefficients of a simple rule."""
    earlier: CompiledModel | None = None
    """The model as of the osr before the run, whose optimum the run begins with."""
    inherited: tuple[str, ...] = ()
    """The coefficients of that rule which the file does not set anew."""
    notes: tuple[str, ...] = ()
    """What a reader should know of every answer: what was passed over, what was asked for and not
    done.
    """
    program: SteadyProgram | None = None
    """The file of MATLAB beside the model that gives its steady state, where it is followed."""
    near: bool = False
    """Whether terms that are not linear two or more periods ahead are variables (`far_leads`)."""

    @property
    def name(self) -> str:
        return self.file.path.stem

    @property
    def runs(self) -> tuple[str, ...]:
        """The file's commands that solve the model, in words, the first being `run=1`."""
        return tuple(map(str, self.calibration.runs))

    @property
    def run(self) -> int | None:
        """The number of the run that is answered; None for a file without one, whose statements all
        count.
        """
        return None if self.calibration.run is None else self.calibration.run.number

    @property
    def shown(self) -> tuple[str, ...]:
        """`variables` without a planner's multipliers."""
        multipliers = len(self.planner.multipliers) if self.planner else 0
        return self.variables[: len(self.variables) - multipliers]

    @property
    def all_variables(self) -> tuple[str, ...]:
        """`variables`, then those that stand for longer leads and lags: the order of the
        matrices.
        """
        return self.dates.variables

    def theta(self, values: Mapping[str, Any] | None = None, **named: Any) -> np.ndarray:
        """Parameters (N, P) as the file sets them, with the given ones (numbers or arrays (N,)) in
        their place.

        What the file computes from a given parameter follows it, the coefficients of an optimal
        simple rule too. Raises `UnknownNameError` for a name the model does not have,
        `ModFileError` for a parameter that the model needs and the file gives no value.
        """
        given = given_columns(self, {**(values or {}), **named})
        theta = values_of_file(self, given)
        if self.rule is None:
            return theta
        return optimal_rule(self, self.rule, theta, given.keys()).theta

    def optimal_rule(self, values: Mapping[str, Any] | None = None, **named: Any) -> OptimalRule:
        """The coefficients of the file's optimal simple rule, and its objective, at the parameters
        of `theta`. Raises as that does, and `ModFileError` where the run is no `osr`.
        """
        if self.rule is None:
            raise ModFileError(
                "the run that is answered is no osr, which chooses coefficients. Name another:"
                f" {'; '.join(self.runs) or 'the file has none'}.",
                self.file.path.name,
            )
        given = given_columns(self, {**(values or {}), **named})
        return optimal_rule(self, self.rule, values_of_file(self, given), given.keys())

    def own_values(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """Parameters (P,) as the file sets them, NaN where it sets none; and the names of those
        without a value on which the solution depends, be it through another parameter.
        """
        values = self.calibration.values({})
        missing = [
            name
            for name in self.parameters
            if isinstance(values.get(name, ModFileError("")), ModFileError)
        ]
        theta = [np.nan if name in missing else float(values[name]) for name in self.parameters]
        causes = self.calibration.causes(self.needed & set(missing))
        return np.array(theta), tuple(name for name in missing if name in causes)

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
            file=self.file,
            calibration=self.calibration,
            equations=self.equations,
            variables=self.variables,
            n_parameters=len(self.file.parameters),
            multipliers=multipliers,
            unsettled=self.discretion is not None,
            program=self.program,
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
        """Steady state (N, V) in the units of the file; NaN for draws that have none."""
        return self.steady.solve(self.check_theta(theta))[0]

    def matrices(self, theta: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """lead, current, lag (N, n, n) and shock (N, n, K) of `lead E[y'] + current y + lag y_1 +
        shock e = 0`.

        y is the deviation from the steady state of `all_variables`; e are independent shocks of
        standard deviation one, the file's own being the lower Cholesky factor of their covariance
        times e. NaN where there is no steady state.
        """
        return self.linearise(theta).matrices

    def higher_derivatives(self, order: int) -> HigherDerivatives:
        """The derivatives of order 2 or 3 of the equations, compiled when first asked for.

        Raises `ModFileError` where there are more than the budget of one file allows.
        """
        if order not in self._higher:
            budget = Budget(self.file.model.place)
            model = symbolic_model(self.file, self.planner, budget)
            self._higher[order] = higher_derivatives(
                model=with_near_leads(model) if self.near else model,
                variables=self.variables,
                shocks=[d.name for d in (*self.file.shocks, *self.file.deterministic_shocks)],
                parameters=[d.name for d in self.file.parameters],
                order=order,
                budget=budget,
            )
        return self._higher[order]

    @cached_property
    def _higher(self) -> dict[int, HigherDerivatives]:
        return {}

    @cached_property
    def expansions(self) -> dict[int, Expansion]:
        """Where higher derivatives belong, by order; filled by `emulator.modfile.compiling.rules`
        as they are asked for.
        """
        return {}

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
        current[~self.discounts(theta) | ~np.isfinite(steady).all(axis=1)] = np.nan
        return Linearised(steady, theta, (lead, current, lag, shock @ self.cholesky(theta)))

    def discounts(self, theta: np.ndarray) -> np.ndarray:
        """Whether each draw (N,) has a policymaker who discounts, or none at all."""
        policymaker = self.planner or self.discretion
        if policymaker is None:
            return np.ones(len(theta), dtype=bool)
        declared = [d.name for d in self.file.parameters]
        columns = dict(zip(declared, theta.T, strict=False))
        return np.broadcast_to(policymaker.discounts(columns), len(theta))

    @property
    def n_equations(self) -> int:
        """How many of the file's variables its own equations, or a planner's, settle."""
        chosen = len(self.discretion.instruments) if self.discretion else 0
        return len(self.variables) - chosen

    @cached_property
    def loss(self) -> Loss:
        """What a policymaker under discretion minimises."""
        if self.discretion is None:
            raise ModFileError("the file has no discretionary_policy.", self.file.path.name)
        return Loss.of(self.file, self.discretion, self.variables)

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
        position = {column: k for k, column in enumerate(self.parameters)}
        sizes = theta[:, [position[self.calibration.stderr[name]] for name in self.shocks]]
        correlations = {
            (self.shocks.index(first), self.shocks.index(second)): theta[
                :, position[self.calibration.corr[first, second]]
            ]
            for first, second in self.calibration.correlated
        }
        return shock_factor(sizes, correlations)

    @property
    def kind(self) -> Kind:
        """The kind of solution that the run asks for, and who answers it; perfect foresight of a
        file without a run and without a shock that has a variance.
        """
        run = self.calibration.run
        if run is None and not self.shocks:
            return FORESIGHT
        return kind_of_run(run) if self.discretion is None else KINDS[UNDER_DISCRETION]

    @property
    def order(self) -> int:
        """The order at which the run is answered: the one that the file asks for, up to 3."""
        nonlinear = self.needs_steady_state and self.discretion is None
        return order_of(self.calibration.run, nonlinear)

    def check_higher(self, order: int) -> None:
        """Raise `ModFileError` where the run has no answer of an order above the first."""
        if order == 1:
            return
        options = self.calibration.options
        place = (
            self.file.model.place if self.calibration.run is None else self.calibration.run.place
        )
        for option in FIRST_ORDER_ALONE:
            if option in options:
                raise ModFileError(
                    f"{option} is an option of the first order alone, and order={order} was asked"
                    " for. Remove the option, or ask for order=1.",
                    place,
                )
        if self.kind.rule or self.kind.paths:
            raise ModFileError(
                f"{self.kind.title} has no answer of order {order}. Ask for order=1.", place
            )

    def notes_on_order(self, order: int) -> tuple[str, ...]:
        """A note where the file asks for another order than the one of an answer."""
        notes = notes_on_order(self.calibration.run, self.needs_steady_state, order)
        return tuple(map(printable, notes))

    def solve(self, theta: Any) -> Solution:
        """Decision rules `y = transition y_1 + impact e` of `all_variables`, certified draw by
        draw, of the run's kind; see `Solution`. A kind without a linear rule has those of the first
        order.

        A draw without a steady state or without a unique stable solution is not an error: its
        status says why.
        """
        return self.kind.solve(self, self.check_theta(theta))

    def first_order(self, theta: Any) -> Solution:
        """`solve` of the first order, at these parameters."""
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
        place = Place(self.file.path.name, 1)
        try:
            expression = Reader().expression(Span(text, (place,)), "the option")
            return float(evaluate(expression, {}, place)) / CRITERIUM
        except ModFileError:
            raise ModFileError(
                f"stoch_simul(qz_criterium = {text}): a number was expected.", self.file.path.name
            ) from None

    @cached_property
    def structure(self) -> Structure:
        """Which variables are led and lagged, read off the equations and not off any draw."""
        lead, current, lag, _ = self.dates.matrices([1.0] * len(self.equations.dynamic_entries), 1)
        return Structure.of(lead, current, lag)
