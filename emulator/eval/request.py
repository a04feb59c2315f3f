"""What is asked of an evaluation, and the command line that asks it again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields
from pathlib import Path

DEFAULT_SPLITS = ("test", "test_extrapolation_slice", "test_extrapolation_corner")


@dataclass(frozen=True)
class Request:
    """An evaluation: a checkpoint, a data set, and what to score.

    Empty `worlds` means those of the checkpoint.
    """

    checkpoint: Path
    dataset: Path
    worlds: tuple[str, ...] = ()
    splits: tuple[str, ...] = DEFAULT_SPLITS
    output: Path | None = None
    """Folder of the results; by default `runs/<name of the checkpoint's folder>/evaluation`."""
    bootstrap: int = 1000
    """Resamples behind each interval; 0 gives none."""
    seed: int = 0
    batch_size: int = 1024
    device: str = "cpu"
    threads: int = 1
    """Threads of PyTorch: more than one slows small networks down, badly so on a busy machine."""
    allow_other_data: bool = False

    @property
    def name(self) -> str:
        """Name of the run: the folder of its checkpoint, or the name under which a network
        ships.
        """
        place = self.checkpoint.absolute()
        return place.parent.name if place.suffix else place.name

    @property
    def folder(self) -> Path:
        """Where the results go."""
        if self.output is not None:
            return self.output
        return Path("runs") / self.name / "evaluation"

    @property
    def command(self) -> str:
        """The literal command that repeats this evaluation, without the options that have their
        defaults.
        """
        words = ["python", "-m", "emulator.eval.evaluate"]
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            words.append(f"--{field.name.replace('_', '-')}")
            if value is not True:
                words.append(",".join(value) if isinstance(value, tuple) else str(value))
        return shlex.join(words)


def names(text: str) -> tuple[str, ...]:
    """'nk, var' as ('nk', 'var'): names separated by commas, each once, in the order given."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
