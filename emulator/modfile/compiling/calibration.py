"""What the statements around the model block set: parameters, sizes of shocks, initial values,
options.

The file is read as Dynare runs it, from top to bottom up to its last `stoch_simul`: an assignment
sees what stands above it, a shock's variance is that of the parameters at the place where it is
set, a covariance stays when a variance changes later, and from `steady` on the parameters are those
that the steady_state_model sets. Values that a caller gives replace the file's own assignments to
the same names; what is computed from them follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.evaluate import evaluate
from emulator.modfile.reading.syntax import (
    Assignment,
    Call,
    Command,
    EstimatedParams,
    Expression,
    InitvalBlock,
    ModFile,
    Number,
    Operation,
    ShockMoment,
    ShocksBlock,
    Skipped,
    SteadyStateModel,
    Symbol,
    symbols,
)

Step = Assignment | ShockMoment | Skipped | SteadyStateModel
"""What changes values; a SteadyStateModel stands where `steady` carries it out."""

MATLAB_CONSTANTS = {
    "pi": np.pi,
    "eps": np.finfo(float).eps,
    "inf": np.inf,
    "Inf": np.inf,
    "nan": np.nan,
    "NaN": np.nan,
}
"""What MATLAB knows without being told; a name of the file that is the same goes before it."""


PERFECT_FORESIGHT = (
    "simul",
    "perfect_foresight_setup",
    "perfect_foresight_solver",
    "perfect_foresight_with_expectation_errors_setup",
)


@dataclass(frozen=True)
class Calibration:
    """The statements that count, in order, and what they say besides parameters.

    `unknown`: names that a skipped MATLAB line sets, with its place. `shocks`: those with a
    variance, in the order of their declaration. `correlated`: pairs of them. `stderr` and `corr`:
    names of their columns in theta. `parameters`: those declared. `moving`: variables and shocks,
    zero where nothing sets them.
    """

    steps: tuple[Step, ...]
    initval: tuple[Assignment, ...]
    steady: SteadyStateModel | None
    estimated: EstimatedParams | None
    options: Mapping[str, str]
    shocks: tuple[str, ...]
    correlated: tuple[tuple[str, str], ...]
    stderr: Mapping[str, str]
    corr: Mapping[tuple[str, str], str]
    parameters: frozenset[str]
    moving: tuple[str, ...]
    notes: tuple[str, ...]

    def run(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Values of all names after the last step; a `ModFileError` in place of a value that cannot
        be known.

        given: values, numbers or arrays (N,), of parameters and of the columns `stderr` and `corr`.
        """
        values: dict[str, Any] = dict(MATLAB_CONSTANTS) | dict(given)
        lost: dict[str, ModFileError] = {}
        covariances: dict[str, Any] = {}
        for step in self.steps:
            if isinstance(step, Skipped):
                self._lose(step, given, values, lost)
            elif isinstance(step, SteadyStateModel):
                self._settle(step, values, lost)
            elif isinstance(step, ShockMoment) and len(step.names) == 2:
                self._set(
                    self.corr[step.names[0], step.names[1]], step, given, covariances, values, lost
                )
            else:
                name = step.name if isinstance(step, Assignment) else self.stderr[step.names[0]]
                self._set(name, step, given, values, values, lost)
        for (first, second), column in self.corr.items():
            if column in covariances and {self.stderr[first], self.stderr[second]} <= values.keys():
                with np.errstate(all="ignore"):
                    values[column] = covariances[column] / (
                        values[self.stderr[first]] * values[self.stderr[second]]
                    )
        return values | lost

    def _set(
        self,
        name: str,
        step: Assignment | ShockMoment,
        given: Mapping[str, Any],
        into: dict[str, Any],
        values: dict[str, Any],
        lost: dict[str, ModFileError],
    ) -> None:
        if name in given:
            return
        try:
            into[name] = self._value(step, values, lost)
            lost.pop(name, None)
        except ModFileError as error:
            into.pop(name, None)
            lost[name] = error

    def _settle(
        self, formulas: SteadyStateModel, values: dict[str, Any], lost: dict[str, ModFileError]
    ) -> None:
        """The parameters that a steady_state_model sets, as `steady` leaves them behind."""
        inside: dict[str, Any] = dict.fromkeys(self.moving, np.float64(0.0)) | values
        for assignment in (*self.initval, *formulas.assignments):
            names = (assignment.name,) if isinstance(assignment, Assignment) else assignment.names
            for name in names:
                try:
                    inside[name] = evaluate(assignment.value, inside, assignment.place)
                except ModFileError as error:
                    inside.pop(name, None)
                    if name in self.parameters:
                        values.pop(name, None)
                        lost[name] = error
                    continue
                if name in self.parameters:
                    values[name] = inside[name]
                    lost.pop(name, None)

    def _lose(
        self,
        step: Skipped,
        given: Mapping[str, Any],
        values: dict[str, Any],
        lost: dict[str, ModFileError],
    ) -> None:
        for name in step.assigns:
            if name not in given:
                values.pop(name, None)
                lost[name] = ModFileError(
                    f"'{name}' is set by a MATLAB line that is not run ({_short(step.text)}); give"
                    " it a plain value instead.",
                    step.place,
                )

    def _value(
        self,
        step: Assignment | ShockMoment,
        values: dict[str, Any],
        lost: Mapping[str, ModFileError],
    ) -> Any:
        try:
            value = evaluate(step.value, values, step.place)
        except ModFileError as error:
            cause = next(
                (lost[name] for name in lost if f"'{name}' has no value" in str(error)), error
            )
            raise cause from None
        if isinstance(step, Assignment) or step.kind == "covar":
            return value
        with np.errstate(all="ignore"):
            if step.kind in (
                "stderr",
                "var",
            ):  # Dynare keeps the variance: the sign of a standard deviation is lost
                return np.abs(value) if step.kind == "stderr" else np.sqrt(value)
            try:
                first, second = (values[self.stderr[name]] for name in step.names)
            except KeyError:
                raise ModFileError(
                    f"the correlation of {' and '.join(step.names)} is set before the variance of"
                    " each.",
                    step.place,
                ) from None
            return value * first * second


