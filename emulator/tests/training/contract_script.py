#!/usr/bin/env python
"""Train a baseline MLP model."""

# ruff: noqa
# The minimal script of the training room's contract, as written there.

from emulator.training import IRFDataset, Trainer, TrainingConfig, collate_mixed_worlds
from emulator.models.baselines import PerWorldMLPBaseline
from torch.utils.data import DataLoader

# Datasets
train_dataset = IRFDataset("datasets/v1.0-dev", ["nk", "var", "lss"], "train")
val_dataset = IRFDataset("datasets/v1.0-dev", ["nk", "var", "lss"], "val")

# Dataloaders
train_loader = DataLoader(
    train_dataset, batch_size=64, shuffle=True, collate_fn=collate_mixed_worlds
)
val_loader = DataLoader(val_dataset, batch_size=64, shuffle=False, collate_fn=collate_mixed_worlds)

# Model
param_dims = {wid: train_dataset.get_world_info(wid)["n_params"] for wid in train_dataset.world_ids}
model = PerWorldMLPBaseline(param_dims=param_dims, hidden_dims=[256, 128, 64], H=40)

# Config
config = TrainingConfig(
    lr=1e-4,
    batch_size=64,
    epochs=100,
    checkpoint_dir="runs/baseline_mlp",
    seed=42,
)

# Train
trainer = Trainer(model, train_loader, val_loader, config)
history = trainer.fit()

print(f"Best validation loss: {trainer.best_val_loss:.6f}")
