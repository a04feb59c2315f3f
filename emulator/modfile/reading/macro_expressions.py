"""Expressions of the macro language: their syntax trees and their evaluation.

Dynare Reference Manual, ch. 5 "Macro processing language".
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.macro_values import (
    ARITHMETIC,
    FUNCTIONS,
    LONGEST,
    QUESTIONS,
    MacroError,
    Value,
    arithmetic,
    array,
    converted,
    kind_of,
    length,
    picked,
    product,
    real,
    show,
    truth,
    whole,
)

DEEPEST = 100
"""Nested expressions and calls of macro functions."""

LETTERS = 10
"""Letters of a string that cost as much as one element of an array."""

_BUILDING = frozenset(
    {"array", "tuple", "comprehension", "selection", "binary", "union", "cast", "power"}
)
"""Rules that make longer values of shorter ones."""


@dataclass
class Scope:
    """What `@#define` has set: values, and functions as (argument names, body)."""

    values: dict[str, Value] = field(default_factory=dict)
    functions: dict[str, tuple[list[str], Tree]] = field(default_factory=dict)
    depth: int = 0
    budget: Budget = field(default_factory=Budget)
    """Of the file: all its scopes share it."""

    def inner(self, values: dict[str, Value]) -> Scope:
        """A scope in which some names have other values."""
        self.budget.macros(elements=len(self.values))
        return replace(self, values={**self.values, **values})


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    text = files("emulator.modfile.reading").joinpath("macro.lark").read_text(encoding="utf-8")
    return Lark(
        text, parser="lalr", start=["value", "define", "loop", "test_name"], maybe_placeholders=True
    )


def parse_macro(text: str, start: str = "value") -> Tree:
    """The syntax tree of an expression or of the head of a directive (`define`, `loop`,
    `test_name`).
    """
    try:
        tree = _grammar().parse(text, start=start)
    except UnexpectedInput as error:
        rest = (
            " ".join(text[error.pos_in_stream or 0 :].split())[:40]
            if (error.pos_in_stream or 0) >= 0
            else ""
        )
        reason = f"unexpected '{rest}'" if rest else "it ends too early"
        raise MacroError(
            f"the macro expression '{' '.join(text.split())[:80]}' is not understood: {reason}."
        ) from None
    return tree


def evaluate(tree: Any, scope: Scope) -> Value:
    """The value of a tree of `parse_macro`; MacroError says what is wrong."""
    if scope.depth > DEEPEST:
        raise MacroError(
            f"macro expressions or functions nest more than {DEEPEST} deep; does a function call"
            " itself without end?"
        )
    scope.budget.macros(evaluations=1)
    value = _RULES[tree.data](replace(scope, depth=scope.depth + 1), *tree.children)
    if tree.data in _BUILDING:
        size = length(value)
        if size > LONGEST:
            raise MacroError(f"a macro value has more than {LONGEST:,} elements.")
        if isinstance(value, str):
            scope.budget.macros(built=size // LETTERS)
        elif isinstance(value, list | tuple):
            scope.budget.macros(elements=size, built=len(value))
    return value


def target_names(target: Tree) -> list[str]:
    """The names of a loop's variable: one, or those of `(i, j)`."""
    [first] = target.children
    return [str(name) for name in first.children] if isinstance(first, Tree) else [str(first)]


def bindings(
    target: Tree, elements: Value, condition: Tree | None, scope: Scope
) -> Iterator[dict[str, Value]]:
    """The values that a loop's names take, one dictionary a turn; elements for which `when` does
    not hold are left out.
    """
    names = target_names(target)
    scope.budget.macros(elements=length(elements))
    single = not isinstance(target.children[0], Tree)
    for element in array(elements, "a loop"):
        parts = (element,) if single else element
        if not isinstance(parts, tuple) or len(parts) != len(names):
            raise MacroError(
                f"({', '.join(names)}) needs tuples of {len(names)}, found {show(element, True)}."
            )
        bound = dict(zip(names, parts, strict=True))
        if condition is None or truth(evaluate(condition, scope.inner(bound))):
            yield bound


def _binary(scope: Scope, left_tree: Tree, sign: Token, right_tree: Tree) -> Value:
    left = evaluate(left_tree, scope)
    right = evaluate(right_tree, scope)
    if sign in ("==", "!="):
        scope.budget.macros(elements=length(left))
        same = type(left) is type(right) and left == right
        return same if sign == "==" else not same
    if sign in ("<", ">", "<=", ">="):
        if isinstance(left, str) and isinstance(right, str):
            return bool(ARITHMETIC[sign](left, right))
        return bool(arithmetic(sign, ARITHMETIC[sign], left, right))
    if sign == "+" and isinstance(left, str | list) and type(left) is type(right):
        return left + right  # type: ignore[operator]
    if sign == "-" and isinstance(left, list):
        removed = array(right, "'-'")
        scope.budget.macros(elements=len(left) * length(removed))
        return [element for element in left if element not in removed]
    if sign == "*" and isinstance(left, list):
        scope.budget.macros(elements=len(left) * len(array(right, "'*'")))
        return product(left, array(right, "'*'"))
    return arithmetic(sign, ARITHMETIC[sign], left, right)


def _power(scope: Scope, base_tree: Tree, exponent_tree: Tree) -> Value:
    base = evaluate(base_tree, scope)
    exponent = evaluate(exponent_tree, scope)
    if isinstance(base, list):
        times = whole(exponent, "'^'")
        if not 1 <= times <= 20:
            raise MacroError(f"an array can be raised to a power from 1 to 20, not {times}.")
        return base if times == 1 else product(*[base] * times)
    return arithmetic("^", operator.pow, base, exponent)


