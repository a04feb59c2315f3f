"""The conditions of occasionally binding constraints as tapes: where along paths they hold.

Axes: N draw, T period.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emulator.modfile.compiling.symbolic import in_steady_state
from emulator.modfile.compiling.tape import Tape, record
from emulator.modfile.reading.syntax import ModFile, Operation, Place

TIE = 1e-12
"""Within this of each other, relative to their size and to one, the sides of a condition are equal:
a variable that a regime holds at its bound does not leave it by rounding.
"""


@dataclass(frozen=True)
class Condition:
    """`left OPERATOR right` of variables today, their steady states and parameters."""

    operator: str
    sides: Tape

    @classmethod
    def of(cls, file: ModFile, condition: Operation, place: Place) -> Condition:
        names, (left, right) = in_steady_state(file, [(s, place) for s in condition.operands])
        variables = [d.name for d in file.variables]
        inputs = [
            *(names.at(name, 0) for name in variables),
            *(names.steady_state(name) for name in variables),
            *(names.parameter(d.name) for d in file.parameters),
        ]
        return cls(condition.operator, record(names.graph, inputs, [left, right]))

    def holds(self, inputs: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
        """Where it holds; sides that differ by rounding are equal."""
        left, right = (np.broadcast_to(side, shape) for side in self.sides(inputs))
        tie = TIE * np.maximum(np.maximum(np.abs(left), np.abs(right)), 1.0)
        difference = left - right if self.operator[0] == ">" else right - left
        return np.asarray(difference >= -tie if len(self.operator) == 2 else difference > tie)
