"""Several worlds under the same shock: one cube of responses, named by world."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from emulator.errors import NoSolutionError, ParameterError, UnknownNameError
from emulator.spec import DEFAULT_HORIZON, Status, WorldSpec
from emulator.worlds import get_world
from emulator.worlds.base import World


def solve_one(world: World, theta: np.ndarray, horizon: int) -> np.ndarray:
    """Responses (S, H+1, O) at one theta (1, P), in the units of `World.irf`.

    Raises `NoSolutionError` that says why there are none.
    """
    with np.errstate(
        all="ignore"
    ):  # a parameter at which the model divides by zero has no solution, which is said below
        responses = world.irf(theta, horizon=horizon, on_failure="nan")
        if not np.isfinite(responses).all():
            status = Status(world.status(theta)[0])
            why = (
                world.failures(theta)
                or f"{status.label} ({world.explain(theta) or status.meaning})"
            )
            name = world.place or (world.source.file if world.source else world.spec.name)
            raise NoSolutionError(
                f"World '{world.spec.name}' has no {world.solution} at these parameters:"
                f" {why}. Change them, or the model; `emulator"
                f" worlds {name}` shows defaults and ranges."
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
            "observable": list(spec.observable_names),
            "unit": ("observable", list(spec.observable_units)),
        },
        name="irf",
    )


def compare(
    worlds: Sequence[World | str | Path], shock: str = "monetary", horizon: int | None = None
) -> xr.DataArray:
    """Responses (world, horizon, observable) to one standard deviation of a shock of the same name,
    at each world's defaults; the coordinate `title` (world) names each in words.

    worlds: names, paths of `.mod` files with a mapping, worlds, or economies over their solvers;
    horizon: by default 40, or as far as the world that ends first.
    Compared are the observables that all of them have, by name and in one unit, in the units of the
    worlds; the attribute `left_out` names the others. Raises `UnknownNameError` if a world has no
    such shock or if no observable is shared, `ParameterError` if their periods are not of one
    length, `NoSolutionError` if a world has no solution at its defaults.
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
    specs = [world.spec for world in opened]
    _check_same_period(specs)
    shared = _shared(specs)
    if horizon is None:
        horizon = usual_horizon(opened, DEFAULT_HORIZON)
    parts = [
        responses_of(world, world.spec.theta(), horizon).sel(
            shock=shock, observable=shared, drop=True
        )
        for world in opened
    ]
    cube = xr.concat(
        parts,
        dim=xr.IndexVariable("world", [world.spec.name for world in opened]),
        coords="minimal",
        compat="override",
        join="override",
    )
    cube = cube.assign_coords(title=("world", [spec.title for spec in specs]))
    cube["horizon"].attrs["units"] = f"{specs[0].periods} after impact"
    return cube.assign_attrs(left_out=_left_out(specs, shared))


def usual_horizon(worlds: Sequence[World], wanted: int) -> int:
    """The last horizon of a comparison that names none: the wanted one, if all worlds reach it."""
    ends = [world.longest_horizon for world in worlds if world.longest_horizon is not None]
    return min([wanted, *ends])


def _check_same_period(specs: Sequence[WorldSpec]) -> None:
    """Raise `ParameterError` unless one period is as long in every world."""
    if len({spec.frequency for spec in specs}) > 1:
        lengths = ", ".join(f"{spec.name}: {spec.frequency}" for spec in specs)
        raise ParameterError(
            f"The worlds count their horizons in periods of different length ({lengths}); compare"
            " worlds of one frequency."
        )


def _shared(specs: Sequence[WorldSpec]) -> list[str]:
    """Names of the observables that every world has in the same unit, in the order of the first.

    Raises `UnknownNameError` where there is none.
    """
    in_each = [set(zip(s.observable_names, s.observable_units, strict=True)) for s in specs]
    shared = [o.name for o in specs[0].observables if all((o.name, o.unit) in s for s in in_each)]
    if not shared:
        known = "; ".join(f"{spec.name}: {_observables_in_words(spec)}" for spec in specs)
        raise UnknownNameError(
            "The worlds have no observable of the same name and unit, so there is nothing to"
            f" compare. Their observables are {known}."
        )
    return shared


def _observables_in_words(spec: WorldSpec) -> str:
    return ", ".join(f"{o.name} ({o.unit})" for o in spec.observables)


def _left_out(specs: Sequence[WorldSpec], shared: Sequence[str]) -> str:
    """The observables that are not compared, by world; empty where all are."""
    others = {s.name: [name for name in s.observable_names if name not in shared] for s in specs}
    return "; ".join(f"{world}: {', '.join(names)}" for world, names in others.items() if names)


def _opened(world: Any) -> World:
    """The world that was named, or the solver of an economy."""
    return get_world(world) if isinstance(world, str | Path) else getattr(world, "solver", world)
