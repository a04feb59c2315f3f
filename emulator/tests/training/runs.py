"""Training runs as a user starts them, for the tests of this room."""

import os
import signal
from pathlib import Path

import torch
import yaml
from torch.utils.data import DataLoader

from emulator.models import checkpoint
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.tests import commands
from emulator.tests.training.barriers import Barriers
from emulator.training import Trainer, TrainingConfig, collate_mixed_worlds

MODULE = ["-m", "emulator.training.trainer"]
WITH_BARRIERS = ["-m", "emulator.tests.training.barriers"]
TWO, TORCHRUN = "two processes", "torchrun"
TWO_PROCESSES = ["-m", "emulator.tests.training.two_processes"]
WITH_TORCHRUN = [
    "-m",
    "torch.distributed.run",
    "--nproc_per_node=2",
    "--master_port=0",
    "--rdzv-backend=c10d",
    "--rdzv-endpoint=localhost:0",
]


WORLDS = ["nk", "var", "lss"]


def make_trainer(train_set, val_set, folder, *, seed=42, epochs=2, loader=None, **settings):
    torch.manual_seed(seed)
    dims = {w: train_set.get_world_info(w)["n_params"] for w in WORLDS}
    model = PerWorldMLPBaseline(param_dims=dims, hidden_dims=[16], H=40)
    config = TrainingConfig(
        **(
            {
                "lr": 1e-3,
                "epochs": epochs,
                "warmup_epochs": 1,
                "checkpoint_dir": str(folder),
                "seed": seed,
            }
            | settings
        )
    )
    if loader is None:
        loader = DataLoader(train_set, batch_size=64, shuffle=True, collate_fn=collate_mixed_worlds)
    val_loader = DataLoader(val_set, batch_size=64, shuffle=False, collate_fn=collate_mixed_worlds)
    return Trainer(model, loader, val_loader, config)


def write_config(path: Path, data: Path, run: Path, **changes) -> Path:
    settings = {
        "dataset": str(data),
        "checkpoint_dir": str(run),
        "batch_size": 16,
        "epochs": 6,
        "lr": 1e-3,
        "warmup_epochs": 1,
        "model_options": {"hidden_dims": [32], "dropout": 0.1},
        "save_every_n_steps": 7,
        "patience": 50,
    }
    path.write_text(yaml.safe_dump(settings | changes))
    return path


def start(
    config: Path, *options: str, launcher: str | None = None, barriers: Barriers | None = None
) -> commands.Process:
    """A run in a process group of its own, so that all of it can be killed.

    launcher: `TWO` for two processes at once, `TORCHRUN` for two that PyTorch's own launcher starts
    (10 s of processor time).
    """
    alone = WITH_BARRIERS if barriers else MODULE
    words = {None: alone, TWO: TWO_PROCESSES, TORCHRUN: [*WITH_TORCHRUN, *MODULE]}[launcher]
    return commands.start(
        *(*words, "--config", config, *options),
        environment=barriers.environment if barriers else None,
        joined=True,
        new_session=True,
    )


def finish(process: commands.Process, expected: int = 0) -> str:
    text, _ = process.communicate(timeout=commands.PATIENCE)
    assert process.returncode == expected, f"exit {process.returncode}:\n{text}"
    return text


def kill(process: commands.Process, number: int = signal.SIGKILL) -> None:
    os.killpg(process.pid, number)


def assert_same_run(left: Path, right: Path) -> None:
    """Same weights, bit for bit, in every checkpoint, the same average of them, and the same
    history.
    """
    assert (left / "history.json").read_bytes() == (right / "history.json").read_bytes()
    for name in ("final.pt", "best.pt", "last.pt"):
        stored = [checkpoint.read(folder / name) for folder in (left, right)]
        one, other = (
            it.weights
            | {f"average of {key}": value for key, value in it.training.get("average", {}).items()}
            for it in stored
        )
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one), name
