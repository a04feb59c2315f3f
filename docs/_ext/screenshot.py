"""Take the explorer's pictures again, by the commands that its page gives: `make docs` calls this,
so that they show the page as it is. Without a Chromium they stay as they are.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from emulator.explorer.screenshot import BROWSERS, browser

PAGE = Path(__file__).parents[1] / "explorer.md"
COMMAND = re.compile(r"`emulator (explore --screenshot [^`]+)`, taken again by `make docs`")


def commands() -> list[list[str]]:
    """The arguments of each command that the page gives."""
    texts = COMMAND.findall(PAGE.read_text(encoding="utf-8"))
    assert texts, f"{PAGE} gives no command for its pictures"
    return [shlex.split(text) for text in texts]


def main() -> None:
    if browser() is None:
        print(f"No Chromium ({', '.join(BROWSERS)}): the explorer's pictures are not taken again.")
        return
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    for arguments in commands():
        command = [sys.executable, "-m", "emulator", *arguments]
        subprocess.run(command, check=True, cwd=PAGE.parents[1], env=environment)


if __name__ == "__main__":
    main()
