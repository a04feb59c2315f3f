"""From the grammar's pieces to `syntax`: called by the parser while it reads, so that nothing is
ever walked recursively.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lark import Token, Transformer, v_args

from emulator.modfile.reading.keywords import FUNCTIONS, NAMING_FUNCTIONS
from emulator.modfile.reading.syntax import Call, Expression, Number, Operation, Symbol

SPECIAL_NUMBERS = ("inf", "nan")
LONGEST_SHIFT = 500
"""Periods of a lead or lag; every one is a variable of its own."""
_CANONICAL = {"ln": "log", "steady_state": "STEADY_STATE"}


class Complaint(Exception):
    """What is wrong at a token; the parser adds the file and the line."""

    def __init__(self, message: str, token: Token) -> None:
        super().__init__(message)
        self.token = token


@dataclass
class Names:
    """What the text's names are.

    `kinds` maps the names declared so far to what they are, `external` holds the declared
    functions; `undeclared` and `unknown_calls` collect the names of one item that are neither,
    `naming` those that are arguments of functions which name things other than variables.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    external: set[str] = field(default_factory=set)
    undeclared: list[Token] = field(default_factory=list)
    unknown_calls: list[Token] = field(default_factory=list)
    naming: set[str] = field(default_factory=set)


@v_args(inline=True)
class Builder(Transformer):
    """Makes `syntax` objects; `names` are those of the text that is read now."""

    def __init__(self) -> None:
        super().__init__()
        self.names = Names()

    def number(self, token: Token) -> Expression:
        return Number(float(token.lower().replace("d", "e")))

    def symbol(self, token: Token) -> Expression:
        if token not in self.names.kinds:
            if token.lower() in SPECIAL_NUMBERS:
                return Number(float(token))
            self.names.undeclared.append(token)
        return Symbol(str(token))

    def declared_symbol(self, token: Token, kind: Token) -> Expression:
        return Symbol(str(token))

    def text(self, token: Token) -> Expression:
        return Symbol(str(token[1:-1]))

    def signed(self, sign: Token, operand: Expression) -> Expression:
        return operand if sign == "+" else Operation("neg", (operand,))

    def power(self, base: Expression, exponent: Expression) -> Expression:
        return Operation("^", (base, exponent))

    def comparison(self, first: Expression, *rest: Any) -> Expression:
        for operator, operand in zip(rest[::2], rest[1::2], strict=True):
            first = Operation(str(operator), (first, operand))
        return first

    def sum(self, first: Expression, *rest: Any) -> Expression:
        if len(rest) == 2 and rest[0] == "-":
            return Operation("-", (first, rest[1]))
        terms = list(_operands(first, "+"))
        for sign, term in zip(rest[::2], rest[1::2], strict=True):
            terms += _operands(term, "+") if sign == "+" else [Operation("neg", (term,))]
        return Operation("+", tuple(terms))

    def product(self, first: Expression, *rest: Any) -> Expression:
        factors = list(_operands(first, "*"))
        for sign, factor in zip(rest[::2], rest[1::2], strict=True):
            if sign == "*":
                factors += _operands(factor, "*")
            else:
                factors = [Operation("/", (_joined(factors), factor))]
        return _joined(factors)

    def period(self, sign: Token | None, number: Token) -> int:
        return _whole(sign, number)

    def expectation(self, period: int, argument: Expression) -> Expression:
        return Call("EXPECTATION", (Number(float(period)), argument))

    def call(self, name: Token, *arguments: Expression | None) -> Expression:
        given = tuple(argument for argument in arguments if argument is not None)
        if name in self.names.kinds:
            return self._shifted(name, given)
        word = name.lower()
        if word in NAMING_FUNCTIONS:
            self.names.naming |= {
                argument.name for argument in given if isinstance(argument, Symbol)
            }
        elif word not in FUNCTIONS and name not in self.names.external:
            self.names.unknown_calls.append(name)
        if word in FUNCTIONS and len(given) not in FUNCTIONS[word]:
            wanted = " or ".join(map(str, FUNCTIONS[word]))
            raise Complaint(
                f"the function '{name}' takes {wanted} argument{'s' if wanted != '1' else ''},"
                f" found {len(given)}.",
                name,
            )
        return Call(_CANONICAL.get(word, word) if word in FUNCTIONS else str(name), given)

    def _shifted(self, name: Token, given: tuple[Expression, ...]) -> Expression:
        """`y(+1)`: a lead or lag. A parameter is the same at all times."""
        shift = _constant(given[0]) if len(given) == 1 else None
        if shift is not None and abs(shift) > LONGEST_SHIFT:
            raise Complaint(
                f"'{name}' has a lead or lag of more than {LONGEST_SHIFT} periods.", name
            )
        if shift is None:
            raise Complaint(
                f"'{name}' is a {self.names.kinds[name]}, not a function: a whole number was"
                f" expected in its brackets, as in {name}(-1).",
                name,
            )
        return Symbol(str(name), 0 if self.names.kinds[name] == "parameter" else shift)

    def lags(self, first: int, last: int | None) -> tuple[int, ...]:
        return (first,) if last is None else tuple(range(first, last + 1)[:LONGEST_SHIFT])

    def vector(self, *lags: tuple[int, ...]) -> Expression:
        return Call("[]", tuple(Number(float(k)) for part in lags for k in part))

    def tag(self, name: Token, value: Token | None) -> tuple[str, str]:
        return str(name), "" if value is None else str(value[1:-1])

    def tags(self, *tags: tuple[str, str]) -> dict[str, str]:
        return dict(tags)

    def equation(self, *parts: Any) -> tuple[dict[str, str], Expression, Expression | None]:
        tags, left, right = parts if isinstance(parts[0], dict) else ({}, *parts)
        return tags, left, right

    def local(self, *parts: Any) -> tuple[Token, Expression]:
        name, value = parts[-2:]
        return name, value

    def assignment(
        self, name: Token, value: Expression
    ) -> tuple[tuple[Token, ...], Expression, bool]:
        return (name,), value, False

    def multi_assignment(self, *parts: Any) -> tuple[tuple[Token, ...], Expression, bool]:
        return parts[:-1], parts[-1], True

    def shock_named(self, name: Token) -> tuple[str, tuple[Token, ...], Expression | None]:
        return "named", (name,), None

    def variance(
        self, name: Token, value: Expression
    ) -> tuple[str, tuple[Token, ...], Expression | None]:
        return "var", (name,), value

    def covariance(
        self, one: Token, other: Token, value: Expression
    ) -> tuple[str, tuple[Token, ...], Expression | None]:
        return "covar", (one, other), value

    def correlation(
        self, one: Token, other: Token, value: Expression
    ) -> tuple[str, tuple[Token, ...], Expression | None]:
        return "corr", (one, other), value

    def deviation(self, value: Expression) -> tuple[str, tuple[Token, ...], Expression | None]:
        return "stderr", (), value

    def estimand_parameter(self, name: Token) -> tuple[str, tuple[Token, ...]]:
        return "parameter", (name,)

    def estimand_stderr(self, name: Token) -> tuple[str, tuple[Token, ...]]:
        return "stderr", (name,)

    def estimand_corr(self, one: Token, other: Token) -> tuple[str, tuple[Token, ...]]:
        return "corr", (one, other)

    def field(self, value: Expression | Token | None) -> Expression | Token | None:
        return value

    def estimated(
        self, estimand: tuple[str, tuple[Token, ...]], *fields: Any
    ) -> tuple[str, tuple[Token, ...], list[Any]]:
        return *estimand, list(fields)

    def attribute(self, name: Token, value: Token) -> tuple[str, str]:
        return str(name), str(value[1:-1])

    def attributes(self, *attributes: tuple[str, str]) -> dict[str, str]:
        return dict(attributes)

    def declared(
        self, name: Token, tex: Token | None, attributes: dict[str, str] | None
    ) -> tuple[Token, str, dict[str, str]]:
        return name, "" if tex is None else str(tex[1:-1]), attributes or {}

    def declarations(self, *declared: Any) -> list[Any]:
        return list(declared)

    def value(self, expression: Expression) -> Expression:
        return expression

    def weight(
        self, one: Token, other: Token | None, value: Expression
    ) -> tuple[tuple[Token, ...], Expression]:
        return (one,) if other is None else (one, other), value


def _operands(expression: Expression, operator: str) -> tuple[Expression, ...]:
    """The operands of a chain of `+` or `*` in brackets, so that it joins the chain around it."""
    if isinstance(expression, Operation) and expression.operator == operator:
        return expression.operands
    return (expression,)


def _joined(factors: list[Expression]) -> Expression:
    return factors[0] if len(factors) == 1 else Operation("*", tuple(factors))


def _constant(expression: Expression) -> int | None:
    """The whole number that an expression is written as, None if it is anything else."""
    if (
        isinstance(expression, Operation)
        and expression.operator == "neg"
        and isinstance(expression.operands[0], Number)
    ):
        value = -expression.operands[0].value
    elif isinstance(expression, Number):
        value = expression.value
    else:
        return None
    return int(value) if value.is_integer() else None


def _whole(sign: Token | None, number: Token) -> int:
    if not number.isdigit():
        raise Complaint(f"a whole number of periods was expected, found {number}.", number)
    return -int(number) if sign == "-" else int(number)
