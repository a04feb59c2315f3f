"""A tape: expressions as a flat list of NumPy operations on whole batches, each distinct operation
carried out once.

A tape is plain data (it can be written as JSON), so nothing of a file's text is ever executed as
code. Axes: N draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from emulator.modfile.compiling.functions import PRIMITIVES
from emulator.modfile.compiling.graph import Graph

Step = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class Tape:
    """Registers hold the inputs, then the constants, then the result of each step; `outputs` says
    which are wanted.
    """

    n_inputs: int
    constants: tuple[float, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """Values of the outputs, arrays (N,) or numbers, from inputs of the same kinds.

        Overflow and 0/0 give inf and NaN.
        """
        registers: list[Any] = [*inputs, *self.constants]
        with np.errstate(all="ignore"):
            for (name, operands), spent in zip(self.steps, self._spent, strict=True):
                registers.append(PRIMITIVES[name](*(registers[k] for k in operands)))
                for k in spent:
                    registers[k] = None
        return [registers[k] for k in self.outputs]

    @cached_property
    def _spent(self) -> list[list[int]]:
        """Registers that are not read after each step: memory stays that of the values still
        needed.
        """
        first = self.n_inputs + len(self.constants)
        spent: list[list[int]] = [[] for _ in self.steps]
        needed = set(self.outputs)
        for k in reversed(range(len(self.steps))):
            for operand in self.steps[k][1]:
                if operand >= first and operand not in needed:
                    spent[k].append(operand)
                    needed.add(operand)
        return spent

    def used(self) -> set[int]:
        """Positions of the inputs that any output depends on."""
        read = {k for _, operands in self.steps for k in operands} | set(self.outputs)
        return {k for k in read if k < self.n_inputs}

    def dump(self) -> dict[str, Any]:
        return {
            "n_inputs": self.n_inputs,
            "constants": self.constants,
            "steps": self.steps,
            "outputs": self.outputs,
        }

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Tape:
        """The tape of `dump`. Raises `ValueError` if the data are not one."""
        steps = tuple(
            (str(name), tuple(int(k) for k in operands)) for name, operands in data["steps"]
        )
        tape = cls(
            int(data["n_inputs"]),
            tuple(float(c) for c in data["constants"]),
            steps,
            tuple(int(k) for k in data["outputs"]),
        )
        first = tape.n_inputs + len(tape.constants)
        for k, (name, operands) in enumerate(steps):
            if name not in PRIMITIVES or any(not 0 <= operand < first + k for operand in operands):
                raise ValueError(f"step {k} of the tape is malformed")
        if any(not 0 <= k < first + len(steps) for k in tape.outputs):
            raise ValueError("an output of the tape is malformed")
        return tape


def record(
    graph: Graph,
    inputs: Sequence[int],
    outputs: Sequence[int],
    instead: Mapping[int, int] | None = None,
) -> Tape:
    """The tape that computes the nodes `outputs` from the symbols `inputs`.

    `instead` names for other symbols the node that is read in their place.
    """
    return _Recorder(graph, inputs, instead or {}).tape(outputs)


class _Recorder:
    """Writes nodes in their order, which is one of evaluation."""

    def __init__(self, graph: Graph, inputs: Sequence[int], instead: Mapping[int, int]) -> None:
        self.graph = graph
        self.inputs = {symbol: k for k, symbol in enumerate(inputs)}
        self.instead = instead
        self.constants: dict[float, int] = {}
        self.steps: list[Step] = []
        self.written: dict[Step, int] = {}
        self.registers: dict[int, int] = {}
        """Of nodes: constants are numbered -1, -2, ... while their number is not known."""

    def tape(self, outputs: Sequence[int]) -> Tape:
        graph = self.graph
        replaced = self.instead.keys() & set(graph.reached(outputs))
        for node in graph.reached(self.instead[symbol] for symbol in replaced):
            self.registers[node] = self._write(node)
        for node in graph.reached(outputs):
            self.registers[node] = (
                self.registers[self.instead[node]] if node in replaced else self._write(node)
            )
        first = len(self.inputs)
        shift = len(self.constants)

        def place(k: int) -> int:
            return first - k - 1 if k < 0 else k if k < first else k + shift

        steps = tuple((name, tuple(place(k) for k in operands)) for name, operands in self.steps)
        return Tape(
            n_inputs=first,
            constants=tuple(self.constants),
            steps=steps,
            outputs=tuple(place(self.registers[node]) for node in outputs),
        )

    def _write(self, node: int) -> int:
        head, operands, weights, _ = self.graph[node]
        if head == "symbol":
            return self.inputs[node]
        if head == "number":
            return self._constant(weights[0])
        registers = [self.registers[operand] for operand in operands]
        if head == "sum":
            return self._sum(weights[0], list(zip(weights[1:], registers, strict=True)))
        if head == "product":
            return self._product(list(zip(registers, weights, strict=True)))
        return self._step(head, *registers)

    def _sum(self, constant: float, terms: list[tuple[float, int]]) -> int:
        """Terms with positive weights come first, so that no sign is spent on them."""
        ordered = sorted(terms, key=lambda term: not term[0] > 0.0)
        weight, register = ordered[0]
        first_is_negative = not weight > 0.0
        if first_is_negative and constant != 0.0:
            value = self._constant(constant)
            constant = 0.0
        else:
            ordered = ordered[1:]
            value = self._weighted(abs(weight), register)
            if first_is_negative:
                value = self._step("neg", value)
        for weight, register in ordered:
            name = "add" if weight > 0.0 else "sub"
            value = self._step(name, value, self._weighted(abs(weight), register))
        if constant == 0.0:
            return value
        name = "sub" if constant < 0.0 else "add"
        return self._step(name, value, self._constant(abs(constant)))

    def _weighted(self, weight: float, register: int) -> int:
        if weight == 1.0:
            return register
        return self._step("mul", self._constant(weight), register)

    def _product(self, factors: list[tuple[int, float]]) -> int:
        above = [self._power(register, e) for register, e in factors if not e < 0.0]
        below = [self._power(register, -e) for register, e in factors if e < 0.0]
        value = self._chain(above) if above else self._constant(1.0)
        return self._step("div", value, self._chain(below)) if below else value

    def _chain(self, registers: list[int]) -> int:
        value = registers[0]
        for register in registers[1:]:
            value = self._step("mul", value, register)
        return value

    def _power(self, base: int, exponent: float) -> int:
        if exponent == 1.0:
            return base
        if exponent in (2.0, 3.0):
            square = self._step("mul", base, base)
            return square if exponent == 2.0 else self._step("mul", square, base)
        if exponent == 0.5:
            return self._step("sqrt", base)
        return self._step("power", base, self._constant(exponent))

    def _constant(self, value: float) -> int:
        return -1 - self.constants.setdefault(value, len(self.constants))

    def _step(self, name: str, *operands: int) -> int:
        step = (name, operands)
        if step not in self.written:
            self.written[step] = len(self.inputs) + len(self.steps)
            self.steps.append(step)
        return self.written[step]
