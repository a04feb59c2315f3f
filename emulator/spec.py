"""The vocabulary that every room shares: axes, units, the status of a draw, and what a world says
of itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import IntEnum
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from emulator.errors import ParameterError, unknown_name

OBSERVABLES = ("output", "inflation", "rate")
IRF_AXES = ("sample", "shock", "horizon", "observable")
DEFAULT_HORIZON = 40

Role = Literal[
    "preference",
    "technology",
    "price_setting",
    "wage_setting",
    "friction",
    "fiscal",
    "risk",
    "steady_state",
    "policy_rule",
    "regime",
    "initial_state",
    "persistence",
    "shock_size",
    "constant",
    "dynamics",
    "impact",
    "loading",
]


class Status(IntEnum):
    """What became of a draw of parameters. Only `OK` draws have impulse responses."""

    OK = 0
    INDETERMINATE = 1
    """More stable roots than predetermined variables: many stable solutions."""
    EXPLOSIVE = 2
    """Fewer stable roots than predetermined variables, or a root outside the unit circle: no stable
    solution.
    """
    NOT_CONVERGED = 3
    """The solver could not certify a solution: residual too large, singular or not finite."""
    OUTSIDE_RANGE = 4
    """A parameter left the range that the world declares."""
    MISSING = 255
    """Fill value in storage: no draw was written here."""

    @property
    def label(self) -> str:
        return self.name.lower()


WorldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
"""Names of worlds become names of folders and files: letters, digits and underscores only."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameter(_Record):
    """One entry of theta: its name, TeX, range of the prior, default, unit, meaning and role."""

    name: str
    tex: str
    low: float
    high: float
    default: float
    unit: str
    meaning: str
    role: Role

    @model_validator(mode="after")
    def _ordered(self) -> Parameter:
        if not self.low <= self.default <= self.high or self.low == self.high:
            raise ValueError(f"{self.name}: expected low <= default <= high and low < high")
        return self


class Shock(_Record):
    """A structural shock; its size is one standard deviation unless a call asks otherwise."""

    name: str
    tex: str
    meaning: str


class Observable(_Record):
    """An observed variable and the unit in which it leaves the world."""

    name: Literal["output", "inflation", "rate"]
    tex: str
    unit: str
    meaning: str


class Extrapolation(_Record):
    """Which parameters span the regions held out of training.

    `slice_parameters`: draws in the upper tail of every one of these form
    `test_extrapolation_slice`; `corner_parameters`: draws in the upper tail of all of these
    together form `test_extrapolation_corner`.
    """

    slice_parameters: tuple[str, ...]
    corner_parameters: tuple[str, ...]


