"""Scripts of `examples/` in percent format as pages: their text, their code, and what they print
and draw when they are run.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "build" / "examples"
"""A folder a script: what it wrote, and what it printed in `printed.txt`.

A script whose code has not changed since is not run again.
"""


def page(name: str, settings: Mapping[str, str]) -> str:
    """A script as Markdown, run with its constants as they are, or with other values.

    Raises `RuntimeError` if it fails.
    """
    script = ROOT / "examples" / f"{name}.py"
    text = script.read_text(encoding="utf-8")
    folder = run(script, text, settings)
    changed = "".join(f" with `{key} = {value}`" for key, value in settings.items())
    parts = [
        *cells(text),
        "## What it prints",
        f"`python examples/{script.name}`, run{changed} when this page was made:",
        f"```text\n{(folder / 'printed.txt').read_text(encoding='utf-8').rstrip()}\n```",
    ]
    parts += [
        f"![{figure.stem}, drawn by the"
        f" script]({os.path.relpath(figure, ROOT / 'docs' / 'tutorials')})"
        for figure in sorted(folder.glob("*.png"))
    ]
    return "\n\n".join(parts) + "\n"


def cells(text: str) -> Iterator[str]:
    """The cells of a percent script: text as Markdown, its links those of a page in
    `docs/tutorials`; code in fences.
    """
    for cell in re.split(r"^# %%", text, flags=re.MULTILINE)[1:]:
        head, _, body = cell.partition("\n")
        if "[markdown]" in head:
            yield (
                re.sub(r"^# ?", "", body, flags=re.MULTILINE)
                .strip()
                .replace("](../LEADERBOARD.md)", "](../leaderboard.md)")
                .replace("](../docs/", "](../")
            )
        else:
            yield f"```python\n{body.strip()}\n```"


def run(script: Path, text: str, settings: Mapping[str, str]) -> Path:
    """Run a script in a folder of its own, unless the same one has been run there; its folder."""
    for key, value in settings.items():
        text, found = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        if found != 1:
            raise RuntimeError(f"{script} sets {key} {found} times; expected once.")
    code = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    folder = RUNS / f"{script.stem}-{hashlib.sha256(code.encode()).hexdigest()[:12]}"
    if not (folder / "printed.txt").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "examples").unlink(missing_ok=True)
        (folder / "examples").symlink_to(ROOT / "examples")
        (folder / script.name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, script.name],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "100"},
        )
        if done.returncode:
            raise RuntimeError(f"{script} failed:\n{done.stdout}\n{done.stderr}")
        (folder / "printed.txt").write_text(done.stdout, encoding="utf-8")
    return folder
