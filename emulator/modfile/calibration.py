"""What the statements around the model block set: parameters, sizes of shocks, initial values, options.

The file is read as Dynare runs it, from top to bottom up to its last `stoch_simul`: an assignment sees what stands
above it, and a shock's variance is that of the parameters at the place where it is set. Values that a caller gives
replace the file's own assignments to the same names; what is computed from them follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.evaluate import evaluate
from emulator.modfile.syntax import (
    Assignment,
    Command,
    EstimatedParams,
    InitvalBlock,
    ModFile,
    Place,
    ShockMoment,
    ShocksBlock,
    Skipped,
    SteadyStateModel,
)

MATLAB_CONSTANTS = {"pi": np.pi, "eps": np.finfo(float).eps, "inf": np.inf, "Inf": np.inf, "nan": np.nan, "NaN": np.nan}
"""What MATLAB knows without being told; a name of the file that is the same goes before it."""


@dataclass(frozen=True)
class Calibration:
    """The statements that count, in order, and what they say besides parameters.

    `unknown`: names that a skipped MATLAB line sets, with its place. `shocks`: those with a variance, in the order of
    their declaration. `correlated`: pairs of them. `stderr` and `corr`: names of their columns in theta.
    """

    steps: tuple[Assignment | ShockMoment | Skipped, ...]
    initval: tuple[Assignment, ...]
    steady: SteadyStateModel | None
    estimated: EstimatedParams | None
    options: Mapping[str, str]
    shocks: tuple[str, ...]
    correlated: tuple[tuple[str, str], ...]
    stderr: Mapping[str, str]
    corr: Mapping[tuple[str, str], str]
    notes: tuple[str, ...]

    def run(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Values of all names after the last step; a `ModFileError` in place of a value that cannot be known.

        given: values, numbers or arrays (N,), of parameters and of the columns `stderr` and `corr`.
        """
        values: dict[str, Any] = dict(MATLAB_CONSTANTS) | dict(given)
        lost: dict[str, ModFileError] = {}
        for step in self.steps:
            if isinstance(step, Skipped):
                self._lose(step, given, values, lost)
                continue
            name = step.name if isinstance(step, Assignment) else self._column(step)
            if name in given:
                continue
            try:
                values[name] = self._value(step, values, lost)
                lost.pop(name, None)
            except ModFileError as error:
                values.pop(name, None)
                lost[name] = error
        return values | lost

    def _lose(self, step: Skipped, given: Mapping[str, Any], values: dict[str, Any], lost: dict[str, ModFileError]) -> None:
        for name in step.assigns:
            if name not in given:
                values.pop(name, None)
                lost[name] = ModFileError(
                    f"'{name}' is set by a MATLAB line that is not run ({_short(step.text)}); give it a plain value instead.", step.place
                )

    def _value(self, step: Assignment | ShockMoment, values: dict[str, Any], lost: Mapping[str, ModFileError]) -> Any:
        try:
            value = evaluate(step.value, values, step.place)
        except ModFileError as error:
            cause = next((lost[name] for name in lost if f"'{name}' has no value" in str(error)), error)
            raise cause from None
        if isinstance(step, Assignment) or step.kind in ("stderr", "corr"):
            return value
        with np.errstate(all="ignore"):
            if step.kind == "var":
                return np.sqrt(value)
            try:
                first, second = (values[self.stderr[name]] for name in step.names)
            except KeyError:
                raise ModFileError(f"the covariance of {' and '.join(step.names)} is set, but not the variance of each.", step.place) from None
            return value / (first * second)

    def _column(self, moment: ShockMoment) -> str:
        return self.stderr[moment.names[0]] if len(moment.names) == 1 else self.corr[moment.names[0], moment.names[1]]


