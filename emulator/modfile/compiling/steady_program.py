"""`NAME_steadystate.m` followed, for all draws at once; nothing of it is run by MATLAB.

Axes: n draw, V variable, K exogenous variable, P parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.matlab_frame import FAULTS, Frame
from emulator.modfile.compiling.matlab_values import Beyond, Cell, Matrix, cells_of
from emulator.modfile.compiling.runs import external_steady_state
from emulator.modfile.compiling.script_items import items_of
from emulator.modfile.reading.matlab_file import Function, read_functions
from emulator.modfile.reading.syntax import ModFile, Place, Skipped


@dataclass(frozen=True)
class SteadyProgram:
    """The functions of such a file; made by `program_beside`."""

    path: Path
    functions: Mapping[str, Function]
    variables: tuple[str, ...]
    shocks: tuple[str, ...]
    parameters: tuple[str, ...]

    def __call__(self, parameters: np.ndarray, shocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steady states (n, V) and parameters (n, P) at parameters (n, P) and values of exogenous
        variables (n, K); NaN where the program says that there is none.

        Raises `ModFileError` for what is beyond the subset.
        """
        try:
            return self._guarded(parameters, shocks)
        except Beyond as beyond:
            if len(parameters) == 1:
                raise ModFileError(
                    f"{beyond} is beyond what is followed here. Give the steady state in a"
                    " steady_state_model block, or write this as plain arithmetic.",
                    f"{self.path}:{beyond.line or 1}",
                ) from None
        parts = [self(parameters[k : k + 1], shocks[k : k + 1]) for k in range(len(parameters))]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    def _guarded(self, parameters: np.ndarray, shocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        try:
            return self._at(parameters, shocks)
        except FAULTS as error:
            raise Beyond(f"what leads to '{error}'") from None
        except RecursionError:
            raise Beyond("so much inside of one another") from None

    def sets(self, name: str) -> bool:
        """Whether it gives a parameter of that name a value of its own."""
        line = rf"\b{name}\s*=(?!=)|M_\.params\s*\([^\n=]*'{name}'[^\n=]*=(?!=)"
        return any(re.search(line, f.text) for f in self.functions.values())

    def reads(self, name: str) -> bool:
        """Whether it needs the value of a parameter of that name."""
        said = any(re.search(rf"\b{name}\b", f.text) for f in self.functions.values())
        return said and not self.sets(name)

    def _at(self, parameters: np.ndarray, shocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n = len(parameters)
        main = next(iter(self.functions.values()))
        structures = {
            "isoctave": 1.0,
            "M_.params": Matrix(parameters.T[:, None, :]),
            "M_.param_nbr": float(len(self.parameters)),
            "M_.param_names": Cell(self.parameters),
            "M_.endo_names": Cell(self.variables),
            "M_.exo_names": Cell(self.shocks),
            "M_.endo_nbr": float(len(self.variables)),
            "M_.orig_endo_nbr": float(len(self.variables)),
            "M_.exo_nbr": float(len(self.shocks)),
        }
        given = {
            name: Matrix(np.zeros((len(self.variables), 1, n)))
            if name.startswith("y")
            else Matrix(shocks.T[:, None, :])
            for name in main.inputs[:2]
        }
        known = dict(zip(self.parameters, parameters.T, strict=True))
        frame = Frame(self.functions, {**structures, **given}, known)
        with np.errstate(all="ignore"):
            frame.run(items_of([Skipped("", (), False, Place("", 1), code=main.codes)]))
        steady = _column(frame.workspace.get(main.outputs[0]), len(self.variables), n)
        outputs = dict(zip(("ys", "params", "check"), main.outputs, strict=False))
        third = len(main.outputs) > 2  # [ys, params, check], before Dynare 4.5 [ys, check]
        after = outputs["params"] if third else "M_.params"
        check = frame.workspace.get(outputs.get("check" if third else "params", ""), 0.0)
        failed = np.broadcast_to(cells_of(check) != 0, (1, 1, n))[0, 0]
        moved = _column(
            frame.workspace.get(after, structures["M_.params"]), len(self.parameters), n
        )
        return np.where(failed[:, None], np.nan, steady), np.where(
            failed[:, None], parameters, moved
        )


def program_beside(file: ModFile) -> SteadyProgram | None:
    """The program beside a model; None where there is none, or a statement is beyond the subset."""
    path = external_steady_state(file.path)
    if path is None:
        return None
    try:
        functions = read_functions(path)
    except ModFileError:
        return None
    if functions is None or not next(iter(functions.values())).outputs:
        return None
    names = [[d.name for d in of] for of in (file.variables, file.shocks, file.parameters)]
    variables, shocks, parameters = map(tuple, names)
    shocks = (*shocks, *(d.name for d in file.deterministic_shocks))
    return SteadyProgram(path, functions, variables, shocks, parameters)


def _column(value: Any, length: int, n: int) -> np.ndarray:
    cells = cells_of(value) if value is not None else np.zeros((0, 0, 1))
    if not isinstance(cells, np.ndarray) or cells.shape[0] * cells.shape[1] < length:
        raise Beyond("a function that does not give its outputs")
    flat = cells.reshape(-1, cells.shape[2], order="F")[:length]
    return np.array(np.broadcast_to(flat, (length, n)).T)
