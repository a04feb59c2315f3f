"""A tape: expressions as a flat list of NumPy operations on whole batches, each distinct
subexpression computed once.

A tape is plain data (it can be written as JSON), so nothing of a file's text is ever executed as
code. Axes: N draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from emulator.errors import ModFileError
from emulator.modfile.compiling.functions import PRIMITIVES, SYMPY_HEADS

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


def record(inputs: Sequence[sympy.Symbol], outputs: Sequence[sympy.Expr]) -> Tape:
    """The tape that computes `outputs` from `inputs`.

    Raises `ModFileError` for an expression without a real value.
    """
    return _Recorder(inputs, outputs).tape()


class _Recorder:
    """Walks expressions depth first with a stack of its own, so that long ones do not exhaust
    Python's.
    """

    def __init__(self, inputs: Sequence[sympy.Symbol], outputs: Sequence[sympy.Expr]) -> None:
        self.inputs = {symbol: k for k, symbol in enumerate(inputs)}
        self.outputs = list(outputs)
        self.constants: dict[float, int] = {}
        self.steps: list[Step] = []
        self.known: dict[
            Any, int
        ] = {}  # expression, or step already written -> provisional register

    def tape(self) -> Tape:
        outputs = [self._visit(expression) for expression in self.outputs]
        first = len(self.inputs)
        shift = len(self.constants)

        def place(
            k: int,
        ) -> int:  # constants are numbered -1, -2, ... while their number is not known
            return first + (-k - 1) if k < 0 else k if k < first else k + shift

        steps = tuple((name, tuple(place(k) for k in operands)) for name, operands in self.steps)
        return Tape(first, tuple(self.constants), steps, tuple(place(k) for k in outputs))

    def _visit(self, root: sympy.Expr) -> int:
        stack = [root]
        while stack:
            expression = stack[-1]
            if expression in self.known:
                stack.pop()
                continue
            missing = [part for part in self._parts(expression) if part not in self.known]
            if missing:
                stack.extend(missing)
                continue
            self.known[expression] = self._write(expression)
            stack.pop()
        return self.known[root]

    def _parts(self, expression: sympy.Expr) -> list[sympy.Expr]:
        if not expression.args:
            return []
        if expression.is_Pow:
            return (
                [expression.base]
                if self._plain_power(expression)
                else [expression.base, expression.exp]
            )
        if expression.is_Mul:
            above, below = self._fraction(expression)
            return [*above, *below]
        if expression.is_Add:
            return [self._unsigned(term)[1] for term in expression.args]
        return list(expression.args)

    def _write(self, expression: sympy.Expr) -> int:
        if expression.is_Symbol:
            return self.inputs[expression]
        if not expression.args:
            return self._number(expression)
        if expression.is_Add:
            return self._sum(expression)
        if expression.is_Mul:
            above, below = self._fraction(expression)
            value = self._chain("mul", above)
            return self._step("div", value, self._chain("mul", below)) if below else value
        if expression.is_Pow:
            return self._power(expression)
        return self._step(
            SYMPY_HEADS[type(expression)], *(self.known[part] for part in expression.args)
        )

    def _sum(self, expression: sympy.Expr) -> int:
        signed = sorted(
            (self._unsigned(term) for term in expression.args), key=lambda pair: pair[0]
        )
        (negative, term), *rest = signed  # positive terms first
        value = self._step("neg", self.known[term]) if negative else self.known[term]
        for negative, term in rest:
            value = self._step("sub" if negative else "add", value, self.known[term])
        return value

    @staticmethod
    def _unsigned(term: sympy.Expr) -> tuple[bool, sympy.Expr]:
        negative = bool(term.is_Mul and term.args[0].is_Number and term.args[0].is_negative)
        return (True, -term) if negative else (False, term)

    @staticmethod
    def _fraction(product: sympy.Expr) -> tuple[list[sympy.Expr], list[sympy.Expr]]:
        """Factors above and below the line; above is never empty."""
        above: list[sympy.Expr] = []
        below: list[sympy.Expr] = []
        for factor in product.args:
            if factor.is_Pow and factor.exp.is_Number and factor.exp.is_negative:
                below.append(sympy.Pow(factor.base, -factor.exp))
            else:
                above.append(factor)
        return above or [sympy.Integer(1)], below

    @staticmethod
    def _plain_power(expression: sympy.Expr) -> bool:
        return expression.exp in (-1, 2, 3, sympy.Rational(1, 2), -sympy.Rational(1, 2))

    def _power(self, expression: sympy.Expr) -> int:
        base = self.known[expression.base]
        if not self._plain_power(expression):
            return self._step("pow", base, self.known[expression.exp])
        if expression.exp in (2, 3):
            square = self._step("mul", base, base)
            return square if expression.exp == 2 else self._step("mul", square, base)
        value = base if expression.exp == -1 else self._step("sqrt", base)
        return (
            value if expression.exp.is_positive else self._step("div", self._constant(1.0), value)
        )

    def _chain(self, name: str, parts: Sequence[sympy.Expr]) -> int:
        value = self.known[parts[0]]
        for part in parts[1:]:
            value = self._step(name, value, self.known[part])
        return value

    def _number(self, expression: sympy.Expr) -> int:
        try:
            return self._constant(float(expression))
        except OverflowError:
            return self._constant(math.inf if expression.is_positive else -math.inf)
        except (TypeError, ValueError):
            raise ModFileError(f"the constant {expression} has no real value.") from None

    def _constant(self, value: float) -> int:
        return -1 - self.constants.setdefault(value, len(self.constants))

    def _step(self, name: str, *operands: int) -> int:
        if all(
            k < 0 for k in operands
        ):  # in float64, as the tape would: SymPy would give as many digits as it takes
            values = tuple(self.constants)
            with np.errstate(all="ignore"):
                return self._constant(float(PRIMITIVES[name](*(values[-k - 1] for k in operands))))
        step = (name, operands)
        if step not in self.known:
            self.known[step] = len(self.inputs) + len(self.steps)
            self.steps.append(step)
        return self.known[step]