def calibration(file: ModFile) -> Calibration:
    """Read the statements of a file.

    Raises `ModFileError` where it asks for what is not supported; see `support.py`.
    """
    statements = file.statements[: _end(file)]
    steps, blocks = _steps(file, statements)
    moments = [step for step in steps if isinstance(step, ShockMoment)]
    sized = {m.names[0] for m in moments if len(m.names) == 1}
    pairs = tuple(dict.fromkeys((m.names[0], m.names[1]) for m in moments if len(m.names) == 2))
    for m in moments:
        if len(m.names) == 2 and not set(m.names) <= sized:
            raise ModFileError(
                f"a covariance of {' and '.join(m.names)} is set, but not the variance of each.",
                m.place,
            )
    parameters = frozenset(d.name for d in file.parameters)
    taken = parameters | {name for step in steps for name in _assigned(step)}
    commands = [s for s in statements if isinstance(s, Command) and s.name == "stoch_simul"]
    found = Calibration(
        steps=tuple(steps),
        initval=(),
        steady=_steady_state_model(file),
        estimated=next(
            (s for s in reversed(file.statements) if isinstance(s, EstimatedParams)), None
        ),
        options=commands[-1].options if commands else {},
        shocks=tuple(d.name for d in file.shocks if d.name in sized),
        correlated=pairs,
        stderr={name: _free(f"stderr_{name}", taken) for name in sized},
        corr={pair: _free(f"corr_{pair[0]}_{pair[1]}", taken) for pair in pairs},
        parameters=parameters,
        moving=tuple(d.name for d in (*file.variables, *file.shocks, *file.deterministic_shocks)),
        notes=tuple(_notes(file, statements)),
    )
    return replace(found, initval=tuple(_frozen(found, position, a) for position, a in blocks))


def _steps(
    file: ModFile, statements: tuple[Any, ...]
) -> tuple[list[Step], list[tuple[int, Assignment]]]:
    """What changes values, in order; and the initial values, each with the number of steps before
    it.
    """
    declared = [d.name for d in file.shocks]
    parameters = {d.name for d in file.parameters}
    steady = _steady_state_model(file)
    steps: list[Step] = []
    initval: list[tuple[int, Assignment]] = []
    homotopy: tuple[Assignment, ...] = ()
    for statement in statements:
        if isinstance(statement, Assignment | Skipped):
            steps.append(statement)
        elif isinstance(statement, InitvalBlock) and statement.kind == "homotopy_setup":
            homotopy = statement.assignments
        elif isinstance(statement, InitvalBlock):
            initval += [(len(steps), a) for a in statement.assignments]
        elif isinstance(statement, ShocksBlock):
            if statement.overwrite:
                steps = [step for step in steps if not isinstance(step, ShockMoment)]
            steps.extend(_moments(statement, declared))
        elif isinstance(statement, Command) and statement.name == "steady":
            if (
                statement.options.get("homotopy_mode", "0") != "0"
            ):  # it ends at, and leaves behind, the last values
                steps += [a for a in homotopy if a.name in parameters]
                initval += [(len(steps), a) for a in homotopy if a.name not in parameters]
            if steady is not None:
                steps.append(steady)
    return steps, initval


