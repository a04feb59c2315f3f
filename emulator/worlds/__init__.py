"""The table of worlds. A world is one file in this folder and one line here; it is imported when it is asked for."""

from __future__ import annotations

import importlib
from functools import cache

from emulator.errors import unknown_name
from emulator.worlds.base import Draws, LinearWorld, World
from emulator.worlds.check import check_world

WORLDS = {
    "nk": "emulator.worlds.nk:NewKeynesian",
    "var": "emulator.worlds.var:VectorAutoregression",
    "lss": "emulator.worlds.lss:LinearStateSpace",
}


@cache
def get_world(name: str) -> World:
    """The world of that name. Raises `UnknownNameError`, with the nearest known name."""
    if name not in WORLDS:
        raise unknown_name("world", name, WORLDS)
    module, _, attribute = WORLDS[name].partition(":")
    return getattr(importlib.import_module(module), attribute)()


def expand_worlds(names: str) -> list[str]:
    """World names from a comma-separated list, or every world for `all`. Raises `UnknownNameError`."""
    if names.strip() == "all":
        return list(WORLDS)
    found = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    for name in found or [names]:
        if name not in WORLDS:
            raise unknown_name("world", name, [*WORLDS, "all"])
    return found


__all__ = ["WORLDS", "Draws", "LinearWorld", "World", "check_world", "expand_worlds", "get_world"]
