"""Functions of MATLAB at work: assignments, branches, loops, calls of each other, and numerical
solvers of handles, for all draws at once.

`fsolve`, `fzero` and `csolve` are Newton's method of our own (with bisection where a bracket is
given), whose root is that of the function and so does not depend on who finds it where there is one
alone. Axes: n draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emulator.modfile.compiling.matlab import placed, positions, value_of
from emulator.modfile.compiling.matlab_values import Beyond, Cell, Matrix, cells_of, holds, plain
from emulator.modfile.compiling.roots import bisected, newton
from emulator.modfile.compiling.script_items import OPENS, Item, items_of
from emulator.modfile.reading.matlab import Code, read_code
from emulator.modfile.reading.matlab_file import Function
from emulator.modfile.reading.syntax import Call, Expression, Operation, Place, Skipped, Symbol

MOST_STEPS = 50_000
"""Statements of one evaluation: some seconds."""

MOST_HELD = 10_000_000
"""Elements of all matrices of one function, all draws together."""

DEEPEST = 20
"""Functions inside of one another."""

FAULTS = (ArithmeticError, AssertionError, LookupError, TypeError, ValueError)

SOLVERS = ("fsolve", "fzero", "csolve")
SETTINGS = ("optimset", "optimoptions")
CONSTANT = {"isoctave": 1.0, "user_has_matlab_license": 0.0}
"""What functions that ask about the machine answer here."""


@dataclass(frozen=True)
class Handle:
    """`@(x) ..` with the workspace in which it was made, or a function by name."""

    inputs: tuple[str, ...]
    body: Expression | str
    workspace: Mapping[str, Any]


class _Return(Exception):
    """`return`, `break` or `continue`."""


class Frame:
    """One function at work. `known`: values of parameters by name, for `get_param_by_name`."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        workspace: dict[str, Any],
        known: Mapping[str, Any],
        depth: int = 0,
        steps: list[int] | None = None,
    ) -> None:
        if depth > DEEPEST:
            raise Beyond("so many functions inside of one another")
        self.functions = functions
        self.workspace = workspace
        self.known = known
        self.depth = depth
        self.steps = [0] if steps is None else steps
        """Statements so far, those of all functions together."""

    def run(self, items: Sequence[Item]) -> None:
        try:
            self.span(items, 0, len(items))
        except _Return as stop:
            if str(stop) != "return":
                raise Beyond("a 'break' outside of a loop") from None

    def span(self, items: Sequence[Item], start: int, stop: int) -> None:
        position = start
        while position < stop:
            item = items[position]
            code = item.code
            assert code is not None
            self.steps[0] += 1
            try:
                if self.steps[0] > MOST_STEPS:
                    raise Beyond("so many turns of a loop")
                if code.word in OPENS:
                    self.block(items, position, item, code)
                    position = item.after
                elif code.word in ("break", "continue"):
                    raise _Return(code.word)
                else:
                    self.simple(code)
            except Beyond as beyond:
                beyond.line = beyond.line or code.line
                raise
            except FAULTS as error:  # whatever a stranger's file leads the arithmetic to
                fault = Beyond(f"what leads to '{error}'")
                fault.line = code.line
                raise fault from None
            position += 1

    def block(self, items: Sequence[Item], position: int, item: Item, code: Code) -> None:
        if code.word == "switch":
            raise Beyond("a switch")
        if code.word == "if":
            for this, following in zip(item.parts, item.parts[1:], strict=False):
                part = items[this].code
                assert part is not None
                if part.value is None or holds(self.value(part.value)):
                    self.span(items, this + 1, following)
                    return
            return
        assert code.value is not None
        turns = self.value(code.value) if code.word == "for" else None
        count = turns.shape[1] if isinstance(turns, np.ndarray) else MOST_STEPS
        for k in range(count):
            if turns is None and not holds(self.value(code.value)):
                break
            if turns is not None:
                self.workspace[code.name] = plain(turns[:, k : k + 1])
            try:
                self.span(items, position + 1, item.after)
            except _Return as stop:
                if str(stop) == "return":
                    raise
                if str(stop) == "break":
                    break

    def simple(self, code: Code) -> None:
        assert code.value is not None
        if code.value == Symbol("return"):
            raise _Return("return")
        if isinstance(code.value, Call) and code.value.function == "eval":
            text = self.value(code.value.arguments[0])
            inner = read_code(text) if isinstance(text, str) else None
            if inner is None:
                raise Beyond("this 'eval'")
            for one in inner:
                if one.word != "=":
                    raise Beyond("this 'eval'")
                self.simple(one)
            return
        if code.word == "call":
            raise Beyond("this call")
        values = self.outputs(code.value, code.name.count(",") + 1)
        if code.index is None:
            for name, value in zip(code.name.split(","), values, strict=False):
                self.workspace[name] = value if isinstance(value, Handle) else plain(value)
            self.check_memory()
            return
        before = self.workspace.get(code.name)
        cells = cells_of(before) if before is not None else np.zeros((0, 0, 1))
        where = positions(code.name, code.index, self.workspace)
        if not isinstance(cells, np.ndarray) or not isinstance(values[0], np.ndarray):
            raise Beyond("an element of a text")
        self.workspace[code.name] = plain(placed(cells, where, values[0]))
        self.check_memory()

    def check_memory(self) -> None:
        """Raises `Beyond` where variables hold more elements than any such file needs."""
        held = (v.cells.size for v in self.workspace.values() if isinstance(v, Matrix))
        if sum(held) > MOST_HELD:
            raise Beyond("so many elements of matrices")

    def value(self, expression: Expression) -> Any:
        return self.outputs(expression, 1)[0]

    def outputs(self, expression: Expression, count: int) -> list[Any]:
        """The values of an expression; of a call all that it gives."""
        if isinstance(expression, Call) and self.is_own(expression):
            return self.called(expression, count)
        if count > 1:
            raise Beyond("several outputs of this function")
        inside = {k: v for k, v in self.workspace.items() if not isinstance(v, Handle)}
        return [value_of(self.resolved(expression, inside), inside)]

    def is_own(self, call: Call) -> bool:
        """Whether a call is one that this frame answers, and not the language of values."""
        name = call.function
        if isinstance(self.workspace.get(name), Cell) and call.arguments:
            return True
        own = (*SOLVERS, *SETTINGS, *CONSTANT, "@", "get_param_by_name", "deblank", "strtrim")
        return name in own or name in self.functions or isinstance(self.workspace.get(name), Handle)

    def resolved(self, expression: Expression, inside: dict[str, Any]) -> Expression:
        """The expression with the values of such calls as variables of the workspace `inside`."""
        if isinstance(expression, Call):
            if self.is_own(expression):
                name = f"value {len(inside)}"
                value = self.called(expression, 1)[0]
                if isinstance(value, Handle):
                    raise Beyond("a handle here")
                inside[name] = plain(value)
                return Symbol(name)
            parts = tuple(self.resolved(part, inside) for part in expression.arguments)
            return replace(expression, arguments=parts)
        if isinstance(expression, Operation):
            operands = tuple(self.resolved(part, inside) for part in expression.operands)
            return replace(expression, operands=operands)
        return expression

    def called(self, call: Call, count: int) -> list[Any]:
        name, arguments = call.function, call.arguments
        if name == "@":
            return [self.handle(arguments)]
        if name in SETTINGS:
            return [Cell(())]
        if name in CONSTANT:
            return [cells_of(CONSTANT[name])]
        if isinstance(self.workspace.get(name), Cell):
            listed = self.workspace[name].elements
            k = positions("k", arguments[:1], {"k": Matrix(np.zeros((1, len(listed), 1)))})[0]
            return [listed[int(k[0])]]
        values = [
            self.workspace[a.name]
            if isinstance(a, Symbol) and isinstance(self.workspace.get(a.name), Handle)
            else self.value(a)
            for a in arguments
        ]
        if name in SOLVERS:
            return self.root(name, values, count)
        if name in ("deblank", "strtrim"):
            return [values[0]]
        if name == "get_param_by_name":
            if values[0] not in self.known:
                raise Beyond(f"the parameter '{values[0]}'")
            return [cells_of(self.known[values[0]])]
        of = self.workspace.get(name)
        if isinstance(of, Handle):
            return [self.applied(of, values)]
        return self.function(self.functions[name], values)

    def handle(self, arguments: Sequence[Expression]) -> Handle:
        first = arguments[0]
        if isinstance(first, Symbol):
            return Handle((), first.name, {})
        assert isinstance(first, Call)
        names = tuple(a.name for a in first.arguments if isinstance(a, Symbol))
        return Handle(names, arguments[1], dict(self.workspace))

    def applied(self, handle: Handle, values: Sequence[Any]) -> Any:
        if isinstance(handle.body, str):
            function = self.functions.get(handle.body)
            if function is None:
                raise Beyond(f"the function '{handle.body}'")
            return self.function(function, values)[0]
        inside = {**handle.workspace, **dict(zip(handle.inputs, map(plain, values), strict=True))}
        return Frame(self.functions, inside, self.known, self.depth + 1, self.steps).value(
            handle.body
        )

    def function(self, function: Function, values: Sequence[Any]) -> list[Any]:
        structures = {k: v for k, v in self.workspace.items() if k.startswith("M_.")}
        inside = {**structures, **dict(zip(function.inputs, map(plain, values), strict=False))}
        frame = Frame(self.functions, inside, self.known, self.depth + 1, self.steps)
        frame.run(items_of([Skipped("", (), False, Place("", 1), code=function.codes)]))
        if not set(function.outputs) <= frame.workspace.keys():
            raise Beyond("a function that does not give its outputs")
        return [cells_of(frame.workspace[name]) for name in function.outputs]

    def root(self, name: str, values: Sequence[Any], count: int) -> list[Any]:
        """A root, the function there, and what says that it was found: exitflag 1, or csolve's rc
        0.
        """
        of, start = values[0], values[1]
        if not isinstance(of, Handle) or not isinstance(start, np.ndarray):
            raise Beyond(f"these arguments of '{name}'")

        def residual(x: np.ndarray) -> np.ndarray:
            given = x.reshape(*shape, x.shape[1], order="F")
            result = self.applied(of, [given, *extra])
            flat = result.reshape(-1, result.shape[2], order="F")
            return np.broadcast_to(flat, (len(flat), x.shape[1]))

        extra = values[5:] if name == "csolve" else ()
        bracket = name == "fzero" and start.shape[:2] == (1, 2)
        shape = (1, 1) if bracket else start.shape[:2]
        flat = start.reshape(-1, start.shape[2], order="F")
        n = max(self._draws(), flat.shape[1])
        flat = np.array(np.broadcast_to(flat, (len(flat), n)))
        x, solved = bisected(residual, flat) if bracket else newton(residual, flat)
        where = x.reshape(*shape, n, order="F")
        good = solved[None, None, :] * 1.0
        if name == "csolve":
            return [where, 1.0 - good]
        return [where, self.applied(of, [where, *extra]), good, Cell(())][: max(count, 1)]

    def _draws(self) -> int:
        return max((cells_of(v).shape[2] for v in self.known.values()), default=1)
