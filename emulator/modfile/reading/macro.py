"""Dynare's macro language: `@#define`, `@#if`, `@#for`, `@#include`, `@{...}` are carried out;
every line keeps its place.

Dynare Reference Manual, ch. 5 "Macro processing language".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lark import Tree

from emulator.errors import ModFileError
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.macro_expressions import Scope, bindings, evaluate, parse_macro
from emulator.modfile.reading.macro_values import MacroError, Value, length, show, truth
from emulator.modfile.reading.source import Line, read_lines
from emulator.modfile.reading.syntax import Place

MOST_LINES = 200_000
"""Lines that a file may expand to, and turns that its loops may take."""
DEEPEST_BLOCK = 60
PARSING = 4
"""Steps of work for each letter of a macro expression that is parsed."""
MODEL_SUFFIXES = (".mod", ".inc", ".dyn")

_DIRECTIVE = re.compile(r"\s*@#\s*(?P<word>\w*)(?P<rest>.*)", re.DOTALL)
_INLINE = re.compile(r"@\{")
_INLINE_PART = re.compile(r"""'[^']*'|"[^"]*"|[{}]""")
_OPENING = {"if": "endif", "ifdef": "endif", "ifndef": "endif", "for": "endfor"}
_CLOSING = ("endif", "endfor", "else", "elseif")


@dataclass
class _Node:
    """A directive with the lines and directives inside of it; `word` is '' for a line of text."""

    word: str
    rest: str
    place: Place
    body: list[_Node] = field(default_factory=list)
    otherwise: _Node | None = None


def expand(lines: Sequence[Line], folder: Path | None, budget: Budget | None = None) -> list[Line]:
    """The lines with all macros carried out; `folder` is where `@#include` looks first, None for a
    text that stands alone and may include nothing.

    ModFileError says where one is wrong, or goes beyond the `budget`.
    """
    processor = _Processor(folder, budget or Budget())
    processor.run(_tree(lines))
    return processor.output


class _Processor:
    def __init__(self, folder: Path | None, budget: Budget) -> None:
        self.budget = budget
        self.scope = Scope(budget=budget)
        self.output: list[Line] = []
        self.folders = [] if folder is None else [folder]
        self.search: list[Path] = []
        self.turns = 0
        self.depth = 0

    def run(self, nodes: list[_Node]) -> None:
        self.depth += 1
        for node in nodes:
            if self.depth > DEEPEST_BLOCK:
                raise ModFileError(
                    f"macro directives and included files nest more than {DEEPEST_BLOCK} deep; does"
                    " a file include itself?",
                    node.place,
                )
            self.budget.place = node.place
            self.count_turn(node)
            try:
                self.carry_out(node)
            except MacroError as error:
                raise ModFileError(str(error), node.place) from None
        self.depth -= 1

    def count_turn(self, node: _Node) -> None:
        self.turns += 1
        if self.turns > MOST_LINES:
            raise ModFileError(
                f"the macros expand to more than {MOST_LINES:,} lines; does a loop or an @#include"
                " go on without end?",
                node.place,
            )

    def carry_out(self, node: _Node) -> None:
        if not node.word:
            self.output.append(Line(self.filled(node.rest), node.place))
            return
        actions: dict[str, Callable[[_Node], None]] = {
            "define": self.define,
            "include": self.include,
            "includepath": self.include_path,
            "for": self.loop,
            "if": self.branch,
            "ifdef": self.branch,
            "ifndef": self.branch,
            "error": self.error,
            "echo": lambda node: None,
            "echomacrovars": lambda node: None,
            "line": lambda node: None,
        }
        if node.word not in actions:
            raise MacroError(f"the macro directive '@#{node.word}' is not known.")
        actions[node.word](node)

    def value(self, text: str) -> Value:
        if not text.strip():
            raise MacroError("a macro expression is missing here.")
        return evaluate(self.parsed(text), self.scope)

    def parsed(self, text: str, start: str = "value") -> Tree:
        self.budget.macros(elements=PARSING * len(text))
        return parse_macro(text, start)

    def filled(self, text: str) -> str:
        """The text with every `@{expression}` replaced by its value."""
        parts: list[str] = []
        position = 0
        self.budget.text(len(text))
        while opening := _INLINE.search(text, position):
            end = _closing_brace(text, opening.end())
            value = self.value(text[opening.end() : end])
            if not isinstance(value, str):
                self.budget.macros(elements=length(value))
            shown = show(value)
            self.budget.text(len(shown))
            parts += [text[position : opening.start()], shown]
            position = end + 1
        return "".join([*parts, text[position:]])

    def define(self, node: _Node) -> None:
        tree = self.parsed(node.rest, "define")
        name = str(tree.children[0])
        if tree.data == "define_function":
            self.scope.functions[name] = (
                [str(argument) for argument in tree.children[1].children],
                tree.children[2],
            )
        else:
            value = tree.children[1]
            self.scope.values[name] = True if value is None else evaluate(value, self.scope)

    def include(self, node: _Node) -> None:
        self.refuse_where_alone(node)
        name = self.text_of(node)
        for folder in [self.folders[-1], *self.search, self.folders[0]]:
            path = next((p for p in (folder / name, folder / f"{name}.mod") if p.is_file()), None)
            if path is not None:
                self.refuse_foreign(path)
                self.folders.append(path.parent)
                self.run(_tree(read_lines(path)))
                self.folders.pop()
                return
        raise MacroError(f"the file '{name}' of @#include was not found in '{self.folders[-1]}'.")

    def refuse_foreign(self, path: Path) -> None:
        """A stranger's model must not read any file of the machine: outside of its own folder, only
        those of Dynare's.
        """
        inside = path.resolve().is_relative_to(self.folders[0].resolve())
        if not inside and path.resolve().suffix.lower() not in MODEL_SUFFIXES:
            raise MacroError(
                "@#include of a file outside of the model's folder is allowed for"
                f" {', '.join(MODEL_SUFFIXES)} only; copy the file beside the model."
            )

    def refuse_where_alone(self, node: _Node) -> None:
        if not self.folders:
            raise MacroError(
                f"@#{node.word} is not supported here, where the text stands alone; put the text of"
                " the other file in its place."
            )

    def include_path(self, node: _Node) -> None:
        self.refuse_where_alone(node)
        self.search += [self.folders[-1] / part for part in self.text_of(node).split(":")]

    def text_of(self, node: _Node) -> str:
        value = self.value(node.rest)
        if not isinstance(value, str) or "\0" in value:
            raise MacroError(f"@#{node.word} needs a string in quotes.")
        return value

    def loop(self, node: _Node) -> None:
        target, elements, condition = self.parsed(node.rest, "loop").children
        for bound in bindings(target, evaluate(elements, self.scope), condition, self.scope):
            self.scope.values.update(bound)
            self.count_turn(node)
            self.run(node.body)

    def branch(self, node: _Node) -> None:
        branch: _Node | None = node
        while branch is not None and not self.holds(branch):
            branch = branch.otherwise
        if branch is not None:
            self.run(branch.body)

    def holds(self, node: _Node) -> bool:
        if node.word == "else":
            return True
        try:
            if node.word in ("ifdef", "ifndef"):
                [name] = self.parsed(node.rest, "test_name").children
                known = name in self.scope.values or name in self.scope.functions
                return known == (node.word == "ifdef")
            return truth(self.value(node.rest))
        except MacroError as error:
            raise ModFileError(str(error), node.place) from None

    def error(self, node: _Node) -> None:
        raise MacroError(f"the file stops here with @#error: {show(self.value(node.rest))}")


