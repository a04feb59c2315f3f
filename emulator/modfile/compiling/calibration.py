"""What the statements around the model block set: parameters, sizes of shocks, initial values,
options.

The file is read as Dynare runs it, from top to bottom up to its last `stoch_simul`: an assignment
sees what stands above it, a shock's variance is that of the parameters at the place where it is
set, a covariance stays when a variance changes later, and from `steady` on the parameters are those
that the steady_state_model sets. Values that a caller gives replace the file's own assignments to
the same names; what is computed from them follows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.evaluate import MATLAB_CONSTANTS, evaluate, filled
from emulator.modfile.compiling.initial_values import (
    assigned,
    estimated_params,
    initial_moments,
    initial_values,
    note_on_initial_values,
)
from emulator.modfile.compiling.matlab_values import Beyond
from emulator.modfile.compiling.reading_notes import notes_on_reading
from emulator.modfile.compiling.runs import (
    STATEMENT,
    Run,
    Step,
    chosen_run,
    options_of,
    runs_of,
    shortened,
    statements_until,
    steady_state_model_of,
    steps_of,
)
from emulator.modfile.compiling.script_steps import carry_out
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.syntax import (
    Assignment,
    Command,
    EstimatedParams,
    ModFile,
    Script,
    ShockMoment,
    ShocksBlock,
    Skipped,
    SteadyStateModel,
    symbols,
)

_SETS_SIZES = re.compile(r"set_shock_stderr_value\s*\(|M_\.Sigma_e\s*(?:\([^()]*\))?\s*=(?!=)")
_SETS_PARAMETERS = re.compile(r"set_param_value\s*\(|M_\.params\b[^=<>~]*=(?!=)")

PERFECT_FORESIGHT = (
    "simul",
    "perfect_foresight_setup",
    "perfect_foresight_solver",
    "perfect_foresight_with_expectation_errors_setup",
)


@dataclass(frozen=True)
class Calibration:
    """The statements that count for a run, in order, and what they say besides parameters.

    `runs`: the commands that solve the model; `run`: the one that is answered, None for a file
    without a `stoch_simul`, of which all statements count. `shocks`: those with a
    variance, in the order of their declaration. `correlated`: pairs of them. `stderr` and `corr`:
    names of their columns in theta. `parameters`: those declared, `ordered` in that order.
    `moving`: variables and shocks, zero where nothing sets them. `notes`: what a reader should know
    of the way the file was read.
    """

    steps: tuple[Step, ...]
    initval: tuple[Assignment, ...]
    steady: SteadyStateModel | None
    estimated: EstimatedParams | None
    runs: tuple[Run, ...]
    run: Run | None
    shocks: tuple[str, ...]
    correlated: tuple[tuple[str, str], ...]
    stderr: Mapping[str, str]
    corr: Mapping[tuple[str, str], str]
    parameters: frozenset[str]
    ordered: tuple[str, ...]
    moving: tuple[str, ...]
    notes: tuple[str, ...]
    options: Mapping[str, str]
    """In force at the run."""

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
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
            elif isinstance(step, Script):
                self._carry_out(step, given, values, lost)
            elif isinstance(step, SteadyStateModel):
                self._settle(step, values, lost)
            elif isinstance(step, ShockMoment) and len(step.names) == 2:
                column = self.corr[step.names[0], step.names[1]]
                if column not in given:
                    self._set(column, step, into=covariances, values=values, lost=lost)
            else:
                name = step.name if isinstance(step, Assignment) else self.stderr[step.names[0]]
                if name not in given:
                    self._set(name, step, into=values, values=values, lost=lost)
        for (first, second), column in self.corr.items():
            if column in covariances and {self.stderr[first], self.stderr[second]} <= values.keys():
                with np.errstate(all="ignore"):
                    values[column] = covariances[column] / (
                        values[self.stderr[first]] * values[self.stderr[second]]
                    )
        return values | lost

    def causes(self, names: Collection[str]) -> set[str]:
        """These names, and all that the file computes them from."""
        causes = set(names)
        for step in reversed(self.steps):
            if isinstance(step, Assignment | Script) and step.name in causes:
                causes |= {symbol.name for symbol in symbols(step.value)}
        return causes

    def _set(
        self,
        name: str,
        step: Assignment | ShockMoment,
        into: dict[str, Any],
        values: dict[str, Any],
        lost: dict[str, ModFileError],
    ) -> None:
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
                    f"'{name}' is set by a MATLAB line that is not run ({shortened(step.text)});"
                    " give it a plain value instead.",
                    step.place,
                )

    def _carry_out(
        self,
        step: Script,
        given: Mapping[str, Any],
        values: dict[str, Any],
        lost: dict[str, ModFileError],
    ) -> None:
        try:
            carry_out(step, values, self.ordered, given)
            lost.pop(step.name, None)
        except Beyond as beyond:
            if step.word in ("guard", "element"):  # the way through the file hangs on it
                raise ModFileError(
                    f"this line cannot be followed with these values, because of {beyond}"
                    f" ({shortened(step.text)}).",
                    step.place,
                ) from None
            values.pop(step.name, None)
            lost[step.name] = ModFileError(
                f"'{step.name}' is set by a MATLAB line that is not run, because of {beyond}"
                f" ({shortened(step.text)}); give it a plain value instead.",
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


def calibration(
    file: ModFile, number: int | None = None, budget: Budget | None = None
) -> Calibration:
    """Read the statements of a file that count for a run, by default its last `stoch_simul`; see
    `runs`.

    Raises `ModFileError` for covariances of shocks without variances, `ParameterError` for a run
    that the file does not have.
    """
    budget = budget or Budget()
    budget.place = file.model.place
    runs = runs_of(file, budget)
    run = chosen_run(file, runs, number)
    statements = statements_until(file, run)
    for statement in statements:
        if isinstance(statement, Skipped):
            _refuse_unknown_parameters(statement)
    steps, blocks = steps_of(file, statements, budget)
    initial = initial_values(file, steps)
    steps = [*initial, *steps]
    if run is None:
        steps += initial_moments(file, steps)
    blocks = [(position + len(initial), assignment) for position, assignment in blocks]
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
    taken = parameters | {name for step in steps for name in assigned(step)}
    settings = Calibration(
        steps=tuple(steps),
        initval=(),
        steady=steady_state_model_of(file),
        estimated=estimated_params(file),
        runs=runs,
        run=run,
        shocks=tuple(d.name for d in file.shocks if d.name in sized),
        correlated=pairs,
        stderr={name: _free(f"stderr_{name}", taken) for name in sized},
        corr={pair: _free(f"corr_{pair[0]}_{pair[1]}", taken) for pair in pairs},
        parameters=parameters,
        ordered=tuple(d.name for d in file.parameters),
        moving=tuple(d.name for d in (*file.variables, *file.shocks, *file.deterministic_shocks)),
        notes=(
            *notes_on_reading(file, statements, runs, number),
            *note_on_initial_values(file, initial),
        ),
        options=options_of(statements) if run is None else run.options,
    )
    return replace(settings, initval=_initval(settings, blocks, budget))


def _refuse_unknown_parameters(line: Skipped) -> None:
    """Refuse a line that is not carried out and sets parameters that it does not name, or sizes of
    shocks.
    """
    if line.assigns or line.inner:
        return
    if _SETS_PARAMETERS.search(line.text):
        raise ModFileError(
            f"this MATLAB line sets parameters and is not run ({shortened(line.text)}); give them"
            " plain values instead.",
            line.place,
        )
    if _SETS_SIZES.search(line.text):
        raise ModFileError(
            f"this MATLAB line sets the size of a shock and is not run ({shortened(line.text)});"
            " write a shocks block instead.",
            line.place,
        )


def _initval(
    settings: Calibration, blocks: Sequence[tuple[int, Assignment]], budget: Budget
) -> tuple[Assignment, ...]:
    """The initial values, each with the number of steps before it, with the values that their
    parameters have there where the file sets them anew further down.
    """
    last = {name: k for k, step in enumerate(settings.steps) for name in assigned(step)}
    before: tuple[int, dict[str, Any]] = -1, {}
    assignments = []
    for position, initial in blocks:
        names = {symbol.name for symbol in symbols(initial.value)}
        moving = {
            name
            for name in names
            if any(
                last.get(cause, -1) >= position
                for cause in ({name} if name in settings.parameters else settings.causes({name}))
            )
        }
        if moving and before[0] != position:
            budget.statements(STATEMENT * position)
            before = position, replace(settings, steps=settings.steps[:position]).values({})
        known = {
            name: float(before[1][name])
            for name in moving
            if name in before[1] and not isinstance(before[1][name], ModFileError)
        }
        value = filled(initial.value, known) if moving else initial.value
        assignments.append(replace(initial, value=value))
    return tuple(assignments)


def _free(name: str, taken: frozenset[str] | set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def without_shocks(file: ModFile) -> ModFileError:
    """What is wrong with a file in which no shock has a variance."""
    foresight = next(
        (s for s in file.statements if isinstance(s, Command) and s.name in PERFECT_FORESIGHT), None
    )
    paths = next(
        (s for s in file.statements if isinstance(s, ShocksBlock) and s.deterministic), None
    )
    planned = foresight if foresight is not None else paths
    if planned is not None:
        return ModFileError(
            "this is a perfect foresight model: no shock has a variance, so that there is no"
            " impulse response. Give a shock a standard deviation in a shocks block (var e; stderr"
            " 1;), or ask emulator foresight, in Python perfect_foresight().",
            planned.place,
        )
    return ModFileError(
        "no shock has a variance. Give one a standard deviation in a shocks block (var e; stderr"
        " 1;), or ask emulator foresight, in Python perfect_foresight(), for a path of shocks that"
        " are known.",
        file.model.place,
    )
