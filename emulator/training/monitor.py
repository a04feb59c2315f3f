"""What is seen of a run while it goes on: progress with rate and time left, and Weights & Biases
where asked for.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from emulator.errors import MissingExtraError
from emulator.progress import progress
from emulator.training.config import TrainingConfig

REFRESH = 10
"""Steps between updates of the display."""


class Monitor:
    """A context around training; in processes that do not lead it does nothing."""

    def __init__(
        self,
        config: TrainingConfig,
        total_steps: int,
        done: int,
        show: bool,
        wandb_run: str | None = None,
    ) -> None:
        self.config = config
        self.total = total_steps
        self.done = done
        self.show = show
        self.wandb_run = wandb_run
        """Name of the run at Weights & Biases, which a resumed run goes on with; None without."""
        self._stack = ExitStack()
        self._run: Any = None

    def __enter__(self) -> Monitor:
        if self.show:
            if self.config.use_wandb:
                self._run = _start_wandb(self.config, self.wandb_run)
                self.wandb_run = getattr(self._run, "id", None)
                self._stack.callback(self._run.finish)
            self._display = self._stack.enter_context(progress())
            self._task = self._display.add_task(
                "training", total=self.total, completed=self.done, unit="steps", note=""
            )
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def step(self, step: int, epoch: int, loss: float, rate: float) -> None:
        """After an optimiser step: its number from 1, the epoch it belongs to, its mean loss and
        learning rate.
        """
        if not self.show:
            return
        if step % REFRESH == 0:
            self._display.update(self._task, completed=step)
        if step % self.config.log_every_n_steps == 0:
            self._display.update(
                self._task, note=f"epoch {epoch + 1}/{self.config.epochs} loss {loss:.4g}"
            )
            if self._run is not None:
                self._run.log(
                    {"train/step_loss": loss, "train/lr": rate, "epoch": epoch + 1}, step=step
                )

    def epoch(
        self, step: int, epoch: int, train_loss: float | None, val_loss: float, best: float
    ) -> None:
        """After an epoch: losses in normalised units; no training loss where nothing is trained."""
        if not self.show:
            return
        self._display.update(
            self._task,
            completed=step,
            note=f"epoch {epoch}/{self.config.epochs} val {val_loss:.4g}",
        )
        if self._run is not None:
            self._run.log(
                {"train/loss": train_loss, "val/loss": val_loss, "val/best": best, "epoch": epoch},
                step=step,
            )


def _start_wandb(config: TrainingConfig, wandb_run: str | None) -> Any:
    try:
        import wandb
    except ImportError:
        raise MissingExtraError("wandb", "wandb") from None
    again = {} if wandb_run is None else {"id": wandb_run, "resume": "allow"}
    return wandb.init(
        project=config.wandb_project,
        config=config.to_dict(),
        dir=config.checkpoint_dir,
        **again,
    )
