"""A world in a Python file of the user's: `path/to/mysim.py:economy`.

To read such a file is to run it. So the path has to come from the person at the keyboard: nothing
that a data set, a checkpoint or a page names is ever opened here.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from emulator.console import in_words
from emulator.errors import EmulatorError, SimulatorError, nearest, printable
from emulator.worlds.base import World
from emulator.worlds.calls import LONGEST_REASON, place_of
from emulator.worlds.tables import NO_SOURCE

_PLACE = re.compile(r"(.+\.py)(?::([^/\\:]*))?", re.DOTALL)

_siblings: dict[str, Path] = {}
"""Modules beside a file that it imported, and their folder: another folder may have its own of the
same name.
"""


def load(name: str | Path) -> World:
    """The world of `path/to/mysim.py:economy`; without a name the only one of the file.

    The file is run, once as long as it does not change, under a private name and with its folder
    importable. `spec.definition` is its SHA-256. Raises `SimulatorError`: for a mistake in the
    file with its line, and where the world that is named is not there.
    """
    match = _PLACE.fullmatch(str(name))
    if match is None or match[2] == "":
        raise SimulatorError(
            f"'{printable(str(name))}' names no world; expected path/to/file.py:name."
        )
    path = Path(match[1]).absolute()
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise SimulatorError(f"There is no file '{path}'.") from None
    except OSError as error:
        raise SimulatorError(in_words(error)) from None
    digest = hashlib.sha256(content).hexdigest()
    module = _module(path, content, digest)
    return _placed(module, path, match[2] or _only_world(module, path), digest)


@lru_cache(maxsize=64)
def _placed(module: ModuleType, path: Path, name: str, digest: str) -> World:
    """The world of a file, which knows its place; what the file itself holds stays as it is, since
    it may have it from elsewhere.
    """
    world = _world(module, path, name)
    placed: World = object.__new__(type(world))
    placed.__dict__.update(world.__dict__)
    source = path.name if world.spec.source == NO_SOURCE else world.spec.source
    placed.spec = world.spec.model_copy(update={"definition": digest, "source": source})
    placed.place = f"{path}:{name}"
    return placed


@lru_cache(maxsize=64)
def _module(path: Path, content: bytes, digest: str) -> ModuleType:
    """The module of a file, run. Raises `SimulatorError` with the line of what goes wrong."""
    module = ModuleType(f"_emulator_world_{digest[:16]}")
    module.__file__ = str(path)
    try:
        code = compile(content, str(path), "exec")
    except SyntaxError as error:
        raise SimulatorError(f"{path.name}:{error.lineno}: {error.msg}.") from None
    except ValueError as error:  # null bytes
        raise SimulatorError(f"'{path}' is no Python file: {error}.") from None
    sys.modules[module.__name__] = module  # dataclasses look their module up there
    try:
        with _importable(path.parent):
            exec(code, module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise SimulatorError(_in_words(error, path, code)) from None
    return module


def _in_words(error: BaseException, path: Path, code: Any) -> str:
    """What went wrong while a file was run: place, kind and text."""
    place = place_of(error, code)
    text = printable(str(error).strip())
    if isinstance(error, EmulatorError):
        return f"{place or path.name}: {text}"
    if isinstance(error, SyntaxError) and error.filename:  # of a module beside the file
        return f"{Path(error.filename).name}:{error.lineno}: {error.msg}."
    kind = "sys.exit" if isinstance(error, SystemExit) else type(error).__name__
    return f"{place or path.name}: {kind}: {text[:LONGEST_REASON] or 'no message'}"


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let a file import what lies beside it, as Python does for a script.

    Afterwards its folder is the last place to look in, for what the file imports later.
    """
    for name, home in list(_siblings.items()):
        if home != folder:
            sys.modules.pop(name, None)
            del _siblings[name]
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(folder):
                _siblings[name] = folder


def _worlds_of(module: ModuleType) -> list[str]:
    """Names under which a module has worlds, each world once; classes of worlds are those that it
    defines itself.
    """
    names: dict[int, str] = {}
    for name, value in vars(module).items():
        own = inspect.isclass(value) and value.__module__ == module.__name__
        if not name.startswith("_") and (isinstance(value, World) or (own and _is_world(value))):
            names.setdefault(id(value), name)
    return list(names.values())


def _is_world(value: Any) -> bool:
    """Whether something is a class of worlds of which one can be made."""
    return inspect.isclass(value) and issubclass(value, World) and not inspect.isabstract(value)


def _only_world(module: ModuleType, path: Path) -> str:
    names = _worlds_of(module)
    if len(names) == 1:
        return names[0]
    if names:
        raise SimulatorError(
            f"{path.name} has several worlds: {', '.join(names)}. Name one of them:"
            f" {path.name}:{names[0]}."
        )
    raise SimulatorError(f"{path.name} has no world. {ADVICE}")


ADVICE = (
    "A function becomes one by its table: write @emulator.simulator(parameters=..., shocks=...,"
    " observables=...) above it."
)


def _world(module: ModuleType, path: Path, name: str) -> World:
    if not hasattr(module, name):
        worlds = _worlds_of(module)
        own = worlds or [key for key in vars(module) if not key.startswith("_")]
        raise SimulatorError(
            f"{path.name} has no '{printable(name)}'. {nearest(name, own) if own else ADVICE}"
        )
    value = getattr(module, name)
    if isinstance(value, World):
        return value
    if _is_world(value):
        try:
            return value()
        except Exception as error:
            raise SimulatorError(
                f"The world '{name}' of {path.name} cannot be made without arguments:"
                f" {type(error).__name__}: {printable(str(error))}"
            ) from None
    kind = "a function" if inspect.isfunction(value) else f"of type {type(value).__name__}"
    raise SimulatorError(f"'{name}' of {path.name} is {kind} and no world. {ADVICE}")
