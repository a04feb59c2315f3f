"""Lend an environment the packages that a wheel says it needs, and no others, from this one.

    .venv/bin/python .ci/lend.py dist/name.whl test site-packages/

`pip install --no-index` then installs the wheel beside them. As by an installation from the same
constraints, what the wheel does not name is not there; but nothing is unpacked a second time.
"""

from __future__ import annotations

import sys
from email import message_from_bytes
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def needed(texts: list[str], extras: set[str]) -> list[Requirement]:
    """Requirements that hold on this machine, with these extras."""
    requirements = [Requirement(text) for text in texts]
    return [
        requirement
        for requirement in requirements
        if requirement.marker is None
        or any(requirement.marker.evaluate({"extra": extra}) for extra in {"", *extras})
    ]


def lend(wheel: Path, extra: str, site: Path) -> None:
    with ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    own = canonicalize_name(metadata["Name"])
    texts = {own: metadata.get_all("Requires-Dist", [])}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(f"{own}[{extra}]")]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = {"", *requirement.extras}
        if all((name, extra) in seen for extra in extras):
            continue
        seen |= {(name, extra) for extra in extras}
        if name not in texts:
            try:
                package = distribution(name)
            except PackageNotFoundError:
                continue  # pip says that it is missing, and who needs it
            texts[name] = package.requires or []
            for top in {file.parts[0] for file in package.files or []} - {"..", "__pycache__"}:
                link = site / top
                if not link.exists():
                    link.symlink_to(Path(str(package.locate_file(top))).resolve())
        waiting += needed(texts[name], extras)


if __name__ == "__main__":
    lend(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
