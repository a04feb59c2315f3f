"""What a choice has done so far, on disk after each step, so that an interrupted one goes on."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from emulator.errors import ConfigError, TrainingError
from emulator.files import write_json
from emulator.training.state import refuse_overwriting, remove_run

FILE, KINDS_FOLDER, CARD = "choice.json", "kinds", "CARD.md"
FORMAT = "universal-macro-emulator choice 1"

State = Literal["waiting", "done", "stopped", "failed", "left out"]


@dataclass
class Attempt:
    """One kind: what became of it, in how many seconds of processor time, and its errors (NRMSE in
    training standard deviations; None before they are known).
    """

    kind: str
    state: State = "waiting"
    seconds: float = 0.0
    val: float | None = None
    test: float | None = None
    note: str = ""
    checkpoint: str = ""
    rounds: int = 0


@dataclass
class Ledger:
    """A request, and the attempts at it; `finished` when the winner is calibrated."""

    request: dict[str, Any]
    attempts: dict[str, Attempt] = field(default_factory=dict)
    spent: float = 0.0
    rounds: int = 0
    winner: str = ""
    shares: dict[str, float] = field(default_factory=dict)
    trivial: dict[str, float] = field(default_factory=dict)
    curve: dict[str, Any] = field(default_factory=dict)
    finished: bool = False

    def save(self, folder: Path, spent: float) -> None:
        self.spent = spent
        write_json(folder / FILE, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """Raises `TrainingError` for a file that is none of ours."""
        try:
            raw = json.loads((folder / FILE).read_text())
            if raw.pop("format") != FORMAT:
                raise ValueError("another format")
            attempts = {name: Attempt(**entry) for name, entry in raw.pop("attempts").items()}
            return cls(attempts=attempts, **raw)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TrainingError(
                f"{folder / FILE} cannot be read as the state of a choice ({error}). Start afresh"
                " with --overwrite."
            ) from None


def opened(folder: Path, request: dict[str, Any], resume: bool, overwrite: bool) -> Ledger:
    """The state to go on from, or a fresh one in a folder that was free or may be replaced.

    Raises `ConfigError` for a folder that holds something else.
    """
    exists = (folder / FILE).exists()
    if resume and exists:
        ledger = Ledger.read(folder)
        different = [key for key, value in request.items() if ledger.request.get(key) != value]
        if different:
            raise ConfigError(
                f"{folder} holds a choice with another {', '.join(different)}; it cannot go on as"
                " this one. Give the same options, or start afresh with --overwrite."
            )
        return ledger
    if overwrite:
        remove_run(folder)
        for name in (FILE, CARD):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / KINDS_FOLDER, ignore_errors=True)
    elif exists:
        raise ConfigError(
            f"{folder} already holds a choice ({FILE}). Go on with it (--resume; in Python"
            " resume=True), replace it (--overwrite; in Python overwrite=True), or choose another"
            " --output."
        )
    else:
        refuse_overwriting(folder)
    return Ledger(request)
