"""A small data set and networks for it, made once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from emulator.data import DataSet, generate_dataset, open_dataset
from emulator.models import build, checkpoint
from emulator.models.normaliser import WorldStatistics
from emulator.tests.conftest import shared

HORIZON = 12


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Two threads on networks this small wait for each other, most of all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Two worlds, 240 draws each, H = 12."""

    def make(path: Path) -> None:
        generate_dataset(
            path, worlds=["nk", "lss"], n_samples=240, seed=5, horizon=HORIZON, periods=0
        )

    return open_dataset(shared(tmp_path_factory, "evaluated", make))


@pytest.fixture(scope="session")
def trained(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a network that learnt for a moment."""

    def make(path: Path) -> None:
        save_network(data, path / "small_mlp" / "best.pt", steps=300)

    return shared(tmp_path_factory, "evaluated_runs", make) / "small_mlp" / "best.pt"


@pytest.fixture
def make_checkpoint(data: DataSet, tmp_path: Path) -> Callable[..., Path]:
    """Write another checkpoint for the same data; keywords replace fields of the `Checkpoint`."""

    def make(
        steps: int = 0, damage: Callable[[torch.nn.Module], None] | None = None, **changes: object
    ) -> Path:
        return save_network(data, tmp_path / "runs" / "other" / "best.pt", steps, damage, **changes)

    return make


def statistics(data: DataSet, world: str) -> WorldStatistics:
    theta, irf = (torch.as_tensor(array) for array in data.read(world, "train"))
    scale = irf.std(dim=(0, 2))
    low, high = theta.min(dim=0).values, theta.max(dim=0).values
    return WorldStatistics(
        theta.mean(dim=0), theta.std(dim=0), low, high, scale.clamp_min(1e-3 * float(scale.max()))
    )


def save_network(
    data: DataSet,
    path: Path,
    steps: int,
    damage: Callable[[torch.nn.Module], None] | None = None,
    **changes: object,
) -> Path:
    """Train a small network by plain Adam and write its checkpoint."""
    specs = {world: data.spec(world) for world in data.worlds}
    statistics_of = {world: statistics(data, world) for world in data.worlds}
    torch.manual_seed(0)
    model = build("PerWorldMLPBaseline", specs, data.horizon, {"hidden_dims": [64, 64]})
    model.bind(statistics_of, specs)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    splits = {
        world: [torch.as_tensor(a) for a in data.read(world, "train")] for world in data.worlds
    }
    for _ in range(steps):
        losses = [
            (((model(theta, world) - irf) / statistics_of[world].irf_scale[:, None, :]) ** 2).mean()
            for world, (theta, irf) in splits.items()
        ]
        optimiser.zero_grad()
        torch.stack(losses).sum().backward()
        optimiser.step()
    if damage is not None:
        damage(model)
    fields = {
        "model_name": "PerWorldMLPBaseline",
        "model_options": model.options,
        "weights": model.state_dict(),
        "world_specs": specs,
        "statistics": statistics_of,
        "config": {"lr": 3e-3},
        "data_fingerprint": data.fingerprint,
        "epoch": steps,
        "val_loss": 0.5,
        "horizon": data.horizon,
        **changes,
    }
    checkpoint.save(path, checkpoint.Checkpoint(**fields))
    return path


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240229)
