"""Values and derivatives of the graph are those of SymPy, which has no part in the package; powers
at zero and kinks are as Dynare has them.
"""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.modfile.compiling.differentiate import gradient, higher
from emulator.modfile.compiling.functions import SYMBOLIC
from emulator.modfile.compiling.graph import Graph
from emulator.modfile.compiling.namespace import operation
from emulator.modfile.compiling.tape import record

pytestmark = pytest.mark.fast

NAMES = "xyz"
BY_SYMPY = {
    "sqrt": sympy.sqrt,
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "cbrt": lambda x: x ** sympy.Rational(1, 3),
    "normcdf": lambda x: (1 + sympy.erf(x / sympy.sqrt(2))) / 2,
    "normpdf": lambda x: sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi),
}
SMOOTH = (
    "exp", "log", "log10", "sqrt", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
    "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "normcdf", "normpdf",
)  # fmt: skip


def in_graph(tree, graph):
    """A tree of tuples (operation, operands) as a node."""
    if isinstance(tree, str):
        return graph.symbol(tree)
    if isinstance(tree, float):
        return graph.number(tree)
    head, *operands = tree
    nodes = [in_graph(operand, graph) for operand in operands]
    if head in SYMBOLIC:
        return SYMBOLIC[head](graph, *nodes)
    return operation(graph, head, nodes)


def in_sympy(tree):
    if isinstance(tree, str):
        return sympy.Symbol(tree)
    if isinstance(tree, float):
        return sympy.Float(tree, 30)
    head, *operands = tree
    parts = [in_sympy(operand) for operand in operands]
    if head in BY_SYMPY:
        return BY_SYMPY[head](*parts)
    if head in SYMBOLIC:
        return getattr(sympy, head)(*parts)
    first, second = (*parts, None) if len(parts) == 1 else parts
    return {
        "+": lambda: first + second,
        "-": lambda: first - second,
        "*": lambda: first * second,
        "/": lambda: first / second,
        "^": lambda: first**second,
        "neg": lambda: -first,
    }[head]()


def grown(children):
    pairs = st.tuples(children, children)
    return st.one_of(
        st.tuples(st.sampled_from("+-*"), children, children),
        pairs.map(lambda p: ("/", p[0], ("+", 1.0, ("*", p[1], p[1])))),
        pairs.map(lambda p: ("^", ("+", 2.0, ("*", p[0], p[0])), p[1])),
        children.map(lambda e: ("exp", ("neg", ("*", e, e)))),
        children.map(lambda e: ("log", ("+", 1.5, ("*", e, e)))),
        children.map(lambda e: ("^", ("+", 1.0, ("^", e, 2.0)), -0.5)),
        children.map(lambda e: ("normcdf", e)),
        children.map(lambda e: ("sin", e)),
    )


TREES = st.recursive(st.sampled_from([*NAMES, ("*", 2.0, "x"), 0.37]), grown, max_leaves=5)
POINT = (0.31, -0.74, 1.17)


def check(tree, point, order, tolerance=1e-9):
    """All derivatives up to `order` against SymPy's, evaluated in 30 digits."""
    graph = Graph()
    symbols = [graph.symbol(name) for name in NAMES]
    root = in_graph(tree, graph)
    first = gradient(graph, root, symbols)
    derivatives = {(): root} | {(symbol,): node for symbol, node in first.items()}
    for k in range(2, order + 1):
        derivatives |= higher(graph, first, symbols, k)
    tape = record(graph, symbols, list(derivatives.values()))
    values = dict(zip(derivatives, tape(list(point)), strict=True))
    reference = in_sympy(tree)
    at = dict(zip(map(sympy.Symbol, NAMES), point, strict=True))
    for indices in _orders(order):
        exact = reference.diff(*(sympy.Symbol(NAMES[k]) for k in indices)) if indices else reference
        wanted = float(exact.evalf(30, subs=at)) if exact.free_symbols else float(exact)
        value = values.get(tuple(symbols[k] for k in indices), 0.0)
        assert value == pytest.approx(wanted, rel=tolerance, abs=tolerance), (tree, indices)


def _orders(order):
    layer = [()]
    for _ in range(order + 1):
        yield from layer
        layer = [(*by, k) for by in layer for k in range(by[-1] if by else 0, len(NAMES))]


@settings(max_examples=25, deadline=None)
@given(TREES)
def test_values_and_derivatives_are_those_of_sympy(tree):
    check(tree, POINT, 2)


@settings(max_examples=6, deadline=None)
@given(st.recursive(st.sampled_from([*NAMES]), grown, max_leaves=3))
def test_third_derivatives_are_those_of_sympy(tree):
    check(tree, POINT, 3)


@pytest.mark.parametrize("name", SMOOTH)
def test_every_function_has_three_derivatives(name):
    inside = ("+", 1.3, "x") if name == "acosh" else ("*", 0.5, ("*", "x", "y"))
    check((name, inside), (0.4, 1.1, 0.0), 3)


def derivative(tree, order, point):
    """By x, `order` times, at values of x and y."""
    graph = Graph()
    x, y = graph.symbol("x"), graph.symbol("y")
    node = in_graph(tree, graph)
    for _ in range(order):
        node = gradient(graph, node, [x]).get(x, graph.zero)
    return record(graph, [x, y], [node])(list(point))[0]


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_power_at_zero_has_the_derivatives_of_a_polynomial(exponent, order):
    wanted = {(1.0, 1): 1.0, (2.0, 2): 2.0, (3.0, 3): 6.0}.get((exponent, order), 0.0)
    assert derivative(("^", "x", "y"), order, (0.0, exponent)) == wanted
    many = derivative(("^", "x", "y"), order, (np.zeros(3), np.full(3, exponent)))
    np.testing.assert_array_equal(np.broadcast_to(many, 3), wanted)


def test_a_fractional_power_at_zero_has_no_slope():
    assert derivative(("^", "x", "y"), 1, (0.0, 0.5)) == np.inf


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        (("max", "x", "y"), lambda x, y: x > y),
        (("min", "x", "y"), lambda x, y: x < y),
        (("abs", ("*", "x", "y")), lambda x, y: np.sign(x * y) * y),
        (("*", ("sign", "x"), "x"), lambda x, y: np.sign(x)),
        (("*", (">", "x", "y"), "x"), lambda x, y: x > y),
        (("*", ("==", "x", "y"), "x"), lambda x, y: x == y),
        (("*", ("!=", "x", "y"), "x"), lambda x, y: x != y),
        (("cbrt", "x"), lambda x, y: np.abs(x) ** (-2 / 3) / 3),
    ],
)
def test_derivatives_at_kinks_are_one_sided(tree, wanted):
    points = np.random.default_rng(1).uniform(-2, 2, (2, 50))
    np.testing.assert_allclose(
        derivative(tree, 1, points), np.asarray(wanted(*points), dtype=float), rtol=1e-13
    )
