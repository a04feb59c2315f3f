"""Several worlds under the same shock: one cube of responses, named by world."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from emulator.errors import NoSolutionError, UnknownNameError
from emulator.spec import DEFAULT_HORIZON, OBSERVABLES, Status
from emulator.worlds import get_world
from emulator.worlds.base import World


def solve_one(world: World, theta: np.ndarray, horizon: int) -> np.ndarray:
    """Responses (S, H+1, 3) at one theta (1, P), in the units of `World.irf`.

    Raises `NoSolutionError` that says why there are none.
    """
    with np.errstate(
        all="ignore"
    ):  # a parameter at which the model divides by zero has no solution, which is said below
        responses = world.irf(theta, horizon=horizon, on_failure="nan")
        if not np.isfinite(responses).all():
            status = Status(world.status(theta)[0])
            raise NoSolutionError(
                f"World '{world.spec.name}' has no unique stable solution at these parameters:"
                f" {status.label} ({status.meaning}). Change them, or the model; `emulator worlds"
                f" {world.source.file if world.source else world.spec.name}` shows defaults and"
                " ranges."
            )
    return responses[0]


def responses_of(world: World, theta: np.ndarray, horizon: int = DEFAULT_HORIZON) -> xr.DataArray:
    """Responses (shock, horizon, observable) at one theta (1, P), with names and units.

    Raises `NoSolutionError`.
    """
    spec = world.spec
    return xr.DataArray(
        solve_one(world, theta, horizon),
        dims=("shock", "horizon", "observable"),
        coords={
            "shock": list(spec.shock_names),
            "horizon": np.arange(horizon + 1),
            "observable": list(OBSERVABLES),
            "unit": ("observable", list(spec.observable_units)),
        },
        name="irf",
    )


def compare(
    worlds: Sequence[World | str | Path], shock: str = "monetary", horizon: int = DEFAULT_HORIZON
) -> xr.DataArray:
    """Responses (world, horizon, observable) to one standard deviation of a shock of the same name,
    at each world's defaults; the coordinate `title` (world) names each in words.

    worlds: names, paths of `.mod` files with a mapping, worlds, or economies over their solvers.
    Units: output in percent; inflation and rate in annualised percentage points. Raises
    `UnknownNameError` if a world has no such shock, `NoSolutionError` if it has no solution at its
    defaults.
    """
    if not worlds:
        raise UnknownNameError("There is nothing to compare: no world is named.")
    opened: list[World] = list(dict.fromkeys(map(_opened, worlds)))  # the same one twice is one
    names = [world.spec.name for world in opened]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UnknownNameError(
            f"Two of the worlds are named '{twice}'. Give one another name, with `name:` in its"
            " mapping."
        )
    without = [world.spec for world in opened if shock not in world.spec.shock_names]
    if without:
        known = "; ".join(f"{spec.name}: {', '.join(spec.shock_names)}" for spec in without)
        raise UnknownNameError(
            f"Not every world has a shock '{shock}'. Shocks of those without it: {known}."
        )
    parts = [
        responses_of(world, world.spec.theta(), horizon).sel(shock=shock, drop=True)
        for world in opened
    ]
    cube = xr.concat(
        parts,
        dim=xr.IndexVariable("world", [world.spec.name for world in opened]),
        coords="minimal",
        compat="override",
        join="override",
    )
    return cube.assign_coords(title=("world", [world.spec.title for world in opened]))


def _opened(world: Any) -> World:
    """The world that was named, or the solver of an economy."""
    return get_world(world) if isinstance(world, str | Path) else getattr(world, "solver", world)
