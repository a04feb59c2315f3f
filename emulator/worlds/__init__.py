"""The table of worlds.

A world is one file in this folder, Python or `.mod`, and one line here; it is read when it is asked
for.
"""

from __future__ import annotations

import importlib
import os
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.errors import ParameterError, UnknownNameError, unknown_name
from emulator.worlds.source import Source, is_path, mapping_path

if TYPE_CHECKING:
    from emulator.worlds.base import Draws, LinearWorld, World
    from emulator.worlds.check import check_world

WORLDS = {
    "nk": "emulator.worlds.nk:NewKeynesian",
    "var": "emulator.worlds.var:VectorAutoregression",
    "lss": "emulator.worlds.lss:LinearStateSpace",
    "rbc": "rbc.mod",
    "sw07": "sw07.mod",
    "switching": "emulator.worlds.switching:RegimeSwitching",
    "zlb": "emulator.worlds.zlb:ZeroLowerBound",
    "hank": "emulator.worlds.hank:HeterogeneousAgents",
}


def get_world(name: str | Path) -> World:
    """The world of that name, or the world of a Dynare file, `path/to/model.mod`, with its
    `model.world.yaml` beside it.

    Raises `UnknownNameError`, with the nearest known name, and `ModFileError` for a file that
    cannot be read.
    """
    if is_path(name):
        path = Path(
            name
        ).absolute()  # links are not followed: the mapping lies beside the path as it is written
        return _from_file(path, tuple(_stamp(p) for p in (path, mapping_path(path))))
    if str(name) not in WORLDS:
        if os.path.isfile(f"{name}.mod"):
            raise UnknownNameError(
                f"Unknown world: '{name}'. There is a file '{name}.mod'; the world of a file is"
                " named by its path."
            )
        raise unknown_name("world", str(name), WORLDS)
    return _of_table(str(name))


def open_world(name: str | Path, run: int | None = None) -> World:
    """What answers under a name or a path: `get_world`, but a `.mod` file without a mapping answers
    with its own variables in its own units (`FileModel`).

    run: of a file, which of its solution commands, by default the last. Raises as `get_world`, and
    `ParameterError` for a run of what is no file.
    """
    if not is_path(name):
        if run is not None:
            raise ParameterError(
                f"run={run} is about the commands of a .mod file; '{name}' is none."
            )
        return get_world(name)
    if mapping_path(Path(name).absolute()).exists():
        return get_world(name) if run is None else _run_of_file(Path(name).absolute(), run)
    from emulator.worlds.filemodel import FileModel

    return FileModel.read(Path(name), run)


def _run_of_file(path: Path, run: int) -> World:
    from emulator.worlds.modworld import ModWorld

    return ModWorld.read(path, run)


@cache
def _of_table(name: str) -> World:
    entry = WORLDS[name]
    if is_path(entry):
        return get_world(Path(__file__).with_name(entry))
    module, _, attribute = entry.partition(":")
    return getattr(importlib.import_module(module), attribute)()


@lru_cache(maxsize=64)
def _from_file(path: Path, stamps: tuple[tuple[int, int], ...]) -> World:
    """`stamps` change with the files, so that an edited one is read again."""
    from emulator.worlds.modworld import ModWorld

    return ModWorld.read(path)


@lru_cache(maxsize=64)
def from_source(source: Source) -> World:
    """The world of a `.mod` file from the texts that `World.source` keeps. Raises
    `ModFileError`.
    """
    from emulator.worlds.modworld import ModWorld

    return ModWorld.from_source(source)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def split_names(names: str) -> list[str]:
    """Names and paths from a comma-separated list, each once."""
    return list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))


def expand_worlds(names: str) -> list[str]:
    """World names and paths from a comma-separated list, or every world for `all`.

    Raises `UnknownNameError`.
    """
    listed = (list(WORLDS) if name == "all" else [name] for name in split_names(names))
    worlds = list(dict.fromkeys(name for part in listed for name in part))
    for name in worlds or [names]:
        if not is_path(name) and name not in WORLDS:
            raise unknown_name("world", name, [*WORLDS, "all", "path/to/model.mod"])
    return worlds


_ELSEWHERE = {
    "Draws": "base",
    "LinearWorld": "base",
    "World": "base",
    "check_world": "check",
}
"""Names that are imported when they are asked for."""


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"emulator.worlds.{_ELSEWHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "WORLDS",
    "Draws",
    "LinearWorld",
    "Source",
    "World",
    "check_world",
    "expand_worlds",
    "from_source",
    "get_world",
    "is_path",
    "open_world",
    "split_names",
]
