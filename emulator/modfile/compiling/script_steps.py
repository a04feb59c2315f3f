"""One step of MATLAB carried out on the values of all names, for all draws at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.matlab import placed, positions, value_of
from emulator.modfile.compiling.matlab_values import Beyond, Cell, Matrix, cells_of, holds, plain
from emulator.modfile.reading.syntax import Script, walk

PARAMETERS = "M_.params"


def carry_out(
    step: Script,
    values: dict[str, Any],
    parameters: Sequence[str],
    given: Collection[str] = (),
) -> None:
    """One step on the values of all names; those `given` stay.

    Raises `Beyond` for what cannot be expressed, `ModFileError` where a caller's values lead
    another way than the file's own.
    """
    workspace = with_structure(step, values, parameters)
    cells = value_of(step.value, workspace)
    if step.word == "guard":
        if holds(cells) != step.holds:
            raise ModFileError(
                f"with these values the file goes another way than with its own here"
                f" ({step.text}); give the parameters that follow as values.",
                step.place,
            )
    elif step.word == "element":
        if isinstance(cells, Cell):  # each turn has an element, as a cell array of one
            values[step.name] = Cell(cells.elements[step.position : step.position + 1])
            return
        columns = cells.shape[1] if isinstance(cells, np.ndarray) else 0
        if columns != step.count:
            raise ModFileError(
                f"with these values this loop has {columns} turns and not {step.count};"
                " give the parameters that follow as values.",
                step.place,
            )
        values[step.name] = plain(cells[:, step.position : step.position + 1])
    elif step.word == "parameter":
        if not isinstance(cells, np.ndarray) or cells.shape[:2] != (1, 1):
            raise Beyond(f"a value of '{step.name}' that is no number")
        if step.name not in given:
            values[step.name] = plain(cells)
    elif step.index is None:
        values[step.name] = plain(cells)
    else:
        before = cells_of(values[step.name]) if step.name in values else np.zeros((0, 0, 1))
        where = positions(step.name, step.index, workspace)
        if not isinstance(before, np.ndarray) or not isinstance(cells, np.ndarray):
            raise Beyond("an element of a text")
        values[step.name] = plain(placed(before, where, cells))


def with_structure(
    step: Script, values: dict[str, Any], parameters: Sequence[str]
) -> Mapping[str, Any]:
    """The workspace with what Dynare's `M_` says of parameters, where a step reads it."""
    parts = [part for e in (step.value, *(step.index or ())) for part in walk(e)]
    names = {getattr(part, "name", getattr(part, "function", "")) for part in parts}
    if not any(name.startswith("M_.") for name in names):
        return values
    known = [np.atleast_1d(values.get(name, np.nan)) for name in parameters]
    stacked = np.stack(np.broadcast_arrays(*known)) if known else np.zeros((0, 1))
    return values | {
        PARAMETERS: Matrix(stacked[:, None, :]),
        "M_.param_nbr": float(len(parameters)),
        "M_.param_names": Cell(tuple(parameters)),
    }
