"""The block `occbin_constraints`: when each constraint binds and when it is relaxed; and the
equations that hold where it does, by their tags `bind` and `relax`. And `ramsey_constraints`, the
bounds of a planner's variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from emulator.errors import ModFileError
from emulator.modfile.reading.grammar import Reader, check_depth
from emulator.modfile.reading.scanner import Block
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax import (
    Equation,
    Expression,
    ModFile,
    Number,
    Operation,
    Symbol,
    symbols,
)
from emulator.modfile.reading.syntax_policy import (
    Constraint,
    Constraints,
    PlannerBound,
    PlannerBounds,
)

_NAME = re.compile(r"(['\"])([A-Za-z_]\w*)\1\s*$|([A-Za-z_]\w*)\s*$")
_WORDS = ("name", "bind", "relax", "error_bind", "error_relax")
COMPARISONS = ("<", ">", "<=", ">=")
MOST = 2
"""Constraints of a file, as in Dynare."""


def read_constraints(block: Block, reader: Reader) -> Constraints:
    """`name 'zlb'; bind i < -0.01; relax r > -0.01;`, of one constraint after another."""
    parts: list[tuple[str, Span, dict[str, Expression]]] = []
    for item in block.items:
        word = item.text.split(None, 1)[0].lower()
        rest = item.part(len(word))
        if word not in _WORDS:
            raise ModFileError(
                f"'{word}' was not expected in the block '{block.word}'; expected one of"
                f" {', '.join(_WORDS)}.",
                item.place,
            )
        if word == "name":
            match = _NAME.match(rest.text)
            if match is None:
                raise ModFileError("a name in quotes was expected behind 'name'.", item.place)
            parts.append((match[2] or match[3], item, {}))
        elif not parts:
            raise ModFileError(
                f"'{word}' stands before the constraint has a name; expected name '...'; first.",
                item.place,
            )
        elif word in parts[-1][2]:
            raise ModFileError(
                f"the constraint '{parts[-1][0]}' has two lines '{word}'.", item.place
            )
        else:
            parts[-1][2][word] = _condition(word, rest, reader)
    _check(block, [name for name, _, _ in parts])
    return Constraints(
        tuple(_constraint(name, item, fields) for name, item, fields in parts), block.head.place
    )


def _condition(word: str, rest: Span, reader: Reader) -> Expression:
    value: Expression = reader.read(rest, "value", f"the condition '{word}'", strict=True)
    check_depth(value, rest)
    dated = next((s for s in symbols(value) if s.shift), None)
    if dated is not None:
        raise ModFileError(
            f"'{word}' holds '{dated.name}' at another date. Define a variable for it in the"
            " model.",
            rest.place,
        )
    shock = next(
        (s for s in symbols(value) if reader.kinds.get(s.name, "").endswith("shock")), None
    )
    if shock is not None:
        raise ModFileError(
            f"'{word}' holds the shock '{shock.name}'. Define a variable for it in the model:"
            " conditions are of endogenous variables and parameters.",
            rest.place,
        )
    if word in ("bind", "relax") and not (
        isinstance(value, Operation) and value.operator in COMPARISONS
    ):
        raise ModFileError(
            f"a comparison was expected behind '{word}': left < right, or one with >, <=, >=.",
            rest.place,
        )
    return value


def _constraint(name: str, item: Span, fields: dict[str, Expression]) -> Constraint:
    if "bind" not in fields:
        raise ModFileError(f"the constraint '{name}' has no line 'bind'.", item.place)
    bind, relax = fields["bind"], fields.get("relax")
    assert isinstance(bind, Operation)
    assert relax is None or isinstance(relax, Operation)
    return Constraint(name, bind, relax, item.place)


def _check(block: Block, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ModFileError(f"the constraint '{twice}' stands twice.", block.head.place)
    if not 1 <= len(names) <= MOST:
        raise ModFileError(
            f"the block '{block.word}' has {len(names)} constraints; expected one or two.",
            block.head.place,
        )


def constraints_of(file: ModFile) -> tuple[Constraint, ...]:
    """The constraints of a file; of several blocks the last one. Raises `ModFileError` for a tag
    that names no constraint.
    """
    block = next((s for s in reversed(file.statements) if isinstance(s, Constraints)), None)
    constraints = () if block is None else block.constraints
    known = {constraint.name for constraint in constraints}
    for equation in file.model.equations:
        unknown = next(
            (name for tag in ("bind", "relax") for name in names_in(equation, tag) - known), None
        )
        if block is not None and unknown is not None:
            raise ModFileError(
                f"the equation's tag names the constraint '{unknown}', which occbin_constraints"
                f" does not: it has {', '.join(sorted(known))}.",
                equation.place,
            )
    return constraints


def names_in(equation: Equation, tag: str) -> set[str]:
    """The constraints that a tag of an equation names."""
    return {name.strip() for name in equation.tags.get(tag, "").split(",")} - {""}


def in_regime(file: ModFile, binding: Iterable[str]) -> ModFile:
    """The file with the equations of the regime in which just these constraints bind.

    Raises `ModFileError` for an equation that has no version there.
    """
    held = set(binding)
    equations: list[Equation] = []
    versions: dict[str, list[Equation]] = {}
    for equation in file.model.equations:
        if not {"bind", "relax"} & equation.tags.keys():
            equations.append(equation)
            continue
        name = equation.tags.get("name", "")
        if not name:
            raise ModFileError(
                "an equation with a tag 'bind' or 'relax' needs a tag 'name', which its other"
                " versions share.",
                equation.place,
            )
        if name not in versions:
            versions[name] = []
            equations.append(equation)  # its place among the others
        if names_in(equation, "bind") <= held and not names_in(equation, "relax") & held:
            versions[name].append(equation)
    chosen = [
        _version(equation, versions[equation.tags["name"]], held)
        if {"bind", "relax"} & equation.tags.keys()
        else equation
        for equation in equations
    ]
    return replace(file, model=replace(file.model, equations=tuple(chosen)))


def _version(first: Equation, versions: Sequence[Equation], held: set[str]) -> Equation:
    if not versions:
        where = f"where {' and '.join(sorted(held))} binds" if held else "where nothing binds"
        raise ModFileError(
            f"the equation '{first.tags['name']}' has no version {where}; write one with the tag"
            " bind or relax.",
            first.place,
        )
    tags = {name: text for name, text in first.tags.items() if name not in ("bind", "relax")}
    if len(versions) == 1:
        return replace(versions[0], tags=tags)
    terms = tuple(Operation("-", (version.left, version.right)) for version in versions)
    return Equation(Operation("+", terms), Number(0.0), first.place, tags)


def read_planner_bounds(block: Block, reader: Reader) -> PlannerBounds:
    """`i > 0;` and the like; the bound is a value of the file's parameters."""
    bounds = []
    for item in block.items:
        value = reader.read(item, "value", f"the block '{block.word}'", strict=True)
        check_depth(value, item)
        if not isinstance(value, Operation) or value.operator not in COMPARISONS:
            raise _not_a_bound(block, item)
        variable, bound = value.operands
        if (
            not isinstance(variable, Symbol)
            or variable.shift
            or reader.kinds.get(variable.name) != "variable"
        ):
            raise _not_a_bound(block, item)
        other = next((s for s in symbols(bound) if reader.kinds.get(s.name) != "parameter"), None)
        if other is not None:
            raise ModFileError(
                f"the bound of '{variable.name}' holds '{other.name}'; a value of numbers and"
                " parameters was expected. Define a variable for the difference in the model, and"
                " bound that.",
                item.place,
            )
        side = 1.0 if value.operator[0] == ">" else -1.0
        bounds.append(PlannerBound(variable.name, side, bound, item.place))
    return PlannerBounds(tuple(bounds), block.head.place)


def _not_a_bound(block: Block, item: Span) -> ModFileError:
    return ModFileError(
        f"a variable, < or >, and a value were expected in the block '{block.word}', as in i > 0;",
        item.place,
    )
