"""Stand-ins for a data set and a network, to show an evaluation what real ones would not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from emulator.data import DataSet
from emulator.models.trained import TrainedNetwork
from emulator.spec import WorldSpec
from emulator.worlds import get_world


class Doctored:
    """A data set of which some answers are replaced."""

    def __init__(self, data: DataSet, **answers: Any) -> None:
        self._data, self._answers = data, answers

    def __getattr__(self, name: str) -> Any:
        return self._answers[name] if name in self._answers else getattr(self._data, name)


class Solver(torch.nn.Module):
    """A network that is no network: the exact solution of the world."""

    def __init__(self, data: DataSet, fingerprint: str | None = None) -> None:
        super().__init__()
        self.world_specs: dict[str, WorldSpec] = {world: data.spec(world) for world in data.worlds}
        self.horizon = data.horizon
        self.origin = SimpleNamespace(
            path="",
            sha256="0" * 64,
            model_name="Solver",
            config={},
            epoch=0,
            commit="unknown",
            versions={},
            data_fingerprint=data.fingerprint if fingerprint is None else fingerprint,
        )

    def as_learnt(self, theta: torch.Tensor, world: str) -> torch.Tensor:
        return theta

    def doubted(self, theta: torch.Tensor, world: str) -> torch.Tensor:
        return torch.zeros(len(theta), dtype=torch.bool)

    def forward(
        self, theta: torch.Tensor, world_id: str, horizon: int | None = None
    ) -> torch.Tensor:
        return torch.as_tensor(
            get_world(world_id).irf(theta.numpy().astype(np.float64), horizon=self.horizon)
        )


def solver(data: DataSet, fingerprint: str | None = None) -> TrainedNetwork:
    """The exact solution in the place of a trained network."""
    module = Solver(data, fingerprint)
    return TrainedNetwork(module, origin=module.origin)
