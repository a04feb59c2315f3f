"""The spec of a world that is a `.mod` file: from its mapping, its declarations and its own
calibration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError

from emulator.errors import ModFileError, first_error
from emulator.spec import (
    Extrapolation,
    Observable,
    Parameter,
    Shock,
    WorldSpec,
)
from emulator.worlds.mapping import UNITS, MappedParameter
from emulator.worlds.source import mapping_path, plain_name

if TYPE_CHECKING:
    from emulator.worlds.modworld import ModWorld

PRIOR = (
    "Independent, each with its own shape truncated to its range; draws without a unique stable"
    " solution are refused and redrawn."
)


def make_spec(world: ModWorld) -> WorldSpec:
    """Raises `ModFileError` where the mapping and the file do not fit each other."""
    where = mapping_path(world.path).name
    mapping = world.mapping
    for name in world.priors:
        if name not in world.model.parameters:
            known = ", ".join(world.model.parameters)
            raise ModFileError(
                f"parameters.{name}: the model has no such parameter; it has {known}.", where
            )
    of_file, missing = world.model.own_values()
    own = dict(zip(world.model.parameters, of_file.tolist(), strict=True))
    defaults = {name: _default(world, name, own[name]) for name in world.priors}
    _refuse_missing(world, defaults, missing)
    names = list(world.priors)
    held_out = mapping.extrapolation
    try:
        return WorldSpec(
            name=mapping.name or plain_name(world.path.stem),
            title=mapping.title or world.path.stem,
            summary=mapping.summary or f"The model of {world.path.name}.",
            source=mapping.source or world.path.name,
            prior=mapping.prior or PRIOR,
            parameters=tuple(_parameter(world, name, defaults[name]) for name in names),
            shocks=tuple(_shock(world, name) for name in world.shocks),
            observables=tuple(_observable(world, name) for name in mapping.observables),
            states=tuple(world.model.all_variables[k] for k in world.states),
            extrapolation=Extrapolation(
                slice_parameters=held_out.slice if held_out else (names[0],),
                corner_parameters=held_out.corner if held_out else tuple(names[1:3]) or (names[0],),
            ),
            frequency=mapping.frequency,
            definition=world.sha256,
        )
    except ValidationError as error:
        raise ModFileError(f"{first_error(error)}.", where) from None


def _refuse_missing(world: ModWorld, defaults: Mapping[str, float], missing: Sequence[str]) -> None:
    """Raise the `ModFileError` of a parameter without a value in the file and in the mapping."""
    where = mapping_path(world.path).name
    for name in missing:
        if np.isnan(defaults.get(name, 0.0)):
            raise ModFileError(
                f"parameters.{name}: '{name}' has no value in {world.path.name}; add"
                " default: VALUE to its entry.",
                where,
            )
    values = world.model.calibration.values(defaults)
    for name in missing:
        if name in world.model.needed and isinstance(
            reason := values.get(name, ModFileError("It is never assigned.")), ModFileError
        ):
            raise ModFileError(
                f"the parameter '{name}' has no value. {reason} Or give it one under parameters:"
                f" {name}: {{low: ..., high: ..., default: VALUE}}.",
                where,
            )


def _default(world: ModWorld, name: str, of_file: float) -> float:
    """The mapping's default, else the file's value.

    A shock that the file sets to zero is switched on by a range above zero: its size is then the
    mean of its prior, or the middle of its range.
    """
    prior = world.priors[name]
    if isinstance(prior, MappedParameter) and prior.default is not None:
        return prior.default
    low, high = prior.bounds()
    is_size = name in world.model.calibration.stderr.values()
    if not (is_size and of_file == 0.0 and low > 0.0):
        return of_file
    middle = (low + high) / 2
    return prior.mean if prior.mean is not None and low <= prior.mean <= high else middle


def _parameter(world: ModWorld, name: str, default: float) -> Parameter:
    prior = world.priors[name]
    declared = next((d for d in world.model.file.parameters if d.name == name), None)
    low, high = prior.bounds()
    if default != default:
        raise ModFileError(
            f"parameters.{name}: its value in {world.path.name} is not a number: something there"
            " divides by zero, or takes the root or logarithm of a negative number, as of a"
            " negative variance.",
            mapping_path(world.path).name,
        )
    if not low <= default <= high:
        who = "the file sets" if getattr(prior, "default", None) is None else "the default is"
        raise ModFileError(
            f"parameters.{name}: {who} {default:g}, outside the range {low:g} to {high:g} of its"
            " prior.",
            mapping_path(world.path).name,
        )
    mapped = prior if isinstance(prior, MappedParameter) else MappedParameter(low=low, high=high)
    if mapped.role == "shock_size" and low < 0:
        raise ModFileError(
            f"parameters.{name}: the range of a standard deviation begins at {low:g}; expected zero"
            " or more.",
            mapping_path(world.path).name,
        )
    tex = (
        mapped.tex
        or (declared.tex if declared else "")
        or rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"
    )
    meaning = (
        mapped.meaning
        or (declared.long_name if declared else "")
        or f"parameter {name} of the file"
    )
    return Parameter(
        name=name,
        tex=tex,
        low=low,
        high=high,
        default=default,
        unit=mapped.unit,
        meaning=meaning,
        role=mapped.role,
        bounds=mapped.within,
        moves_only=mapped.moves_only,
    )


def _shock(world: ModWorld, name: str) -> Shock:
    mapped = world.shocks[name]
    declared = next(d for d in world.model.file.shocks if d.name == mapped.variable)
    meaning = mapped.meaning or declared.long_name or f"shock {mapped.variable} of the file"
    return Shock(
        name=name,
        tex=mapped.tex or declared.tex or name,
        meaning=meaning,
        size=mapped.size,
        process=mapped.process,
        moves_only=mapped.moves_only,
    )


def _observable(world: ModWorld, name: str) -> Observable:
    mapped = world.mapping.observables[name]
    return Observable(
        name=name,
        tex=mapped.tex or mapped.expression,
        unit=mapped.unit,
        meaning=mapped.meaning or f"{mapped.expression} of the file",
        definition="" if name in UNITS else mapped.expression,
    )
