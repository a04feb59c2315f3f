"""The contract's own code, as written: its minimal script, and its longer example with loaders
filled in.
"""

import json
import re
import runpy
from pathlib import Path

import pytest
import torch
import yaml
from torch.utils.data import DataLoader

from emulator.data import generate_dataset
from emulator.models.baselines import PerWorldMLPBaseline
from emulator.training import IRFDataset, Trainer, TrainingConfig, collate_mixed_worlds


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with few data where the contract expects them; its script takes a hundred
    epochs of them.
    """
    worlds = ["nk", "var", "lss"]
    generate_dataset(tmp_path / "datasets" / "v1.0-dev", worlds, 60, seed=42, periods=0)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_minimal_script(here, capsys):
    scope = runpy.run_path(str(Path(__file__).parent / "contract_script.py"))
    printed = re.search(r"Best validation loss: (\d+\.\d{6})", capsys.readouterr().out)
    assert float(printed[1]) == pytest.approx(scope["trainer"].best_val_loss, abs=1e-6)
    history = scope["history"]
    assert history["val_loss"][-1] < history["val_loss"][0]
    names = {path.name for path in (here / "runs" / "baseline_mlp").iterdir()}
    assert {"best.pt", "final.pt", "history.json", "config.json", "epoch_0010.pt"} <= names


@pytest.mark.fast
def test_longer_example(here):
    dataset = IRFDataset(
        zarr_root="datasets/v1.0-dev", world_ids=["nk", "var", "lss"], split="train"
    )
    loader = DataLoader(dataset, batch_size=64, shuffle=True, collate_fn=collate_mixed_worlds)
    model = PerWorldMLPBaseline(
        param_dims={"nk": 12, "var": 27, "lss": 36}, hidden_dims=[256, 128, 64], H=40
    )
    config = TrainingConfig(
        lr=1e-4,
        batch_size=64,
        epochs=2,
        warmup_epochs=5,
        patience=10,
        checkpoint_dir="runs/baseline_mlp",
        log_every_n_steps=50,
        use_wandb=False,
        seed=42,
    )
    trainer = Trainer(model=model, train_loader=loader, val_loader=loader, config=config)
    history = trainer.fit()
    assert json.loads(Path("runs/baseline_mlp/history.json").read_text()) == history
    sample = dataset[0]
    assert isinstance(sample["theta"], torch.Tensor)
    assert sample["irf"].shape == (3, 41, 3)
    assert isinstance(sample["world_id"], str)
    assert isinstance(sample["sample_idx"], int)


@pytest.mark.fast
@pytest.mark.checkout
def test_loading_from_the_published_configuration(pytestconfig):
    with (pytestconfig.rootpath / "configs" / "baseline_mlp.yaml").open() as f:
        config_dict = yaml.safe_load(f)
    config = TrainingConfig(**config_dict)
    assert config.lr == 1e-3
    assert config.worlds == ["nk", "var", "lss"]