class WorldSpec(_Record):
    """Everything that the other rooms may know of a world, without the world itself."""

    name: WorldName
    title: str
    summary: str
    source: str
    prior: str
    """How parameters are drawn, in a sentence; the ranges stand with the parameters."""
    parameters: tuple[Parameter, ...]
    shocks: tuple[Shock, ...]
    observables: tuple[Observable, Observable, Observable]
    extrapolation: Extrapolation
    states: tuple[str, ...] = ()
    linear: bool = True
    definition: str = ""
    """SHA-256 of the file that the world is read from; empty where it is a class of this package.
    """

    @model_validator(mode="after")
    def _consistent(self) -> WorldSpec:
        for kind, names in (("parameter", self.parameter_names), ("shock", self.shock_names)):
            if len(set(names)) != len(names):
                raise ValueError(f"{self.name}: a {kind} is named twice")
        if self.observable_names != OBSERVABLES:
            raise ValueError(f"{self.name}: observables must be {OBSERVABLES} in this order")
        for name in self.extrapolation.slice_parameters + self.extrapolation.corner_parameters:
            self.index(name)
        return self

    @property
    def sha256(self) -> str:
        """Names this spec, every word of it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def is_same_model(self, other: WorldSpec) -> bool:
        """Whether another spec is of the same model: the same parameters and shocks, in this order,
        read from the same file if from one.
        """
        return (self.parameter_names, self.shock_names, self.definition) == (
            other.parameter_names,
            other.shock_names,
            other.definition,
        )

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.parameters)

    @property
    def shock_names(self) -> tuple[str, ...]:
        return tuple(s.name for s in self.shocks)

    @property
    def observable_names(self) -> tuple[str, ...]:
        return tuple(o.name for o in self.observables)

    @property
    def observable_units(self) -> tuple[str, ...]:
        return tuple(o.unit for o in self.observables)

    @property
    def n_parameters(self) -> int:
        return len(self.parameters)

    @property
    def n_shocks(self) -> int:
        return len(self.shocks)

    @property
    def standard_deviations(self) -> tuple[int, ...]:
        """Positions in theta of the parameters of role "shock_size"."""
        return tuple(k for k, p in enumerate(self.parameters) if p.role == "shock_size")

    @property
    def shock_sizes(self) -> tuple[int, ...]:
        """For each shock the position in theta of its standard deviation; empty where responses are
        not linear in it.

        The k-th parameter of role "shock_size" is the size of the k-th shock, where there are as
        many of the one as of the other.
        """
        found = self.standard_deviations
        return found if self.linear and len(found) == self.n_shocks else ()

    @property
    def shock_parameters(self) -> tuple[tuple[int, ...], ...]:
        """For each shock the positions of the other parameters of its own process, on which
        responses to other shocks do not depend.

        In a world whose shocks have sizes: those of role "persistence" whose names end in the same
        word as the size, as rho_m and sigma_m do; but not rho_g where there is a rho_ga, by which
        the shock of a moves the process of g. `emulator.worlds.check` holds every world to that.
        """
        names = self.parameter_names
        words = [names[size].rpartition("_")[2] for size in self.shock_sizes]
        alone = [
            k
            for k, p in enumerate(self.parameters)
            if p.role == "persistence" and not any(p.name + word in names for word in words)
        ]
        found = tuple(
            tuple(k for k in alone if names[k].rpartition("_")[2] == word) for word in words
        )
        return found or ((),) * self.n_shocks

    @property
    def low(self) -> np.ndarray:
        """Lower end of each parameter's range, (P,), in the parameter's own unit."""
        return np.array([p.low for p in self.parameters])

    @property
    def high(self) -> np.ndarray:
        """Upper end of each parameter's range, (P,), in the parameter's own unit."""
        return np.array([p.high for p in self.parameters])

    def index(self, parameter: str) -> int:
        """Position of a parameter in theta. Raises `UnknownNameError`."""
        try:
            return self.parameter_names.index(parameter)
        except ValueError:
            raise unknown_name(
                f"parameter of world '{self.name}'", parameter, self.parameter_names
            ) from None

    def shock_index(self, shock: str) -> int:
        """Position of a shock on the shock axis. Raises `UnknownNameError`."""
        try:
            return self.shock_names.index(shock)
        except ValueError:
            raise unknown_name(f"shock of world '{self.name}'", shock, self.shock_names) from None

    def theta(self, values: Mapping[str, float] | None = None, **named: float) -> np.ndarray:
        """One parameter vector (1, P), float64: the defaults, with the named parameters replaced.

        Raises `UnknownNameError` for a parameter that the world does not have, `ParameterError` for
        a value that is not a finite number.
        """
        theta = np.array([[p.default for p in self.parameters]])
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
            raise ParameterError(
                f"theta[{row}, {column}] (parameter '{self.parameter_names[column]}' of world"
                f" '{self.name}') is {array[row, column]}; expected finite numbers."
            )
        sizes = list(self.standard_deviations)
        if (array[:, sizes] < 0).any():
            row, size = np.argwhere(array[:, sizes] < 0)[0]
            raise ParameterError(
                f"theta[{row}, {sizes[size]}] (parameter '{self.parameter_names[sizes[size]]}' of"
                f" world '{self.name}') is {array[row, sizes[size]]}; expected a standard deviation"
                " of zero or more."
            )
        return array
