"""Compiled equations on disk, by the content of the file they were made from; a cache that is lost or damaged is remade."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from emulator.files import write_text
from emulator.modfile.equations import Equations

FORMAT = 2
"""Raised whenever the meaning of compiled equations changes."""


def folder() -> Path:
    """`$EMULATOR_CACHE`, else `emulator/modfile` in the user's cache folder (`$XDG_CACHE_HOME`, by default `~/.cache`)."""
    chosen = os.environ.get("EMULATOR_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emulator" / "modfile"


def compiled(sha256: str, make: Callable[[], Equations]) -> Equations:
    """The equations of the model of that hash: read if they are kept, else made and kept."""
    path = folder() / f"{sha256}.v{FORMAT}.json"
    try:
        return Equations.parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        found = make()
    with suppress(OSError):  # no room or no right to write: the cache is a convenience
        write_text(path, json.dumps(found.dump()))
    return found
