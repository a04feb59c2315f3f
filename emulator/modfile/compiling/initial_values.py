"""Values with which `estimated_params` begins, of parameters that nothing else in a file sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from emulator.errors import ModFileError
from emulator.modfile.compiling.runs import MOST_NAMES, Step, steady_state_model_of
from emulator.modfile.reading.syntax import (
    Assignment,
    EstimatedParameter,
    EstimatedParams,
    ModFile,
    Script,
    ShockMoment,
    Skipped,
    symbols,
)


def estimated_params(file: ModFile) -> EstimatedParams | None:
    """The file's last `estimated_params`, as the blocks that change it leave it; None without one.

    Raises `ModFileError` where such a block names what is not estimated.
    """
    blocks = [s for s in file.statements if isinstance(s, EstimatedParams)]
    first = [k for k, block in enumerate(blocks) if block.word == "estimated_params"]
    if not first:
        return None
    whole = blocks[first[-1]]
    lines = {_key(line): line for line in whole.parameters}
    for block in blocks[first[-1] + 1 :]:
        for line in block.parameters:
            before = lines.get(_key(line))
            if before is None:
                raise ModFileError(
                    f"{block.word} names '{' '.join(line.names)}', which estimated_params does"
                    " not.",
                    line.place,
                )
            if block.word == "estimated_params_remove":
                del lines[_key(line)]
            elif block.word == "estimated_params_init":
                lines[_key(line)] = replace(before, initial=line.initial)
            else:
                lines[_key(line)] = replace(before, lower=line.lower, upper=line.upper)
    return replace(whole, parameters=tuple(lines.values()))


def _key(line: EstimatedParameter) -> tuple[str, frozenset[str]]:
    return line.kind, frozenset(line.names)


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


def initial_moments(file: ModFile, steps: Sequence[Step]) -> list[Step]:
    """Standard deviations and correlations of shocks that `estimated_params` alone gives, at the
    values with which it begins, the correlations last.
    """
    block = estimated_params(file)
    if block is None:
        return []
    shocks = {d.name for d in file.shocks}
    there = {frozenset(moment.names) for moment in steps if isinstance(moment, ShockMoment)}
    moments: list[ShockMoment] = []
    for line in block.parameters:
        begins = line.initial if line.initial is not None else line.mean
        names = frozenset(line.names)
        if line.kind == "parameter" or begins is None or not names <= shocks or names in there:
            continue
        moments.append(ShockMoment(line.kind, line.names, begins, line.place))
    moments.sort(key=lambda moment: len(moment.names))
    return [*moments]


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
