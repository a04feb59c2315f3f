"""Values with which `estimated_params` begins, of parameters that nothing else in a file sets."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.modfile.compiling.runs import MOST_NAMES, Step, steady_state_model_of
from emulator.modfile.reading.syntax import (
    Assignment,
    EstimatedParams,
    ModFile,
    Script,
    Skipped,
    symbols,
)


def estimated_params(file: ModFile) -> EstimatedParams | None:
    return next((s for s in reversed(file.statements) if isinstance(s, EstimatedParams)), None)


def initial_values(file: ModFile, steps: Sequence[Step]) -> list[Step]:
    """What `estimated_params` begins with, of the parameters that nothing else sets: the initial
    value, else the mean of the prior, as Dynare's estimation does. Only numbers: they stand before
    all that is computed from them.
    """
    block = estimated_params(file)
    if block is None:
        return []
    known = {name for step in steps for name in assigned(step)}
    formulas = steady_state_model_of(file)
    for item in formulas.assignments if formulas else ():
        known |= {item.name} if isinstance(item, Assignment) else set(item.names)
    values: list[Step] = []
    for line in block.parameters:
        begins = line.initial if line.initial is not None else line.mean
        if line.kind != "parameter" or line.names[0] in known or begins is None:
            continue
        if not any(True for _ in symbols(begins)):
            values.append(Assignment(line.names[0], begins, line.place))
    return values


def note_on_initial_values(file: ModFile, initial: Sequence[Step]) -> tuple[str, ...]:
    names = [step.name for step in initial if isinstance(step, Assignment)]
    if not names:
        return ()
    listed = ", ".join(names[:MOST_NAMES]) + (
        f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    )
    return (
        f"{file.path.name}: the file sets no value of {listed}; those with which estimated_params"
        " begins are taken, which Dynare knows after an estimation only.",
    )


def assigned(step: Step) -> tuple[str, ...]:
    if isinstance(step, Assignment):
        return (step.name,)
    if isinstance(step, Script):
        return (step.name,) if step.word != "guard" else ()
    return step.assigns if isinstance(step, Skipped) else ()
