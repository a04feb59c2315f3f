"""The solver that answers in a network's place where the network is doubted.

Axes: n draw, P parameter.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from emulator.errors import CheckpointError, ParameterError
from emulator.inference.answerer import Answerer
from emulator.inference.over_solver import SolverAnswerer
from emulator.inference.paths import ShockPath
from emulator.inference.shock_size import Scaling
from emulator.spec import WorldSpec
from emulator.worlds import WORLDS, get_world, is_path
from emulator.worlds.base import World

if TYPE_CHECKING:
    from emulator.inference.economy import Economy

    Fallback: TypeAlias = str | Path | World | Economy | None


def with_fallback(
    asked: Scaling | ShockPath,
    answerer: Answerer,
    theta: np.ndarray,
    horizon: int,
    solver: SolverAnswerer | None,
) -> dict[str, np.ndarray]:
    """The fields of an answer at theta (n, P); a solver's in the place of what a network doubts.

    Raises `ParameterError` for what the network cannot answer and no solver is there to.
    """
    refusal = answerer.refusal(asked)
    if refusal and solver is None:
        raise ParameterError(f"{refusal} or fallback='exact' (on the command line --exact).")
    if refusal and solver is not None:
        return asked.answered(solver, theta, horizon)
    fields = asked.answered(answerer, theta, horizon)
    if solver is None:
        return fields
    rows = fields["flagged"] | ~fields["determinate"]
    if rows.any():
        solved = asked.answered(solver, theta[rows], horizon)
        for name in ("irf", "lower", "upper"):
            fields[name][rows] = solved["irf"]
        fields["determinate"][rows] = solved["determinate"]
    fields["exact"] = rows
    return fields


def solver_of(answerer: Answerer, fallback: Fallback) -> SolverAnswerer | None:
    """The solver that is asked for, if one is: "exact" for that of a world that the package has;
    for a model of one's own the path of its `.mod` file, or the world itself.

    Raises `CheckpointError` where a network never flags a draw, `ParameterError` for what is no
    solver or solves another model.
    """
    if fallback is None or answerer.exact:
        return None
    if not answerer.calibrated:
        raise CheckpointError(
            "This network is not calibrated, so that no draw is ever flagged. Run `emulator"
            " calibrate` on its checkpoint, or ask `emulator.world(...)` for exact answers."
        )
    world = world_of(answerer.spec, fallback)
    if not world.spec.is_same_model(answerer.spec):
        raise ParameterError(
            f"The solver of '{world.spec.name}' is not that of the world '{answerer.spec.name}'"
            " which the network was trained on: parameters, shocks or file differ."
        )
    return SolverAnswerer(world)


def world_of(spec: WorldSpec, fallback: Fallback) -> World:
    """The world that a fallback names, for a network's world. Raises `ParameterError`."""
    if isinstance(fallback, World):
        return fallback
    if isinstance(fallback, str | Path) and is_path(fallback):
        return get_world(fallback)
    solver = getattr(fallback, "solver", None)  # of an economy
    if isinstance(solver, World):
        return solver
    if fallback != "exact":
        raise ParameterError(
            f"fallback is {fallback!r}; expected 'exact', the path of a .mod file, a World, or"
            " None."
        )
    if spec.name not in WORLDS:
        raise ParameterError(
            f"The world '{spec.name}' of this network was read from a .mod file; name the file:"
            f" fallback='path/to/{spec.name}.mod'."
        )
    return get_world(spec.name)
