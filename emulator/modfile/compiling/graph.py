"""Expressions as one graph in which every distinct subexpression is a node of its own.

A node is a number: the position of its `Node`. Operands are made before what they stand in, so
that the order of the numbers is an order of evaluation, and nothing here calls itself. Two heads
have a normal form:

    sum       weights[0] + weights[1] * operands[0] + weights[2] * operands[1] + ...
    product   operands[0] ^ weights[0] * operands[1] ^ weights[1] * ...

with numbers as weights, so that terms and factors that are equal are taken together: in a steady
state `y - y(-1)` is zero and `c(+1) / c` is one. All other heads are primitives of `functions`. The
rules hold for real numbers: sqrt(x^2) stays as it is. Numbers are float64.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from emulator.modfile.compiling.functions import PRIMITIVES

FLATTENED = 16
"""Terms of a sum up to which it is written into the sum around it: a longer one stays a node that
its users share.
"""


class Node(NamedTuple):
    """`head` is number, symbol, sum, product or a primitive; a number's value is its weight."""

    head: str
    operands: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()
    name: str = ""


class Graph:
    """Makes nodes; equal ones are the same."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._known: dict[Node, int] = {}
        self.zero = self.number(0.0)
        self.one = self.number(1.0)

    def __getitem__(self, node: int) -> Node:
        return self.nodes[node]

    def _intern(self, node: Node) -> int:
        position = self._known.get(node)
        if position is None:
            position = len(self.nodes)
            self._known[node] = position
            self.nodes.append(node)
        return position

    def number(self, value: float) -> int:
        return self._intern(Node("number", weights=(float(value),)))

    def symbol(self, name: str) -> int:
        return self._intern(Node("symbol", name=name))

    def value(self, node: int) -> float | None:
        """The value of a number, None of anything else."""
        head, _, weights, _ = self.nodes[node]
        return weights[0] if head == "number" else None

    def sum(self, terms: Iterable[tuple[float, int]], constant: float = 0.0) -> int:
        """constant + sum of weight * node."""
        weights: dict[int, float] = {}
        with np.errstate(all="ignore"):
            for weight, node in terms:
                head, operands, inner, _ = self.nodes[node]
                if head == "number":
                    constant += weight * inner[0]
                elif head == "sum" and len(operands) <= FLATTENED:
                    constant += weight * inner[0]
                    for operand, factor in zip(operands, inner[1:], strict=True):
                        weights[operand] = weights.get(operand, 0.0) + weight * factor
                else:
                    weights[node] = weights.get(node, 0.0) + weight
        kept = {node: weight for node, weight in weights.items() if weight != 0.0}
        if not kept:
            return self.number(constant)
        if constant == 0.0 and len(kept) == 1:
            ((node, weight),) = kept.items()
            if weight == 1.0:
                return node
        return self._intern(Node("sum", tuple(kept), (constant, *kept.values())))

    def add(self, *nodes: int) -> int:
        return self.sum((1.0, node) for node in nodes)

    def subtract(self, left: int, right: int) -> int:
        return self.sum(((1.0, left), (-1.0, right)))

    def negative(self, node: int) -> int:
        return self.sum(((-1.0, node),))

    def product(self, factors: Iterable[tuple[int, float]]) -> int:
        """The product of node ^ exponent."""
        coefficient = 1.0
        exponents: dict[int, float] = {}
        waiting = list(factors)
        waiting.reverse()
        while waiting:
            node, exponent = waiting.pop()
            head, operands, weights, _ = self.nodes[node]
            whole = exponent == int(exponent) if np.isfinite(exponent) else False
            if head == "number":
                coefficient *= _power(weights[0], exponent)
            elif (
                head == "sum"
                and len(operands) == 1
                and weights[0] == 0.0
                and (whole or weights[1] > 0.0)
            ):
                coefficient *= _power(weights[1], exponent)
                waiting.append((operands[0], exponent))
            elif head == "product" and whole:
                waiting += [
                    (inner, weight * exponent)
                    for inner, weight in zip(reversed(operands), reversed(weights), strict=True)
                ]
            else:
                exponents[node] = exponents.get(node, 0.0) + exponent
        return self._scaled(coefficient, exponents)

    def _scaled(self, coefficient: float, exponents: Mapping[int, float]) -> int:
        if coefficient == 0.0:
            return self.zero
        kept = {node: exponent for node, exponent in exponents.items() if exponent != 0.0}
        if not kept:
            return self.number(coefficient)
        if list(kept.values()) == [1.0]:
            (node,) = kept
        else:
            node = self._intern(Node("product", tuple(kept), tuple(kept.values())))
        return self.sum(((coefficient, node),))

    def multiply(self, *nodes: int) -> int:
        return self.product((node, 1.0) for node in nodes)

    def divide(self, left: int, right: int) -> int:
        return self.product(((left, 1.0), (right, -1.0)))

    def power(self, base: int, exponent: int) -> int:
        """base ^ exponent; 0 to a power that is not known to be zero is 0, as in Dynare."""
        number = self.value(exponent)
        if number is not None:
            return self.product(((base, number),)) if number != 0.0 else self.one
        if base in (self.zero, self.one):
            return base
        return self._intern(Node("power", (base, exponent)))

    def call(self, head: str, *operands: int) -> int:
        """A primitive of its operands; of numbers it is its value."""
        values = [self.value(operand) for operand in operands]
        if None not in values:
            with np.errstate(all="ignore"):
                return self.number(float(PRIMITIVES[head](*map(np.float64, values))))
        return self._intern(Node(head, operands))

    def reached(self, roots: Iterable[int]) -> list[int]:
        """The nodes that stand in any of the roots, each behind its operands."""
        seen: set[int] = set()
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                waiting.extend(self.nodes[node].operands)
        return sorted(seen)

    def symbols(self, *roots: int) -> list[int]:
        """The symbols that stand in any of the roots, in the order in which they were made."""
        return [node for node in self.reached(roots) if self.nodes[node].head == "symbol"]

    def replaced(self, roots: Sequence[int], replacements: Mapping[int, int]) -> list[int]:
        """The roots with other nodes for some of their symbols."""
        images: dict[int, int] = {}
        for node in self.reached(roots):
            image = replacements.get(node)
            images[node] = self._rebuilt(node, images) if image is None else image
        return [images[root] for root in roots]

    def _rebuilt(self, node: int, images: Mapping[int, int]) -> int:
        head, operands, weights, _ = self.nodes[node]
        moved = tuple(images[operand] for operand in operands)
        if moved == operands:
            return node
        if head == "sum":
            return self.sum(zip(weights[1:], moved, strict=True), weights[0])
        if head == "product":
            return self.product(zip(moved, weights, strict=True))
        return self.power(*moved) if head == "power" else self.call(head, *moved)


def _power(base: float, exponent: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.power(np.float64(base), np.float64(exponent)))
