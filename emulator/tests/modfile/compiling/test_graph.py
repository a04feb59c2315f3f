"""Terms and factors that are equal are taken together, by rules that hold for real numbers."""

import numpy as np
import pytest

from emulator.modfile.compiling.graph import Graph

pytestmark = pytest.mark.fast


@pytest.fixture
def graph():
    return Graph()


def test_equal_expressions_are_one_node(graph):
    x, y = graph.symbol("x"), graph.symbol("y")
    assert graph.add(x, y, x) == graph.sum([(2.0, x), (1.0, y)])
    assert graph.multiply(x, y, x) == graph.product([(x, 2.0), (y, 1.0)])
    assert graph.call("exp", x) == graph.call("exp", x)


def test_a_variable_that_stands_still_drops_out(graph):
    today, before = graph.symbol("y(0)"), graph.symbol("y(-1)")
    change = graph.subtract(today, before)
    growth = graph.divide(graph.multiply(graph.symbol("b"), today), before)
    assert graph.replaced([change, growth], {before: today}) == [graph.zero, graph.symbol("b")]


def test_numbers_are_folded(graph):
    x = graph.symbol("x")
    assert graph.value(graph.power(graph.number(2.0), graph.number(0.5))) == np.sqrt(2.0)
    assert graph.multiply(graph.zero, x) == graph.zero
    assert graph.power(x, graph.zero) == graph.one
    assert graph.power(graph.zero, x) == graph.zero


def test_roots_of_squares_are_left_alone(graph):
    x = graph.symbol("x")
    square = graph.product([(x, 2.0)])
    assert graph.product([(square, 0.5)]) != x
    assert graph.product([(graph.product([(x, 0.5)]), 2.0)]) == x


def test_a_long_sum_is_shared(graph):
    total = graph.add(*(graph.symbol(f"x{k}") for k in range(40)))
    around = graph.add(total, graph.symbol("y"))
    assert total in graph[around].operands


def test_symbols_are_listed_in_the_order_of_their_making(graph):
    x, y = graph.symbol("x"), graph.symbol("y")
    assert graph.symbols(graph.multiply(graph.call("exp", y), x)) == [x, y]
