"""What a world says of itself, and, by one import, the vocabulary that every room shares."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from pydantic import (
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from emulator.declarations import (
    Extrapolation,
    Moves,
    Observable,
    Parameter,
    Role,
    Shock,
    default_shocks,
)
from emulator.errors import unknown_name
from emulator.parameters import ModelParameters, WorldName
from emulator.vocabulary import (
    ANNUAL_POINTS,
    BAND_LEVEL,
    DEFAULT_HORIZON,
    DETERMINATE_FROM,
    IRF_AXES,
    OBSERVABLE_UNITS,
    OBSERVABLES,
    PERCENT,
    PERIODS_A_YEAR,
    QUARTERLY_POINTS,
    UNKNOWN_UNIT,
    Frequency,
    Status,
    units_agree,
)


class WorldSpec(ModelParameters):
    """Everything that the other rooms may know of a world, without the world itself."""

    shocks: tuple[Shock, ...]
    observables: tuple[Observable, ...]
    extrapolation: Extrapolation
    states: tuple[str, ...] = ()
    linear: bool = True
    frequency: Frequency = "quarter"
    """What one period is; horizons count it."""
    definition: str = ""
    """SHA-256 of the file that the world is read from; empty where it is a class of this package.
    """

    @model_validator(mode="before")
    @classmethod
    def _declared(cls, given: Any) -> Any:
        """Fill in sizes and processes of shocks where a spec, as one of before, declares none."""
        try:
            parameters = [Parameter.model_validate(p) for p in given["parameters"]]
            shocks = [Shock.model_validate(shock) for shock in given["shocks"]]
        except (KeyError, TypeError, ValueError):
            return given  # not a spec: the fields say what is wrong
        declared = [(shock.size, shock.process) for shock in shocks]
        if all(pair == (None, None) for pair in declared):
            pairs = default_shocks(parameters, len(shocks))
        else:
            pairs = [(size, process or ()) for size, process in declared]
        filled = [
            shock.model_copy(update={"size": size, "process": process})
            for shock, (size, process) in zip(shocks, pairs, strict=True)
        ]
        return {**given, "shocks": tuple(filled)}

    @model_validator(mode="after")
    def _consistent(self) -> WorldSpec:
        named = (
            ("a parameter", self.parameter_names),
            ("a shock", self.shock_names),
            ("an observable", self.observable_names),
        )
        for kind, names in named:
            if len(set(names)) != len(names):
                raise ValueError(f"{self.name}: {kind} is named twice")
        if not self.observables:
            raise ValueError(f"{self.name}: expected at least one observable")
        for name in self.extrapolation.slice_parameters + self.extrapolation.corner_parameters:
            self.index(name)
        self._check_shocks()
        self._check_moves()
        return self

    def _check_shocks(self) -> None:
        """Sizes and processes are parameters, each of one shock alone."""
        taken: set[int] = set()
        for shock in self.shocks:
            if shock.size and self.parameters[self.index(shock.size)].role != "shock_size":
                raise ValueError(
                    f"{self.name}: '{shock.size}' is the size of '{shock.name}' and has another"
                    " role; expected 'shock_size'"
                )
            for name in (*((shock.size,) if shock.size else ()), *(shock.process or ())):
                if self.index(name) in taken:
                    raise ValueError(
                        f"{self.name}: '{name}' belongs to '{shock.name}' and to another shock, or"
                        " is named twice"
                    )
                taken.add(self.index(name))

    def _check_moves(self) -> None:
        """What `moves_only` names is there."""
        for parameter in self.parameters:
            moves = parameter.moves_only or Moves()
            for shock in moves.shocks or ():
                self.shock_index(shock)
            for observable in moves.observables or ():
                self.observable_index(observable)
        for shock_declared in self.shocks:
            for observable in shock_declared.moves_only or ():
                self.observable_index(observable)

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A spec is written without what reading fills in: its text is that of before there were
        declarations.
        """
        fields = handler(self)
        if "shocks" in fields and [
            (shock.size, shock.process) for shock in self.shocks
        ] == default_shocks(self.parameters, self.n_shocks):
            for shock in fields["shocks"]:
                del shock["size"], shock["process"]
        for parameter, written in zip(self.parameters, fields.get("parameters", ()), strict=False):
            if parameter.has_default_bounds:
                del written["bounds"]
        for item in (*fields.get("parameters", ()), *fields.get("shocks", ())):
            if item.get("moves_only", ()) is None:
                del item["moves_only"]
        for written in fields.get("observables", ()):
            if not written["definition"]:
                del written["definition"]
        if self.frequency == "quarter":
            fields.pop("frequency", None)
        return fields

    def __str__(self) -> str:
        return (
            f"{self.title}; {self.n_parameters} parameters, shocks"
            f" {', '.join(self.shock_names)}, observables {', '.join(self.observable_names)}"
        )

    def __repr__(self) -> str:
        return f"WorldSpec '{self.name}': {self}"

    @property
    def sha256(self) -> str:
        """SHA-256 of all that the spec says."""
        return _sha256(self)

    def is_same_model(self, other: WorldSpec) -> bool:
        """Whether another spec is of the same model: the same parameters and shocks, in this order,
        read from the same file if from one. One may have observables that the other lacks; those
        of one name are the same.
        """
        of_other = {o.name: o.definition for o in other.observables}
        return (self.parameter_names, self.shock_names, self.definition) == (
            other.parameter_names,
            other.shock_names,
            other.definition,
        ) and all(of_other.get(o.name, o.definition) == o.definition for o in self.observables)

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
    def n_shocks(self) -> int:
        return len(self.shocks)

    @property
    def n_observables(self) -> int:
        return len(self.observables)

    def observing(self, names: Sequence[str]) -> WorldSpec:
        """The same spec with these of its observables alone, in this order.

        Raises `UnknownNameError`.
        """
        positions = [self.observable_index(name) for name in names]
        return self.model_copy(
            update={
                "observables": tuple(self.observables[k] for k in positions),
                "parameters": tuple(_moving_among(p, names) for p in self.parameters),
                "shocks": tuple(_moving_among(shock, names) for shock in self.shocks),
            }
        )

    def shared_observables(self, other: WorldSpec) -> tuple[list[int], list[int]]:
        """Positions of the observables that another spec has by the same name: here, and there;
        both in the order of this spec.
        """
        shared = [name for name in self.observable_names if name in other.observable_names]
        return (
            [self.observable_names.index(name) for name in shared],
            [other.observable_names.index(name) for name in shared],
        )

    @property
    def periods(self) -> str:
        """The unit of a horizon, in the plural: quarters, months or years."""
        return f"{self.frequency}s"

    @property
    def periods_a_year(self) -> int:
        return PERIODS_A_YEAR[self.frequency]

    @property
    def shocks_add_up(self) -> bool:
        """Whether the response to a path of shocks is the sum of impulse responses that begin later
        and later. Not so where a shock meets the regimes with the chances of its own period.
        """
        return self.linear and not any(p.role == "regime" for p in self.parameters)

    @property
    def standard_deviations(self) -> tuple[int, ...]:
        """Positions in theta of the parameters of role "shock_size"."""
        return tuple(k for k, p in enumerate(self.parameters) if p.role == "shock_size")

    @property
    def shock_sizes(self) -> tuple[int, ...]:
        """For each shock the position in theta of its standard deviation; empty where responses are
        not linear in it, and where not every shock declares one.
        """
        sizes = [shock.size for shock in self.shocks if shock.size is not None]
        if not self.linear or len(sizes) != self.n_shocks:
            return ()
        return tuple(self.index(size) for size in sizes)

    @property
    def shock_parameters(self) -> tuple[tuple[int, ...], ...]:
        """For each shock the positions of the other parameters of its own process, on which
        responses to other shocks do not depend; none where shocks have no sizes.
        """
        if not self.shock_sizes:
            return ((),) * self.n_shocks
        return tuple(
            tuple(sorted(self.index(name) for name in shock.process or ())) for shock in self.shocks
        )

    @property
    def moved(self) -> np.ndarray:
        """Which responses each parameter may move, by what `moves_only` declares: (P, S, O), bool.

        False for all parameters where a response is declared to be zero.
        """
        moved = np.ones((self.n_parameters, self.n_shocks, self.n_observables), dtype=bool)
        for k, parameter in enumerate(self.parameters):
            moves = parameter.moves_only or Moves()
            if moves.shocks is not None:
                moved[k, ~np.isin(self.shock_names, moves.shocks)] = False
            if moves.observables is not None:
                moved[k, :, ~np.isin(self.observable_names, moves.observables)] = False
        return moved & ~self.silent

    @property
    def silent(self) -> np.ndarray:
        """Which responses are declared to be zero, (S, O) bool."""
        silent = np.zeros((self.n_shocks, self.n_observables), dtype=bool)
        for s, shock in enumerate(self.shocks):
            if shock.moves_only is not None:
                silent[s] = ~np.isin(self.observable_names, shock.moves_only)
        return silent

    def shock_index(self, shock: str) -> int:
        """Position of a shock on the shock axis. Raises `UnknownNameError`."""
        try:
            return self.shock_names.index(shock)
        except ValueError:
            raise unknown_name(f"shock of world '{self.name}'", shock, self.shock_names) from None

    def observable_index(self, observable: str) -> int:
        """Position of an observable on the observable axis. Raises `UnknownNameError`."""
        try:
            return self.observable_names.index(observable)
        except ValueError:
            raise unknown_name(
                f"observable of world '{self.name}'", observable, self.observable_names
            ) from None


