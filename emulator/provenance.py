"""Where a result comes from: versions of the packages that made it and the commit of the code."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from emulator.version import __version__

DISTRIBUTION = "universal-macro-emulator"
RECORDED = ("numpy", "scipy", "torch", "zarr", "xarray")


@cache
def versions() -> dict[str, str]:
    """Versions of Python, of this package and of the packages that decide its numbers (no import
    needed).
    """
    versions_of = {"python": platform.python_version(), DISTRIBUTION: __version__}
    for name in RECORDED:
        try:
            versions_of[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions_of


@cache
def commit() -> str:
    """Git commit of the checkout that this package runs from, with `-dirty` if it differs;
    `unknown` elsewhere.
    """
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return "unknown"
    try:
        head = _git(root, "rev-parse", "HEAD")
        dirty = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{head}-dirty" if dirty else head


def _git(root: Path, *arguments: str) -> str:
    result = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=20
    )
    return result.stdout.strip()
