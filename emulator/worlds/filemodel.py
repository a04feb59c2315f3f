"""A Dynare `.mod` file without a mapping: its own variables, parameters and shocks, in its own
units.

It answers as every world does and has no prior: what varies, and how, only a mapping says.
Axes: n draw, P parameter, V variable of the file, S shock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from emulator.errors import ParameterError, printable
from emulator.modfile import CompiledModel, load
from emulator.modfile.compiling.moments_asked import notes_on_filters, notes_on_moments
from emulator.modfile.compiling.responses import explain
from emulator.modfile.compiling.rules import decision_rules
from emulator.modfile.compiling.runs import HIGHEST_ORDER
from emulator.solvers import StateSpace
from emulator.solvers.news import Outlook, onward_matrix
from emulator.solvers.perturbation import Rules
from emulator.spec import Extrapolation, Observable, Parameter, Shock, Status, WorldSpec
from emulator.worlds.base import World
from emulator.worlds.guess import initial_errors, priors_on_data
from emulator.worlds.linear import LinearWorld
from emulator.worlds.priors import Prior
from emulator.worlds.said_of_data import SaidOfData, estimation_options, said_of_data
from emulator.worlds.source import Source, mapping_path, plain_name

FILE_UNITS = "deviation from the steady state, in the units of the file"
LOG_UNITS = "deviation of the logarithm from the steady state"


class FileWorld(World):
    """What all worlds of a file without a mapping have in common.

    theta holds the file's parameters that have a value or need one, then a standard deviation
    `stderr_NAME` for each shock and a correlation for each pair that has one, at last `stderr_NAME`
    for each error of measurement that the file estimates. A parameter that the
    file leaves to MATLAB has no default: an answer must be given its value.
    """

    def __init__(self, model: CompiledModel) -> None:
        self.model = model
        defaults, missing = model.own_values()
        wanted = np.array([name in missing for name in model.parameters], dtype=bool)
        self.columns = np.flatnonzero(np.isfinite(defaults) | wanted)
        self.errors = initial_errors(model)
        self.defaults = np.concatenate([defaults[self.columns], list(self.errors.values())])
        self.shown = model.shown
        self.source = Source(file=model.file.path.name, text=model.file.text, mapping="")

    always_of_first_order: tuple[str, ...] = ()
    """A note on the order of a file that has no answer of the one it asks for."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was passed over in the file, or asked for and not done."""
        return (*self.model.notes, *self.always_of_first_order)

    @property
    def still_shocks(self) -> Mapping[str, str]:
        """Shocks to which the file gives no standard deviation."""
        file = self.model.file
        moving = (*self.spec.shock_names, *(d.name for d in file.deterministic_shocks))
        return {
            d.name: f"Shock '{d.name}' has no size: {printable(file.path.name)} gives it no"
            f" standard deviation. Write 'shocks; var {d.name}; stderr 0.01; end;' into the file"
            " for a response to it."
            for d in file.shocks
            if d.name not in moving
        }

    def complete(self, given: Mapping[str, np.ndarray], n: int) -> np.ndarray:
        """theta (n, P) from named columns; what the file computes from them follows."""
        columns = {name: np.broadcast_to(values, n) for name, values in given.items()}
        errors = {name: columns.pop(name, value) for name, value in self.errors.items()}
        theta = np.broadcast_to(self.model.theta(columns)[:, self.columns], (n, len(self.columns)))
        return np.column_stack([theta, *(np.broadcast_to(e, n) for e in errors.values())])

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        raise ParameterError(
            f"'{self.model.file.path.name}' says no prior from which to draw parameters: no mapping"
            f" {mapping_path(self.model.file.path).name} lies beside it. Write one"
            f" (emulator irf {self.model.file.path.name} --write-mapping proposes it), or give the"
            " parameters."
        )

    @cached_property
    def said_of_data(self) -> SaidOfData:
        """The variables that the file observes, and with which errors of measurement."""
        return said_of_data(self.model)

    @cached_property
    def priors(self) -> Mapping[str, Prior]:
        """Those of the file's `estimated_params`; empty without such a block, and where it is one
        of maximum likelihood, whose parameters have no shape.
        """
        block = self.model.calibration.estimated
        if block is None or not any(item.prior for item in block.parameters):
            return {}
        return priors_on_data(self.model, mapping_path(self.model.file.path))

    def full_theta(self, theta: np.ndarray) -> np.ndarray:
        """The columns of the compiled model, NaN where the file gives a parameter no value."""
        theta = self.spec.check_theta(theta)
        full = np.full((len(theta), len(self.model.parameters)), np.nan)
        full[:, self.columns] = theta[:, : len(self.columns)]
        return full

    def _spec(self, shocks: tuple[str, ...], unit: str, linear: bool = True) -> WorldSpec:
        """The spec of responses in a unit to these shocks."""
        file, model = self.model.file, self.model
        said = {d.name: d for d in (*file.parameters, *file.variables, *file.shocks)}
        sizes = {*model.calibration.stderr.values(), *self.errors}

        def tex(name: str) -> str:
            return (said[name].tex if name in said else "") or name

        def meaning(name: str) -> str:
            return (said[name].long_name if name in said else "") or f"{name} of the file"

        names = [*(model.parameters[column] for column in self.columns), *self.errors]
        return WorldSpec(
            name=plain_name(file.path.stem),
            title=file.path.stem,
            summary=f"The model of {file.path.name}, in its own variables.",
            source=file.path.name,
            prior="None: the file has no mapping.",
            parameters=tuple(
                Parameter(
                    name=name,
                    tex=tex(name),
                    low=0.0 if name in sizes else -np.inf,
                    high=np.inf,
                    default=float(value),
                    unit="the units of the file",
                    meaning=meaning(name),
                    role="shock_size" if name in sizes else "constant",
                )
                for name, value in zip(names, self.defaults, strict=True)
            ),
            shocks=tuple(
                Shock(
                    name=name,
                    tex=tex(name),
                    meaning=meaning(name),
                    size=model.calibration.stderr.get(name),
                )
                for name in shocks
            ),
            observables=tuple(
                Observable(name=name, tex=tex(name), unit=unit, meaning=meaning(name))
                for name in self.shown
            ),
            states=model.all_variables if linear else (),
            linear=linear,
            extrapolation=Extrapolation(slice_parameters=(), corner_parameters=()),
            definition=file.sha256,
        )


