"""Tapes give the values of their expressions, survive a trip through JSON, and cannot be made to do
anything else.
"""

import json

import numpy as np
import pytest

from emulator.modfile.compiling.graph import Graph
from emulator.modfile.compiling.tape import Tape, record

pytestmark = pytest.mark.fast


@pytest.fixture
def graph():
    return Graph()


def test_a_subexpression_is_computed_once(graph):
    x, y = graph.symbol("x"), graph.symbol("y")
    bell = graph.call("exp", graph.multiply(x, y))
    tape = record(graph, [x, y], [graph.sum([(1.0, bell)], 1.0), graph.sum([(2.0, bell)])])
    assert sum(name == "exp" for name, _ in tape.steps) == 1


def test_symbols_that_are_read_as_another_share_its_operations(graph):
    """The steady state: a variable tomorrow is the variable today."""
    today, tomorrow = graph.symbol("c(0)"), graph.symbol("c(1)")
    outputs = [graph.call("exp", today), graph.call("exp", tomorrow)]
    tape = record(graph, [today], outputs, {tomorrow: today})
    assert len(tape.steps) == 1
    assert tape.outputs == (1, 1)


def test_expressions_of_thousands_of_operations_do_not_exhaust_the_stack(graph):
    x = graph.symbol("x")
    deep = x
    for k in range(5_000):
        deep = graph.call("sin", graph.sum([(1.0, deep)], float(k)))
    value = record(graph, [x], [deep])([np.array([0.3])])[0]
    wanted = 0.3
    for k in range(5_000):
        wanted = np.sin(wanted + k)
    assert value[0] == pytest.approx(wanted, abs=1e-12)


def test_unused_registers_are_freed_but_outputs_kept(graph):
    x = graph.symbol("x")
    y = graph.sum([(1.0, x)], 1.0)
    square = graph.product([(y, 2.0)])
    tape = record(graph, [x], [y, square, graph.call("exp", square)])
    values = [float(value[0]) for value in tape([np.array([0.5])])]
    assert values == pytest.approx([1.5, 2.25, np.exp(2.25)])


@pytest.mark.parametrize("constant", [2.0, -2.0, 0.0])
@pytest.mark.parametrize("weights", [(1.0, -1.0), (-1.0, -3.0), (0.5, 2.0)])
def test_sums_of_either_sign(graph, constant, weights):
    x, y = graph.symbol("x"), graph.symbol("y")
    tape = record(graph, [x, y], [graph.sum(zip(weights, (x, y), strict=True), constant)])
    assert tape([3.0, 5.0])[0] == constant + 3.0 * weights[0] + 5.0 * weights[1]


@pytest.mark.parametrize("exponents", [(2.0, -1.0), (-0.5, -3.0), (0.5, 3.0), (1.7, -2.2)])
def test_products_and_quotients(graph, exponents):
    x, y = graph.symbol("x"), graph.symbol("y")
    tape = record(graph, [x, y], [graph.product(zip((x, y), exponents, strict=True))])
    wanted = 3.0 ** exponents[0] * 5.0 ** exponents[1]
    assert tape([3.0, 5.0])[0] == pytest.approx(wanted, rel=1e-15)


def exponential():
    graph = Graph()
    x = graph.symbol("x")
    return record(graph, [x], [graph.call("exp", x)])


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
    with pytest.raises(ValueError, match="malformed"):
        Tape.parse(exponential().dump() | damage)


def test_a_tape_survives_json():
    tape = exponential()
    assert Tape.parse(json.loads(json.dumps(tape.dump()))) == tape
