"""A picture of the page, made by the Chromium that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from emulator.errors import EmulatorError, ParameterError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 120


def browser() -> str | None:
    """The path of an installed Chromium or Chrome: $EMULATOR_CHROMIUM, or the first that is found;
    None without one.
    """
    return os.environ.get("EMULATOR_CHROMIUM") or next(
        filter(None, map(shutil.which, BROWSERS)), None
    )


def shoot(address: str, path: Path, width: int = 1440, height: int = 900) -> None:
    """Write what a browser window of this size shows at an address, after its scripts are done.

    Raises `EmulatorError`.
    """
    if path.suffix.lower() != ".png":
        raise ParameterError(f"The screenshot '{path}' must end in .png.")
    program = browser()
    if program is None:
        raise EmulatorError(
            f"No browser was found to take the picture with; looked for {', '.join(BROWSERS)}."
            " Install one (Debian: apt-get install chromium), or name it in EMULATOR_CHROMIUM."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        aside = Path(profile) / "screenshot.png"
        command = [
            program,
            "--headless",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={profile}/profile",
            f"--window-size={width},{height}",
            "--virtual-time-budget=10000",
            f"--screenshot={aside}",
            *(["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []),
            address,
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise EmulatorError(f"{program} took no picture within {SECONDS} seconds.") from None
        if not aside.is_file():
            raise EmulatorError(
                f"{program} took no picture (exit code {done.returncode}):"
                f" {done.stderr.decode(errors='replace')[-300:]}"
            )
        shutil.copyfile(aside, path)
