"""Scripts of `examples/` in percent format as pages: their text, their code, and below each cell
what it prints and draws.

    python percent.py own_model.py     # run a script by cells, in the current folder
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "build" / "examples"
"""A folder a script: what it wrote, and in `cells.json` what each cell printed and drew.

A script is not run again where neither its code nor that of the package has changed since.
"""


class Cell(NamedTuple):
    """A cell of a script: Markdown, or Python with the line that it stands on."""

    text: str
    line: int
    is_code: bool


def page(name: str, settings: Mapping[str, str]) -> str:
    """A script as Markdown, run with its constants as they are, or with other values.

    Raises `RuntimeError` if it fails.
    """
    script = ROOT / "examples" / f"{name}.py"
    text = script.read_text(encoding="utf-8")
    folder = run(script, text, settings)
    results = iter(json.loads((folder / "cells.json").read_text(encoding="utf-8")))
    parts = []
    for cell in cells(text):
        if not cell.is_code:
            parts.append(_linked(cell.text))
            continue
        parts.append(f"```python\n{cell.text}\n```")
        result = next(results)
        if result["printed"].strip():
            parts.append(f"```text\n{result['printed'].rstrip()}\n```")
        place = os.path.relpath(folder, ROOT / "docs" / "tutorials")
        parts += [f"![{_caption(figure)}]({place}/{figure})" for figure in result["figures"]]
    changed = ", ".join(f"`{key} = {value}`" for key, value in settings.items())
    note = f" Here it ran with {changed}." if changed else ""
    parts.append(f"The script of this page: `examples/{script.name}`.{note}")
    return "\n\n".join(parts) + "\n"


def cells(text: str) -> Iterator[Cell]:
    """The cells of a percent script, in order."""
    for match in re.finditer(r"^# %%(.*)\n((?:(?!# %%).*\n?)*)", text, flags=re.MULTILINE):
        line = text[: match.start(2)].count("\n") + 1
        if "[markdown]" in match[1]:
            yield Cell(re.sub(r"^# ?", "", match[2], flags=re.MULTILINE).strip(), line, False)
        elif match[2].strip():
            yield Cell(match[2].strip(), line, True)


def run(script: Path, text: str, settings: Mapping[str, str]) -> Path:
    """Run a script in a folder of its own, unless the same one has been run there; its folder."""
    for key, value in settings.items():
        text, n_set = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        if n_set != 1:
            raise RuntimeError(f"{script} sets {key} {n_set} times; expected once.")
    code = re.sub(r"^#(?! %%).*\n", "", text, flags=re.MULTILINE)
    folder = RUNS / f"{script.stem}-{hashlib.sha256(code.encode() + _sources()).hexdigest()[:12]}"
    if not (folder / "cells.json").exists():
        began = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "examples").unlink(missing_ok=True)
        (folder / "examples").symlink_to(ROOT / "examples")
        (folder / script.name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, __file__, script.name],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT)},
        )
        if done.returncode:
            raise RuntimeError(f"{script} failed:\n{done.stdout}\n{done.stderr}")
        print(f"ran examples/{script.name} in {time.monotonic() - began:.0f} s", flush=True)
    return folder


@cache
def _sources() -> bytes:
    """A digest of all that a script's output depends on beside its own code."""
    files = [
        *ROOT.glob("examples/*.mod"),
        *ROOT.glob("examples/*.yaml"),
        *ROOT.glob("emulator/**/*.*"),
    ]
    digest = hashlib.sha256()
    for path in sorted(files):
        if path.suffix in (".py", ".mod", ".yaml", ".safetensors") and "tests" not in path.parts:
            digest.update(path.read_bytes())
    return digest.digest()


def run_cells(script: Path) -> None:
    """Run a script's cells in one namespace; write to `cells.json` beside it, by cell of code, what
    it printed and which figures it drew.
    """
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(script)}
    results = []
    drawn: set[Path] = set()
    for cell in cells(script.read_text(encoding="utf-8")):
        if not cell.is_code:
            continue
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            exec(compile("\n" * (cell.line - 1) + cell.text, str(script), "exec"), namespace)
        figures = sorted(set(Path().glob("*.png")) - drawn)
        drawn.update(figures)
        results.append({"printed": stream.getvalue(), "figures": [str(path) for path in figures]})
    Path("cells.json").write_text(json.dumps(results), encoding="utf-8")


def _linked(text: str) -> str:
    """Text of a script with its links as those of a page in `docs/tutorials`."""
    return text.replace("](../LEADERBOARD.md)", "](../leaderboard.md)").replace(
        "](../docs/", "](../"
    )


def _caption(figure: str) -> str:
    return f"What the cell draws: {Path(figure).stem.replace('_', ' ')}"


if __name__ == "__main__":
    run_cells(Path(sys.argv[1]))
