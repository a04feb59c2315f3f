"""The answer of `Economy.optimal_rule`: coefficients and the objective that they minimise.

Axes: n draw, P parameter, F coefficient.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from emulator.errors import ParameterError
from emulator.inference.asking import Asking
from emulator.modfile import CompiledModel
from emulator.modfile.compiling.simple_rule import SimpleRule, losses
from emulator.modfile.reading.syntax import Expression, Number, Operation, Symbol
from emulator.worlds.filemodel import FileWorld
from emulator.worlds.modworld import ModWorld


def answer(asking: Asking, theta: np.ndarray, draws: np.ndarray) -> xr.Dataset:
    """Of draws theta (n, P), which hold the optimum already: a file computes its coefficients from
    the other parameters. draws (n,): what they are called.
    """
    model, rule = _rule_of(asking)
    world = asking.solver
    assert isinstance(world, FileWorld | ModWorld)
    full = world.full_theta(theta)
    columns = [model.parameters.index(name) for name in rule.coefficients]
    own, _ = model.own_values()
    at_start = full.copy()
    at_start[:, columns] = own[columns]
    return xr.Dataset(
        {
            "coefficient": (("draw", "coefficient_name"), full[:, columns]),
            "start": ("coefficient_name", own[columns]),
            "objective": ("draw", losses(model, rule, full)),
            "at_start": ("draw", losses(model, rule, at_start)),
            "theta": (("draw", "parameter"), theta),
        },
        {
            "draw": draws,
            "coefficient_name": list(rule.coefficients),
            "parameter": list(asking.spec.parameter_names),
        },
        {
            "world": asking.spec.name,
            "title": asking.spec.title,
            "objective": _in_words(rule),
        },
    )


def _rule_of(asking: Asking) -> tuple[CompiledModel, SimpleRule]:
    model = getattr(asking.solver, "model", None)
    rule = model.rule if isinstance(model, CompiledModel) else None
    if model is None or rule is None:
        raise ParameterError(
            f"'{asking.spec.name}' has no optimal simple rule: expected a .mod file whose last"
            " solution command, or the one that run= names, is osr."
        )
    return model, rule


def _in_words(rule: SimpleRule) -> str:
    """The sum that is minimised: 1 var(pi) + 0.5 cov(pi, y)."""
    terms = []
    for weight in rule.weights:
        kind = "var" if len(set(weight.names)) == 1 else "cov"
        names = ", ".join(dict.fromkeys(weight.names))
        terms.append(f"{_written(weight.value)} {kind}({names})")
    return " + ".join(terms)


def _written(value: Expression) -> str:
    if isinstance(value, Number):
        return f"{value.value:g}"
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, Operation) and len(value.operands) == 2:
        return f"({value.operator.join(map(_written, value.operands))})"
    return "(..)"
