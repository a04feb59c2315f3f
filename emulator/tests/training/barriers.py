"""Training that stands still before steps of a test's choice, until the test lets it pass: what is
disturbed there has not ended, however busy the machine is.

    python -m emulator.tests.training.barriers --config ...

The command line is that of `python -m emulator.training.trainer`. The environment says where: the
file `at_20` appears in the folder when the run stands before step 20, `pass_20` lets it go on.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from emulator.tests import commands

VARIABLE = "EMULATOR_TEST_BARRIERS"


class Barriers:
    """Steps before which a run stands still, and the folder of the files."""

    def __init__(self, folder: Path, *steps: int) -> None:
        self.folder = folder
        self.steps = steps

    @property
    def environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps([str(self.folder), *self.steps])}

    def reached(self, step: int, process: commands.Process) -> None:
        """Wait until a process stands before a step."""
        deadline = time.monotonic() + commands.PATIENCE
        while not (self.folder / f"at_{step}").exists():
            assert process.poll() is None, f"ended too early:\n{process.communicate()[0]}"
            assert time.monotonic() < deadline, f"step {step} is never reached"
            time.sleep(0.005)

    def open(self, step: int) -> None:
        (self.folder / f"pass_{step}").touch()


def install() -> None:
    """Put up the barriers that the environment asks for."""
    if VARIABLE not in os.environ:
        return
    from emulator.training.trainer import Trainer

    folder, *steps = json.loads(os.environ[VARIABLE])
    original = Trainer._train_step

    def train_step(self: Trainer, *arguments: Any) -> Any:
        if self.step in steps:
            (Path(folder) / f"at_{self.step}").touch()
            while not (Path(folder) / f"pass_{self.step}").exists():
                time.sleep(0.005)
        return original(self, *arguments)

    Trainer._train_step = train_step  # type: ignore[method-assign]


if __name__ == "__main__":
    install()
    from emulator.training.command import main

    main()