def calibration(file: ModFile) -> Calibration:
    """Read the statements of a file. Raises `ModFileError` where it asks for what is not supported; see `support.py`."""
    statements = file.statements[: _end(file)]
    declared = [d.name for d in file.shocks]
    steps: list[Assignment | ShockMoment | Skipped] = []
    initval: list[Assignment] = []
    for statement in statements:
        if isinstance(statement, Assignment | Skipped):
            steps.append(statement)
        elif isinstance(statement, InitvalBlock):
            initval.extend(statement.assignments)
        elif isinstance(statement, ShocksBlock):
            if statement.overwrite:
                steps = [step for step in steps if not isinstance(step, ShockMoment)]
            steps.extend(_moments(statement, declared))
    moments = [step for step in steps if isinstance(step, ShockMoment)]
    sized = {m.names[0] for m in moments if len(m.names) == 1}
    pairs = tuple(dict.fromkeys((m.names[0], m.names[1]) for m in moments if len(m.names) == 2))
    for m in moments:
        if len(m.names) == 2 and not set(m.names) <= sized:
            raise ModFileError(f"a covariance of {' and '.join(m.names)} is set, but not the variance of each.", m.place)
    taken = {d.name for d in file.parameters}
    commands = [s for s in statements if isinstance(s, Command) and s.name == "stoch_simul"]
    return Calibration(
        steps=tuple(steps),
        initval=tuple(initval),
        steady=next((s for s in reversed(file.statements) if isinstance(s, SteadyStateModel)), None),
        estimated=next((s for s in reversed(file.statements) if isinstance(s, EstimatedParams)), None),
        options=commands[-1].options if commands else {},
        shocks=tuple(name for name in declared if name in sized),
        correlated=pairs,
        stderr={name: _free(f"stderr_{name}", taken) for name in sized},
        corr={pair: _free(f"corr_{pair[0]}_{pair[1]}", taken) for pair in pairs},
        notes=tuple(_notes(file, statements)),
    )


def _end(file: ModFile) -> int:
    """One past the last statement that counts: the last `stoch_simul`, else one hidden in MATLAB's control flow, else all."""
    found = [k for k, s in enumerate(file.statements) if isinstance(s, Command) and s.name == "stoch_simul"]
    if found:
        return found[-1] + 1
    hidden = [k for k, s in enumerate(file.statements) if isinstance(s, Skipped) and "stoch_simul" in s.text]
    return hidden[0] if hidden else len(file.statements)


def _moments(block: ShocksBlock, declared: list[str]) -> list[ShockMoment]:
    """The moments of a block's shocks, sizes before covariances as Dynare sets them; measurement errors have no response."""
    position = {name: k for k, name in enumerate(declared)}
    kept = [m for m in block.moments if all(name in position for name in m.names)]
    ordered = [ShockMoment(m.kind, tuple(sorted(m.names, key=position.__getitem__)), m.value, m.place) for m in kept]
    return sorted(ordered, key=lambda m: len(m.names))


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _notes(file: ModFile, statements: tuple[Any, ...]) -> list[str]:
    """What a reader should know of the way the file was read."""
    notes = []
    skipped = [s for s in statements if isinstance(s, Skipped)]
    if skipped:
        notes.append(f"{file.path.name}: {len(skipped)} MATLAB line(s) were not run, the first at {skipped[0].place}: {_short(skipped[0].text)}")
    external = external_steady_state(file.path)
    if external is not None and not any(isinstance(s, SteadyStateModel) for s in file.statements):
        notes.append(f"{external.name} is MATLAB and was not run; the steady state is looked for from initval.")
    estimation = next((s for s in statements if isinstance(s, Command) and s.name in ("estimation", "osr")), None)
    if estimation is not None:
        notes.append(f"{estimation.place}: '{estimation.name}' was not run; responses are at the file's own calibration.")
    return notes


def external_steady_state(path: Path) -> Path | None:
    """The MATLAB function beside a file that computes its steady state, if there is one."""
    candidates = (path.with_name(f"{path.stem}_steadystate{suffix}.m") for suffix in ("", "2"))
    return next((c for c in candidates if c.is_file()), None)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."


def place_of(file: ModFile, parameter: str) -> Place:
    """Where a parameter is declared."""
    return next(d.place for d in file.parameters if d.name == parameter)
