"""The spec of a world that is known by its draws alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from pydantic import ValidationError

from emulator.data.importing.checks import Survey
from emulator.data.importing.given import Given
from emulator.errors import DatasetError, first_error, nearest, unknown_name
from emulator.spec import (
    OBSERVABLE_UNITS,
    OBSERVABLES,
    PERIODS_A_YEAR,
    UNKNOWN_UNIT,
    Extrapolation,
    Frequency,
    Observable,
    Parameter,
    Shock,
    WorldSpec,
)
from emulator.worlds import is_known

FEW_VALUES = 10
"""A parameter with fewer values than this has no upper tail to hold out."""


@dataclass(frozen=True)
class Choices:
    """What a user may say of draws beside the draws themselves."""

    units: Mapping[str, str] = field(default_factory=dict)
    """By name of observable or parameter; one unit under the name `""` is that of all others."""
    frequency: str | None = None
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    slice_parameters: tuple[str, ...] = ()
    corner_parameters: tuple[str, ...] = ()
    linear: bool = False
    title: str = ""


def spec_of(name: str, given: Given, survey: Survey, choices: Choices) -> WorldSpec:
    """The spec of the world `name`.

    Raises `DatasetError` and `UnknownNameError` for choices that do not fit the draws.
    """
    if is_known(name):
        raise DatasetError(
            f"The name '{name}' is that of a world that is installed; choose another --name."
        )
    units = _units(given, choices)
    try:
        return WorldSpec(
            name=name,
            title=choices.title or name,
            summary="Draws that were solved elsewhere.",
            source=f"Imported from {given.origin}",
            prior="The draws as they were given; the ranges are theirs unless others were given.",
            parameters=_parameters(given, survey, units, choices),
            shocks=tuple(
                Shock(name=shock, tex=_tex(shock), meaning=given.meanings.get(shock, shock))
                for shock in given.shocks
            ),
            observables=tuple(
                Observable(
                    name=observable,
                    tex=_tex(observable),
                    unit=units.get(observable, UNKNOWN_UNIT),
                    meaning=given.meanings.get(observable, observable),
                )
                for observable in given.observables
            ),
            extrapolation=_extrapolation(given, survey, choices),
            linear=choices.linear,
            frequency=_frequency(given, choices),
        )
    except ValidationError as error:
        raise DatasetError(f"The draws make no world: {first_error(error)}.") from None


def shared_parameters(names: Sequence[str], theta: np.ndarray) -> list[str]:
    """Parameters whose values, taken together, most of the draws (n, P) share with another draw;
    none of a grid, which has few values of each.
    """
    most = len(theta) // 2
    shared = [k for k, column in enumerate(theta.T) if len(np.unique(column)) <= most]
    if not shared or len(shared) == theta.shape[1]:
        return []
    if len(np.unique(theta[:, shared], axis=0)) > most:
        return []
    return [names[k] for k in shared]


def _tex(name: str) -> str:
    return rf"\mathrm{{{name}}}".replace("_", r"\_")


def _frequency(given: Given, choices: Choices) -> Frequency:
    asked = choices.frequency or given.frequency or "quarter"
    if asked not in PERIODS_A_YEAR:
        raise unknown_name("frequency", asked, PERIODS_A_YEAR)
    return cast(Frequency, asked)


def _units(given: Given, choices: Choices) -> dict[str, str]:
    """Units by name, of those that are known.

    The three names by which worlds are compared stand for one unit each.
    """
    known = (*given.observables, *given.parameters)
    for name in choices.units:
        if name and name not in known:
            raise unknown_name("observable or parameter with a unit", name, known)
    others = choices.units.get("", "")
    if others in given.observables:
        raise DatasetError(
            f"'{others}' was given as the unit of all observables and is one of them; expected its"
            f" unit, such as --units {others}=percent (in Python units={{'{others}': 'percent'}})."
        )
    units = {name: others for name in given.observables if others}
    units |= given.units
    units |= {name: unit for name, unit in choices.units.items() if name}
    for name, unit in zip(OBSERVABLES, OBSERVABLE_UNITS, strict=True):
        has = units.get(name, UNKNOWN_UNIT) if name in given.observables else unit
        if has not in (unit, UNKNOWN_UNIT):
            raise DatasetError(
                f"The observable '{name}', by which worlds are compared, is in '{has}'; expected"
                f" '{unit}'. Convert it, or give it another name."
            )
    return units


def _parameters(
    given: Given, survey: Survey, units: Mapping[str, str], choices: Choices
) -> tuple[Parameter, ...]:
    for name in choices.ranges:
        if name not in given.parameters:
            raise unknown_name("parameter with a range", name, given.parameters)
    theta = survey.theta[~survey.doubled]
    parameters = []
    for k, name in enumerate(given.parameters):
        low, high = float(theta[:, k].min()), float(theta[:, k].max())
        asked_low, asked_high = choices.ranges.get(name, (low, high))
        if not (asked_low <= low and high <= asked_high):
            raise DatasetError(
                f"The range of parameter '{name}' was given as {asked_low:g} to {asked_high:g}; its"
                f" draws go from {low:g} to {high:g}. Give a range that holds them all."
            )
        parameters.append(
            Parameter(
                name=name,
                tex=_tex(name),
                low=asked_low,
                high=asked_high,
                default=float(np.sort(theta[:, k])[len(theta) // 2]),
                unit=units.get(name, UNKNOWN_UNIT),
                meaning=given.meanings.get(name, name),
                role="constant",
            )
        )
    return tuple(parameters)


def _extrapolation(given: Given, survey: Survey, choices: Choices) -> Extrapolation:
    """The parameter that moves the responses most spans the slice, the next two the corner, unless
    others were named.
    """
    for name in (*choices.slice_parameters, *choices.corner_parameters):
        if name not in given.parameters:
            raise DatasetError(
                f"The held-out regions name a parameter '{name}' that the draws do not have."
                f" {nearest(name, given.parameters)}"
            )
    theta = survey.theta[survey.usable]
    values = [len(np.unique(column)) for column in theta.T]
    ranked: Sequence[int] = [int(k) for k in np.argsort(-survey.influence, kind="stable")]
    ranked = [k for k in ranked if values[k] >= FEW_VALUES] or ranked
    names = [given.parameters[k] for k in ranked]
    slice_parameters = choices.slice_parameters or (names[0],)
    others = [name for name in names if name not in slice_parameters]
    return Extrapolation(
        slice_parameters=slice_parameters,
        corner_parameters=choices.corner_parameters or tuple(others[:2]) or slice_parameters,
    )