def outlook_of(model: CompiledModel, full: np.ndarray, space: StateSpace) -> Outlook:
    """The outlook of a file at full theta (n, P') and its state space in all variables. Raises
    `ParameterError` for a run whose policy is not part of the equations.
    """
    if model.kind.rule:
        raise ParameterError(
            f"'{model.file.path.name}' is solved for {model.kind.title}, where shocks that are"
            " known ahead are not answered."
        )
    lead, current, _, _ = model.matrices(full)
    return Outlook(space.A, space.B, onward_matrix(lead, current, space.A), space.C)


class FileModel(FileWorld, LinearWorld):
    """The model of a file, solved at any of its parameters by a linear decision rule."""

    def __init__(self, model: CompiledModel) -> None:
        super().__init__(model)
        options = {*model.calibration.options}
        if model.calibration.run is None:
            options |= {*estimation_options(model)}
        self.loglinear = "loglinear" in options
        self.spec = self._spec(model.shocks, LOG_UNITS if self.loglinear else FILE_UNITS)
        self.order = model.order
        self.highest_order = HIGHEST_ORDER
        self.moments_notes = notes_on_moments(model.calibration.run)
        self.filter_notes = notes_on_filters(model.calibration.run)
        if self.order > 1:
            self.order_notes = model.notes_on_order(1)
        else:
            self.always_of_first_order = model.notes_on_order(1)

    @classmethod
    def read(cls, path: str | Path, run: int | None = None) -> FileModel:
        """The model of a file, as of one of its solution commands, by default the last.

        Raises `ModFileError`, `ParameterError` for a run that the file does not have.
        """
        return cls(load(path, run))

    def status(self, theta: np.ndarray) -> np.ndarray:
        return self.model.solve(self.full_theta(theta)).status.astype(np.uint8)

    def residual(self, theta: np.ndarray) -> np.ndarray:
        return self.model.solve(self.full_theta(theta)).residual

    def state_space(self, theta: np.ndarray) -> StateSpace:
        full = self.full_theta(theta)
        solution = self.model.solve(full)
        selection = np.eye(len(self.shown), len(self.model.all_variables))
        c = np.repeat(selection[None], len(full), axis=0)
        if self.loglinear:
            c = c / self._positive(full)[:, :, None]
        return StateSpace(solution.transition, solution.impact, c)

    @property
    def width(self) -> int:
        return len(self.model.all_variables)

    def outlook(self, theta: np.ndarray) -> Outlook:
        full = self.full_theta(theta)
        return outlook_of(self.model, full, self.state_space(theta))

    def rules(self, theta: np.ndarray, order: int) -> tuple[Rules, np.ndarray]:
        """Raises `ModFileError` where the file's run has no such answer."""
        self.model.check_higher(order)
        full = self.full_theta(theta)
        rules, status = decision_rules(self.model, full, order)
        if self.loglinear:
            rules = self._of_logarithms(rules, full)
        return rules.of(slice(0, len(self.shown))), status

    def _of_logarithms(self, rules: Rules, full: np.ndarray) -> Rules:
        """Rules of first order of the logarithms of variables and states; a shock stays what it
        is.
        """
        level = np.ones((len(full), len(self.model.all_variables)))
        level[:, : len(self.shown)] = self._positive(full)
        for k, name in enumerate(self.model.all_variables):
            of = name.partition("(")[0]  # one that stands for a longer lead or lag of another
            if k >= len(self.shown) and of in self.shown:
                level[:, k] = level[:, self.shown.index(of)]
        first = rules.first / level[:, :, None]
        first[:, :, : rules.n_states] *= level[:, None, list(rules.states)]
        return replace(rules, first=first)

    def levels(self, theta: np.ndarray) -> np.ndarray:
        """Steady states (n, V) of the variables, of logarithms under `loglinear`."""
        full = self.full_theta(theta)
        if self.loglinear:
            return np.log(self._positive(full))
        return self.model.steady_state(full)[:, : len(self.shown)]

    def explain(self, theta: np.ndarray) -> str:
        """Why a draw (1, P) has no solution, with file and line."""
        full = self.full_theta(theta)
        return explain(self.model, full, Status(self.model.solve(full).status[0]))

    def _positive(self, full: np.ndarray) -> np.ndarray:
        """Steady states (n, V), by which deviations become those of logarithms."""
        steady = self.model.steady_state(full)[:, : len(self.shown)]
        wrong = (steady <= 0).any(axis=0)
        if wrong.any():
            name = self.shown[int(np.flatnonzero(wrong)[0])]
            raise ParameterError(
                f"{self.model.file.path.name}: stoch_simul(loglinear) needs a positive steady state"
                f" of every variable; that of '{name}' is not."
            )
        return steady
