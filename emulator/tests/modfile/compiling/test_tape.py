"""Tapes give the values of their expressions, survive a trip through JSON, and cannot be made to do
anything else.
"""

import json

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from emulator.errors import ModFileError
from emulator.modfile.compiling.functions import (
    absolute,
    cbrt,
    greater,
    maximum,
    minimum,
    normcdf,
    normpdf,
    sign,
)
from emulator.modfile.compiling.tape import Tape, record

pytestmark = pytest.mark.fast

X, Y, Z = (sympy.Symbol(name) for name in "xyz")
OURS = {
    "maximum": np.maximum,
    "minimum": np.minimum,
    "absolute": np.abs,
    "sign": np.sign,
    "cbrt": np.cbrt,
    "normcdf": special.ndtr,
    "normpdf": lambda x: np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
    "greater": lambda a, b: np.where(a > b, 1.0, 0.0),
}
LEAVES = st.sampled_from(
    [X, Y, Z, 2 * X, Y - 3, sympy.Float(0.37) * Z, Z / 3]
)  # numbers alone are folded before they reach a tape


def grown(children):
    return st.one_of(
        st.tuples(children, children).map(lambda pair: pair[0] + pair[1]),
        st.tuples(children, children).map(lambda pair: pair[0] - pair[1]),
        st.tuples(children, children).map(lambda pair: pair[0] * pair[1]),
        st.tuples(children, children).map(lambda pair: pair[0] / (1 + pair[1] ** 2)),
        children.map(lambda e: sympy.exp(-(e**2))),
        children.map(lambda e: sympy.log(1 + e**2)),
        children.map(lambda e: (1 + e**2) ** sympy.Rational(-1, 2)),
        children.map(lambda e: (2 + e**2) ** Y),
        children.map(normcdf),
        st.tuples(children, children).map(lambda pair: maximum(*pair)),
    )


def by_sympy(expression, points):
    function = sympy.lambdify((X, Y, Z), expression, [OURS, "numpy"])
    with np.errstate(all="ignore"):
        return np.broadcast_to(function(*points), points[0].shape).astype(float)


@settings(max_examples=150, deadline=None)
@given(st.recursive(LEAVES, grown, max_leaves=12))
def test_values_are_those_of_sympy(expression):
    points = list(np.random.default_rng(0).uniform(-1.5, 1.5, (3, 7)))
    tape = record([X, Y, Z], [expression, expression])
    first, second = (np.broadcast_to(value, 7) for value in tape(points))
    wanted = by_sympy(expression, points)
    np.testing.assert_allclose(first, wanted, rtol=1e-11, atol=1e-11)
    np.testing.assert_array_equal(first, second)
    again = Tape.parse(json.loads(json.dumps(tape.dump())))
    assert again == tape


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (maximum(X, Y), lambda x, y: x > y),
        (minimum(X, Y), lambda x, y: x < y),
        (absolute(X * Y), lambda x, y: np.sign(x * y) * y),
        (sign(X) * X, lambda x, y: np.sign(x)),
        (greater(X, Y) * X, lambda x, y: x > y),
        (cbrt(X), lambda x, y: np.abs(x) ** (-2 / 3) / 3),
        (normcdf(X * Y), lambda x, y: y * np.exp(-((x * y) ** 2) / 2) / np.sqrt(2 * np.pi)),
        (normpdf(X), lambda x, y: -x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)),
    ],
)
def test_derivatives_of_functions_with_kinks_are_one_sided(function, wanted):
    points = list(np.random.default_rng(1).uniform(-2, 2, (2, 50)))
    found = record([X, Y], [function.diff(X)])(points)[0]
    np.testing.assert_allclose(
        found, np.asarray(wanted(*points), dtype=float), rtol=1e-13, atol=1e-14
    )


def test_a_subexpression_is_computed_once():
    tape = record([X, Y], [sympy.exp(X * Y) + 1, 2 * sympy.exp(X * Y)])
    assert sum(name == "exp" for name, _ in tape.steps) == 1


def test_expressions_of_thousands_of_terms_do_not_exhaust_the_stack():
    deep = X
    for k in range(3000):
        deep = sympy.sin(deep + k, evaluate=False)
    value = record([X], [deep])([np.array([0.3])])[0]
    wanted = 0.3
    for k in range(3000):
        wanted = np.sin(wanted + k)
    assert value[0] == pytest.approx(wanted, abs=1e-12)


def test_unused_registers_are_freed_but_outputs_kept():
    tape = record([X], [X + 1, (X + 1) ** 2, sympy.exp((X + 1) ** 2)])
    found = [float(value[0]) for value in tape([np.array([0.5])])]
    assert found == pytest.approx([1.5, 2.25, np.exp(2.25)])


@pytest.mark.parametrize(
    "damage",
    [
        {"steps": [["system", [0]]]},
        {"steps": [["exp", [99]]]},
        {"steps": [["exp", [-1]]]},
        {"outputs": [7]},
    ],
    ids=["unknown operation", "register ahead", "negative register", "missing output"],
)
def test_a_damaged_tape_is_refused(damage):
    data = record([X], [sympy.exp(X)]).dump() | damage
    with pytest.raises(ValueError, match="malformed"):
        Tape.parse(data)


def test_a_constant_without_a_real_value_is_named():
    with pytest.raises(ModFileError, match="no real value"):
        record([X], [X + sympy.I])
