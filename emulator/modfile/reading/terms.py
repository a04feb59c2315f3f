"""Expressions of a `.mod` file, and where in it something stands: the smallest pieces of
`syntax`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Where something stands in the file that the user wrote (before macros were expanded)."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Symbol:
    """A variable, shock, parameter or local; `shift` is its lead (+) or lag (-), 0 for today."""

    name: str
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """`+` and `*` of two or more operands (chains are flat); `-`, `/`, `^` and comparisons of two;
    `neg` of one.

    Operators: + - * / ^ neg < > <= >= == !=. A comparison is worth 1 where it holds, else 0.
    """

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language: exp log (ln) log10 sqrt cbrt abs sign max min sin cos tan asin
    acos atan sinh cosh tanh asinh acosh atanh normcdf normpdf erf erfc, and the operators
    STEADY_STATE, EXPECTATION, diff, adl; `[]` is the vector of lags of an adl.

    Names other than these are external functions and stay as they are written. `normcdf` and
    `normpdf` take one argument or three (x, mean, standard deviation). `EXPECTATION` has its period
    as first argument.
    """

    function: str
    arguments: tuple[Expression, ...]


Expression = Number | Symbol | Operation | Call


def parts(expression: Expression) -> tuple[Expression, ...]:
    """What an expression is made of, one level down."""
    if isinstance(expression, Operation):
        return expression.operands
    return expression.arguments if isinstance(expression, Call) else ()


def walk(expression: Expression) -> Iterator[Expression]:
    """An expression and everything in it, in order of appearance; with a stack of its own, so that
    depth does not matter.
    """
    stack = [expression]
    while stack:
        part = stack.pop()
        yield part
        stack.extend(reversed(parts(part)))


def symbols(expression: Expression) -> Iterator[Symbol]:
    """Every symbol of an expression, in order of appearance, repeats included."""
    return (part for part in walk(expression) if isinstance(part, Symbol))


def calls(expression: Expression) -> Iterator[Call]:
    """Every function call of an expression."""
    return (part for part in walk(expression) if isinstance(part, Call))
