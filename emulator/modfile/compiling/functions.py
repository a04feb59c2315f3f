"""The functions of the language: their primitives, which NumPy computes, and how each is put
together from primitives in a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from emulator.modfile.compiling.graph import Graph


ZERO = 1e-12
"""Size of a base up to which a power is taken at zero (Dynare's `getPowerDeriv`)."""


def _normal_pdf(x: Any) -> Any:
    return np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)


def _power_derivative(base: Any, exponent: Any, order: Any) -> Any:
    """The derivative of that order of base^exponent by its base: p (p - 1) ... x^(p - order).

    At a base of zero a whole exponent that is smaller than the order gives zero, as a polynomial
    does, where the formula would divide by zero.
    """
    value = np.power(base, exponent - order)
    for k in range(int(order)):
        value = value * (exponent - k)
    whole = np.abs(exponent - np.round(exponent)) < ZERO
    flat = (np.abs(base) < ZERO) & (exponent >= 0) & (order > exponent) & whole
    return np.where(flat, 0.0, value)


PRIMITIVES: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "power": np.power,
    "power_derivative": _power_derivative,
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


def _rounded(x: Any) -> Any:
    """To the nearest whole number, halves away from zero as in MATLAB."""
    return np.sign(x) * np.floor(np.abs(x) + 0.5)


def _modulo(x: Any, y: Any) -> Any:
    return np.where(np.equal(y, 0), x, np.mod(x, np.where(np.equal(y, 0), 1.0, y)))


def _remainder(x: Any, y: Any) -> Any:
    return np.where(np.equal(y, 0), np.nan, np.fmod(x, np.where(np.equal(y, 0), 1.0, y)))


def _norminv(p: Any, mean: Any = 0.0, deviation: Any = 1.0) -> Any:
    return mean + deviation * special.ndtri(p)


MATLAB_CONSTANTS = {
    "pi": np.pi,
    "eps": np.finfo(float).eps,
    "inf": np.inf,
    "Inf": np.inf,
    "nan": np.nan,
    "NaN": np.nan,
}
"""What MATLAB knows without being told; a name of the file that is the same goes before it."""

MATLAB: dict[str, Callable[..., Any]] = {
    "round": _rounded,
    "floor": np.floor,
    "ceil": np.ceil,
    "fix": np.trunc,
    "mod": _modulo,
    "rem": _remainder,
    "norminv": _norminv,
    "erfinv": special.erfinv,
    "gamma": special.gamma,
    "gammaln": special.gammaln,
    "nthroot": lambda x, n: np.sign(x) * np.abs(x) ** (1.0 / n),
    "power": np.power,
    "log2": np.log2,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "hypot": np.hypot,
    "factorial": lambda n: special.gamma(n + 1.0),
    "nchoosek": special.binom,
}
"""Functions of MATLAB that values may call beside those of the language: of numbers, without
files.
"""

MATLAB_ARITIES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("mod", "rem", "nthroot", "power", "hypot", "nchoosek"), (2,)),
    "norminv": (1, 3),
}
"""How many arguments they take, where it is not one."""


def _primitive(head: str) -> Callable[..., int]:
    return lambda graph, *operands: graph.call(head, *operands)


def _log10(graph: Graph, x: int) -> int:
    return graph.sum([(1.0 / np.log(10.0), graph.call("log", x))])


def _normal(head: str) -> Callable[..., int]:
    """`normcdf` or `normpdf` of one argument or of (x, mean, deviation)."""

    def standardised(graph: Graph, x: int, *moments: int) -> int:
        if not moments:
            return graph.call(head, x)
        mean, deviation = moments
        value = graph.call(head, graph.divide(graph.subtract(x, mean), deviation))
        return graph.divide(value, deviation) if head == "normpdf" else value

    return standardised


SYMBOLIC: dict[str, Callable[..., int]] = {
    **{name: _primitive(name) for name in (*_SHARED, "cbrt", "sign")},
    "ln": _primitive("log"),
    "log10": _log10,
    "sqrt": lambda graph, x: graph.product([(x, 0.5)]),
    "abs": _primitive("absolute"),
    "max": _primitive("maximum"),
    "min": _primitive("minimum"),
    "normcdf": _normal("normcdf"),
    "normpdf": _normal("normpdf"),
}
"""The functions of the language on nodes of a graph."""

ARITIES: dict[str, tuple[int, ...]] = {
    "max": (2,),
    "min": (2,),
    "normcdf": (1, 3),
    "normpdf": (1, 3),
}
"""How many arguments a function takes, where it is not one."""
