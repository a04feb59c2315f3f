"""A world of a model written with the package sequence-jacobian: its blocks, solved to first order.

Auclert, Bardóczy, Rognlie and Straub (2021), Econometrica 89, 2375-2408, doi:10.3982/ECTA17434.
Axes: S shock, H horizon, T period of the truncated sequence, O observable.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from emulator.errors import MissingExtraError, NoSolutionError, SimulatorError, nearest
from emulator.spec import (
    ANNUAL_POINTS,
    DEFAULT_HORIZON,
    PERCENT,
    PERIODS_A_YEAR,
    QUARTERLY_POINTS,
    Frequency,
)
from emulator.worlds.calls import in_short
from emulator.worlds.households.world import threads
from emulator.worlds.simulator import Simulator

TRUNCATION = 300
"""Periods after which the economy is taken to be at rest again."""

FADED = 1e-2
"""Largest response at the last horizon that is answered, relative to the peak: one that is larger
is cut off by the end of the sequence rather than solved.
"""

REMEMBERED = 16
"""Jacobians that are remembered: draws that differ in their shocks alone share one."""


class ShockProcess(NamedTuple):
    """A shock to an input of the model: size times persistence^t, in the input's own unit.

    persistence, size: the name of a parameter, or a number.
    """

    input: str
    persistence: str | float = 0.0
    size: str | float = 1.0


def world(
    model: Any,
    calibration: Mapping[str, Any],
    unknowns: Sequence[str],
    targets: Sequence[str],
    *,
    shocks: Mapping[str, Any],
    parameters: Any,
    observables: Mapping[str, tuple[str, str]],
    steady_unknowns: Mapping[str, Any] | None = None,
    steady_targets: Mapping[str, Any] | None = None,
    steady_model: Any = None,
    solver: str = "",
    truncation: int = TRUNCATION,
    frequency: Frequency = "quarter",
    horizon: int = DEFAULT_HORIZON,
    **declared: Any,
) -> Simulator:
    """The simulator of a model of blocks (`sequence_jacobian.create_model`), one draw at a time.

    unknowns, targets: of the transition; calibration, steady_unknowns, steady_targets, solver: of
    the steady state, as `solve_steady_state` takes them, of `steady_model` if that is another one.
    shocks: a table of names: `ShockProcess`, or (input, persistence, size). parameters: as of
    `Simulator`; each is an entry of the calibration, or the persistence or size of a shock.
    observables: a table of names: (variable, unit). In percent a variable is divided by its steady
    state, in percentage points it is a rate in fractions a period, otherwise it is as the model has
    it. Further arguments are those of `Simulator`.

    Responses are G dZ with G of `model.solve_jacobian`, over `truncation` periods, of which the
    first two thirds are answered; draws that differ in their shocks alone share G, so that the
    other parameters are the `dear` ones. That the solution is the only stable one is not checked.
    Raises `MissingExtraError`, `SimulatorError`.
    """
    _library()
    processes = {name: _process(name, entry) for name, entry in shocks.items()}
    solution = _Solution(
        model=model,
        steady_model=model if steady_model is None else steady_model,
        calibration=dict(calibration),
        steady_unknowns=dict(steady_unknowns or {}),
        steady_targets=dict(steady_targets or {}),
        solver=solver,
        unknowns=list(unknowns),
        targets=list(targets),
        truncation=truncation,
        processes=tuple(processes.values()),
        observables=tuple(_observable(name, pair) for name, pair in observables.items()),
        frequency=frequency,
    )
    solution.check_names()
    simulator = Simulator(
        solution.responses,
        parameters=parameters,
        shocks={name: _declaration(process) for name, process in processes.items()},
        observables={name: unit for name, (_, unit) in observables.items()},
        batched=False,
        linear=True,
        frequency=frequency,
        horizon=horizon,
        **{
            "name": model.name,
            "source": "sequence-jacobian",
            "dear": [name for name in _names(parameters) if name not in solution.of_shocks],
            **declared,
        },
    )
    simulator.longest_horizon = solution.last_horizon
    solution.bind(simulator.spec.parameter_names)
    return simulator


def _names(parameters: Any) -> list[str]:
    """Names of parameters in a table or a list; `Simulator` says what is wrong with either."""
    items = list(parameters) if isinstance(parameters, Mapping | list | tuple) else []
    return [str(getattr(item, "name", item)) for item in items]


def _process(name: str, entry: Any) -> ShockProcess:
    try:
        return ShockProcess(*((entry,) if isinstance(entry, str) else entry))
    except TypeError:
        raise SimulatorError(
            f"Shock '{name}' is given as {in_short(entry)}; expected (input, persistence, size)."
        ) from None


def _observable(name: str, pair: Any) -> tuple[str, str]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise SimulatorError(
            f"Observable '{name}' is given as {in_short(pair)}; expected (variable, unit)."
        )
    return pair[0], pair[1]


def _declaration(process: ShockProcess) -> dict[str, Any]:
    """What belongs to a shock, as a spec declares it."""
    size, persistence = process.size, process.persistence
    return {
        "meaning": f"innovation of {process.input}",
        **({"size": size} if isinstance(size, str) else {}),
        **({"process": (persistence,)} if isinstance(persistence, str) else {}),
    }


class _Solution:
    """The model and all that its solution needs beside a draw."""

    def __init__(
        self,
        *,
        model: Any,
        steady_model: Any,
        calibration: dict[str, Any],
        steady_unknowns: dict[str, Any],
        steady_targets: dict[str, Any],
        solver: str,
        unknowns: list[str],
        targets: list[str],
        truncation: int,
        processes: tuple[ShockProcess, ...],
        observables: tuple[tuple[str, str], ...],
        frequency: Frequency,
    ) -> None:
        self.model = model
        self.steady_model = steady_model
        self.calibration = calibration
        self.steady_unknowns = steady_unknowns
        self.steady_targets = steady_targets
        self.solver = solver
        self.unknowns = unknowns
        self.targets = targets
        self.truncation = truncation
        self.processes = processes
        self.observables = observables
        self.frequency = frequency
        self.names: tuple[str, ...] = ()
        self._jacobians: OrderedDict[tuple[float, ...], np.ndarray] = OrderedDict()

    @property
    def inputs(self) -> list[str]:
        return list(dict.fromkeys(process.input for process in self.processes))

    @property
    def last_horizon(self) -> int:
        """Where the end of the truncated sequence is not felt."""
        return 2 * self.truncation // 3

    @property
    def of_shocks(self) -> set[str]:
        """Parameters that belong to shocks, and not to the calibration."""
        named = (value for p in self.processes for value in (p.persistence, p.size))
        return {value for value in named if isinstance(value, str)}

    def bind(self, names: tuple[str, ...]) -> None:
        """Know the order of theta. Raises `SimulatorError` for parameters of no one."""
        self.names = names
        known = {*self.steady_model.inputs, *self.calibration, *self.of_shocks}
        for name in names:
            if name not in known:
                raise SimulatorError(
                    f"Parameter '{name}' is neither in the calibration nor of a shock."
                    f" {nearest(name, known)}"
                )
        for name in sorted(self.of_shocks - set(names)):
            raise SimulatorError(
                f"The shocks name '{name}', which is not among the parameters. Give it a range, or"
                " a number in its place."
            )

    def check_names(self) -> None:
        """Raise `SimulatorError` for inputs and variables that the model does not have."""
        variables = {*self.model.inputs, *self.model.outputs}
        wanted = [*self.inputs, *self.unknowns, *self.targets, *(v for v, _ in self.observables)]
        for name in wanted:
            if name not in variables:
                raise SimulatorError(
                    f"The model '{self.model.name}' has no variable {in_short(name)}."
                    f" {nearest(str(name), variables)}"
                )

    def responses(self, theta: np.ndarray, horizon: int) -> np.ndarray:
        """Responses (S, H+1, O) at one draw (P,)."""
        values = dict(zip(self.names, theta.tolist(), strict=True))
        jacobian = self._jacobian(values)
        irf = np.empty((len(self.processes), horizon + 1, len(self.observables)))
        for k, process in enumerate(self.processes):
            persistence, size = (
                values[value] if isinstance(value, str) else float(value)
                for value in (process.persistence, process.size)
            )
            if not abs(persistence) < 1:
                raise NoSolutionError(f"the shock to {process.input} does not fade")
            path_T = size * persistence ** np.arange(self.truncation)
            answer_OT = jacobian[:, self.inputs.index(process.input)] @ path_T
            left = np.abs(answer_OT[:, self.last_horizon]).max() / np.abs(answer_OT).max()
            if left > FADED:
                raise NoSolutionError(
                    f"a response to {process.input} has not faded by the end of the truncated"
                    " sequence"
                )
            irf[k] = answer_OT[:, : horizon + 1].T
        return irf

    def _jacobian(self, values: Mapping[str, float]) -> np.ndarray:
        """Observables by inputs, (O, input, T, T), in the units of the observables; remembered."""
        structural = {name: v for name, v in values.items() if name not in self.of_shocks}
        key = tuple(structural.values())
        if key not in self._jacobians:
            with _one_thread():
                self._jacobians[key] = self._solve(structural)
            while len(self._jacobians) > REMEMBERED:
                self._jacobians.popitem(last=False)
        return self._jacobians[key]

    def _solve(self, structural: Mapping[str, float]) -> np.ndarray:
        steady = self.steady_state(structural)
        outputs = [name for name, _ in self.observables]
        inputs, t = self.inputs, self.truncation
        solved = self.model.solve_jacobian(
            steady,
            self.unknowns,
            self.targets,
            inputs,
            outputs=[name for name in dict.fromkeys(outputs) if name not in inputs],
            T=t,
        )
        jacobian = np.zeros((len(outputs), len(inputs), t, t))
        for row, (name, unit) in enumerate(self.observables):
            factor = self._factor(unit, float(steady[name]))
            for column, source in enumerate(inputs):
                if name == source:
                    jacobian[row, column] = factor * np.eye(t)
                elif name in solved.outputs and source in solved[name]:
                    jacobian[row, column] = factor * np.asarray(solved[name][source])
        return jacobian

    def steady_state(self, structural: Mapping[str, float]) -> Any:
        """The steady state at values of the calibration, as the package has it."""
        calibration = {**self.calibration, **structural}
        if not self.steady_unknowns:
            return self.steady_model.steady_state(calibration)
        return self.steady_model.solve_steady_state(
            calibration, self.steady_unknowns, self.steady_targets, solver=self.solver
        )

    def _factor(self, unit: str, steady: float) -> float:
        if unit == PERCENT:
            return 100.0 / steady
        if unit == ANNUAL_POINTS:
            return 100.0 * PERIODS_A_YEAR[self.frequency]
        return 100.0 if unit == QUARTERLY_POINTS else 1.0


def _library() -> Any:
    try:
        import sequence_jacobian
    except ImportError:
        raise MissingExtraError("sequence_jacobian", "hank") from None
    return sequence_jacobian


def _one_thread() -> Any:
    """One thread, so that the same digits come out in whatever process a draw is solved."""
    return threads().limit(limits=1, user_api="blas")


__all__ = ["ShockProcess", "world"]
