"""The names that a file declares, what each is, and what the file says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from emulator.errors import ModFileError
from emulator.modfile.reading.grammar import Reader, place_of
from emulator.modfile.reading.keywords import BLOCKS, DECLARATIONS, FUNCTIONS
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.statements import Header, header
from emulator.modfile.reading.syntax import (
    Call,
    Declaration,
    Expression,
    Number,
    Place,
    Symbol,
    calls,
)

KINDS = {
    "var": "variable",
    "varexo": "shock",
    "varexo_det": "deterministic shock",
    "parameters": "parameter",
    "trend_var": "trend",
    "log_trend_var": "trend",
    "model_local_variable": "model local variable",
}
LETTERS = {"e": "variable", "x": "shock", "p": "parameter"}
"""What `y|e`, `u|x` and `a|p` inside of the model declare."""

MOST_LAGS = 1_000
"""Of one `adl`."""

_RESERVED = DECLARATIONS | BLOCKS | {"end", "expectation"}
_DECLARED_IN_MODEL = re.compile(r"(?<!\w)([A-Za-z_]\w*+)\s*+\|\s*([exp])(?!\w)", re.IGNORECASE)


@dataclass
class Declarations:
    """Declared names in order; `reader.kinds` follows along, so that expressions know them."""

    reader: Reader
    names: dict[str, Declaration] = field(default_factory=dict)
    predetermined: dict[str, Place] = field(default_factory=dict)
    external: dict[str, Place] = field(default_factory=dict)

    def of_kind(self, kind: str) -> tuple[Declaration, ...]:
        return tuple(entry for name, entry in self.names.items() if self.reader.kinds[name] == kind)

    def read(self, word: str, span: Span) -> None:
        """One statement: `var x y;`, `parameters a $tex$ (long_name = '...');`,
        `change_type(parameters) x;` ...
        """
        head = header(word, span)
        if word == "external_function":
            name = head.options.get("name", "")
            if not name:
                raise ModFileError(
                    "'external_function' needs the name of the function: external_function(name"
                    " = f).",
                    span.place,
                )
            self.external[name] = span.place
            self.reader.external.add(name)
            return
        entries = self.reader.read(head.rest, "declarations", f"the list of '{word}'")
        common = self._common(word, head, span)
        for name, tex, attributes in entries:
            place = place_of(head.rest, name)
            if word == "predetermined_variables":
                self._require(str(name), "variable", word, place)
                self.predetermined[str(name)] = place
            elif word == "change_type":
                self.change(str(name), next(iter(head.options), ""), place)
            else:
                self.add(
                    replace(
                        common,
                        name=str(name),
                        place=place,
                        tex=tex,
                        long_name=attributes.get("long_name", ""),
                    ),
                    KINDS[word],
                )

    def read_from_model(self, span: Span) -> None:
        """The names that equations declare where they use them, as `y|e`; the whole model may use
        them.
        """
        for match in _DECLARED_IN_MODEL.finditer(span.text):
            place = span.place_of(match.start())
            self.add(Declaration(match[1], place), LETTERS[match[2].lower()])

    def weights(self, expression: Expression, place: Place) -> None:
        """The parameters that `adl(x, 'a', 2)` stands for, a_lag_1 and a_lag_2: Dynare declares
        them where it reads it, so that they are given values below.
        """
        for call in calls(expression):
            if call.function == "adl":
                for _, name in lags_and_weights(call, place):
                    self.add(Declaration(name, place), "parameter")

    def add(self, entry: Declaration, kind: str) -> None:
        if entry.name.lower() in _RESERVED:
            raise ModFileError(
                f"'{entry.name}' is a word of Dynare's and cannot be declared; is a ';' missing"
                " before it?",
                entry.place,
            )
        if entry.name.lower() in FUNCTIONS or "." in entry.name:
            raise ModFileError(
                f"'{entry.name}' cannot be declared: it is not a free name.", entry.place
            )
        known = self.reader.kinds.get(entry.name, kind)
        if known != kind:
            before = self.names[entry.name].place
            raise ModFileError(
                f"'{entry.name}' is declared as a {kind} here, and as a {known} at line"
                f" {before.line}; a name can be one of them only.",
                entry.place,
            )
        if entry.name not in self.names:
            self.names[entry.name] = entry
            self.reader.kinds[entry.name] = kind

    def _common(self, word: str, head: Header, span: Span) -> Declaration:
        """What the options in brackets say of all the names behind them."""

        def expression(option: str) -> Expression | None:
            text = head.options.get(option)
            if text is None:
                return None
            return self.reader.expression(replace(span, text=text), f"the option '{option}'")

        growth_is_log = word == "log_trend_var"
        return Declaration(
            "",
            span.place,
            log="log" in head.options,
            deflator=expression("deflator"),
            log_deflator=expression("log_deflator"),
            growth=expression("log_growth_factor" if growth_is_log else "growth_factor"),
            growth_is_log=growth_is_log,
        )

    def remove(self, name: str, place: Place) -> None:
        """Take a declared name away."""
        if name not in self.names:
            raise ModFileError(f"'{name}' is not declared; it cannot be removed.", place)
        del self.names[name], self.reader.kinds[name]

    def change(self, name: str, wanted: str, place: Place) -> None:
        if wanted not in KINDS:
            raise ModFileError(
                "'change_type' needs var, varexo, varexo_det or parameters in its brackets.", place
            )
        if name not in self.names:
            raise ModFileError(f"'{name}' is not declared; its type cannot be changed.", place)
        # It moves to the end of its new list, as if it had been declared here.
        del self.reader.kinds[name]
        self.reader.kinds[name] = KINDS[wanted]
        self.names[name] = self.names.pop(name)

    def _require(self, name: str, kind: str, word: str, place: Place) -> None:
        if self.reader.kinds.get(name) != kind:
            raise ModFileError(
                f"'{word}' lists '{name}', which is not declared as a {kind}.", place
            )


def lags_and_weights(call: Call, place: Place) -> list[tuple[int, str]]:
    """The lags of `adl(x, 'a', [1:3])` with the parameters beside them; a number of lags, 1 by
    default, stands for all from 1. Raises `ModFileError` for lags that are none.
    """
    name = call.arguments[1]
    assert isinstance(name, Symbol)
    lags = call.arguments[2] if len(call.arguments) > 2 else Number(1.0)
    listed = lags.arguments if isinstance(lags, Call) else (lags,)
    if not all(isinstance(lag, Number) and lag.value == int(lag.value) for lag in listed):
        raise ModFileError("the lags of 'adl' are whole numbers.", place)
    periods = [int(lag.value) for lag in listed if isinstance(lag, Number)]
    if not isinstance(lags, Call):
        periods = list(range(1, min(periods[0], MOST_LAGS + 1) + 1))
    if len(periods) > MOST_LAGS:
        raise ModFileError(f"'adl' has more than {MOST_LAGS:,} lags.", place)
    return [(period, f"{name.name}_lag_{period}") for period in periods]
