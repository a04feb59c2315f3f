"""The worlds that a data set is wanted of: opened, and handed to the processes that solve them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from emulator.console import err
from emulator.errors import DatasetError
from emulator.worlds import World, get_world, is_python, register, registry

PERIODS = 200
"""Periods of a trajectory, unless others are asked for."""


def wanted_world(world: str | Path | World) -> World:
    """A world by its name or path, or itself.

    One that only this process knows, as one of a Python file, is registered under its name, by
    which a data set knows it. Raises as `get_world` and `register` do.
    """
    opened = get_world(world)
    if isinstance(world, World) or is_python(world):
        register(opened)
    return opened


def last_horizon(worlds: Sequence[World], asked: int | None) -> int:
    """The last horizon of a data set: what was asked for, else the shortest of the worlds' own.

    Raises `DatasetError` where a world does not answer to it.
    """
    horizon = min(world.horizon for world in worlds) if asked is None else asked
    for world in worlds:
        if world.longest_horizon is not None and horizon > world.longest_horizon:
            raise DatasetError(
                f"The horizon is {horizon}; world '{world.spec.name}' answers to horizon"
                f" {world.longest_horizon} at most."
            )
    return horizon


def trajectory_periods(worlds: Sequence[World], asked: int | None) -> int:
    """Periods of the trajectories; none where no world simulates and none were asked for.

    Raises `DatasetError` for a world that cannot simulate beside others, or where it was asked to.
    """
    without = [world.spec.name for world in worlds if not world.has_trajectories]
    if not without:
        return PERIODS if asked is None else asked
    if asked is None and len(without) == len(worlds):
        err.print(
            f"note: no trajectories are stored: {', '.join(without)} has no `simulate`.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        return 0
    if asked == 0:
        return 0
    raise DatasetError(
        f"World '{without[0]}' has no `simulate`, so that it has no trajectories. Generate it apart"
        " from the others, or no trajectories at all (--periods 0)."
    )


def to_hand_over(worlds: Iterable[str], cluster: bool) -> dict[str, World | str]:
    """The worlds that other processes have to be told of: those that this one alone knows.

    cluster: whether the others run on other machines. Raises `SimulatorError` for a world whose
    function other processes cannot import.
    """
    return {
        name: registry.travelling(get_world(name), cluster)
        for name in worlds
        if registry.given_here(name)
    }
