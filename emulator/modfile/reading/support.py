"""What is not supported is refused by name, with its place and the way out: never solved as if it
were something else.
"""

from __future__ import annotations

from dataclasses import replace

from emulator.errors import ModFileError
from emulator.modfile.reading.constraints import constraints_of, in_regime
from emulator.modfile.reading.syntax import (
    Command,
    Expression,
    ModFile,
    Place,
    Skipped,
    calls,
    symbols,
)
from emulator.modfile.reading.syntax_policy import Constraints

COMMANDS = {
    "var_model": (
        "auxiliary VAR models are not supported. Write their equations into the model block."
    ),
    "trend_component_model": (
        "trend component models are not supported. Write their equations into the model block."
    ),
    "pac_model": "PAC models are not supported. Write their equations into the model block.",
    "var_expectation_model": (
        "VAR expectations are not supported. Write their equations into the model block."
    ),
    "heterogeneity_dimension": "heterogeneous-agent models are not supported.",
}

OPERATORS = {
    "var_expectation": (
        "the operator var_expectation is not supported. Write its equation into the model block."
    ),
    "pac_expectation": (
        "the operator pac_expectation is not supported. Write its equation into the model block."
    ),
    "pac_target_nonstationary": "the operator pac_target_nonstationary is not supported.",
}


def check_supported(file: ModFile) -> None:
    """Raise `ModFileError` that names the first thing in the file that cannot be solved here."""
    for statement in file.statements:
        if isinstance(statement, Command):
            _check_command(statement)
        elif isinstance(statement, Skipped):
            _check_skipped(statement)
    _check_used(file)
    for equation in file.model.equations:
        _check_operators(equation.left, equation.place)
        _check_operators(equation.right, equation.place)
    for local in file.model.locals:
        _check_operators(local.value, local.place)


def without_unused(file: ModFile) -> ModFile:
    """Under `nostrict` Dynare takes variables that no equation holds out of the model."""
    if "nostrict" not in file.command_line:
        return file
    used = _used(file)
    return replace(file, variables=tuple(d for d in file.variables if d.name in used))


def _used(file: ModFile) -> set[str]:
    """Names that the equations hold, in '#' variables too."""
    used: set[str] = set()
    for equation in file.model.equations:
        if "static" not in equation.tags:
            for side in (equation.left, equation.right):
                used |= {symbol.name for symbol in symbols(side)}
    for local in reversed(file.model.locals):
        if local.name in used:
            used |= {symbol.name for symbol in symbols(local.value)}
    return used


def _check_used(file: ModFile) -> None:
    """Refuse a declared variable or shock that no equation holds: a slip of the pen more often than
    not, and an error in Dynare too unless it is told `nostrict`.
    """
    if "nostrict" in file.command_line:
        return
    if not file.model.equations:
        raise ModFileError("the model has no equations.", file.model.place)
    used = _used(file)
    for declared in (*file.variables, *file.shocks):
        if declared.name not in used:
            raise ModFileError(
                f"'{declared.name}' is declared but stands in no equation. Remove it, or let the"
                " first line of the file be // --+ options: nostrict +--.",
                declared.place,
            )


def unconstrained(file: ModFile) -> ModFile:
    """The file with the equations of the regime in which no constraint of OccBin binds.

    Raises `ModFileError` where it has constraints and no command that solves the model.
    """
    tagged = [e for e in file.model.equations if {"bind", "relax"} & e.tags.keys()]
    blocks = [s for s in file.statements if isinstance(s, Constraints)]
    if not tagged and not blocks:
        return file
    commands = {s.name for s in file.statements if isinstance(s, Command)}
    if not commands & {"stoch_simul", "occbin_solver"}:
        raise ModFileError(
            "occasionally binding constraints (OccBin) and no command that solves them. Add"
            " occbin_setup; occbin_solver; or stoch_simul(order=1); for the responses of the regime"
            " in which none binds.",
            blocks[0].place if blocks else tagged[0].place,
        )
    constraints_of(file)
    return in_regime(file, ())


def _check_command(command: Command) -> None:
    if command.name in COMMANDS:
        raise ModFileError(f"'{command.name}': {COMMANDS[command.name]}", command.place)
    if command.name == "stoch_simul" and "partial_information" in command.options:
        raise ModFileError(
            "stoch_simul with partial_information is not supported. Remove the option for full"
            " information.",
            command.place,
        )


def _check_skipped(skipped: Skipped) -> None:
    """A skipped line that decides the sizes of shocks must not be passed over."""
    words = skipped.text.replace("=", " ").replace(";", " ").replace("(", " ").split()
    if skipped.nested and words[:1] == ["shocks"]:
        raise ModFileError(
            "a shocks block inside of MATLAB's 'if' or a loop is not supported. Write it outside,"
            " or use @#if.",
            skipped.place,
        )


def _check_operators(expression: Expression, place: Place) -> None:
    for call in calls(expression):
        if call.function in OPERATORS:
            raise ModFileError(OPERATORS[call.function], place)
