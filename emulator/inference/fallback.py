"""The solver that answers in a network's place where the network is doubted.

Axes: n draw, P parameter.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emulator.errors import CheckpointError, ParameterError
from emulator.inference.exact import ExactWorld
from emulator.inference.shock_size import Scaling
from emulator.spec import WorldSpec
from emulator.worlds import WORLDS, World, get_world, is_path

Fallback = str | Path | World | ExactWorld | None
"""'exact' for the solver of a world that the package has; of a model of one's own the path of its
`.mod` file, or the world itself.
"""


def solver_of(spec: WorldSpec, fallback: Fallback, calibrated: bool) -> ExactWorld | None:
    """The solver that is asked for, if one is.

    `spec`: the network's world; `calibrated`: whether the network ever flags a draw.

    Raises `CheckpointError` where it does not, `ParameterError` for what is no solver or solves
    another model.
    """
    if fallback is None:
        return None
    if not calibrated:
        raise CheckpointError(
            "This network is not calibrated, so that no draw is ever flagged. Run `emulator"
            " calibrate` on its checkpoint, or ask `emulator.world(...)` for exact answers."
        )
    found = ExactWorld(_world(spec, fallback))
    if not found.spec.is_same_model(spec):
        raise ParameterError(
            f"The solver of '{found.spec.name}' is not that of the world '{spec.name}' which the"
            " network was trained on: parameters, shocks or file differ."
        )
    return found


def _world(spec: WorldSpec, fallback: str | Path | World | ExactWorld) -> World:
    if isinstance(fallback, ExactWorld):
        return fallback.solver
    if isinstance(fallback, World):
        return fallback
    if isinstance(fallback, str | Path) and is_path(fallback):
        return get_world(fallback)
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


def replace(
    fields: dict[str, np.ndarray],
    rows: np.ndarray,
    solver: ExactWorld,
    theta: np.ndarray,
    scaling: Scaling,
) -> None:
    """Put the solver's answers at theta (n, P) in place of the network's, for the draws (n,) that
    are doubted.
    """
    if not rows.any():
        return
    irf = solver.scaled(theta[rows], scaling, fields["irf"].shape[2] - 1)
    for name in ("irf", "lower", "upper"):
        fields[name][rows] = irf
    fields["exact"] = rows
    fields["determinate"][rows] = np.isfinite(irf).all(axis=(1, 2, 3))
