"""MATLAB between Dynare's statements, carried out: loops and branches become the statements that
they come to, and each stays a formula of what stands above it.

The way through the file is found once, at the file's own values. Where a caller's parameters would
take another branch, or another number of turns, that is an error and not a wrong answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from emulator.errors import ModFileError
from emulator.modfile.compiling.evaluate import evaluate, filled
from emulator.modfile.compiling.mat_file import is_load, loaded
from emulator.modfile.compiling.matlab import is_of_matrices, positions, value_of
from emulator.modfile.compiling.matlab_values import (
    Beyond,
    Cell,
    Matrix,
    holds,
)
from emulator.modfile.compiling.script_items import (
    COVARIANCE,
    OPENS,
    SIZES,
    Item,
    change,
    items_of,
    last_that_counts,
    load_by_value,
    option_text,
    set_parameter,
    shock_sizes,
    whole_covariance,
)
from emulator.modfile.compiling.script_steps import PARAMETERS, carry_out, with_structure
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.matlab import Code
from emulator.modfile.reading.syntax import (
    Assignment,
    Call,
    Expression,
    ModFile,
    Number,
    Operation,
    OptionLine,
    Script,
    ShocksBlock,
    Skipped,
    Statement,
    Symbol,
    symbols,
)

STEP = 20
"""Steps of work for one statement that is carried out."""

MOST_STEPS = 20_000
"""Statements that one block of control flow may come to."""

DEEPEST = 40
"""Loops and branches inside of one another."""

_ANY = Matrix(np.zeros((9999, 1, 1)))

_STRUCTURES = ("M_.", "oo_.", "options_.", "estim_params_.", "bayestopt_.", "dataset_.")


def carried_out(file: ModFile, budget: Budget, folder: Path | None = None) -> ModFile:
    """The file with its MATLAB as steps, as far as it is within this subset; the rest stays
    skipped. folder: where `load NAME.mat` reads from; None: nowhere.
    """
    if not any(
        isinstance(s, Skipped) and (s.code or s.inner or is_load(s.text)) for s in file.statements
    ):
        return file
    run = _Run(file, budget, folder)
    run.name_structures()
    group: list[Statement] = []
    level = 0
    last = last_that_counts(file.statements)
    for position, statement in enumerate(file.statements):
        if position > last and level == 0:
            run.out += file.statements[position:]
            break
        if isinstance(statement, Skipped):
            level += change(statement)
        if level == 0 and not group and not isinstance(statement, Skipped):
            run.emit(statement)
            continue
        group.append(statement)
        if level == 0:
            run.group(group)
            group = []
    for statement in group:
        run.emit(statement)
    return replace(file, statements=tuple(run.out))


class _Stop(Exception):
    """`break` or `continue`."""


class _Run:
    """Goes through the file at its own values."""

    def __init__(self, file: ModFile, budget: Budget, folder: Path | None) -> None:
        self.file = file
        self.folder = folder
        self.loaded: dict[str, float] = {}
        """Numbers of `.mat` files under names of parameters, which they are not yet."""
        self.parameters = [d.name for d in file.parameters]
        self.shocks = [d.name for d in file.shocks]
        self.declared = {
            d.name for d in (*file.variables, *file.shocks, *file.deterministic_shocks)
        } | set(self.parameters)
        self.budget = budget
        self.values: dict[str, Any] = {}
        self.out: list[Statement] = []
        self.items: list[Item] = []
        self.depth = 0
        self.steps = 0

    def name_structures(self) -> None:
        """The names that `M_` lists, where the file looks something up among them."""
        text = self.file.text
        for name, listed in (("exo_names", self.file.shocks), ("endo_names", self.file.variables)):
            if f"M_.{name}" in text:
                names = tuple(Call("''", (Symbol(d.name),)) for d in listed)
                value = Call("{}", (Call("[row]", names),))
                step = Script("=", value, f"M_.{name}", None, self.file.model.place, "")
                carry_out(step, self.values, self.parameters)
                self.out.append(step)

    def emit(self, statement: Statement) -> None:
        self.budget.statements(STEP)
        if isinstance(statement, Skipped) and statement in self.out[-STEP:]:
            return
        if isinstance(statement, Assignment) and statement.value == Symbol(statement.name):
            # set_param_value('a', a): the second is MATLAB's variable
            statement = replace(statement, value=filled(statement.value, self.loaded))
        if isinstance(statement, Assignment) and self.copied(statement):
            return
        self.out.append(statement)
        if isinstance(statement, Assignment):
            try:
                self.values[statement.name] = evaluate(
                    statement.value, self.values, statement.place
                )
            except ModFileError:
                self.values.pop(statement.name, None)
        elif isinstance(statement, Skipped):
            for name in statement.assigns:
                self.values.pop(name, None)

    def copied(self, statement: Assignment) -> bool:
        """Whether it gives a matrix to a variable of MATLAB's, and was carried out."""
        matrix = is_of_matrices(statement.value, self.values)
        if statement.name in self.declared or not matrix:
            return False
        step = self.script(statement, "=", statement.value, statement.name)
        try:
            carry_out(step, self.values, self.parameters)
        except Beyond:
            return False
        self.out.append(step)
        return True

    def group(self, lines: Sequence[Statement]) -> None:
        """A line outside of control flow, or a whole block of it: as it is where it cannot be
        carried out.
        """
        before = len(self.out), dict(self.values)
        self.steps = 0
        try:
            self.items = items_of(lines)
            self.span(0, len(self.items))
        except (Beyond, _Stop):
            del self.out[before[0] :]
            self.values = before[1]
            for line in lines:
                self.emit(line)

    def load(self, item: Item) -> bool:
        """The numbers of a `.mat` file as assignments; whether the line loads one."""
        line = item.line
        if self.folder is None or not isinstance(line, Skipped):
            return False
        text = load_by_value(item.code, self.values) or (line.text if is_load(line.text) else "")
        numbers = loaded(text, self.folder, line.place) if text else None
        for name, value in (numbers or {}).items():
            self.budget.statements(STEP)
            if name in self.declared:
                if isinstance(value, Number):
                    self.loaded[name] = value.value
            elif not f"{name}.".startswith(_STRUCTURES):
                step = self.script(line, "=", value, name)
                carry_out(step, self.values, self.parameters)
                self.out.append(step)
        return numbers is not None

    def span(self, start: int, stop: int) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Beyond("blocks inside of so many others")
        position = start
        while position < stop:
            item = self.items[position]
            self.budget.place = item.line.place
            self.budget.statements(STEP)
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise Beyond("so many turns of a loop")
            if item.inner is not None:
                self.emit(item.inner)
            elif self.load(item):
                pass
            elif item.code is None or item.code.word == "several":
                self.emit(item.line)
            elif item.code.word in OPENS:
                self.block(position, item)
                position = item.after
            elif item.code.word in ("break", "continue"):
                self.depth -= 1
                raise _Stop(item.code.word)
            else:
                self.simple(item, item.code)
            position += 1
        self.depth -= 1

    def simple(self, item: Item, code: Code) -> None:
        """An assignment or a call, as a step where it can be one."""
        try:
            step = self.step(item, code)
            if isinstance(step, OptionLine | ShocksBlock):
                self.emit(step)
                return
            carry_out(step, self.values, self.parameters)
            self.out.append(step)
        except Beyond:
            self.emit(item.line)

    def step(self, item: Item, code: Code) -> Script | OptionLine | ShocksBlock:
        line = item.line
        assert code.value is not None
        if code.word == "=" and code.name == SIZES and code.index is None and len(self.shocks) > 1:
            return self.covariance(line, code.value)
        sizes = shock_sizes(line, code, self.shocks, self.values)
        if sizes is not None:
            return sizes
        if code.word == "call":
            named, value = set_parameter(code.value)
            step = self.script(line, "guard", named)
            name = value_of(named, with_structure(step, self.values, self.parameters))
            if not isinstance(name, str) or name not in self.parameters:
                raise Beyond("this call")
            return self.script(line, "parameter", filled(value, self.loaded), name)
        if code.name.startswith("options_.") and code.index is None:
            return OptionLine(code.name.partition(".")[2], option_text(code.value), line.place)
        if code.name == PARAMETERS and code.index is not None:
            step = self.script(line, "guard", code.index[0])
            workspace = with_structure(step, self.values, self.parameters)
            (where,) = positions(PARAMETERS, code.index, {**workspace, PARAMETERS: _ANY})
            if len(where) != 1 or where[0] >= len(self.parameters):
                raise Beyond("this place among the parameters")
            return self.script(line, "parameter", code.value, self.parameters[where[0]])
        if code.name in self.declared or code.name.startswith(_STRUCTURES):
            # A variable of the workspace of that name, which Dynare does not look at.
            raise Beyond("a field, or a declared name")
        return self.script(line, "=", code.value, code.name, code.index)

    def covariance(self, line: Statement, value: Expression) -> ShocksBlock:
        """`M_.Sigma_e = MATRIX`, kept under a name that no line of MATLAB can read."""
        block = whole_covariance(line, self.shocks, value_of(value, self.values))
        step = self.script(line, "=", value, COVARIANCE)
        carry_out(step, self.values, self.parameters)
        self.out.append(step)
        return block

    def script(
        self,
        line: Statement,
        word: str,
        value: Expression,
        name: str = "",
        index: tuple[Expression, ...] | None = None,
    ) -> Script:
        text = line.text if isinstance(line, Skipped) else ""
        return Script(word, value, name, index, place=line.place, text=text)

    def block(self, position: int, item: Item) -> None:
        assert item.code is not None
        word = item.code.word
        if word == "for":
            self.loop(position, item, item.code)
        elif word == "while":
            assert item.code.value is not None
            while self.guard(item.line, item.code.value):
                if self.turn(position, item):
                    break
        else:
            self.branch(item, item.code)

    def turn(self, position: int, item: Item) -> bool:
        """One turn of a loop; whether a `break` ends it."""
        depth = self.depth
        try:
            self.span(position + 1, item.after)
        except _Stop as stop:
            self.depth = depth
            return str(stop) == "break"
        return False

    def loop(self, position: int, item: Item, code: Code) -> None:
        assert code.value is not None
        step = self.script(item.line, "element", code.value, code.name)
        cells = value_of(code.value, with_structure(step, self.values, self.parameters))
        if isinstance(cells, str) or code.name in self.declared:
            raise Beyond("a loop over this")
        count = len(cells.elements) if isinstance(cells, Cell) else cells.shape[1]
        for k in range(count):
            step = replace(step, position=k, count=count)
            carry_out(step, self.values, self.parameters)
            self.out.append(step)
            if self.turn(position, item):
                break

    def branch(self, item: Item, code: Code) -> None:
        for this, following in zip(item.parts, item.parts[1:], strict=False):
            part = self.items[this]
            assert part.code is not None
            word, value = part.code.word, part.code.value
            if word == "switch":
                continue
            if word == "case":
                assert value is not None
                assert code.value is not None
                value = _one_of(code.value, value, self.values)
            if value is None or self.guard(part.line, value):
                self.span(this + 1, following)
                return

    def guard(self, line: Statement, condition: Expression) -> bool:
        """Whether a condition holds; the step asks for the same of other values."""
        step = self.script(line, "guard", condition)
        workspace = with_structure(step, self.values, self.parameters)
        truth = holds(value_of(condition, workspace))
        step = replace(step, holds=truth)
        if any(True for _ in symbols(condition)):
            self.out.append(step)
        return truth


def _one_of(left: Expression, right: Expression, values: Mapping[str, Any]) -> Expression:
    """Whether a `case` holds: that of a value, or of a cell array of them."""
    if not (isinstance(right, Call) and right.function == "{}"):
        return _same(left, right, values)
    rows = [row.arguments for row in right.arguments if isinstance(row, Call)]
    each = [_same(left, part, values) for row in rows for part in row]
    if not each:
        raise Beyond("a case of nothing")
    return reduce(lambda one, other: Operation("|", (one, other)), each)


def _same(left: Expression, right: Expression, values: Mapping[str, Any]) -> Expression:
    """`left == right` of numbers or texts."""
    if isinstance(value_of(left, values), str):
        return Call("strcmp", (left, right))
    return Operation("==", (left, right))
