"""Where a world made of files comes from: its paths, and its texts, with which it can be made again
anywhere.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

_PYTHON = re.compile(r"\.py(:[^/\\:]*)?$")


class Source(BaseModel):
    """All that a world made of files is read from, as text: kept in data sets, so that they can be
    solved again anywhere.

    file: name of the `.mod` file; text: the model after macro expansion; mapping: the YAML beside
    it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    text: str
    mapping: str


def is_path(name: Any) -> bool:
    """Whether a world is named by a path: of a `.mod` file, or of a Python file, `mysim.py:economy`
    or `mysim.py`.
    """
    return isinstance(name, Path) or str(name).endswith(".mod") or is_python(name)


def is_python(name: Any) -> bool:
    """Whether a world is named by the path of a Python file."""
    return isinstance(name, str | Path) and _PYTHON.search(str(name)) is not None


def plain_name(stem: str) -> str:
    """A name of a world or an observable, of a file's stem or a variable of it: letters,
    digits and underscores, a letter first.
    """
    name = re.sub(r"\W", "_", stem, flags=re.ASCII)
    return (name if name[:1].isalpha() else f"m_{name}")[:64]


def mapping_path(path: Path) -> Path:
    """`model.world.yaml` beside `model.mod`."""
    return path.with_name(f"{path.stem}.world.yaml")
