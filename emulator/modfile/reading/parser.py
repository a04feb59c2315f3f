"""`parse`: a Dynare `.mod` file as `syntax` describes it.

Bytes become lines without comments (`source`), macros are carried out (`macro`), the text is cut
into statements (`scanner`), each statement is read by the grammar (`reading`, `build`). Nothing of
the file is ever executed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from emulator.errors import ModFileError
from emulator.modfile.reading.blocks import (
    ESTIMATED_FIELDS,
    read_estimated_params,
    read_homotopy,
    read_initval,
    read_model,
    read_shocks,
    read_steady_state_model,
)
from emulator.modfile.reading.budget import Budget
from emulator.modfile.reading.changes import loaded_values, release, selections, without
from emulator.modfile.reading.constraints import read_constraints, read_planner_bounds
from emulator.modfile.reading.controlled_paths import read_controlled_paths
from emulator.modfile.reading.declarations import Declarations
from emulator.modfile.reading.given_paths import read_histval, read_learnt_ends
from emulator.modfile.reading.grammar import Reader, check_depth
from emulator.modfile.reading.keywords import COMMANDS, DECLARATIONS
from emulator.modfile.reading.macro import expand
from emulator.modfile.reading.matlab import read_code
from emulator.modfile.reading.native import assigned_names, read_native
from emulator.modfile.reading.scanner import Block, Native, Segment, Sentence, nesting, scan
from emulator.modfile.reading.simple_rules import read_optim_weights, read_rule_bounds
from emulator.modfile.reading.source import (
    Line,
    Span,
    first_line_options,
    read_text,
    strip_comments,
)
from emulator.modfile.reading.statements import command, header
from emulator.modfile.reading.syntax import (
    Assignment,
    Command,
    Equation,
    Model,
    ModFile,
    Place,
    Skipped,
    Statement,
)
from emulator.modfile.reading.syntax_policy import PlannerObjective
from emulator.modfile.reading.workspace import read_covariance


def parse(path: str | Path, budget: Budget | None = None) -> ModFile:
    """The parsed file; ModFileError with file and line where it cannot be read, says what Dynare
    would not accept, or goes beyond the `budget`.
    """
    path = Path(path)
    return _parsed(read_text(path), path, path.parent, budget or Budget())


def parse_text(text: str, name: str = "model.mod", budget: Budget | None = None) -> ModFile:
    """The same for a text at hand, which may be a stranger's: it reads no file, so `@#include` is
    refused. `name` is what messages call it.
    """
    return _parsed(text, Path(name), None, budget or Budget())


def _parsed(written: str, path: Path, folder: Path | None, budget: Budget) -> ModFile:
    command_line = first_line_options(written)
    first = Place(str(path), 1)
    lines = [
        *(Line(line, first) for line in _definitions(command_line)),
        *strip_comments(written, str(path)),
    ]
    expanded = expand(lines, folder, budget)
    if not any(line.text.strip() for line in expanded):
        raise ModFileError(
            "the file is empty; declarations and a model block were expected.", first
        )
    parser = _Parser(budget, folder)
    for segment in scan(expanded, parser.reader.kinds):
        parser.take(segment)
    text = "\n".join(stripped for line in expanded if (stripped := line.text.rstrip()))
    return replace(parser.result(path, expanded[-1].place, text), command_line=command_line)


def _definitions(command_line: Sequence[str]) -> list[str]:
    """The macro definitions of options `-DNAME=VALUE` and `-DNAME`."""
    lines = []
    for option in command_line:
        if option.startswith("-D"):
            name, equal, value = option[2:].partition("=")
            lines.append(f"@#define {name} = {value if equal else 'true'}")
    return lines


class _Parser:
    """Takes the segments one by one; the names that one declares change how the next is cut."""

    def __init__(self, budget: Budget, folder: Path | None) -> None:
        self.budget = budget
        self.folder = folder
        self.reader = Reader()
        self.declarations = Declarations(self.reader)
        self.models: list[Model] = []
        self.statements: list[Statement] = []
        self.open: list[Place] = []

    def take(self, segment: Segment) -> None:
        self.budget.place = segment.span.place
        if isinstance(segment, Native):
            self.native(segment.span)
        elif isinstance(segment, Block):
            self.block(segment)
        else:
            self.sentence(segment)

    def native(self, line: Span) -> None:
        change = nesting(line)
        inside = bool(self.open) or change != 0 or _one_line(line)
        if inside:
            self.skip(line)
        else:
            self.statements += read_native(line, self.reader)
        self.open += [line.place] * change
        if change < 0:
            if len(self.open) < -change:
                raise ModFileError(
                    "this 'end' closes nothing: no block, 'if' or loop is open here.", line.place
                )
            del self.open[change:]

    def skip(
        self,
        span: Span,
        assigns: tuple[str, ...] | None = None,
        inner: tuple[Statement, ...] = (),
    ) -> None:
        names = assigned_names(span.text, self.reader.kinds) if assigns is None else assigns
        self.statements.append(
            Skipped(
                text=span.words,
                assigns=names,
                nested=True,
                place=span.place,
                code=read_code(span.text) if assigns is None else None,
                inner=inner,
            )
        )

    def sentence(self, sentence: Sentence) -> None:
        word = sentence.word
        span = sentence.span
        following = span.part(len(word)).text
        if word in self.reader.kinds and (
            word.lower() not in COMMANDS | DECLARATIONS or following.startswith("=")
        ):
            self.about_name(word, span, following)
        elif word in DECLARATIONS:
            # Dynare carries declarations out when it reads them, whatever `if` they stand in.
            self.declarations.read(word, span)
        elif self.open and word == "load_params_and_steady_state":
            self.loaded_inside(span, word)
        elif self.open:
            plain = word not in ("planner_objective", "ramsey_model", "sigma_e")
            self.skip(span, (), (command(word, span),) if plain else ())
        elif word == "planner_objective":
            value = self.reader.read(
                span.part(len(word)), "value", "the planner's objective", strict=True
            )
            self.statements.append(PlannerObjective(value, None, span.place))
        elif word == "sigma_e":
            self.statements.append(read_covariance(span, self.reader))
        elif word == "load_params_and_steady_state":
            self.statements += loaded_values(span, word, self.folder, self.declarations)
        elif word == "model_remove":
            removed = self.take_out(word, span)
            release(removed, self.models, self.declarations, span.place)
        elif word == "var_remove":
            for name in command(word, span).names:
                self.declarations.remove(name, span.place)
        else:
            self.statements.append(self.of_planner(command(word, span), span))

    def loaded_inside(self, span: Span, word: str) -> None:
        """Values from a file beside the model, inside of MATLAB's control flow. A branch that is
        not taken needs no such file; where it is taken without one, no parameter has a value.
        """
        try:
            statements = tuple(loaded_values(span, word, self.folder, self.declarations))
        except ModFileError:
            names = [name for name, kind in self.reader.kinds.items() if kind == "parameter"]
            self.skip(span, tuple(names))
            return
        names = [s.name for s in statements if isinstance(s, Assignment)]
        self.skip(span, tuple(names), statements)

    def take_out(self, word: str, span: Span) -> list[Equation]:
        """The equations that a statement selects, which leave the model."""
        wanted = selections(span, word)
        self.models, removed = without(self.models, wanted, word, span.place)
        return removed

    def of_planner(self, planned: Command, span: Span) -> Command:
        """A command as it is; the discount factor of `ramsey_model` is read into the objective that
        stands before it.
        """
        text = planned.options.get("planner_discount")
        if text and planned.name in ("ramsey_model", "ramsey_policy"):
            discount = self.reader.read(
                Span(text, (span.place,)), "value", "the planner's discount factor", strict=True
            )
            self.budget.statements(len(self.statements))
            self.statements[:] = [
                replace(s, discount=discount) if isinstance(s, PlannerObjective) else s
                for s in self.statements
            ]
        return planned

    def about_name(self, name: str, span: Span, following: str) -> None:
        """`alpha = 0.3;`, or `alpha.prior(...);`, which is a command named after what stands behind
        the point.
        """
        if following.startswith("."):
            word = following[1:].split("(", 1)[0].strip()
            self.statements.append(Command(word, {}, (name,), span.place))
            return
        if self.reader.kinds[name] != "parameter":
            raise ModFileError(
                f"'{name}' is a {self.reader.kinds[name]}; only parameters are given values outside"
                " of blocks.",
                span.place,
            )
        _, value, _ = self.reader.read(span, "assignment", f"the value of '{name}'")
        check_depth(value, span)
        if self.open:
            self.skip(span, (name,), (Assignment(name, value, span.place),))
        else:
            self.statements.append(Assignment(name, value, span.place))

    def block(self, block: Block) -> None:
        rest = header(block.word, block.head).rest
        if rest.text and block.word != "model_replace":
            raise ModFileError(
                f"';' was expected after '{block.word}', before '{rest.words[:30]}'.", rest.place
            )
        if block.word == "model":
            self.models.append(read_model(block, self.declarations))
        elif block.word == "model_replace":
            self.take_out(block.word, block.head)
            self.models.append(read_model(block, self.declarations))
        elif block.word == "steady_state_model":
            self.statements.append(read_steady_state_model(block, self.reader))
        elif block.word == "verbatim":
            self.verbatim(block)
        elif self.open:
            inner: tuple[Statement, ...] = ()
            if block.word in ("shocks", "mshocks"):
                inner = (read_shocks(block, self.reader),)
            elif block.word in ("initval", "endval"):
                inner = (read_initval(block, self.reader),)
            elif block.word == "histval":
                inner = (read_histval(block, self.reader),)
            self.skip(block.span, (), inner)
        elif block.word == "endval" and "learnt_in" in header(block.word, block.head).options:
            self.statements.append(read_learnt_ends(block, self.reader))
        elif block.word in ("initval", "endval"):
            self.statements.append(read_initval(block, self.reader))
        elif block.word == "homotopy_setup":
            self.statements.append(read_homotopy(block, self.reader))
        elif block.word == "perfect_foresight_controlled_paths":
            self.statements.append(read_controlled_paths(block, self.reader))
        elif block.word == "histval":
            self.statements.append(read_histval(block, self.reader))
        elif block.word in ("shocks", "mshocks"):
            self.statements.append(read_shocks(block, self.reader))
        elif block.word == "estimated_params" or block.word in ESTIMATED_FIELDS:
            self.statements.append(read_estimated_params(block, self.reader))
        elif block.word == "occbin_constraints":
            self.statements.append(read_constraints(block, self.reader))
        elif block.word == "ramsey_constraints":
            self.statements.append(read_planner_bounds(block, self.reader))
        elif block.word == "optim_weights":
            self.statements.append(read_optim_weights(block, self.reader))
        elif block.word == "osr_params_bounds":
            self.statements.append(read_rule_bounds(block, self.reader))
        else:
            self.statements.append(replace(command(block.word, block.head), names=()))

    def verbatim(self, block: Block) -> None:
        """MATLAB without a word of Dynare's."""
        for item in block.items:
            for text, place in zip(item.text.split("\n"), item.places, strict=False):
                self.native(Span(text.strip(), (place,)))

    def result(self, path: Path, last: Place, text: str) -> ModFile:
        if self.open:
            raise ModFileError("the 'if' or loop that begins here has no 'end'.", self.open[-1])
        if not self.models:
            raise ModFileError("there is no model block; 'model; ... end;' was expected.", last)
        names = self.declarations
        return ModFile(
            path=path,
            variables=names.of_kind("variable"),
            shocks=names.of_kind("shock"),
            deterministic_shocks=names.of_kind("deterministic shock"),
            parameters=names.of_kind("parameter"),
            trends=names.of_kind("trend"),
            predetermined=tuple(names.predetermined),
            external_functions=tuple(names.external),
            model=_joined(self.models),
            statements=tuple(self.statements),
            text=text,
            sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
            folder=self.folder,
        )


def _joined(models: Sequence[Model]) -> Model:
    """Several model blocks are one model."""
    first = models[0]
    return replace(
        first,
        equations=tuple(equation for model in models for equation in model.equations),
        locals=tuple(local for model in models for local in model.locals),
        linear=any(model.linear for model in models),
        options={name: text for model in models for name, text in model.options.items()},
    )


def _one_line(line: Span) -> bool:
    """`if x, y = 1; end` on one line opens and closes."""
    first = line.text.split("(", 1)[0].split(None, 1)
    return bool(first) and first[0] in ("if", "for", "while", "switch", "try", "parfor")
