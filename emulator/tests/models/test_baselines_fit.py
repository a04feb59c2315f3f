"""Baselines learn from few draws and come back whole from their checkpoints; boosted trees enter
the leaderboard beside them.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from emulator.data import open_dataset
from emulator.eval.results import read
from emulator.models import load, model_class
from emulator.tests import commands
from emulator.training import TrainingConfig
from emulator.training.config import load_config
from emulator.training.trainer import train
from emulator.worlds import get_world

ROOT = Path(__file__).parents[3]
SMALL = {
    "GaussianProcessBaseline": {"components": 8, "tuning_draws": 60, "iterations": 5},
    "LinearBaseline": {},
    "PCAMLPBaseline": {"hidden_dims": [32, 32], "components": 16},
    "PerWorldGRUBaseline": {"hidden_dim": 16},
    "PerWorldMLPBaseline": {"hidden_dims": [32, 32]},
    "PooledMLPBaseline": {"hidden_dims": [32, 32]},
}


@pytest.mark.parametrize("name", SMALL)
def test_a_short_fit_beats_the_training_mean_and_comes_back_from_its_checkpoint(
    name, small_dataset, tmp_path
):
    config = TrainingConfig(
        dataset=small_dataset,
        worlds=["nk"],
        model=name,
        model_options=SMALL[name],
        checkpoint_dir=tmp_path / "run",
        device="cpu",
        lr=1e-2,
        epochs=20,
        batch_size=32,
        warmup_epochs=1,
        patience=20,
        lambda_smooth=0.0,
        save_every_n_epochs=100,
    )
    trainer = train(config)
    again = load(tmp_path / "run" / "final.pt").network
    data = open_dataset(small_dataset)
    theta, truth = data.read("nk", "test")
    with torch.no_grad():
        prediction = again(torch.from_numpy(theta), "nk")
        assert torch.equal(prediction, trainer.model.eval()(torch.from_numpy(theta), "nk"))
    scale = again.normaliser.statistics("nk").irf_scale.numpy()[:, None]

    def error(guess):
        return np.sqrt(np.mean(((guess - truth) / scale) ** 2))

    assert error(prediction.numpy()) < 0.9 * error(data.read("nk", "train")[1].mean(axis=0))


@pytest.mark.checkout
def test_every_configuration_of_a_baseline_builds_its_network():
    files = sorted((ROOT / "configs" / "baselines").glob("*.yaml"))
    assert {load_config(file).model for file in files} == set(SMALL)
    for file in files:
        config = load_config(file)
        specs = {name: get_world(name).spec for name in config.worlds}
        assert len(specs) == 8
        assert config.checkpoint_dir == f"runs/baselines/{file.stem}"
        assert model_class(config.model).from_specs(specs, 40, **config.model_options).horizon == 40


@pytest.mark.checkout
def test_boosted_trees_are_scored_like_a_network(small_dataset, tmp_path):
    pytest.importorskip("lightgbm")
    words = [
        "--dataset",
        small_dataset,
        "--worlds",
        "nk",
        "--components",
        8,
        "--rounds",
        60,
        "--bootstrap",
        0,
        "--output",
        tmp_path / "trees",
    ]
    commands.run(ROOT / "benchmarks" / "emulators.py", *words, folder=tmp_path, check=True)
    results = read(tmp_path / "trees" / "results.json")
    made = results["provenance"]["checkpoint"]
    assert (made["model_name"], made["worlds"], made["config"]["components"]) == (
        "LightGBM",
        ["nk"],
        8,
    )
    assert results["provenance"]["dataset"]["trained_on"]
    assert "benchmarks/emulators.py" in results["provenance"]["command"]
    scores = {
        row["predictor"]: row["value"]
        for row in results["scores"]
        if (row["split"], row["metric"]) == ("test", "nrmse")
    }
    assert scores["network"] < 0.9 * scores["training_mean"]
