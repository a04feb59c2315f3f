"""Compiled equations on disk, by the content of the file they were made from; a cache that is lost
or damaged is remade.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from emulator.files import write_text
from emulator.modfile.compiling.equations import Equations

FORMAT = 4
"""Raised whenever the meaning of compiled equations changes."""


def folder() -> Path:
    """`$EMULATOR_CACHE`, else `emulator/modfile` in the user's cache folder (`$XDG_CACHE_HOME`, by
    default `~/.cache`).
    """
    chosen = os.environ.get("EMULATOR_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emulator" / "modfile"


def compiled(sha256: str, make: Callable[[], Equations]) -> Equations:
    """The equations of the model of that hash: read if they are kept, else made and kept."""
    with suppress(
        OSError, RuntimeError, ValueError, KeyError, TypeError
    ):  # RuntimeError: a user without a home
        return Equations.parse(
            json.loads(_checked((folder() / _name(sha256)).read_text(encoding="utf-8")))
        )
    found = make()
    text = json.dumps(found.dump())
    with suppress(
        OSError, RuntimeError
    ):  # no room or no right to write: the cache is a convenience
        write_text(folder() / _name(sha256), f"{_digest(text)}\n{text}")
    return found


def _name(sha256: str) -> str:
    return f"{sha256}.v{FORMAT}.json"


def _checked(text: str) -> str:
    """What stands below the first line, which is its digest: a changed digit must not become an
    answer.
    """
    digest, _, rest = text.partition("\n")
    if digest != _digest(rest):
        raise ValueError("the cached equations were altered")
    return rest


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
