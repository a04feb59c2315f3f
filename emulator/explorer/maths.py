"""Equations of a `.mod` file as MathML, which browsers draw and read aloud by themselves.

Every name and number is escaped, and a name's TeX is read by a small table of its own, so that no
text of a file becomes markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice

from markupsafe import Markup

from emulator.modfile.reading.syntax import (
    Call,
    Equation,
    Expression,
    Number,
    Operation,
    Symbol,
    walk,
)

SMALL = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho"
OTHERS = "sigma tau upsilon phi chi psi omega varepsilon vartheta varphi varrho varsigma ell"
CAPITAL = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK = dict(
    zip(
        f"{SMALL} {OTHERS} {CAPITAL}".split(),
        "αβγδεζηθικλμνξοπρ" + "στυφχψωεϑφϱςℓ" + "ΓΔΘΛΞΠΣΥΦΨΩ",
        strict=True,
    )
)
"""Letters by TeX's names, some of which are also names of parameters."""

PIECE = r"(?:\\[A-Za-z]+|[A-Za-z0-9]|\{(?:\\[A-Za-z]+|[A-Za-z0-9, ])+\})"
TEX = re.compile(rf"(?P<base>\\?[A-Za-z]+)\s*(?:_(?P<sub>{PIECE}))?\s*(?:\^(?P<sup>{PIECE}))?")
"""The TeX of a name that is understood: a letter or word, with what stands below and above it."""

COMPARISONS = {"<": "<", ">": ">", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}

LOOSEST, SUM, PRODUCT, POWER, ATOM = range(5)
"""How tightly an expression holds together; what is looser than its place stands in brackets."""

LONGEST = 1_500
"""Parts of an equation that is written out; a longer one is told by its name and line alone."""


class Writer:
    """Writes expressions in which these names are dated; names: their TeX."""

    def __init__(self, names: Mapping[str, str], dated: frozenset[str]) -> None:
        self.names = names
        self.dated = dated

    def equation(self, equation: Equation) -> Markup:
        """One equation; empty where it has more parts than are written out."""
        parts = (part for side in (equation.left, equation.right) for part in walk(side))
        if next(islice(parts, LONGEST, None), None) is not None:
            return Markup("")
        left, right = (self._loose(side) for side in (equation.left, equation.right))
        return Markup('<math display="block"><mrow>{}<mo>=</mo>{}</mrow></math>').format(
            left, right
        )

    def _loose(self, expression: Expression) -> Markup:
        return self._in(expression, LOOSEST)

    def _in(self, expression: Expression, place: int) -> Markup:
        """An expression in a place that takes nothing looser."""
        written, tightness = self._written(expression)
        return _bracketed(written) if tightness < place else written

    def _written(self, expression: Expression) -> tuple[Markup, int]:
        if isinstance(expression, Number):
            return Markup("<mn>{}</mn>").format(f"{expression.value:.12g}"), ATOM
        if isinstance(expression, Symbol):
            return self._symbol(expression), ATOM
        if isinstance(expression, Call):
            return self._call(expression), ATOM
        return self._operation(expression)

    def _operation(self, expression: Operation) -> tuple[Markup, int]:
        sign, operands = expression.operator, expression.operands
        if sign == "neg":
            return Markup("<mo>−</mo>{}").format(self._in(operands[0], PRODUCT)), SUM
        if sign == "+":
            return self._sum(operands), SUM
        if sign == "-":
            return (
                Markup("{}<mo>−</mo>{}").format(
                    self._in(operands[0], SUM), self._in(operands[1], PRODUCT)
                ),
                SUM,
            )
        if sign == "*":
            return self._product(operands), PRODUCT
        if sign == "/":
            return (
                Markup("<mfrac><mrow>{}</mrow><mrow>{}</mrow></mfrac>").format(
                    *map(self._loose, operands)
                ),
                PRODUCT,
            )
        if sign == "^":
            return self._power(*operands), POWER
        return (
            Markup("{}<mo>{}</mo>{}").format(
                self._in(operands[0], SUM),
                COMPARISONS.get(sign, sign),
                self._in(operands[1], SUM),
            ),
            LOOSEST,
        )

    def _sum(self, operands: tuple[Expression, ...]) -> Markup:
        written = self._in(operands[0], SUM)
        for operand in operands[1:]:
            negative = isinstance(operand, Operation) and operand.operator == "neg"
            if isinstance(operand, Operation) and negative:
                written += Markup("<mo>−</mo>{}").format(self._in(operand.operands[0], PRODUCT))
            else:
                written += Markup("<mo>+</mo>{}").format(self._in(operand, SUM))
        return written

    def _product(self, operands: tuple[Expression, ...]) -> Markup:
        written = self._in(operands[0], PRODUCT)
        for operand in operands[1:]:
            sign = "·" if isinstance(operand, Number) else "\u2062"  # invisible times
            space = "" if isinstance(operand, Number) else '<mspace width="0.2em"/>'
            written += Markup("<mo>{}</mo>{}{}").format(
                sign, Markup(space), self._in(operand, PRODUCT)
            )
        return written

    def _power(self, base: Expression, exponent: Expression) -> Markup:
        if isinstance(base, Symbol):
            word, index, above = self._parts(base)
            if not above:  # the exponent stands above the date, as on paper
                return _scripts(word, index, self._loose(exponent))
        return Markup("<msup><mrow>{}</mrow><mrow>{}</mrow></msup>").format(
            self._in(base, ATOM), self._loose(exponent)
        )

    def _call(self, call: Call) -> Markup:
        if call.function == "STEADY_STATE" and len(call.arguments) == 1:
            rest = Writer(self.names, frozenset())
            return Markup("<mover><mrow>{}</mrow><mo>¯</mo></mover>").format(
                rest._loose(call.arguments[0])
            )
        arguments = [self._loose(argument) for argument in call.arguments]
        if call.function == "EXPECTATION" and len(arguments) == 2:
            shift = call.arguments[0]
            when = int(shift.value) if isinstance(shift, Number) else 0
            return Markup("<msub><mi>E</mi>{}</msub><mo>[</mo>{}<mo>]</mo>").format(
                _date(when), arguments[1]
            )
        if call.function == "sqrt" and len(arguments) == 1:
            return Markup("<msqrt>{}</msqrt>").format(arguments[0])
        joined = Markup("<mo>,</mo>").join(arguments)
        if call.function == "abs":
            return Markup("<mo>|</mo>{}<mo>|</mo>").format(joined)
        name = {"diff": "Δ", "ln": "log", "[]": ""}.get(call.function, call.function)
        return Markup("<mi>{}</mi><mo>\u2061</mo>{}").format(name, _bracketed(joined))

    def _symbol(self, symbol: Symbol) -> Markup:
        return _scripts(*self._parts(symbol))

    def _parts(self, symbol: Symbol) -> tuple[Markup, Markup, Markup]:
        """The word of a symbol, what stands below it, with its date, and what above."""
        base, below, above = letters(symbol.name, self.names.get(symbol.name, ""))
        date = _date(symbol.shift) if symbol.name in self.dated else Markup("")
        index = Markup("<mo>,</mo>").join(part for part in (_word(below), date) if part)
        return _word(base), index, _word(above)


