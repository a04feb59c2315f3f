"""What is known of a world's answers without solving it: near which draws they jump, and what its
method of solution errs by.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from emulator.spec import WorldSpec

REGIMES = {"hank": "emulator.worlds.hank.regime"}
"""Worlds of this package that have regimes, and the module that tells near which draws a border is
without a solution: its `SPEC`, `REGIMES` and `margin_estimate(theta)`.
"""

ERRORS = {"hank": "emulator.worlds.hank.accuracy", "hank2": "emulator.worlds.hank2.accuracy"}
"""Worlds of this package whose method errs, and the module that says by how much: its `SPEC` and
`SOLUTION_ERROR`.
"""


def regimes_of(spec: WorldSpec) -> Any:
    """The module (see `REGIMES`) that knows the regimes of a model; None where there is none."""
    return _module(REGIMES, spec)


def solution_error_of(spec: WorldSpec) -> Mapping[str, tuple[float, ...]]:
    """What the solutions of a model err by, with its world's own settings
    (`World.solution_error`).
    """
    module = _module(ERRORS, spec)
    return {} if module is None else module.SOLUTION_ERROR


def _module(table: Mapping[str, str], spec: WorldSpec) -> Any:
    if spec.name not in table:
        return None
    module = importlib.import_module(table[spec.name])
    return module if module.SPEC.is_same_model(spec) else None
