"""The network that ships, trained further on data of its own worlds, stays a network like any
other.
"""

import pytest
import torch

from emulator import models
from emulator.data import generate_dataset
from emulator.models.trained import load, predict
from emulator.models.trust import learner
from emulator.training import BatchLoader, IRFDataset, Trainer, TrainingConfig
from emulator.training.calibrate import calibrate_checkpoint

WORLDS = ["nk", "var"]


def test_the_network_that_ships_is_trained_further_loaded_and_calibrated(tmp_path, monkeypatch):
    monkeypatch.setattr(learner, "STEPS", 20)  # how well trust is fitted does not matter here
    shipped = models.load("universal")
    generate_dataset(tmp_path / "data", WORLDS, 200, seed=5, periods=0)
    train_set, val_set = (
        IRFDataset(tmp_path / "data", WORLDS, split) for split in ("train", "val")
    )
    loaders = BatchLoader(train_set, 32, True), BatchLoader(val_set, 32, False)
    config = TrainingConfig(
        epochs=1, warmup_epochs=0, lr=1e-5, checkpoint_dir=tmp_path / "run", lambda_smooth=0.0
    )
    trainer = Trainer(shipped.network, *loaders, config)
    history = trainer.fit()

    best = load(tmp_path / "run" / "best.pt")
    assert best.trust is None
    assert best.n_weights == shipped.n_weights
    assert list(best.world_specs) == WORLDS
    assert best.checkpoint.val_loss == history["val_loss"][0]
    theta = val_set.sources[0].theta[:3]
    expected = trainer.model.eval()(theta, "nk").detach()
    assert torch.equal(torch.from_numpy(predict(best, "nk", theta.numpy())), expected)

    place, report = calibrate_checkpoint(tmp_path / "run" / "best.pt", tmp_path / "data")
    assert list(report) == WORLDS
    calibrated = models.load(place)
    assert calibrated.trust is not None
    assert torch.isfinite(calibrated.trust.half_width(theta, "nk")).all()
    with pytest.raises(models.base.ModelError):
        calibrated.trust.half_width(theta, "lss")
