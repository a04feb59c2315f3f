"""The first twenty losses of the published networks: a change that 'changes nothing' can be proved.

Remake after a change that is meant to change them: `python -m emulator.tests.training.test_golden
NAME ...`.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from emulator import models
from emulator.data import generate_dataset, open_dataset
from emulator.training import BatchLoader, IRFDataset, Trainer, TrainingConfig

GOLDEN = Path(__file__).parent.parent / "golden"
STEPS = 20
PLAIN = {"lambda_smooth": 0.0}


class Published(NamedTuple):
    """A published configuration, on a small data set of some of its worlds."""

    worlds: list[str]
    model: str
    options: dict[str, Any]
    training: dict[str, Any]
    lr: float = 1e-3


NAMES = {
    "baseline_mlp": Published(
        ["nk", "var", "lss"], "PerWorldMLPBaseline", {"hidden_dims": [256, 128, 64]}, PLAIN
    ),
    "pooled_mlp": Published(
        ["nk", "var", "lss"],
        "PooledMLPBaseline",
        {"hidden_dims": [512, 256, 128], "token_dim": 16},
        PLAIN,
    ),
    "universal_A": Published(
        ["nk", "var", "zlb"],
        "UniversalEmulator",
        {"width": 128, "layers": 2, "shock_width": 64, "states": 9},
        {
            "world_sampling": 1000.0,
            "world_weighting": "equal",
            "sample_weighting": "relative",
            "curriculum": [3, 6, 12, 24],
            "curriculum_share": 0.2,
            "lambda_smooth": 0.0,
        },
        lr=1e-4,
    ),
}
"""`test_command.py` holds them against the files themselves.

All are stepped by AdamW: SOAP's bases are arbitrary where the first gradients are silent, and its
losses differ between processors.
"""


def first_losses(name, folder):
    """Losses of the first steps; data sets stay in the folder for other networks."""
    published = NAMES[name]
    place = folder / "-".join(published.worlds)
    if not place.exists():
        generate_dataset(place, published.worlds, 640, seed=42, verdicts=0, periods=0)
    data = open_dataset(place)
    train_set, val_set = (IRFDataset(data.path, data.worlds, split) for split in ("train", "val"))
    torch.manual_seed(42)
    model = models.build(
        published.model, {w: data.spec(w) for w in data.worlds}, data.horizon, published.options
    )
    config = TrainingConfig(
        lr=published.lr,
        batch_size=64,
        epochs=1,
        warmup_epochs=0,
        checkpoint_dir=str(folder / name),
        **published.training,
    )
    trainer = Trainer(
        model, BatchLoader(train_set, 64, True, seed=42), BatchLoader(val_set, 64, False), config
    )
    losses, original = [], trainer._train_step

    def recorded(batch, count):
        losses.append(original(batch, count))
        return losses[-1]

    trainer._train_step = recorded
    trainer.fit()
    return losses[:STEPS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("golden")


@pytest.mark.parametrize("name", NAMES)
def test_losses_are_the_golden_ones(name, folder):
    lines = (GOLDEN / f"{name}.txt").read_text().splitlines()[1:]
    assert len(lines) == STEPS
    assert first_losses(name, folder) == pytest.approx(
        [float(line.split()[1]) for line in lines], rel=1e-4
    )


if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            rows = "".join(
                f"{k:4d} {loss:.8f}\n" for k, loss in enumerate(first_losses(name, Path(folder)))
            )
        (GOLDEN / f"{name}.txt").write_text("step loss (normalised units)\n" + rows)
