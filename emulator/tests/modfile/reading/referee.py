"""What Dynare's own preprocessor reads from a file, and the comparison with what we read.

The two syntax trees are compared by the values of the equations at random numbers, evaluated by two
evaluators that share nothing but the table of functions of one number.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from emulator.modfile.reading.grammar import Reader
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax import (
    Call,
    Equation,
    Expression,
    ModFile,
    Number,
    Place,
    Symbol,
)

PREPROCESSOR = shutil.which("dynare-preprocessor")


def dynare_reads(path: Path) -> dict[str, Any] | str:
    """The preprocessor's JSON after parsing, or its complaint.

    Works in a copy: the program writes folders beside the file.
    """
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(path.parent, scratch, dirs_exist_ok=True)
        run = subprocess.run(
            [str(PREPROCESSOR), path.name, "json=parse", "onlyjson", "jsonstdout"],
            cwd=scratch,
            capture_output=True,
            timeout=60,
            check=False,
        )
    text = run.stdout.decode("utf-8", "replace")
    if run.returncode or "//-- BEGIN JSON --//" not in text:
        return text + run.stderr.decode("utf-8", "replace")
    document = text.split("//-- BEGIN JSON --//")[1].split("//-- END JSON --//")[0]
    return _first_document(document)["modfile"]


def differences(ours: ModFile, theirs: dict[str, Any]) -> list[str]:
    """What the two readings do not agree on: names in order, texts of names, equations with their
    tags and values.
    """
    differing: list[str] = []
    groups = (
        ("variables", "endogenous"),
        ("shocks", "exogenous"),
        ("deterministic_shocks", "exogenous_deterministic"),
        ("parameters", "parameters"),
    )
    for mine, his in groups:
        names = [entry.name for entry in getattr(ours, mine)]
        # The preprocessor adds this parameter to models with an optimal policy.
        expected = [
            entry["name"]
            for entry in theirs[his]
            if entry["name"] != "optimal_policy_discount_factor"
        ]
        if names != expected:
            differing.append(f"{mine}: {names} and {expected}")
        for entry, other in zip(getattr(ours, mine), theirs[his], strict=False):
            if entry.long_name and entry.long_name != other["longName"]:
                differing.append(f"{entry.name}: {entry.long_name} and {other['longName']}")
            if entry.tex and entry.tex != other["texName"]:
                differing.append(f"{entry.name}: {entry.tex} and {other['texName']}")
    return differing + _tree_differences(ours, theirs) + _text_differences(ours, theirs)


def _tree_differences(ours: ModFile, theirs: dict[str, Any]) -> list[str]:
    """Equations against the preprocessor's syntax tree, which prints numbers with six digits."""
    # The preprocessor prints the dynamic model: equations of the static one alone are not among
    # them.
    dynamic = [equation for equation in ours.model.equations if "static" not in equation.tags]
    trees = theirs["abstract_syntax_tree"]
    if len(dynamic) != len(trees):
        return [f"{len(dynamic)} equations and {len(trees)}"]
    differing = []
    for equation, tree in zip(dynamic, trees, strict=True):
        if equation.tags != tree["tags"]:
            differing.append(f"{equation.place}: tags {equation.tags} and {tree['tags']}")
        pairs = [
            (_residual(equation, seed, in_tree=True), tree_value(tree["AST"], seed))
            for seed in range(3)
        ]
        differing += [
            f"{equation.place}: tree {mine} and {his}"
            for mine, his in pairs
            if not _close(mine, his, 1e-5)
        ][:1]
    return differing


def _text_differences(ours: ModFile, theirs: dict[str, Any]) -> list[str]:
    """Equations and locals against the text that the preprocessor prints, with all digits, read
    again by our grammar.
    """
    reader = Reader()
    kinds = {
        "variable": ours.variables,
        "shock": (*ours.shocks, *ours.deterministic_shocks),
        "parameter": ours.parameters,
    }
    reader.kinds.update({entry.name: kind for kind, entries in kinds.items() for entry in entries})
    differing = []
    values = {local.name: local.value for local in ours.model.locals}
    for printed in theirs["model_local_variables"]:
        pairs = [
            (value_of(values[printed["variable"]], seed), _printed(reader, printed["value"], seed))
            for seed in range(3)
        ]
        differing += [
            f"# {printed['variable']}: {mine} and {his}"
            for mine, his in pairs
            if not _close(mine, his)
        ][:1]
    dynamic = [equation for equation in ours.model.equations if "static" not in equation.tags]
    for equation, printed in zip(dynamic, theirs["model"], strict=False):
        pairs = [
            (
                _residual(equation, seed, in_tree=False),
                _printed(reader, printed["lhs"], seed) - _printed(reader, printed["rhs"], seed),
            )
            for seed in range(3)
        ]
        differing += [
            f"{equation.place}: text {mine} and {his}"
            for mine, his in pairs
            if not _close(mine, his)
        ][:1]
    return differing


