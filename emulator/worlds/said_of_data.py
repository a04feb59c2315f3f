"""What a `.mod` file itself says of the data that it was made for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile import CompiledModel
from emulator.modfile.compiling.evaluate import evaluate
from emulator.modfile.reading.syntax import (
    Command,
    EstimatedParameter,
    ShockMoment,
    ShocksBlock,
    Symbol,
    symbols,
)


class SaidOfData(NamedTuple):
    """What a file says of the data it was made for: the variables of its `varobs`, standard
    deviations of their errors of measurement, numbers or names of parameters, and the options of
    its last `estimation`.
    """

    varobs: tuple[str, ...]
    errors: dict[str, float | str]
    options: Mapping[str, str] = {}


def said_of_data(model: CompiledModel) -> SaidOfData:
    """Raises `ModFileError` for what is not supported: trends of observations, and errors of
    measurement that correlate, or are no number and no parameter.
    """
    commands = [s for s in model.file.statements if isinstance(s, Command)]
    trends = next((c for c in commands if c.name == "observation_trends"), None)
    if trends is not None:
        raise ModFileError(
            "observation_trends is not read; say it with the data: observe={'series': 'y + g *"
            " trend'}.",
            trends.place,
        )
    varobs = next((c.names for c in reversed(commands) if c.name == "varobs"), ())
    errors = {}
    for block in model.file.statements:
        for moment in block.moments if isinstance(block, ShocksBlock) else ():
            if any(name in model.variables for name in moment.names):
                errors[moment.names[0]] = _error(model, moment)
    errors |= {item.names[0]: column for item, column in errors_of_measurement(model)}
    return SaidOfData(tuple(varobs), errors, estimation_options(model))


def estimation_options(model: CompiledModel) -> Mapping[str, str]:
    """Those of the file's last `estimation`; empty without one."""
    commands = [s for s in model.file.statements if isinstance(s, Command)]
    return next((c.options for c in reversed(commands) if c.name == "estimation"), {})


def errors_of_measurement(model: CompiledModel) -> list[tuple[EstimatedParameter, str]]:
    """Lines of `estimated_params` that are about errors of measurement, and names for them.

    Raises `ModFileError` for correlations of such errors.
    """
    block = model.calibration.estimated
    lines = []
    for item in block.parameters if block else ():
        if item.kind == "parameter" or item.names[0] not in model.variables:
            continue
        if item.kind == "corr":
            raise ModFileError(
                "errors of measurement that correlate are not supported; they are independent.",
                item.place,
            )
        lines.append((item, f"stderr_{item.names[0]}"))
    return lines


def _error(model: CompiledModel, moment: ShockMoment) -> float | str:
    """The standard deviation of an error of measurement."""
    if moment.kind == "stderr" and isinstance(moment.value, Symbol):
        return moment.value.name
    if moment.kind in ("stderr", "var") and not any(symbols(moment.value)):
        value = float(evaluate(moment.value, {}, moment.place))
        return value if moment.kind == "stderr" else float(np.sqrt(value))
    raise ModFileError(
        f"the error of measurement of '{moment.names[0]}' is neither a number nor the name of a"
        " parameter; say it with the data: errors={'series': 0.2}.",
        moment.place,
    )