def _range(scope: Scope, *parts: Tree) -> Value:
    values = [real(evaluate(part, scope), "':'") for part in parts]
    first, step, last = values if len(values) == 3 else (values[0], 1.0, values[1])
    if step == 0 or not all(math.isfinite(value) for value in values):
        raise MacroError("a range a:step:b needs finite numbers and a step other than zero.")
    count = math.floor((last - first) / step + 1e-9) + 1
    if count > LONGEST:
        raise MacroError(f"a range has more than {LONGEST:,} elements.")
    scope.budget.macros(built=max(count, 0))
    return [first + step * k for k in range(max(count, 0))]


def _contains(scope: Scope, element_tree: Tree, whole_tree: Tree) -> bool:
    element = evaluate(element_tree, scope)
    container = evaluate(whole_tree, scope)
    scope.budget.macros(elements=length(container))
    if isinstance(container, str) and isinstance(element, str):
        return element in container
    return element in array(container, "'in'")


def _sets(keep: Callable[[Value, list], bool], whole: bool) -> Callable[..., Value]:
    def operation(scope: Scope, left_tree: Tree, right_tree: Tree) -> Value:
        left, right = (
            array(evaluate(tree, scope), "'|' or '&'") for tree in (left_tree, right_tree)
        )
        scope.budget.macros(elements=len(left) * length(right))
        return (
            [*left, *(x for x in right if x not in left)]
            if whole
            else [x for x in left if keep(x, right)]
        )

    return operation


def _index(scope: Scope, value_tree: Tree, *index_trees: Tree) -> Value:
    value = evaluate(value_tree, scope)
    if not isinstance(value, str | list | tuple):
        raise MacroError(f"{kind_of(value)} has no elements to pick.")
    indices = [evaluate(tree, scope) for tree in index_trees]
    picks = [
        whole(pick, "an index")
        for index in indices
        for pick in (index if isinstance(index, list) else [index])
    ]
    scope.budget.macros(built=len(picks))
    return picked(value, picks, single=len(picks) == 1 and not isinstance(indices[0], list))


def _cast(scope: Scope, kind: Token, tree: Tree) -> Value:
    value = evaluate(tree, scope)
    scope.budget.macros(elements=length(value))
    return converted(value, kind.strip("() \t\n"))


def _name(scope: Scope, name: Token) -> Value:
    if name in scope.values:
        return scope.values[name]
    if name in ("true", "false"):
        return name == "true"
    if name in ("inf", "nan"):
        return float(name)
    raise MacroError(
        f"the macro variable '{name}' is not defined; define it with '@#define {name} = ...'."
    )


def _comprehension(
    scope: Scope, body: Tree, target: Tree, elements: Tree, condition: Tree | None
) -> Value:
    return [
        evaluate(body, scope.inner(bound))
        for bound in bindings(target, evaluate(elements, scope), condition, scope)
    ]


def _selection(scope: Scope, target: Tree, elements: Tree, condition: Tree) -> Value:
    names = target.children if target.data == "tuple" else [target]
    if not all(isinstance(name, Tree) and name.data == "name" for name in names):
        raise MacroError(
            "'[x in array when condition]' needs a name, or names in brackets, before 'in'."
        )
    tokens = [name.children[0] for name in names]
    pattern = Tree("target", [Tree("names", tokens) if target.data == "tuple" else tokens[0]])
    chosen = bindings(pattern, evaluate(elements, scope), condition, scope)
    return [
        tuple(bound.values()) if target.data == "tuple" else next(iter(bound.values()))
        for bound in chosen
    ]


def _call(scope: Scope, name: Token, *trees: Tree | None) -> Value:
    given = [tree for tree in trees if tree is not None]
    if name == "defined":
        known = given[0].children[0] if len(given) == 1 and given[0].data == "name" else None
        if known is None:
            raise MacroError("'defined' takes one name.")
        return known in scope.values or known in scope.functions
    values = [evaluate(tree, scope) for tree in given]
    if name in scope.functions:
        arguments, body = scope.functions[name]
        if len(arguments) != len(values):
            raise MacroError(
                f"the macro function '{name}' takes {len(arguments)} arguments, found"
                f" {len(values)}."
            )
        return evaluate(body, scope.inner(dict(zip(arguments, values, strict=True))))
    if name in QUESTIONS and len(values) == 1:
        if name == "sum":
            scope.budget.macros(elements=length(values[0]))
        return QUESTIONS[name](values[0])
    if name in FUNCTIONS:
        return arithmetic(name, FUNCTIONS[name], *values)
    raise MacroError(f"there is no macro function '{name}' of {len(values)} arguments.")


_RULES: dict[str, Callable[..., Value]] = {
    "number": lambda scope, token: float(token),
    "string": lambda scope, token: str(token[1:-1]),
    "name": _name,
    "call": _call,
    "array": lambda scope, *trees: [evaluate(tree, scope) for tree in trees],
    "tuple": lambda scope, *trees: tuple(evaluate(tree, scope) for tree in trees),
    "comprehension": _comprehension,
    "selection": _selection,
    "either": (
        lambda scope, left, right: truth(evaluate(left, scope)) or truth(evaluate(right, scope))
    ),
    "both": (
        lambda scope, left, right: truth(evaluate(left, scope)) and truth(evaluate(right, scope))
    ),
    "negation": lambda scope, tree: not truth(evaluate(tree, scope)),
    "binary": _binary,
    "contains": _contains,
    "range": _range,
    "union": _sets(lambda x, right: True, whole=True),
    "intersection": _sets(lambda x, right: x in right, whole=False),
    "signed": (
        lambda scope, sign, tree: (
            (-1.0 if sign == "-" else 1.0) * real(evaluate(tree, scope), f"'{sign}'")
        )
    ),
    "cast": _cast,
    "power": _power,
    "index": _index,
}