def letters(name: str, tex: str) -> tuple[str, str, str]:
    """What a name is written as: its base, what stands below it, and what above; from its TeX where
    that is simple, else from the name.
    """
    match = TEX.fullmatch(tex.strip())
    if match is not None:
        base, *scripts = (_letters(part) for part in match.group("base", "sub", "sup"))
        if base is not None and None not in scripts:
            return base, scripts[0] or "", scripts[1] or ""
    base, _, below = name.partition("_")
    if not base:
        return name, "", ""
    return GREEK.get(base, base), " ".join(GREEK.get(p, p) for p in below.split("_") if p), ""


def _letters(tex: str | None) -> str | None:
    """A piece of TeX in letters; None where it has a command that is not known."""
    if tex is None:
        return ""
    parts = re.findall(r"\\[A-Za-z]+|[A-Za-z0-9, ]+", tex)
    written = [GREEK.get(part[1:]) if part.startswith("\\") else part for part in parts]
    return None if None in written else "".join(part for part in written if part)


def _word(text: str) -> Markup:
    return Markup("<mi>{}</mi>").format(text) if text else Markup("")


def _date(shift: int) -> Markup:
    if shift == 0:
        return Markup("<mi>t</mi>")
    return Markup("<mi>t</mi><mo>{}</mo><mn>{}</mn>").format("+" if shift > 0 else "−", abs(shift))


def _scripts(base: Markup, below: Markup, above: Markup) -> Markup:
    if below and above:
        return Markup("<msubsup>{}<mrow>{}</mrow><mrow>{}</mrow></msubsup>").format(
            base, below, above
        )
    if below:
        return Markup("<msub>{}<mrow>{}</mrow></msub>").format(base, below)
    return Markup("<msup>{}<mrow>{}</mrow></msup>").format(base, above) if above else base


def _bracketed(written: Markup) -> Markup:
    return Markup("<mrow><mo>(</mo>{}<mo>)</mo></mrow>").format(written)
