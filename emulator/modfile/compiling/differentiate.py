"""Derivatives of a graph: reverse accumulation, one sweep an expression, into the same graph.

First, second and third derivatives are nodes like any other and share what they have in common
(Griewank and Walther 2008, Evaluating Derivatives, ch. 3). At a kink they are one-sided, as
Dynare's (Dynare manual, section "Expressions").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from emulator.modfile.compiling.graph import Graph

Partials = Iterator[tuple[int, float, list[tuple[int, float]]]]
"""(operand, weight, factors): the derivative by the operand is weight * the product of factors."""


def gradient(graph: Graph, root: int, symbols: Sequence[int]) -> dict[int, int]:
    """The derivative of an expression by each of the symbols, without those that are zero."""
    moving = set(symbols)
    active: list[int] = []
    for node in graph.reached([root]):
        if node in moving or not moving.isdisjoint(graph[node].operands):
            moving.add(node)
            active.append(node)
    if root not in moving:
        return {}
    gathered: dict[int, list[tuple[float, int]]] = {node: [] for node in active}
    gathered[root].append((1.0, graph.one))
    derivatives: dict[int, int] = {}
    for node in reversed(active):
        adjoint = graph.sum(gathered.pop(node))
        if graph[node].head == "symbol":
            derivatives[node] = adjoint
        elif adjoint != graph.zero:
            for operand, weight, factors in _partials(graph, node):
                if operand in moving:
                    term = graph.product([(adjoint, 1.0), *factors]) if factors else adjoint
                    gathered[operand].append((weight, term))
    return {
        symbol: derivatives[symbol]
        for symbol in symbols
        if derivatives.get(symbol, graph.zero) != graph.zero
    }


def higher(
    graph: Graph, first: dict[int, int], symbols: Sequence[int], order: int
) -> dict[tuple[int, ...], int]:
    """All derivatives of the given order (2, 3, ...) from the `gradient` of an expression: by
    symbols (in the order of `symbols`, repeats included) those that are not zero, each once.
    """
    position = {symbol: k for k, symbol in enumerate(symbols)}
    layer: dict[tuple[int, ...], int] = {(symbol,): node for symbol, node in first.items()}
    for _ in range(order - 1):
        layer = {
            (*by, symbol): node
            for by, value in layer.items()
            for symbol, node in gradient(graph, value, symbols[position[by[-1]] :]).items()
        }
    return layer


def _partials(graph: Graph, node: int) -> Partials:
    head, operands, weights, _ = graph[node]
    if head == "sum":
        for operand, weight in zip(operands, weights[1:], strict=True):
            yield operand, weight, []
    elif head == "product":
        factors = list(zip(operands, weights, strict=True))
        for k, (operand, exponent) in enumerate(factors):
            yield operand, exponent, [*factors[:k], (operand, exponent - 1.0), *factors[k + 1 :]]
    elif head == "power":
        base, exponent = operands
        slope = graph.call("power_derivative", base, exponent, graph.one)
        yield base, 1.0, [(slope, 1.0)]
        yield exponent, 1.0, [(node, 1.0), (graph.call("log", base), 1.0)]
    elif head == "power_derivative":
        yield from _partials_of_slope(graph, node)
    elif head in SLOPES:
        for operand, slope in zip(operands, SLOPES[head](graph, node, *operands), strict=True):
            yield operand, 1.0, [(slope, 1.0)]


def _partials_of_slope(graph: Graph, node: int) -> Partials:
    """Of p (p - 1) ... (p - k + 1) x^(p - k), the k-th derivative of x^p by x."""
    base, exponent, order = graph[node].operands
    times = graph.value(order)
    assert times is not None
    slope = graph.call("power_derivative", base, exponent, graph.number(times + 1.0))
    yield base, 1.0, [(slope, 1.0)]
    factors = [graph.sum([(1.0, exponent)], -float(k)) for k in range(int(times))]
    by_exponent = graph.add(
        *(graph.multiply(*factors[:k], *factors[k + 1 :]) for k in range(len(factors)))
    )
    rest = graph.power(base, graph.sum([(1.0, exponent)], -times))
    first = graph.multiply(node, graph.call("log", base))
    yield exponent, 1.0, [(graph.add(first, graph.multiply(by_exponent, rest)), 1.0)]


def _square(graph: Graph, x: int) -> int:
    return graph.product([(x, 2.0)])


def _plus_one(graph: Graph, weight: float, x: int) -> int:
    """1 + weight x^2."""
    return graph.sum([(weight, _square(graph, x))], 1.0)


def _bell(graph: Graph, x: int, factor: float) -> int:
    """factor exp(-x^2)."""
    return graph.sum([(factor, graph.call("exp", graph.negative(_square(graph, x))))])


def _larger(graph: Graph, first: int, second: int) -> list[int]:
    above = graph.call("greater", first, second)
    return [above, graph.subtract(graph.one, above)]


def _flat(graph: Graph, node: int, *operands: int) -> list[int]:
    return [graph.zero] * len(operands)


SLOPES: dict[str, Callable[..., list[int]]] = {
    "exp": lambda g, n, x: [n],
    "log": lambda g, n, x: [g.product([(x, -1.0)])],
    "sin": lambda g, n, x: [g.call("cos", x)],
    "cos": lambda g, n, x: [g.negative(g.call("sin", x))],
    "tan": lambda g, n, x: [_plus_one(g, 1.0, n)],
    "asin": lambda g, n, x: [g.product([(_plus_one(g, -1.0, x), -0.5)])],
    "acos": lambda g, n, x: [g.negative(g.product([(_plus_one(g, -1.0, x), -0.5)]))],
    "atan": lambda g, n, x: [g.product([(_plus_one(g, 1.0, x), -1.0)])],
    "sinh": lambda g, n, x: [g.call("cosh", x)],
    "cosh": lambda g, n, x: [g.call("sinh", x)],
    "tanh": lambda g, n, x: [_plus_one(g, -1.0, n)],
    "asinh": lambda g, n, x: [g.product([(_plus_one(g, 1.0, x), -0.5)])],
    "acosh": lambda g, n, x: [g.product([(g.sum([(1.0, _square(g, x))], -1.0), -0.5)])],
    "atanh": lambda g, n, x: [g.product([(_plus_one(g, -1.0, x), -1.0)])],
    "erf": lambda g, n, x: [_bell(g, x, 2.0 / np.sqrt(np.pi))],
    "erfc": lambda g, n, x: [_bell(g, x, -2.0 / np.sqrt(np.pi))],
    "cbrt": lambda g, n, x: [g.sum([(1.0 / 3.0, g.product([(n, -2.0)]))])],
    "normpdf": lambda g, n, x: [g.negative(g.multiply(x, n))],
    "normcdf": lambda g, n, x: [g.call("normpdf", x)],
    "absolute": lambda g, n, x: [g.call("sign", x)],
    "maximum": lambda g, n, x, y: _larger(g, x, y),
    "minimum": lambda g, n, x, y: _larger(g, y, x),
    "sign": _flat,
    "greater": _flat,
    "greater_equal": _flat,
    "equal": _flat,
}
"""The derivatives of each primitive by its operands; `n` is the primitive's own node."""
