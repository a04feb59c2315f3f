"""The parameters of a model: their names and bounds, and theta, the array of draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import StringConstraints

from emulator.declarations import Parameter, Record, interval
from emulator.errors import NAME_PATTERN, ParameterError, UnknownNameError, unknown_name

WorldName = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=64)]
"""Names of worlds become names of folders and files: letters, digits and underscores only."""

OF_RUNS = (
    "A run of a .mod file is chosen where the file is opened: emulator.world(path, run=2), on the"
    " command line --run 2."
)
"""What is said where a run is asked of an answer."""


class ModelParameters(Record):
    """A model by its name and where it comes from, and what varies in it: the first part of a
    `WorldSpec`.
    """

    name: WorldName
    title: str
    summary: str
    source: str
    prior: str
    """How parameters are drawn, in a sentence; the ranges stand with the parameters."""
    parameters: tuple[Parameter, ...]

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.parameters)

    @property
    def n_parameters(self) -> int:
        return len(self.parameters)

    def outside_bounds(self, theta: np.ndarray) -> np.ndarray:
        """Which entries of theta (n, P) are outside what their parameter can be at all, (n, P)."""
        outside = np.zeros(theta.shape, dtype=bool)  # a file may have no parameter
        for k, parameter in enumerate(self.parameters):
            outside[:, k] = ~interval(parameter.bounds).holds(theta[:, k])
        return outside

    def possible(self, theta: np.ndarray) -> np.ndarray:
        """Whether every parameter of a draw (n, P) is within its bounds, (n,) bool.

        The others are `Status.OUTSIDE_BOUNDS`; `impossible` says why.
        """
        return np.logical_not(self.outside_bounds(theta).any(axis=1))

    def impossible(self, draw: np.ndarray) -> str:
        """The first parameter of a draw (P,) outside its bounds, its value and its bounds, as a
        clause of a message; empty where all are inside.
        """
        columns = np.flatnonzero(self.outside_bounds(draw[None, :])[0])
        if not columns.size:
            return ""
        parameter = self.parameters[columns[0]]
        return (
            f"parameter '{parameter.name}' ({parameter.meaning}) is {draw[columns[0]]:g};"
            f" expected a value in {parameter.bounds}"
        )

    @property
    def low(self) -> np.ndarray:
        """Lower end of each parameter's range, (P,), in the parameter's own unit."""
        return np.array([p.low for p in self.parameters])

    @property
    def high(self) -> np.ndarray:
        """Upper end of each parameter's range, (P,), in the parameter's own unit."""
        return np.array([p.high for p in self.parameters])

    @property
    def defaults(self) -> np.ndarray:
        """Default of each parameter, (P,), NaN where it has none."""
        return np.array([p.default for p in self.parameters])

    def index(self, parameter: str) -> int:
        """Position of a parameter in theta. Raises `UnknownNameError`."""
        try:
            return self.parameter_names.index(parameter)
        except ValueError:
            unknown = unknown_name(
                f"parameter of world '{self.name}'", parameter, self.parameter_names
            )
            if parameter == "run":
                raise UnknownNameError(f"{unknown} {OF_RUNS}") from None
            raise unknown from None

    def theta(self, values: Mapping[str, float] | None = None, **named: float) -> np.ndarray:
        """One parameter vector (1, P), float64: the defaults, with the named parameters replaced.

        Raises `UnknownNameError` for a parameter that the world does not have, `ParameterError` for
        a value that is not a finite number.
        """
        theta = self.defaults[None, :]
        for name, value in {**(values or {}), **named}.items():
            column = self.index(name)
            try:
                theta[0, column] = float(value)
            except (TypeError, ValueError):
                raise ParameterError(
                    f"Parameter '{name}' was given as {value!r}; expected a number."
                ) from None
        return self.check_theta(theta)

    def check_theta(self, theta: Any) -> np.ndarray:
        """theta as a float64 array (n, P), refused with `ParameterError` if its shape is another or
        a value is not finite.
        """
        array = np.asarray(theta, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != self.n_parameters:
            raise ParameterError(
                f"World '{self.name}' takes theta of shape (n, {self.n_parameters}); found"
                f" {array.shape}. A single draw is written theta[None, :]."
            )
        if not np.isfinite(array).all():
            row, column = np.argwhere(~np.isfinite(array))[0]
            name = self.parameter_names[column]
            if np.isnan(array[row, column]) and np.isnan(self.parameters[column].default):
                raise ParameterError(
                    f"The parameter '{name}' of world '{self.name}' has no default; give it a"
                    f" value: {name}=VALUE (--set {name}=VALUE on the command line)."
                )
            raise ParameterError(
                f"theta[{row}, {column}] (parameter '{name}' of world"
                f" '{self.name}') is {array[row, column]}; expected finite numbers."
            )
        return array
