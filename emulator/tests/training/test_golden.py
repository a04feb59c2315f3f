"""The first twenty losses of the published networks: a change that 'changes nothing' can be proved.

Remake after a change that is meant to change them: `python -m emulator.tests.training.test_golden`.
"""

import tempfile
from pathlib import Path

import pytest
import torch

from emulator import models
from emulator.data import generate_dataset
from emulator.training import BatchLoader, IRFDataset, Trainer, TrainingConfig

GOLDEN = Path(__file__).parent.parent / "golden"
NAMES = {"baseline_mlp": ("PerWorldMLPBaseline", [256, 128, 64]), "universal_A": ("PooledMLPBaseline", [512, 256, 128])}
"""The networks of the published configurations; `test_command.py` holds them against the files themselves."""
STEPS = 20


def first_losses(name, folder):
    data = generate_dataset(folder / "data", ["nk", "var", "lss"], 600, seed=42, periods=0)
    train_set, val_set = (IRFDataset(data.path, data.worlds, split) for split in ("train", "val"))
    torch.manual_seed(42)
    model = models.build(NAMES[name][0], {w: data.spec(w) for w in data.worlds}, data.horizon, {"hidden_dims": NAMES[name][1]})
    config = TrainingConfig(lr=1e-3, batch_size=64, epochs=1, warmup_epochs=0, checkpoint_dir=str(folder / "run"), lambda_smooth=0.0)
    trainer = Trainer(model, BatchLoader(train_set, 64, True, seed=42), BatchLoader(val_set, 64, False), config)
    losses, original = [], trainer._train_step

    def recorded(batch, count):
        losses.append(original(batch, count))
        return losses[-1]

    trainer._train_step = recorded
    trainer.fit()
    return losses[:STEPS]


@pytest.mark.parametrize("name", NAMES)
def test_losses_are_the_golden_ones(name, tmp_path):
    lines = (GOLDEN / f"{name}.txt").read_text().splitlines()[1:]
    assert len(lines) == STEPS
    assert first_losses(name, tmp_path) == pytest.approx([float(line.split()[1]) for line in lines], rel=1e-4)


if __name__ == "__main__":
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            rows = "".join(f"{k:4d} {loss:.8f}\n" for k, loss in enumerate(first_losses(name, Path(folder))))
        (GOLDEN / f"{name}.txt").write_text("step loss (normalised units)\n" + rows)