def _printed(reader: Reader, text: str, seed: int) -> complex:
    return value_of(reader.expression(Span(text, (Place("printed", 1),)), "the printed text"), seed)


def _residual(equation: Equation, seed: int, in_tree: bool) -> complex:
    return value_of(equation.left, seed, in_tree) - value_of(equation.right, seed, in_tree)


def _close(one: complex, other: complex, tolerance: float = 1e-12) -> bool:
    return bool(
        np.allclose(
            [one.real, one.imag],
            [other.real, other.imag],
            rtol=tolerance,
            atol=tolerance,
            equal_nan=True,
        )
    )


def value_of(expression: Expression, seed: int, in_tree: bool = False) -> complex:
    """Our expression at random numbers, one for each (name, shift).

    The preprocessor's text, unlike its tree, writes STEADY_STATE(x) as (x): it counts for nothing
    there.
    """
    if isinstance(expression, Number):
        return complex(expression.value)
    if isinstance(expression, Symbol):
        return _drawn(expression.name, expression.shift, seed)
    if isinstance(expression, Call):
        values = [value_of(argument, seed, in_tree) for argument in expression.arguments]
        if expression.function == "STEADY_STATE" and not in_tree:
            return values[0]
        return _applied(
            expression.function.lower(),
            values[1:] if expression.function == "EXPECTATION" else values,
        )
    values = [value_of(operand, seed, in_tree) for operand in expression.operands]
    if expression.operator == "neg":
        return -values[0]
    result = values[0]
    for value in values[1:]:
        result = _combined(expression.operator, result, value)
    return result


def tree_value(node: dict[str, Any], seed: int) -> complex:
    """The preprocessor's tree at the same numbers; an equation is worth its left side less its
    right side.
    """
    kind = node["node_type"]
    if kind == "NumConstNode":
        return complex(float(str(node["value"]).lower().replace("d", "e")))
    if kind == "VariableNode":
        return _drawn(node["name"], 0 if node["type"] == "parameter" else node["lag"], seed)
    if kind == "UnaryOpNode":
        value = tree_value(node["arg"], seed)
        return -value if node["op"] in ("-", "uminus") else _applied(node["op"], [value])
    if kind == "BinaryOpNode":
        left, right = tree_value(node["arg1"], seed), tree_value(node["arg2"], seed)
        if node["op"] in ("max", "min"):
            return _applied(node["op"], [left, right])
        return _combined(node["op"], left, right)
    if kind == "TrinaryOpNode":
        return _applied(node["op"], [tree_value(argument, seed) for argument in node["arguments"]])
    if kind == "ExternalFunctionNode":
        return _applied(
            node["name"], [tree_value(argument, seed) for argument in node["args"][0].values()]
        )
    raise AssertionError(f"a node that the referee does not know: {kind}")


def _drawn(name: str, shift: int, seed: int) -> complex:
    return complex(random.Random(f"{name} {shift} {seed}").uniform(0.4, 1.6))


def _combined(operator: str, left: complex, right: complex) -> complex:
    comparisons = {
        "<": left.real < right.real,
        ">": left.real > right.real,
        "<=": left.real <= right.real,
        ">=": left.real >= right.real,
    }
    if operator in comparisons:
        return complex(comparisons[operator])
    if operator in ("==", "!="):
        return complex((left == right) == (operator == "=="))
    with np.errstate(all="ignore"):
        return complex(
            {
                "=": lambda: left - right,
                "-": lambda: left - right,
                "+": lambda: left + right,
                "*": lambda: left * right,
                "/": lambda: np.complex128(left) / right,
                "^": lambda: np.power(np.complex128(left), right),
            }[operator]()
        )


def _applied(function: str, values: list[complex]) -> complex:
    """Any function, known or not: a number that depends on its name and on each argument in its
    place.
    """
    if function in ("normcdf", "normpdf") and len(values) == 1:
        values = [*values, 0j, 1 + 0j]
    if function in ("exp", "log", "sqrt"):
        return complex(getattr(np, function)(np.complex128(values[0])))
    weight = random.Random(function).uniform(0.5, 1.5)
    return complex(
        sum(
            np.cos(weight + place) * value / (1 + abs(value))
            for place, value in enumerate(values, 1)
        )
    )


def _first_document(text: str) -> dict[str, Any]:
    return json.JSONDecoder(object_pairs_hook=_node).raw_decode(text.strip())[0]


def _node(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The preprocessor names the second and third argument of a function of three alike."""
    node = dict(pairs)
    if node.get("node_type") == "TrinaryOpNode":
        node["arguments"] = [value for name, value in pairs if name.startswith("arg")]
    return node
