"""MATLAB between Dynare's statements, as data: assignments, `if`, `for`, `while`, calls.

Expressions are those of `syntax`, with these calls beside functions and indices: `[]` a matrix, its
arguments `[row]`; `:` a range of (first, last) or (first, step, last), without arguments all of a
dimension; `end` the last index; `''` a string; `{}` a cell array and `{k}` (array, index) its
element. Fields are part of a name: `M_.params`. Operators with a point are elementwise; `&`, `|`,
`~` and `'` (transposed) are operators too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from emulator.modfile.reading.syntax import Call, Expression, Number, Operation, Symbol

DEEPEST = 60
"""Brackets inside of one another."""

_TOKEN = re.compile(
    r"(?P<blank>[ \t\v]+)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"
    r"|(?P<operator>\.\*|\./|\.\^|\.'|==|~=|!=|<=|>=|&&|\|\||[-+*/\\^<>&|~!()\[\],;:='\"\n{}@])"
)
_LEVELS = (
    ("||",),
    ("&&",),
    ("|",),
    ("&",),
    ("<", "<=", ">", ">=", "==", "~=", "!="),
    (":",),
    ("+", "-"),
    ("*", "/", ".*", "./", "\\"),
)
_RANGE = 5
_NAMES = {"&&": "&", "||": "|", "~=": "!=", "!": "~"}
WORDS = (
    "if", "elseif", "else", "for", "while", "switch", "case", "otherwise", "end", "endif",
    "endfor", "endwhile", "endswitch", "break", "continue",
)  # fmt: skip


CONTINUED = " \v"
"""Stands for `...` and the end of a line in one statement, so that lines can be counted."""


class NotPlain(Exception):
    """What is beyond this subset of MATLAB."""


@dataclass(frozen=True)
class Code:
    """One statement: `word` is `=` for an assignment, `several` for one of several outputs (their
    names in `name`, with commas), `call` for an expression that stands alone, or a word of
    MATLAB's control flow. `name` is what is set, `index` where in it (None: all of it), `value`
    the right side, the condition or what a loop goes through. `line` is where it begins, from 0 in
    the text that it was read from, or the file's line where a file is read.
    """

    word: str
    value: Expression | None = None
    name: str = ""
    index: tuple[Expression, ...] | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    spaced: bool
    """Whether a blank stands before it."""
    line: int = 0
    """Ends of lines before it."""


def read_code(text: str) -> tuple[Code, ...] | None:
    """The statements of some lines of MATLAB, None where they are more than this subset."""
    try:
        return tuple(_Reader(_tokens(text)).statements())
    except (NotPlain, RecursionError):
        return None


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    spaced = False
    line = 0
    text = re.sub(r"\.\.\.[^\n]*\n?", CONTINUED, text)
    while position < len(text):
        letter = text[position]
        if letter in "'\"" and (letter == '"' or _opens_string(tokens, spaced)):
            end = position + 1
            while end < len(text) and text[end] != letter:
                end += 1
            if end >= len(text):
                raise NotPlain
            tokens.append(_Token("string", text[position + 1 : end], spaced, line))
            position, spaced = end + 1, False
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise NotPlain
        position = match.end()
        kind = str(match.lastgroup)
        if kind == "blank":
            spaced = True
            line += match[0].count("\v")
            continue
        tokens.append(_Token(kind, match[0], spaced, line))
        line += match[0] == "\n"
        spaced = False
    return tokens


def _opens_string(tokens: list[_Token], spaced: bool) -> bool:
    """Whether a quote begins a string; behind a value it transposes."""
    if not tokens:
        return True
    last = tokens[-1]
    value = last.kind in ("name", "number", "string") or last.text in (")", "]", "'", ".'")
    return not value or spaced


class _Reader:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0
        self.in_matrix = False

    def peek(self) -> _Token:
        if self.position < len(self.tokens):
            return self.tokens[self.position]
        return _Token("end of text", "", True)

    def take(self, text: str = "") -> _Token:
        token = self.peek()
        if text and token.text != text:
            raise NotPlain
        self.position += 1
        return token

    def statements(self) -> list[Code]:
        codes: list[Code] = []
        while self.peek().kind != "end of text":
            if self.peek().text in (";", ",", "\n"):
                self.take()
                continue
            line = self.peek().line
            codes.append(replace(self.statement(), line=line))
            ended = self.peek().kind == "end of text" or self.peek().text in (";", ",", "\n")
            if not ended and codes[-1].word in ("=", "call"):
                raise NotPlain
        return codes

    def statement(self) -> Code:
        token = self.peek()
        if token.kind == "name" and token.text in WORDS:
            self.take()
            return self.controlled(token.text)
        start = self.position
        outputs = self.outputs() if token.text == "[" else ()
        if outputs:
            return Code("several", self.expression(), ",".join(outputs))
        if token.kind == "name":
            name = self.take().text
            index = self.arguments() if self.peek().text == "(" else None
            if self.peek().text == "=":
                self.take()
                return Code("=", self.expression(), name, index)
            self.position = start
        return Code("call", self.expression())

    def outputs(self) -> tuple[str, ...]:
        """The names of `[a, ~, b] =`, taken; nothing where these tokens are none."""
        names: list[str] = []
        for position in range(self.position + 1, len(self.tokens)):
            token = self.tokens[position]
            if token.text == "]":
                following = self.tokens[position + 1 : position + 2]
                if names and following and following[0].text == "=":
                    self.position = position + 2
                    return tuple(names)
                return ()
            if token.text in ("~", "!") or token.kind == "name":
                names.append(token.text)
            elif token.text != ",":
                return ()
        return ()

    def controlled(self, word: str) -> Code:
        if word.startswith("end"):
            return Code("end")
        if word in ("else", "otherwise", "break", "continue"):
            return Code(word)
        if word != "for":
            return Code(word, self.expression())
        bracket = self.peek().text == "("
        if bracket:
            self.take()
        name = self.take()
        self.take("=")
        value = self.expression()
        if bracket:
            self.take(")")
        return Code("for", value, name.text)

    def expression(self, level: int = 0) -> Expression:
        if level == len(_LEVELS):
            return self.unary()
        left = self.expression(level + 1)
        parts = [left]
        while self.operator_here(_LEVELS[level]):
            operator = self.take().text
            right = self.expression(level + 1)
            if level == _RANGE:
                parts.append(right)
            else:
                left = Operation(_NAMES.get(operator, operator), (left, right))
        return Call(":", tuple(parts)) if len(parts) > 1 else left

    def operator_here(self, operators: tuple[str, ...]) -> bool:
        """In a matrix `[1 -2]` has two elements, `[1 - 2]` has one."""
        token = self.peek()
        if token.kind != "operator" or token.text not in operators:
            return False
        if not (self.in_matrix and token.spaced and token.text in ("+", "-")):
            return True
        following = self.position + 1
        return following < len(self.tokens) and self.tokens[following].spaced

    def unary(self) -> Expression:
        token = self.peek()
        if token.text in ("-", "+", "~", "!"):
            self.take()
            operand = self.unary()
            if token.text == "+":
                return operand
            return Operation("neg" if token.text == "-" else "~", (operand,))
        return self.power()

    def power(self) -> Expression:
        """Powers chain from the left; an exponent may have a sign: 2^-3^2 is (2^-3)^2."""
        left = self.postfix()
        while self.peek().text in ("^", ".^"):
            operator = self.take().text
            signs = 0
            while self.peek().text in ("-", "+"):
                signs += self.take().text == "-"
            right = self.postfix()
            left = Operation(operator, (left, Operation("neg", (right,)) if signs % 2 else right))
        return left

    def postfix(self) -> Expression:
        value = self.atom()
        while self.peek().text in ("'", ".'", "{") and not self.peek().spaced:
            if self.take().text == "{":
                value = Call("{k}", (value, self.expression()))
                if self.peek().text == ",":  # names{k,:}
                    self.take(",")
                    self.take(":")
                self.take("}")
            else:
                value = Operation("'", (value,))
        return value

    def atom(self) -> Expression:
        token = self.take()
        if token.kind == "number":
            return Number(float(token.text.lower().replace("d", "e")))
        if token.kind == "string":
            return Call("''", (Symbol(token.text),))
        if token.kind == "name":
            if token.text == "end":
                return Call("end", ())
            if self.peek().text == "(" and not (self.in_matrix and self.peek().spaced):
                return Call(token.text, self.arguments())
            return Symbol(token.text)
        if token.text == "@":
            return self.handle()
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotPlain
        outside = self.in_matrix
        if token.text == "(":
            self.in_matrix = False
            value = self.expression()
            self.in_matrix = outside
            self.take(")")
        elif token.text in ("[", "{"):
            self.in_matrix = True
            value = self.matrix("]" if token.text == "[" else "}")
            self.in_matrix = outside
        else:
            raise NotPlain
        self.depth -= 1
        return value

    def handle(self) -> Expression:
        """`@(x, y) EXPRESSION` or `@NAME`, as a call of `@`: the names in a row, then the rest."""
        if self.peek().kind == "name":
            return Call("@", (Symbol(self.take().text),))
        names = self.arguments()
        if not all(isinstance(name, Symbol) for name in names):
            raise NotPlain
        outside, self.in_matrix = self.in_matrix, False
        value = self.expression()
        self.in_matrix = outside
        return Call("@", (Call("[row]", names), value))

    def arguments(self) -> tuple[Expression, ...]:
        self.take("(")
        outside, self.in_matrix = self.in_matrix, False
        values: list[Expression] = []
        while self.peek().text != ")":
            if values:
                self.take(",")
            if self.peek().text == ":":
                self.take()
                values.append(Call(":", ()))
            else:
                values.append(self.expression())
        self.take(")")
        self.in_matrix = outside
        return tuple(values)

    def matrix(self, closing: str) -> Expression:
        rows: list[Expression] = []
        row: list[Expression] = []
        while (token := self.peek()).text != closing:
            if token.kind == "end of text":
                raise NotPlain
            if token.text in (";", "\n"):
                self.take()
                rows += [Call("[row]", tuple(row))] if row else []
                row = []
            elif token.text == ",":
                self.take()
            else:
                row.append(self.expression())
        self.take(closing)
        rows += [Call("[row]", tuple(row))] if row else []
        return Call("[]" if closing == "]" else "{}", tuple(rows))
