"""`load`: the compiled model of a `.mod` file."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from emulator.errors import ModFileError, ModFileWarning, printable, warn
from emulator.modfile.compiling.calibration import Calibration, calibration, without_shocks
from emulator.modfile.compiling.discretion import discretion_of, notes_on_objective
from emulator.modfile.compiling.equations import Equations, compile_equations, compiled
from emulator.modfile.compiling.expressions import TOO_DEEP
from emulator.modfile.compiling.far_leads import with_near_leads
from emulator.modfile.compiling.matrices import Dates
from emulator.modfile.compiling.model import CompiledModel
from emulator.modfile.compiling.optimal_policy import planner_of, with_multipliers
from emulator.modfile.compiling.runs import kind_of_run, order_of
from emulator.modfile.compiling.script import carried_out
from emulator.modfile.compiling.simple_rule import earlier_rule, rule_of
from emulator.modfile.compiling.steady_file import with_formulas_beside
from emulator.modfile.compiling.steady_program import SteadyProgram, program_beside
from emulator.modfile.compiling.symbolic import symbolic_model
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.parser import parse, parse_text
from emulator.modfile.reading.support import check_supported, unconstrained, without_unused
from emulator.modfile.reading.syntax import ModFile, SteadyStateModel
from emulator.modfile.reading.syntax_policy import PlannerObjective


def load(path: str | Path, run: int | None = None, shocks: bool = True) -> CompiledModel:
    """Read and compile a `.mod` file; compiled equations are kept on disk by the content of the
    file.

    run: which of the commands that solve the model is answered, from 1 in the order of the file;
    by default the last `stoch_simul` (see `CompiledModel.runs`). shocks: whether a file without a
    command that solves it needs a shock with a variance; without one it answers perfect foresight
    alone. What was passed over is warned of
    (`ModFileWarning`) and kept in `CompiledModel.notes`.

    Raises `ModFileError`, with file and line, for a file that cannot be read, is not well formed or
    asks for what is not supported, `ParameterError` for a run that the file does not have.
    """
    budget = Budget()
    file = parse(path, budget)
    with_formulas = with_formulas_beside(file)
    folder = Path(path).parent
    failing: str | None = ""
    if with_formulas is not file:
        failing = _failing(with_formulas, run, folder, shocks)
        if failing is None:
            return _compiled(with_formulas, run, budget, folder, shocks)
    program = _program_of(file)
    if program is not None:
        failing = _failing(file, run, folder, shocks, program)
        program = program if failing is None else None
    return _compiled(file, run, budget, folder, shocks, program, failing or "")


def _program_of(file: ModFile) -> SteadyProgram | None:
    """The program beside a file without formulas of its own and without a policymaker."""
    if any(isinstance(s, SteadyStateModel | PlannerObjective) for s in file.statements):
        return None
    return program_beside(file)


def _failing(
    file: ModFile,
    run: int | None,
    folder: Path,
    shocks: bool,
    program: SteadyProgram | None = None,
) -> str | None:
    """Why what stands beside a file does not give its steady state, at its own parameters; ''
    where it cannot be followed, None where it gives one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = _compiled(file, run, Budget(), folder, shocks, program)
            theta = model.theta()
            if np.isfinite(model.steady_state(theta)).all():
                return None
            return model.steady.shortfall(theta)
        except ModFileError:
            return ""


def load_text(text: str, name: str, run: int | None = None) -> CompiledModel:
    """`load` of a text at hand; `name` is the file name that messages give it."""
    budget = Budget()
    return _compiled(parse_text(text, name, budget), run, budget)


def _compiled(
    file: ModFile,
    number: int | None,
    budget: Budget,
    folder: Path | None = None,
    shocks: bool = True,
    program: SteadyProgram | None = None,
    failing: str = "",
) -> CompiledModel:
    parsed = file
    file = carried_out(file, budget, folder)
    settings = calibration(file, number, budget)
    tagged = file
    file = without_unused(unconstrained(file))
    check_supported(file)
    notes = tuple(map(printable, _notes(settings, program, failing)))
    _warn(notes)
    alone = settings.run is None and not shocks
    if not settings.shocks and not kind_of_run(settings.run).paths and not alone:
        raise without_shocks(file)
    discretion = discretion_of(file, settings.run)
    planner = None if discretion else planner_of(file)
    for policymaker in (planner, discretion):
        if policymaker is not None:
            policymaker.refuse_no_discount(settings.values({}))
    instruments = len(discretion.instruments) if discretion else 0
    file = with_multipliers(file, planner) if planner else file
    variables = tuple(d.name for d in file.variables)
    exogenous = tuple(d.name for d in (*file.shocks, *file.deterministic_shocks))
    budget.place = file.model.place
    budget.model(max(len(variables), len(settings.shocks)))
    declared = tuple(d.name for d in file.parameters)
    near = order_of(settings.run, nonlinear=True) > 1

    def equations_of_file() -> Equations:
        model = symbolic_model(file, planner, budget, instruments)
        model = with_near_leads(model) if near else model
        return compile_equations(model, variables, exogenous, declared)

    try:
        equations = compiled(file.sha256 + "-near" * near, equations_of_file)
    except RecursionError:
        raise ModFileError(TOO_DEEP, file.model.place) from None
    columns = (
        *declared,
        *(settings.stderr[name] for name in settings.shocks),
        *settings.corr.values(),
    )
    budget.place = file.model.place
    dates = Dates.of(
        entries=equations.dynamic_entries,
        variables=(*variables, *equations.auxiliary),
        exogenous=exogenous,
        shocks=settings.shocks,
        budget=budget,
    )
    model = CompiledModel(
        file=file,
        calibration=settings,
        equations=equations,
        variables=variables,
        shocks=settings.shocks,
        parameters=columns,
        dates=dates,
        planner=planner,
        tagged=tagged,
        discretion=discretion,
        rule=rule_of(file, settings.run),
        notes=notes,
        near=near,
        program=program,
    )
    on_objective = tuple(map(printable, notes_on_objective(model)))
    _warn(on_objective)
    model = replace(model, notes=(*notes, *on_objective)) if on_objective else model
    return _after_earlier_rule(model, parsed, budget, folder)


def _after_earlier_rule(
    model: CompiledModel, parsed: ModFile, budget: Budget, folder: Path | None
) -> CompiledModel:
    """The model with the osr before its run, if there is one that stays in force."""
    settings = model.calibration
    before = earlier_rule(model.file, settings.runs, settings.run)
    if before is None:
        return model
    run, anew = before
    earlier = _compiled(parsed, run.number, budget, folder)
    chosen = earlier.rule.coefficients if earlier.rule else ()
    inherited = tuple(name for name in chosen if name not in anew)
    return replace(model, earlier=earlier, inherited=inherited) if inherited else model


def _notes(settings: Calibration, program: SteadyProgram | None, failing: str) -> list[str]:
    """The notes on reading, of which one is about the program; `failing`: why its values are not
    taken.
    """
    if program is None:
        why = f" Its values do not solve the model: {failing}." if failing else ""
        return [
            note + why if "is MATLAB and was not run;" in note else note for note in settings.notes
        ]
    others = [
        note for note in settings.notes if not note.startswith(f"{program.path.name} is MATL")
    ]
    followed = (
        f"{program.path.name} was not run by MATLAB: its formulas are followed here, and roots are"
        " looked for by Newton's method."
    )
    return [*others, followed]


def _warn(notes: tuple[str, ...]) -> None:
    for note in notes:
        warn(note, ModFileWarning)
