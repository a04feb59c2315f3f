"""Equations of a linear economy by their names, and the arrays that a `Closure` is made of.

An equation says what a path is: a sum of terms. A term is another path, shifted in time or answered
to by the dear part, times a number and powers of factors, which are affine in the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from emulator.closures.closure import IDENTITY, LAG, LEAD, Closure

SHIFTS = {"": IDENTITY, "lag": LAG, "lead": LEAD}


class Term(NamedTuple):
    """`scale` times powers of factors times what `by` makes of the path `of`: the path itself
    (""), last period's (`lag`), next period's (`lead`) or the answer of a block of the part.
    """

    of: str
    scale: float = 1.0
    powers: Mapping[str, int] = {}
    by: str = ""


class Forcing(NamedTuple):
    """A shock: after an innovation of one it decays by the parameter `persistence`; the parameter
    `size` multiplies all that it does. Empty where there is none.
    """

    name: str
    persistence: str = ""
    size: str = ""


class Block(NamedTuple):
    """Answers of the part: a matrix of so many rows, which are modes or, where `in_time`, the
    horizons 0, 1, ... of an answer.
    """

    name: str
    rows: int
    in_time: bool = False


@dataclass(frozen=True)
class Equations:
    """An economy: paths that are unknown, paths that are defined one after another, targets that
    are zero, and what is observed of them.

    parameters: the columns of theta. factors: by name a constant and slopes in parameters; every
    parameter is a factor of its own name. sums: further factors, each a sum of numbers times powers
    of factors before it. blocks: of the part, in its order. margins: numbers that
    the part ends with; how many of them are positive is the regime.
    """

    parameters: Sequence[str]
    forcings: Sequence[Forcing]
    unknown: Sequence[str]
    defined: Mapping[str, Sequence[Term]]
    targets: Sequence[Sequence[Term]]
    observed: Mapping[str, Sequence[Term]]
    blocks: Sequence[Block] = ()
    factors: Mapping[str, tuple[float, Mapping[str, float]]] = field(default_factory=dict)
    sums: Mapping[str, Sequence[tuple[float, Mapping[str, int]]]] = field(default_factory=dict)
    margins: int = 0

    def closure(self, modes: np.ndarray) -> Closure:
        """The arrays, with paths as sums of `modes` (T, K)."""
        factors = {name: (0.0, {name: 1.0}) for name in self.parameters} | dict(self.factors)
        names = [*factors, *self.sums]
        affine = np.zeros((len(factors), 1 + len(self.parameters)))
        for row, (constant, slopes) in enumerate(factors.values()):
            affine[row, 0] = constant
            for parameter, slope in slopes.items():
                affine[row, 1 + self.parameters.index(parameter)] = slope
        paths = [forcing.name for forcing in self.forcings] + [*self.unknown, *self.defined]
        operators = SHIFTS | {block.name: LEAD + 1 + k for k, block in enumerate(self.blocks)}
        coefficients: dict[tuple[float, tuple[int, ...]], int] = {}

        def coefficient_of(scale: float, by: Mapping[str, int]) -> int:
            powers = tuple(by.get(name, 0) for name in names)
            if sum(map(bool, powers)) != len(by):
                raise KeyError(f"a factor of {by} is none of {', '.join(names)}")
            return coefficients.setdefault((scale, powers), len(coefficients))

        table = []
        equations = [*self.defined.values(), *self.targets, *self.observed.values()]
        for row, terms in enumerate(equations):
            for term in terms:
                coefficient = coefficient_of(term.scale, term.powers)
                table.append((row, paths.index(term.of), operators[term.by], coefficient))
        sums = [
            (names.index(name), coefficient_of(scale, powers))
            for name, summed in self.sums.items()
            for scale, powers in summed
        ]
        return Closure(
            modes=np.array(modes),
            factors=affine,
            scales=np.array([scale for scale, _ in coefficients]),
            powers=np.array([powers for _, powers in coefficients], dtype=np.int64),
            terms=np.array(table, dtype=np.int64),
            forcings=np.array(
                [[self._column(f.persistence), self._column(f.size)] for f in self.forcings],
                dtype=np.int64,
            ),
            blocks=np.array([[b.rows, b.in_time] for b in self.blocks], dtype=np.int64),
            counts=np.array(
                [len(self.unknown), len(self.defined), len(self.observed), self.margins],
                dtype=np.int64,
            ),
            sums=np.array(sums, dtype=np.int64).reshape(-1, 2),
        )

    def _column(self, parameter: str) -> int:
        return self.parameters.index(parameter) if parameter else -1
