"""Worlds that others bring: registered by a call, or by an installed package's entry points.

A package names its worlds in `pyproject.toml`, and they are there as soon as it is installed:

    [project.entry-points."emulator.worlds"]
    toy = "my_package.toy:economy"

The name is that of the world's spec. Behind it stands a world, or a function or class that makes
one; it is imported when the world is asked for.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from emulator.errors import EmulatorError, SimulatorError, UnknownNameError, printable
from emulator.worlds import WORLDS
from emulator.worlds.base import World

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "emulator.worlds"

_registered: dict[str, World | Callable[[], World]] = {}


def register(world: World | Callable[[], World], name: str | None = None) -> None:
    """Add a world, or a function that makes one when it is asked for, to the table of worlds.

    name: that of the world's spec, by default; of a function it must be given. A second one of the
    same name takes the place of the first. Raises `UnknownNameError` for a name that a world of
    this package or of an installed one has, `SimulatorError` for what is no world.
    """
    if isinstance(world, World):
        _check_name(world, name or world.spec.name, "The world that is registered")
        name = world.spec.name
    elif not callable(world) or name is None:
        raise SimulatorError(
            f"{world!r} was given to register; expected a world, or a function that makes one"
            " together with its name."
        )
    others = _brought(name)
    if name in WORLDS or others:
        if isinstance(world, World) and _of_others(name).spec.sha256 == world.spec.sha256:
            return
        owner = "this package" if name in WORLDS else _owners(others)
        raise UnknownNameError(
            f"A world '{name}' is there already: it is of {owner}. Give the world that is to be"
            f" registered{_titled(world)} another name."
        )
    _registered[name] = world


def _titled(world: Any) -> str:
    return f" ({printable(world.spec.title)})" if isinstance(world, World) else ""


def names() -> dict[str, str]:
    """Names of the worlds that others brought, and who did; nothing is imported."""
    brought = {point.name: _owners(_brought(point.name)) for point in _points()}
    registered = dict.fromkeys(_registered, "registered in this session")
    return {name: owner for name, owner in brought.items() if name not in WORLDS} | registered


def clashes() -> dict[str, str]:
    """Names of worlds of this package that an installed one brings too, and which does; ours is the
    one that answers.
    """
    return {p.name: _owners([p]) for p in _points() if p.name in WORLDS}


def lookup(name: str) -> World | None:
    """The world that was brought under a name; None where there is none.

    Raises `SimulatorError` for one that cannot be loaded, `UnknownNameError` where two packages
    bring the name.
    """
    if name not in _registered:
        return _of_others(name) if name in WORLDS or _brought(name) else None
    world = _registered[name]
    if not isinstance(world, World):
        world = _made(world, name, "The registered world")
        _registered[name] = world
    return world


def travelling(world: World, cluster: bool) -> World | str:
    """A world as it is handed to another process: the place of its file, or itself.

    Raises `SimulatorError` where another process could not find its function.
    """
    if world.place:
        return world.place
    script = os.path.isfile(str(getattr(sys.modules["__main__"], "__file__", "")))
    functions = [value for value in vars(world).values() if callable(value)]
    of_main = any(getattr(function, "__module__", "") == "__main__" for function in functions)
    try:
        pickle.dumps(world)
        # Processes of this machine import a script anew; nobody can import a notebook.
        importable = not of_main or (script and not cluster)
    except Exception:  # pickle raises as many kinds as there are objects
        importable = False
    if not importable:
        raise SimulatorError(
            f"World '{world.spec.name}' cannot be sent to other processes: they cannot import its"
            " function, which is defined in a notebook, in a script or inside another function."
            " Write it into a file of its own and name the world by its place, mysim.py:economy, or"
            " work in this process alone (workers=1)."
        )
    return world


def arrive(given: Mapping[str, World | str]) -> None:
    """Register worlds that another process handed over (`travelling`), each once."""
    from emulator.worlds.pyfile import load

    for name, world in given.items():
        arriving = load(world) if isinstance(world, str) else world
        known = lookup(name) if name in _registered else None
        if known is None or known.spec.sha256 != arriving.spec.sha256:
            # What a worker of a cluster knows may be of an earlier command: a file before its edit.
            _registered.pop(name, None)
            register(arriving)


def given_here(name: str) -> bool:
    """Whether a world is known in this process alone, since it was registered."""
    return name in _registered


def _of_others(name: str) -> World:
    """A world of this package, or of an installed one."""
    if name in WORLDS:
        from emulator.worlds import get_world

        return get_world(name)
    points = _brought(name)
    if len(points) > 1:
        raise UnknownNameError(
            f"Two installed packages bring a world '{name}': {_owners(points)}. Uninstall one of"
            " them, or import the world from its package."
        )
    what = f"World '{name}' of {_owners(points)} ({points[0].value})"
    try:
        value = points[0].load()
    except (Exception, SystemExit) as error:
        raise SimulatorError(
            f"{what} cannot be loaded: {type(error).__name__}: {printable(str(error))}"
        ) from None
    return _made(value, name, what)


def _made(value: Any, name: str, what: str) -> World:
    """The world itself, or the one that a function makes."""
    if not isinstance(value, World) and callable(value):
        try:
            value = value()
        except EmulatorError as error:
            raise SimulatorError(f"{what} cannot be made: {error}") from None
        except (Exception, SystemExit) as error:
            raise SimulatorError(
                f"{what} cannot be made: {type(error).__name__}: {printable(str(error))}"
            ) from None
    if not isinstance(value, World):
        raise SimulatorError(
            f"{what} is of type {type(value).__name__}; expected a world, or a function that makes"
            " one."
        )
    _check_name(value, name, what)
    return value


def _check_name(world: World, name: str, what: str) -> None:
    if world.spec.name != name:
        raise SimulatorError(
            f"{what} is named '{name}' here and '{world.spec.name}' in its spec; expected one name,"
            " by which data sets and networks know it."
        )


def _points() -> list[EntryPoint]:
    from importlib.metadata import entry_points

    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, _owner(point)))


def _brought(name: str) -> list[EntryPoint]:
    """What installed packages have under a name, each package once."""
    points = {(_owner(point), point.value): point for point in _points() if point.name == name}
    return list(points.values())


def _owner(point: EntryPoint) -> str:
    package = point.dist
    return "an unnamed package" if package is None else f"{package.name} {package.version}"


def _owners(points: list[EntryPoint]) -> str:
    return " and ".join(f"package {_owner(point)}" for point in points)
