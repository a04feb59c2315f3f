"""Parameters of a compiled model: those that a caller gives, and the others as its file sets them.

Axes: N draw, P column of theta.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import ModFileError, ParameterError, unknown_name
from emulator.modfile.reading.syntax import Place

if TYPE_CHECKING:
    from emulator.modfile.compiling.model import CompiledModel


def values_of_file(model: CompiledModel, given: Mapping[str, np.ndarray]) -> np.ndarray:
    """Parameters (N, P) as the file sets them where the run begins."""
    values = dict(given)
    if model.earlier is not None:  # an optimum found further up stays in force
        known = [name for name in values if name in model.earlier.parameters]
        optimum = model.earlier.theta({name: values[name] for name in known})
        for name in model.inherited:
            column = model.earlier.parameters.index(name)
            values.setdefault(name, optimum[:, column])
    values_of_names = model.calibration.values(values)
    columns = [_known(model, values_of_names, name) for name in model.parameters]
    if not columns:
        return np.zeros((1, 0))
    try:
        return np.stack(np.broadcast_arrays(*map(np.atleast_1d, columns)), axis=1)
    except ValueError:
        sizes = {name: value.shape for name, value in given.items() if value.ndim}
        raise ParameterError(
            f"The parameters given to '{model.name}' differ in length: {sizes}."
        ) from None


def given_columns(model: CompiledModel, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Given values by column. Raises as `theta` does."""
    given = {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}
    for name, value in given.items():
        if name not in model.parameters:
            raise unknown_name(f"parameter of '{model.name}'", name, model.parameters)
        if value.ndim > 1 or not np.isfinite(value).all():
            raise ParameterError(
                f"Parameter '{name}' of '{model.name}' was given as {value!r}; expected finite"
                " numbers, one or (N,)."
            )
    return given


def _known(model: CompiledModel, values: Mapping[str, Any], name: str) -> Any:
    value = values.get(name, ModFileError("It is declared but never assigned."))
    if not isinstance(value, ModFileError):
        return value
    if name in model.needed:
        cause = next((n for n, v in values.items() if v is value and n in model.parameters), name)
        raise ModFileError(
            f"the parameter '{name}' has no value. {value} Or hand it over: --set {cause}=VALUE"
            f" on the command line, {cause}=VALUE in Python (irf({cause}=VALUE) of"
            f" emulator.world(FILE), theta({cause}=VALUE) of emulator.modfile.load(FILE)).",
            _declared(model, name) if value.place is None else None,
        )
    return np.nan


def _declared(model: CompiledModel, name: str) -> Place:
    """Where a parameter is declared."""
    return next((d.place for d in model.file.parameters if d.name == name), model.file.model.place)
