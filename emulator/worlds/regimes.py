"""Regimes of draws, between which responses jump, and where they are told apart without a
solution.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from emulator.spec import WorldSpec

TABLE = {"hank": "emulator.worlds.hank.regime"}
"""Worlds of this package that have regimes, and the module that tells near which draws a border is
without a solution: its `SPEC`, `REGIMES` and `margin_estimate(theta)`.
"""


@dataclass(frozen=True)
class Regimes:
    """Regimes of draws: responses jump, in a world that has them, where a draw passes from one to
    another.

    counts: what the number of a regime counts; margin: how the distance to a border is measured,
    with its unit; near: a margin below which a solved draw is near a border; near_estimate: one
    below which a draw is that is not solved, whose margin is an estimate.
    """

    counts: str
    margin: str
    near: float
    near_estimate: float


def regimes_of(spec: WorldSpec) -> Any:
    """The module (see `TABLE`) that knows the regimes of a model; None where there is none."""
    if spec.name not in TABLE:
        return None
    module = importlib.import_module(TABLE[spec.name])
    return module if module.SPEC.is_same_model(spec) else None
