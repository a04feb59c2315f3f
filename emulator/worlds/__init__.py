"""The table of worlds.

A world is one file or one folder here, Python or `.mod`, and one line; it is read when it is asked
for. Others bring theirs with `register`, or as entry points of their package; and a `.mod` file or
a Python file of a user's is a world by its path.
"""

from __future__ import annotations

import importlib
import json
import os
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.errors import ParameterError, UnknownNameError, unknown_name
from emulator.worlds.source import Source, is_path, is_python, mapping_path

if TYPE_CHECKING:
    from emulator.worlds.base import World
    from emulator.worlds.check import check_world
    from emulator.worlds.draws import Draws
    from emulator.worlds.linear import LinearWorld
    from emulator.worlds.registry import register
    from emulator.worlds.simulator import Simulator

WORLDS = {
    "nk": "emulator.worlds.nk:NewKeynesian",
    "var": "emulator.worlds.var:VectorAutoregression",
    "lss": "emulator.worlds.lss:LinearStateSpace",
    "rbc": "rbc.mod",
    "sw07": "sw07.mod",
    "switching": "emulator.worlds.switching:RegimeSwitching",
    "zlb": "emulator.worlds.zlb:ZeroLowerBound",
    "hank": "emulator.worlds.hank.world:HeterogeneousAgents",
    "hank2": "emulator.worlds.hank2.world:TwoAssets",
}


def get_world(name: str | Path | World) -> World:
    """The world of that name; of a Dynare file, `path/to/model.mod`, with its `model.world.yaml`
    beside it; or of a Python file, `path/to/mysim.py:economy`, which is run. A world is itself.

    Raises `UnknownNameError`, with the nearest known name, and `ModFileError` or `SimulatorError`
    for a file that cannot be read.
    """
    if not isinstance(name, str | Path):
        from emulator.worlds.base import World

        if isinstance(name, World):
            return name
    if is_python(name):
        from emulator.worlds.pyfile import load

        return load(name)
    if is_path(name):
        # Links are not followed: the mapping lies beside the path as it is written.
        path = Path(str(name)).absolute()
        return _from_file(path, tuple(_stamp(p) for p in (path, mapping_path(path))))
    if str(name) in WORLDS:
        return _of_table(str(name))
    from emulator.worlds import registry

    world = registry.lookup(str(name))
    if world is None:
        raise _unknown(name)
    return world


def _unknown(name: Any) -> UnknownNameError:
    """The error for a world that is not there, with what may have been meant."""
    for ending in (".mod", ".py"):
        if os.path.isfile(f"{name}{ending}"):
            return UnknownNameError(
                f"Unknown world: '{name}'. There is a file '{name}{ending}'; the world of a file is"
                " named by its path."
            )
    if callable(name):
        return UnknownNameError(
            f"Unknown world: {name!r}. A function becomes a world by its table: emulator.Simulator"
            "(function, parameters={...}, shocks=[...], observables={...})."
        )
    error = unknown_name("world", str(name), known_worlds())
    hint = of_draws_alone(str(name), error)
    return UnknownNameError(f"{error} {hint}") if hint else error


def of_draws_alone(name: str, error: UnknownNameError) -> str:
    """Who answers for a world of imported draws, which has no solver, as a sentence; empty where
    nothing says that a name could be one: no data set is there, and a known name is near.
    """
    folder, worlds, imported = name, [os.path.basename(name)], True
    for place in (name.rstrip("/"), f"datasets/{name}"):
        if os.path.isfile(f"{place}/manifest.json"):
            folder = place
            worlds, imported = _worlds_of(place)
            break
    else:
        if "Did you mean" in str(error) or not name.isidentifier():
            return ""
        folder = f"datasets/{name}"
    if not imported:
        return f"{folder} is a data set of {', '.join(worlds)}; expected the name of a world."
    world = worlds[0]
    return (
        "Imported draws have no solver; a network that was trained on them answers: emulator irf"
        f" {world} --checkpoint runs/{world} (in Python"
        f" emulator.load('runs/{world}')['{world}']), once emulator train --dataset {folder}"
        f" --output runs/{world} has made it."
    )


def _worlds_of(folder: str) -> tuple[list[str], bool]:
    """Names of a data set's worlds, and whether they were imported, as its manifest says."""
    try:
        request = json.loads(Path(folder, "manifest.json").read_bytes())["request"]
        return [str(name) for name in request["worlds"]], bool(request.get("imported"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return [os.path.basename(folder)], True


def known_worlds() -> tuple[str, ...]:
    """Names of all worlds: those of this package, then those that others brought."""
    from emulator.worlds import registry

    return (*WORLDS, *registry.names())


def is_known(name: str) -> bool:
    """Whether there is a world of that name, of this package or brought by others."""
    return name in WORLDS or name in known_worlds()


def open_world(name: str | Path | World, run: int | None = None) -> World:
    """What answers under a name or a path: `get_world`, but a `.mod` file without a mapping answers
    with its own variables in its own units (`FileModel`).

    run: of a file, which of its solution commands, by default the last. Raises as `get_world`, and
    `ParameterError` for a run of what is no file.
    """
    if not is_path(name) or is_python(name):
        if run is not None:
            raise ParameterError(
                f"run={run} is about the commands of a .mod file; '{name}' is none."
            )
        return get_world(name)
    path = Path(str(name)).absolute()
    if mapping_path(path).exists():
        return get_world(name) if run is None else _run_of_file(path, run)
    from emulator.modfile import load
    from emulator.worlds.filepaths import world_of_file

    return world_of_file(load(Path(str(name)), run, shocks=False))


def _run_of_file(path: Path, run: int) -> World:
    """A run of a file with a mapping; one without a linear rule answers in the file's variables."""
    from emulator.modfile import load
    from emulator.worlds.filepaths import world_of_file
    from emulator.worlds.mapping import read_text
    from emulator.worlds.modworld import ModWorld

    model = load(path, run)
    return (
        world_of_file(model) if model.kind.paths else ModWorld(model, read_text(mapping_path(path)))
    )


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
    """World names and paths from a comma-separated list, or every world of this package for `all`.

    Raises `UnknownNameError`.
    """
    listed = (list(WORLDS) if name == "all" else [name] for name in split_names(names))
    worlds = list(dict.fromkeys(name for part in listed for name in part))
    for name in worlds or [names]:
        if not is_path(name) and not is_known(name):
            paths = ("path/to/model.mod", "path/to/file.py:name")
            raise unknown_name("world", name, [*known_worlds(), "all", *paths])
    return worlds


_ELSEWHERE = {
    "Draws": "draws",
    "LinearWorld": "linear",
    "Simulator": "simulator",
    "World": "base",
    "check_world": "check",
    "register": "registry",
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
    "Simulator",
    "Source",
    "World",
    "check_world",
    "expand_worlds",
    "from_source",
    "get_world",
    "is_known",
    "is_path",
    "is_python",
    "known_worlds",
    "open_world",
    "register",
    "split_names",
]
