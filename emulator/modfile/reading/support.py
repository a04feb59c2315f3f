"""What is not supported is refused by name, with its place and the way out: never solved as if it
were something else.
"""

from __future__ import annotations

from emulator.errors import ModFileError
from emulator.modfile.reading.syntax import Command, Expression, ModFile, Place, Skipped, calls

_POLICY = "Write the first-order conditions of the planner, or a policy rule, into the model block."
_OCCBIN = "Remove the constraint to solve the unconstrained model."

COMMANDS = {
    "discretionary_policy": f"optimal policy under discretion is not supported. {_POLICY}",
    "ramsey_constraints": (
        "constraints on the planner's instruments are not supported. Remove them to solve the"
        " unconstrained problem."
    ),
    "occbin_constraints": f"occasionally binding constraints are not supported. {_OCCBIN}",
    "occbin_setup": f"occasionally binding constraints are not supported. {_OCCBIN}",
    "sigma_e": (
        "the matrix 'Sigma_e = [...]' is not supported. Write variances and covariances in a shocks"
        " block."
    ),
    "load_params_and_steady_state": (
        "parameters kept in another file are not read. Write their values into the file."
    ),
    "model_remove": (
        "changes to a model after its block are not supported. Write the model as it is to be"
        " solved."
    ),
    "model_replace": (
        "changes to a model after its block are not supported. Write the model as it is to be"
        " solved."
    ),
    "var_remove": (
        "changes to a model after its block are not supported. Write the model as it is to be"
        " solved."
    ),
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
    "EXPECTATION": (
        "the operator EXPECTATION is not supported. Introduce a variable for what is expected and"
        " lag it."
    ),
    "adl": "the operator adl is not supported. Write out its lags.",
    "var_expectation": (
        "the operator var_expectation is not supported. Write its equation into the model block."
    ),
    "pac_expectation": (
        "the operator pac_expectation is not supported. Write its equation into the model block."
    ),
    "pac_target_nonstationary": "the operator pac_target_nonstationary is not supported.",
}

TAGS = {"bind": _OCCBIN, "relax": _OCCBIN, "pswitch": _OCCBIN}


def check_supported(file: ModFile) -> None:
    """Raise `ModFileError` that names the first thing in the file that cannot be solved here."""
    for statement in file.statements:
        if isinstance(statement, Command):
            _check_command(statement)
        elif isinstance(statement, Skipped):
            _check_skipped(statement)
    for equation in file.model.equations:
        for tag in equation.tags:
            if tag in TAGS:
                raise ModFileError(
                    f"the tag '{tag}' of OccBin is not supported. {TAGS[tag]}", equation.place
                )
        _check_operators(equation.left, equation.place)
        _check_operators(equation.right, equation.place)
    for local in file.model.locals:
        _check_operators(local.value, local.place)


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
    if words[:1] == ["Sigma_e"]:
        raise ModFileError(COMMANDS["sigma_e"], skipped.place)
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
