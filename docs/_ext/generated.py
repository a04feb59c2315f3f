"""Parts of pages that are made while the site is built, where a page holds one of these comments.

<!-- example own_model -->                     a script of `examples/`, run, with what it printed
                                               and drew
<!-- example hank_by_network POINTS=64 -->     the same, run with another value of one of its
constants
<!-- commands -->                              the command line, from the commands themselves
<!-- api emulator.inference -->                a module's public names, from their docstrings
"""

from __future__ import annotations

import importlib
import re
from types import ModuleType
from typing import Any

import commands
import percent

MARK = re.compile(r"^<!-- (\w+)(.*) -->$", re.MULTILINE)


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}


def _fill(app: Any, page: str, source: list[str]) -> None:
    if MARK.search(source[0]):
        app.env.note_reread()  # its parts come from elsewhere, which may have changed
    source[0] = MARK.sub(lambda mark: _made(mark[1], mark[2].split(), mark[0]), source[0])


def _made(kind: str, words: list[str], untouched: str) -> str:
    if kind == "commands":
        return commands.reference()
    if kind == "example":
        return percent.page(words[0], dict(word.split("=") for word in words[1:]))
    if kind == "api":
        return api(words[0])
    return untouched


def api(module: str) -> str:
    """A module and all that its `__all__` names: functions and classes by autodoc, modules by their
    name, tables and tuples by what they hold.
    """
    room = importlib.import_module(module)
    parts = [f".. automodule:: {module}\n   :no-members:\n"]
    for name in room.__all__:
        thing = getattr(room, name)
        home = _home(thing, name)
        if isinstance(thing, ModuleType):
            parts.append(
                f".. py:data:: {module}.{name}\n\n   The room :py:mod:`{thing.__name__}`.\n"
            )
        elif module == "emulator" and home:
            parts.append(f".. py:data:: {module}.{name}\n\n   See :py:obj:`{home}.{name}`.\n")
        elif isinstance(thing, type):
            parts.append(f".. autoclass:: {module}.{name}\n")
        elif callable(thing):
            parts.append(f".. autofunction:: {module}.{name}\n")
        else:
            parts.append(
                f".. py:data:: {module}.{name}\n\n   {', '.join(f'``{item}``' for item in thing)}\n"
            )
    return "```{eval-rst}\n" + "\n".join(parts) + "```\n"


def _home(thing: Any, name: str) -> str:
    """The room whose page documents a name that `emulator` itself offers too; empty without one."""
    room = ".".join(getattr(thing, "__module__", "emulator").split(".")[:2])
    offers = getattr(importlib.import_module(room), "__all__", ())
    return room if room != "emulator" and name in offers else ""
