"""Take the explorer's picture again, by the command that its page gives: `make docs` calls this, so
that the picture shows the page as it is. Without a Chromium the picture stays as it is.
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


def arguments() -> list[str]:
    """What the page gives the command."""
    command = COMMAND.search(PAGE.read_text(encoding="utf-8"))
    assert command is not None, f"{PAGE} gives no command for its picture"
    return shlex.split(command[1])


def main() -> None:
    if browser() is None:
        print(f"No Chromium ({', '.join(BROWSERS)}): the explorer's picture is not taken again.")
        return
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "emulator", *arguments()]
    subprocess.run(command, check=True, cwd=PAGE.parents[1], env=environment)


if __name__ == "__main__":
    main()