Declared = TypeVar("Declared", Parameter, Shock)


def _moving_among(item: Declared, names: Sequence[str]) -> Declared:
    """A parameter or a shock of a world of which these observables alone are left."""
    moves = item.moves_only
    observables = moves.observables if isinstance(moves, Moves) else moves
    if observables is None:
        return item
    left = tuple(name for name in observables if name in names)
    kept = moves.model_copy(update={"observables": left}) if isinstance(moves, Moves) else left
    return item.model_copy(update={"moves_only": kept})


@lru_cache(maxsize=256)
def _sha256(spec: WorldSpec) -> str:
    # Kept, since every shard of a data set asks for it; and a signal that arrives while pydantic
    # writes a spec is lost in its own error.
    return hashlib.sha256(spec.model_dump_json().encode()).hexdigest()


__all__ = [
    "ANNUAL_POINTS",
    "BAND_LEVEL",
    "DEFAULT_HORIZON",
    "DETERMINATE_FROM",
    "IRF_AXES",
    "OBSERVABLES",
    "OBSERVABLE_UNITS",
    "PERCENT",
    "PERIODS_A_YEAR",
    "QUARTERLY_POINTS",
    "UNKNOWN_UNIT",
    "Extrapolation",
    "Frequency",
    "Moves",
    "Observable",
    "Parameter",
    "Role",
    "Shock",
    "Status",
    "WorldName",
    "WorldSpec",
    "units_agree",
]
