"""The blocks whose content we read: model, steady_state_model, initval, shocks,
estimated_params.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lark import Token

from emulator.errors import ModFileError, nearest
from emulator.modfile.reading.declarations import Declarations
from emulator.modfile.reading.given_paths import path_word, read_periods, read_values, shock_path
from emulator.modfile.reading.grammar import Reader, check_depth, place_of
from emulator.modfile.reading.scanner import Block
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.statements import header
from emulator.modfile.reading.syntax import (
    Assignment,
    Equation,
    EstimatedParameter,
    EstimatedParams,
    Expression,
    InitvalBlock,
    Local,
    Model,
    MultiAssignment,
    Number,
    ShockMoment,
    ShockPath,
    ShocksBlock,
    SteadyStateModel,
    symbols,
)

_PRIORS = tuple(
    f"{shape}_pdf"
    for shape in (
        "beta",
        "gamma",
        "normal",
        "inv_gamma",
        "inv_gamma1",
        "inv_gamma2",
        "uniform",
        "weibull",
    )
)
_AFTER_PRIOR = ("mean", "deviation", "third", "fourth")

ESTIMATED_FIELDS = {
    "estimated_params_init": ("initial",),
    "estimated_params_bounds": ("lower", "upper"),
    "estimated_params_remove": (),
}
"""Blocks that change `estimated_params`, and what a line of each gives."""


def read_model(block: Block, declarations: Declarations) -> Model:
    """The equations and locals of `model; ... end;`; an undeclared name is an error."""
    reader = declarations.reader
    for item in block.items:
        declarations.read_from_model(item)
    equations: list[Equation] = []
    locals_: list[Local] = []
    for item in block.items:
        parts = reader.read(item, "model_item", "the equation", strict=True)
        if len(parts) == 2:
            name, value = parts
            _refuse_taken(name, reader, item)
            reader.kinds[str(name)] = "model local variable"
            locals_.append(Local(str(name), value, item.place))
            check_depth(value, item)
            declarations.weights(value, item.place)
        else:
            tags, left, right = parts
            equations.append(Equation(left, right or Number(0.0), item.place, tags))
            check_depth(left, item)
            check_depth(equations[-1].right, item)
            for side in (left, equations[-1].right):
                declarations.weights(side, item.place)
    options = header(block.word, block.head).options
    return Model(tuple(equations), tuple(locals_), "linear" in options, options, block.head.place)


def _refuse_taken(name: Token, reader: Reader, item: Span) -> None:
    kind = reader.kinds.get(str(name), "model local variable")
    if kind != "model local variable":
        raise ModFileError(
            f"'# {name}' gives a new value to a {kind}; a model local variable needs a name of its"
            " own.",
            place_of(item, name),
        )


def read_steady_state_model(block: Block, reader: Reader) -> SteadyStateModel:
    """The assignments of `steady_state_model; ... end;` in order."""
    assignments: list[Assignment | MultiAssignment] = []
    for item in block.items:
        names, value, several = reader.read(item, "assignment", "the steady state")
        check_depth(value, item)
        if several:
            assignments.append(MultiAssignment(tuple(map(str, names)), value, item.place))
        else:
            assignments.append(Assignment(str(names[0]), value, item.place))
    return SteadyStateModel(tuple(assignments), block.head.place)


def read_initval(block: Block, reader: Reader) -> InitvalBlock:
    """`initval` or `endval`; only declared names have initial values."""
    assignments: list[Assignment] = []
    for item in block.items:
        names, value, several = reader.read(item, "assignment", f"the block '{block.word}'")
        if several:
            raise ModFileError(
                f"'name = value;' was expected in the block '{block.word}'.", item.place
            )
        check_depth(value, item)
        _require_declared(names, reader, item, block.word)
        assignments.append(Assignment(str(names[0]), value, item.place))
    return InitvalBlock(block.word, tuple(assignments), block.head.place)


def read_homotopy(block: Block, reader: Reader) -> InitvalBlock:
    """`homotopy_setup`: of each `name, [first,] last;` the last value, which is where the search
    ends.
    """
    assignments: list[Assignment] = []
    for item in block.items:
        kind, names, fields = reader.read(item, "estimated", f"the block '{block.word}'")
        values = [value for value in fields if value is not None]
        if (
            kind != "parameter"
            or len(values) not in (1, 2)
            or any(isinstance(value, Token) for value in values)
        ):
            raise ModFileError(
                f"'name, first, last;' was expected in the block '{block.word}'.", item.place
            )
        check_depth(values[-1], item)
        _require_declared(names, reader, item, block.word)
        assignments.append(Assignment(str(names[0]), values[-1], item.place))
    return InitvalBlock(block.word, tuple(assignments), block.head.place)


def read_shocks(block: Block, reader: Reader) -> ShocksBlock:
    """Variances, covariances and correlations; and paths, `periods` with `values`. In `mshocks` the
    values are factors.
    """
    moments: list[ShockMoment] = []
    paths: list[ShockPath] = []
    named: tuple[Token, ...] = ()
    periods: tuple[tuple[int, int], ...] = ()
    options = header(block.word, block.head).options
    for item in block.items:
        word = path_word(item)
        if word == "periods":
            periods = read_periods(item)
            continue
        if word:
            name = str(named[0]) if named else "?"
            factor = "scales" if block.word == "mshocks" else word
            values = read_values(item, word, reader)
            learnt = "learnt_in" in options
            path = shock_path(name, periods, factor, values, item, learnt)
            of_initval = block.word == "mshocks" and "relative_to_initval" in options
            paths.append(replace(path, of_initval=of_initval))
            continue
        kind, names, value = reader.read(item, "shock", f"the block '{block.word}'")
        _require_declared(names, reader, item, block.word)
        periods = ()
        if kind == "named":
            named = names
            continue
        check_depth(value, item)
        if kind == "stderr" and not named:
            raise ModFileError(
                "'stderr' stands alone; 'var NAME;' was expected before it.", item.place
            )
        moments.append(ShockMoment(kind, tuple(map(str, names or named)), value, item.place))
        named = ()
    return ShocksBlock(
        moments=tuple(moments),
        deterministic=tuple(dict.fromkeys(path.name for path in paths)),
        overwrite="overwrite" in options,
        place=block.head.place,
        paths=tuple(paths),
        options=options,
    )


def read_estimated_params(block: Block, reader: Reader) -> EstimatedParams:
    """The lines of `estimated_params; ... end;`: name, [initial, [lower, upper,]] prior, mean,
    deviation, third, fourth, scale.
    """
    return EstimatedParams(
        tuple(_estimated(item, reader, block.word) for item in block.items),
        block.head.place,
        block.word,
    )


def _estimated(item: Span, reader: Reader, word: str) -> EstimatedParameter:
    kind, names, fields = reader.read(item, "estimated", f"the block '{word}'")
    # Dynare itself adds the weight of the DSGE prior in a DSGE-VAR.
    _require_declared([name for name in names if name != "dsge_prior_weight"], reader, item, word)
    if word in ESTIMATED_FIELDS:
        return _changed(item, word, (kind, tuple(map(str, names)), fields))
    for value in fields:
        if value is not None and not isinstance(value, Token):
            check_depth(value, item)
            odd = next((s.name for s in symbols(value) if s.name.lower().endswith("_pdf")), None)
            if odd is not None:
                raise ModFileError(
                    f"'{odd}' is no prior of Dynare's. {nearest(odd, _PRIORS)}", item.place
                )
    priors = [k for k, value in enumerate(fields) if isinstance(value, Token)]
    split = priors[0] if priors else len(fields)
    before = fields[:split]
    after = fields[split + 1 :]
    if len(priors) > 1 or len(before) not in (0, 1, 3) or len(after) > len(_AFTER_PRIOR) + 1:
        raise ModFileError(
            "the line is not understood; expected: name, [initial, [lower, upper,]] prior, mean,"
            " deviation [, third, fourth, scale].",
            item.place,
        )
    bounds: dict[str, Expression | None] = dict(
        zip(("initial", "lower", "upper"), before, strict=False)
    )
    moments: dict[str, Expression | None] = dict(zip(_AFTER_PRIOR, after, strict=False))
    prior = str(fields[split]).lower().removesuffix("_pdf") if priors else None
    return EstimatedParameter(
        kind, tuple(map(str, names)), item.place, prior=prior, **bounds, **moments
    )


def _changed(item: Span, word: str, line: tuple) -> EstimatedParameter:
    """A line of a block that changes estimated_params."""
    kind, names, values = line
    fields = ESTIMATED_FIELDS[word]
    if len(values) != len(fields) or any(isinstance(value, Token) for value in values):
        expected = ", ".join(("name", *fields))
        raise ModFileError(f"the line is not understood; expected: {expected}.", item.place)
    for value in values:
        if value is not None:
            check_depth(value, item)
    return EstimatedParameter(kind, names, item.place, **dict(zip(fields, values, strict=True)))


def _require_declared(names: Iterable[Token], reader: Reader, item: Span, where: str) -> None:
    for name in names:
        if name not in reader.kinds:
            raise ModFileError(
                f"'{name}' in the block '{where}' is not declared.", place_of(item, name)
            )