def _steady_state_model(file: ModFile) -> SteadyStateModel | None:
    return next((s for s in reversed(file.statements) if isinstance(s, SteadyStateModel)), None)


def _assigned(step: Step) -> tuple[str, ...]:
    if isinstance(step, Assignment):
        return (step.name,)
    return step.assigns if isinstance(step, Skipped) else ()


def _frozen(calibration: Calibration, position: int, initial: Assignment) -> Assignment:
    """An initial value with the values that its parameters have at its place, where the file sets
    them anew further down.
    """
    later = {name for step in calibration.steps[position:] for name in _assigned(step)}
    read = later & {symbol.name for symbol in symbols(initial.value)}
    if not read:
        return initial
    values = replace(calibration, steps=calibration.steps[:position]).run({})
    known = {
        name: float(values[name])
        for name in read
        if name in values and not isinstance(values[name], ModFileError)
    }
    return replace(initial, value=_filled(initial.value, known))


def _filled(expression: Expression, values: Mapping[str, float]) -> Expression:
    """The expression with numbers for some of its names."""
    if isinstance(expression, Symbol):
        return Number(values[expression.name]) if expression.name in values else expression
    if isinstance(expression, Operation):
        return Operation(
            expression.operator, tuple(_filled(part, values) for part in expression.operands)
        )
    if isinstance(expression, Call):
        return Call(
            expression.function, tuple(_filled(part, values) for part in expression.arguments)
        )
    return expression


def _end(file: ModFile) -> int:
    """One past the last statement that counts: the last `stoch_simul`, else one hidden in MATLAB's
    control flow, else all.
    """
    found = [
        k
        for k, s in enumerate(file.statements)
        if isinstance(s, Command) and s.name == "stoch_simul"
    ]
    if found:
        return found[-1] + 1
    hidden = [
        k
        for k, s in enumerate(file.statements)
        if isinstance(s, Skipped) and "stoch_simul" in s.text
    ]
    return hidden[0] if hidden else len(file.statements)


def _moments(block: ShocksBlock, declared: list[str]) -> list[ShockMoment]:
    """The moments of a block's shocks, sizes before covariances as Dynare sets them; measurement
    errors have no response.
    """
    position = {name: k for k, name in enumerate(declared)}
    kept = [m for m in block.moments if all(name in position for name in m.names)]
    ordered = [
        ShockMoment(m.kind, tuple(sorted(m.names, key=position.__getitem__)), m.value, m.place)
        for m in kept
    ]
    return sorted(ordered, key=lambda m: len(m.names))


def _free(name: str, taken: frozenset[str] | set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _notes(file: ModFile, statements: tuple[Any, ...]) -> list[str]:
    """What a reader should know of the way the file was read."""
    notes = []
    skipped = [s for s in statements if isinstance(s, Skipped)]
    if skipped:
        notes.append(
            f"{file.path.name}: {len(skipped)} MATLAB line(s) were not run, the first at"
            f" {skipped[0].place}: {_short(skipped[0].text)}"
        )
    external = external_steady_state(file.path)
    if external is not None and not any(isinstance(s, SteadyStateModel) for s in file.statements):
        notes.append(
            f"{external.name} is MATLAB and was not run; the steady state is looked for from"
            " initval."
        )
    estimation = next(
        (s for s in statements if isinstance(s, Command) and s.name in ("estimation", "osr")), None
    )
    if estimation is not None:
        notes.append(
            f"{estimation.place}: '{estimation.name}' was not run; responses are at the file's own"
            " calibration."
        )
    return notes


def external_steady_state(path: Path) -> Path | None:
    """The MATLAB function beside a file that computes its steady state, if there is one."""
    candidates = (path.with_name(f"{path.stem}_steadystate{suffix}.m") for suffix in ("", "2"))
    return next((c for c in candidates if c.is_file()), None)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."


def refuse_without_shocks(file: ModFile) -> None:
    """Raise the `ModFileError` of a file in which no shock has a variance."""
    foresight = next(
        (s for s in file.statements if isinstance(s, Command) and s.name in PERFECT_FORESIGHT), None
    )
    paths = next(
        (s for s in file.statements if isinstance(s, ShocksBlock) and s.deterministic), None
    )
    if foresight is not None or paths is not None:
        place = (
            foresight.place if foresight is not None else paths.place if paths is not None else None
        )
        raise ModFileError(
            "this is a perfect foresight model: no shock has a variance, so that there is no"
            " impulse response. Give a shock a standard deviation in a shocks block (var e; stderr"
            " 1;).",
            place,
        )
    raise ModFileError(
        "no shock has a variance. Give one a standard deviation in a shocks block (var e; stderr"
        " 1;).",
        file.model.place,
    )
