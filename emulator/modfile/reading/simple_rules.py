"""The blocks of an optimal simple rule: `optim_weights` and `osr_params_bounds`."""

from __future__ import annotations

from lark import Token

from emulator.errors import ModFileError
from emulator.modfile.reading.grammar import Reader, check_depth, place_of
from emulator.modfile.reading.scanner import Block
from emulator.modfile.reading.source import Span
from emulator.modfile.reading.syntax_policy import OptimWeights, RuleBound, RuleBounds, Weight


def read_optim_weights(block: Block, reader: Reader) -> OptimWeights:
    """`name value;` weighs a variance, `name, name value;` a covariance."""
    weights = []
    for item in block.items:
        names, value = reader.read(item, "weight", f"the block '{block.word}'")
        for name in names:
            if reader.kinds.get(name) != "variable":
                raise _not_a("variable", name, reader, item, block.word)
        check_depth(value, item)
        weights.append(Weight(tuple(map(str, names)), value, item.place))
    return OptimWeights(tuple(weights), block.head.place)


def read_rule_bounds(block: Block, reader: Reader) -> RuleBounds:
    """`name, low, high;` of parameters."""
    bounds = []
    for item in block.items:
        kind, names, fields = reader.read(item, "estimated", f"the block '{block.word}'")
        ends = [value for value in fields if value is not None]
        if kind != "parameter" or len(ends) != 2 or any(isinstance(e, Token) for e in ends):
            raise ModFileError(
                f"'name, low, high;' was expected in the block '{block.word}'.", item.place
            )
        if reader.kinds.get(names[0]) != "parameter":
            raise _not_a("parameter", names[0], reader, item, block.word)
        for value in ends:
            check_depth(value, item)
        low, high = ends
        bounds.append(RuleBound(str(names[0]), low, high, item.place))
    return RuleBounds(tuple(bounds), block.head.place)


def _not_a(kind: str, name: Token, reader: Reader, item: Span, where: str) -> ModFileError:
    known = reader.kinds.get(name)
    what = f"is a {known}" if known else "is not declared"
    return ModFileError(
        f"'{name}' in the block '{where}' {what}; a {kind} was expected.", place_of(item, name)
    )