def _closing_brace(text: str, start: int) -> int:
    depth = 1
    for part in _INLINE_PART.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(part[0], 0)
        if depth == 0:
            return part.start()
    raise MacroError("'@{' is not closed with '}' on its line.")


def _tree(lines: Sequence[Line]) -> list[_Node]:
    """The directives as a tree: what stands between `@#if` and `@#endif`, `@#for` and `@#endfor`
    becomes a body.
    """
    top: list[_Node] = []
    opened: list[_Node] = []
    for word, rest, place in _directives(lines):
        if word in _CLOSING:
            _close(word, rest, place, opened)
            continue
        node = _Node(word, rest, place)
        (opened[-1].body if opened else top).append(node)
        if word in _OPENING:
            opened.append(node)
            if len(opened) > DEEPEST_BLOCK:
                raise ModFileError(f"macro directives nest more than {DEEPEST_BLOCK} deep.", place)
    if opened:
        raise ModFileError(
            f"'@#{opened[-1].word}' is not closed; '{_end_of(opened[-1])}' was expected before the"
            " end of the file.",
            opened[-1].place,
        )
    return top


def _close(word: str, rest: str, place: Place, opened: list[_Node]) -> None:
    """Ends the innermost directive, or begins its next branch."""
    node = opened.pop() if opened else None
    branches = ("if", "ifdef", "ifndef", "elseif")
    allowed = {
        "endfor": ("for",),
        "endif": (*branches, "else"),
        "else": branches,
        "elseif": branches,
    }[word]
    if node is None or node.word not in allowed:
        after = (
            "nothing is open"
            if node is None
            else f"'@#{node.word}' of line {node.place.line} is open and needs '{_end_of(node)}'"
        )
        raise ModFileError(f"'@#{word}' has no beginning: {after}.", place)
    if word in ("else", "elseif"):
        node.otherwise = _Node(word, rest, place)
        opened.append(node.otherwise)


def _end_of(node: _Node) -> str:
    return "@#endfor" if node.word == "for" else "@#endif"


def _directives(lines: Sequence[Line]) -> Iterator[tuple[str, str, Place]]:
    """(word, rest, place) of every directive, with its continuation lines; word is '' for text."""
    queue = iter(lines)
    for line in queue:
        directive = _DIRECTIVE.fullmatch(line.text)
        if directive is None:
            yield "", line.text, line.place
            continue
        pieces = [directive["rest"].rstrip()]
        while pieces[-1].endswith("\\"):
            following = next(queue, None)
            if following is None:
                raise ModFileError(
                    "the macro directive goes on at the next line, but the file ends here.",
                    line.place,
                )
            pieces[-1] = pieces[-1].rstrip("\\")
            pieces.append(following.text.rstrip())
        yield directive["word"], "\n".join(pieces), line.place
