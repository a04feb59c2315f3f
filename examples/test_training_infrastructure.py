#!/usr/bin/env python
"""The whole training room in one sitting: data, loaders, network, training, resuming, loading,
predicting.

    python examples/test_training_infrastructure.py

Everything is written to a temporary folder. Takes about half a minute on two cores.
"""

import json
import tempfile
from pathlib import Path

import torch
from torch.utils.data import DataLoader

import emulator
from emulator.data import generate_dataset, open_dataset
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.training import IRFDataset, Trainer, TrainingConfig, collate_mixed_worlds

WORLDS = ["nk", "var", "lss"]


def make_trainer(data: Path, run: Path, resume: bool = False) -> Trainer:
    """The contract's minimal script, as a function."""
    train_set, val_set = (IRFDataset(data, WORLDS, split) for split in ("train", "val"))
    train_loader = DataLoader(
        train_set, batch_size=64, shuffle=True, collate_fn=collate_mixed_worlds
    )
    val_loader = DataLoader(val_set, batch_size=64, shuffle=False, collate_fn=collate_mixed_worlds)
    torch.manual_seed(42)
    param_dims = {
        world: train_set.get_world_info(world)["n_params"] for world in train_set.world_ids
    }
    model = PerWorldMLPBaseline(param_dims=param_dims, hidden_dims=[256, 128, 64], H=40)
    config = TrainingConfig(
        lr=1e-3,
        epochs=8,
        warmup_epochs=1,
        lambda_smooth=0.0,
        save_every_n_steps=10,
        checkpoint_dir=str(run),
        seed=42,
    )
    return Trainer(model, train_loader, val_loader, config, resume=resume)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        data, run = Path(scratch) / "data", Path(scratch) / "run"
        print("1. Draw parameters, solve exactly, store")
        generate_dataset(data, WORLDS, n_samples=2000, seed=0, periods=0)
        print(
            "   splits of nk:",
            {name: len(rows) for name, rows in open_dataset(data).splits("nk").items()},
        )

        print("2. Train")
        trainer = make_trainer(data, run)
        history = trainer.fit()
        print(
            "   validation loss by epoch (normalised units):"
            f" {', '.join(f'{loss:.2f}' for loss in history['val_loss'])}"
        )
        print(f"   files: {', '.join(sorted(path.name for path in run.iterdir()))}")
        assert trainer.best_val_loss == min(history["val_loss"]) < history["val_loss"][0]
        assert json.loads((run / "history.json").read_text()) == history

        print("3. A finished run resumes to its own end")
        assert make_trainer(data, run, resume=True).fit() == history

        print("4. Load the best checkpoint and compare with the exact solution")
        asked = {"shock": "monetary", "kappa": 0.15, "phi_pi": 2.0}
        predicted = emulator.load(run / "best.pt")["nk"].irf(**asked)["irf"]
        exact = emulator.world("nk").irf(**asked)["irf"]
        print("   monetary tightening, output in percent, quarters 0 to 4")
        print("   exact    ", exact.sel(observable="output").values[0, 0, :5].round(3))
        print("   predicted", predicted.sel(observable="output").values[0, 0, :5].round(3))
        assert predicted.shape == exact.shape == (1, 1, 41, 3)


if __name__ == "__main__":
    main()
