"""The functions of the language, each written once for NumPy and once for SymPy.

SymPy's own `Max`, `Abs` and `sign` are not used: their derivatives are distributions or need
complex numbers. Ours have the derivatives that Dynare gives them (Dynare manual, section
"Expressions"): one-sided at a kink.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
from scipy import special


class _Numeric(sympy.Function):
    """A function of real numbers that SymPy leaves alone but for its derivative."""


class greater(_Numeric):
    """1 where the first argument is larger, else 0."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


class greater_equal(greater):
    """1 where the first argument is not smaller, else 0."""


class equal(greater):
    """1 where the arguments are equal, else 0."""


class maximum(_Numeric):
    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        first = greater(*self.args)
        return first if argindex == 1 else 1 - first


class minimum(_Numeric):
    nargs = 2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        first = greater(self.args[1], self.args[0])
        return first if argindex == 1 else 1 - first


class sign(_Numeric):
    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


class absolute(_Numeric):
    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sign(self.args[0])


class cbrt(_Numeric):
    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 1 / (3 * self**2)


class normpdf(_Numeric):
    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return -self.args[0] * self


class normcdf(_Numeric):
    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return normpdf(self.args[0])


def _normal_pdf(x: Any) -> Any:
    return np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)


PRIMITIVES: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "neg": np.negative,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": special.erf,
    "erfc": special.erfc,
    "cbrt": np.cbrt,
    "normpdf": _normal_pdf,
    "normcdf": special.ndtr,
    "sign": np.sign,
    "absolute": np.absolute,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "greater": lambda a, b: np.where(np.greater(a, b), 1.0, 0.0),
    "greater_equal": lambda a, b: np.where(np.greater_equal(a, b), 1.0, 0.0),
    "equal": lambda a, b: np.where(np.equal(a, b), 1.0, 0.0),
}
"""What a tape may ask for: float64 arrays or numbers in, the same out."""

SYMPY_HEADS: dict[type, str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.tan: "tan",
    sympy.asin: "asin",
    sympy.acos: "acos",
    sympy.atan: "atan",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.tanh: "tanh",
    sympy.asinh: "asinh",
    sympy.acosh: "acosh",
    sympy.atanh: "atanh",
    sympy.erf: "erf",
    sympy.erfc: "erfc",
    **{
        head: head.__name__
        for head in (
            greater,
            greater_equal,
            equal,
            maximum,
            minimum,
            sign,
            absolute,
            cbrt,
            normpdf,
            normcdf,
        )
    },
}
"""The primitive behind each head of a SymPy expression; sums, products and powers are the tape's
own affair.
"""


def _standardised(density: Callable[[Any], Any], scaled: bool) -> Callable[..., Any]:
    """`normcdf(x, mean, deviation)` and `normpdf` of the same, from the functions of one
    argument.
    """

    def three(x: Any, mean: Any = 0, deviation: Any = 1) -> Any:
        value = density((x - mean) / deviation)
        return value / deviation if scaled else value

    return three


_SHARED = (
    "exp",
    "log",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "erf",
    "erfc",
)

NUMERIC: dict[str, Callable[..., Any]] = {
    **{name: PRIMITIVES[name] for name in _SHARED},
    "ln": np.log,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "cbrt": np.cbrt,
    "abs": np.absolute,
    "sign": np.sign,
    "max": np.maximum,
    "min": np.minimum,
    "normcdf": _standardised(special.ndtr, scaled=False),
    "normpdf": _standardised(_normal_pdf, scaled=True),
}
"""The functions of the language on numbers."""

SYMBOLIC: dict[str, Callable[..., Any]] = {
    **{name: getattr(sympy, name) for name in _SHARED},
    "ln": sympy.log,
    "log10": lambda x: sympy.log(x) / sympy.log(sympy.Integer(10)),
    "sqrt": sympy.sqrt,
    "cbrt": cbrt,
    "abs": absolute,
    "sign": sign,
    "max": maximum,
    "min": minimum,
    "normcdf": _standardised(normcdf, scaled=False),
    "normpdf": _standardised(normpdf, scaled=True),
}
"""The functions of the language on symbols."""

ARITIES: dict[str, tuple[int, ...]] = {
    "max": (2,),
    "min": (2,),
    "normcdf": (1, 3),
    "normpdf": (1, 3),
}
"""How many arguments a function takes, where it is not one."""
