"""The kinds of solution that a command of a file asks for, and who answers each.

`KINDS` is the table: a line a command. Everything else (`emulator.modfile.irf`,
`emulator.world("x.mod", run=2)`, the command line) reads who answers here, so that a solver is
plugged in by one line and one function or class:

rule    "module:function", for a kind whose answer is a linear decision rule, such as simple rules
        or discretion. `function(model, theta)` takes the `CompiledModel` and theta (N, P), as
        `model.check_theta` has it, and returns a `Solution` of `model.all_variables`.
        `CompiledModel.solve` calls it; responses, moments, simulations and the rest follow.
        `model.first_order(theta)` is the rule at given parameters.
paths   "module:Class", for a kind whose answer is not a linear rule, such as occasionally binding
        constraints, higher orders or perfect foresight. `Class(model)` is a `PathSolver`, see
        below. The world of such a file is `emulator.worlds.filepaths.FilePaths`.
usual   whether a file that asks for it last is answered so where nobody names a run. A file that
        asks for nothing else is answered so in any case.

Neither rule nor paths: the first-order solution at the file's own parameters. A command
whose option decides the kind has a line `"stoch_simul(order=3)"` beside the one of the command; the
option counts where it is in force. What the run has in force (`run.options`, `run.place`) is
`model.calibration.run`; values of parameters there are theta.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from emulator.modfile.compiling.model import CompiledModel
    from emulator.solvers import Solution


class PathSolver(Protocol):
    """Who answers a kind that has no linear rule. Axes: N draw, P column of `model.parameters`, S
    shock, H horizon, V variable of `model.variables`.
    """

    shocks: tuple[str, ...]
    """Names of the responses' rows: the file's shocks, or what moves the model."""
    unit: str
    """Of every response."""

    def responses(self, theta: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """Responses (N, S, H+1, V) to one standard deviation, NaN without a solution, and the
        `Status` of each draw (N,) uint8. theta (N, P) holds NaN where the file gives no value.
        """
        ...

    def explain(self, theta: np.ndarray) -> str:
        """Why one draw (1, P) has no solution, in a sentence with file and line."""
        ...


@dataclass(frozen=True)
class Kind:
    """One kind of solution; see the module's text."""

    title: str
    rule: str = ""
    paths: str = ""
    usual: bool = True

    def solve(self, model: CompiledModel, theta: np.ndarray) -> Solution:
        """The decision rules of theta (N, P), by `rule`; of the first order without one."""
        return _named(self.rule)(model, theta) if self.rule else model.first_order(theta)

    def path_solver(self, model: CompiledModel) -> PathSolver:
        """Who answers a kind with `paths`."""
        return _named(self.paths)(model)


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


FIRST_ORDER = Kind("first-order responses")

FORESIGHT = Kind(
    "perfect foresight", paths="emulator.modfile.compiling.foresight:Foresight", usual=False
)
LEARNING = Kind(
    "perfect foresight with errors of expectation",
    paths="emulator.modfile.compiling.learning:Learning",
    usual=False,
)
EXTENDED = Kind(
    "the extended path",
    paths="emulator.modfile.compiling.stochastic_path:extended_path",
    usual=False,
)
SCENARIOS = (FORESIGHT, LEARNING)
"""Kinds whose path the file's blocks say."""

KINDS: Mapping[str, Kind] = {
    "stoch_simul": FIRST_ORDER,
    "ramsey_policy": FIRST_ORDER,
    "osr": Kind("first-order responses at the optimal coefficients of a simple rule"),
    "discretionary_policy": Kind(
        "optimal policy under discretion", rule="emulator.modfile.compiling.discretion:solve"
    ),
    "occbin_solver": Kind(
        "occasionally binding constraints",
        paths="emulator.modfile.compiling.binding:BindingPaths",
    ),
    "simul": FORESIGHT,
    "perfect_foresight_solver": FORESIGHT,
    "perfect_foresight_with_expectation_errors_solver": LEARNING,
    "extended_path": EXTENDED,
    "ramsey_model": Kind("first-order responses under optimal policy", usual=False),
}
"""Commands that solve the model, by what answers them."""


def kind_of(command: str, options: Mapping[str, str]) -> Kind:
    """The kind that a command asks for with the options in force there."""
    for name, value in options.items():
        special = KINDS.get(f"{command}({name}={value})")
        if special is not None:
            return special
    return KINDS[command]
