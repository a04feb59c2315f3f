"""Principal components of a dear part, in the metric of what its entries count for.

Blocks that answer in modes and blocks that answer by horizon have components of their own: the
first decide all responses, the second only what is watched. Axes: G household or other group of
draws, D number of the part, K component.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emulator.closures.closure import Closure
from emulator.closures.metric import Weights
from emulator.models.structure.maps import make_room

SMALLEST = 1e-6
"""Directions of the metric count at least as this share of the strongest."""
MOST_DRAWS = 4000
"""Parts from which components are found, at most."""


class PartSpace(nn.Module):
    """The parts (G, D) as coefficients (G, K) of components, and back; float32, as parts are."""

    mean: Tensor
    decode_modes: Tensor
    decode_time: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(0))
        self.register_buffer("decode_modes", torch.zeros(0, 0))
        self.register_buffer("decode_time", torch.zeros(0, 0))

    def fit(
        self,
        closure: Closure,
        weights: list[Weights],
        values_GD: np.ndarray,
        components: tuple[int, int],
    ) -> list[np.ndarray]:
        """Find the components; the coefficients (G, K) of the parts in both families of blocks."""
        values = values_GD[:, : closure.margins.start]
        mean = values.mean(axis=0, dtype=np.float64)
        self.mean = torch.from_numpy(mean).float()
        in_time = np.asarray(closure.blocks)[:, 1].astype(bool)
        coefficients = []
        names = ("decode_modes", "decode_time")
        for name, family, count in zip(names, (~in_time, in_time), components, strict=True):
            own = np.flatnonzero(family)
            white, colour = [], []
            for place in own:
                left, right = (_root(matrix) for matrix in weights[place])
                start, stop, rows = closure.places[place]
                block = (values[:, start:stop] - mean[start:stop]).reshape(len(values), rows, -1)
                white.append((left @ block @ right).reshape(len(values), -1))
                colour.append((np.linalg.inv(left), np.linalg.inv(right)))
            if not own.size:
                setattr(self, name, torch.zeros(0, 0))
                coefficients.append(np.zeros((len(values), 0)))
                continue
            whole = np.concatenate(white, axis=1)
            directions = _directions(whole[:MOST_DRAWS], count)
            coefficients.append(whole @ directions.T)
            decode, start = [], 0
            for left, right in colour:
                size = len(left) * len(right)
                block = directions[:, start : start + size].reshape(-1, len(left), len(right))
                decode.append((left @ block @ right).reshape(len(directions), -1))
                start += size
            setattr(self, name, torch.from_numpy(np.concatenate(decode, axis=1)).float())
        return coefficients

    def forward(self, modes_BK: Tensor, time_BK: Tensor) -> Tensor:
        """The part without its margins, (B, D), float64."""
        families = []
        for coefficients, decode in ((modes_BK, self.decode_modes), (time_BK, self.decode_time)):
            if decode.numel():
                families.append(coefficients.float() @ decode)
        return (torch.cat(families, dim=1) + self.mean).double()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        make_room(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric root, no direction weaker than `SMALLEST`."""
    values, vectors = np.linalg.eigh(matrix)
    values = np.maximum(values, SMALLEST * values.max())
    return (vectors * np.sqrt(values)) @ vectors.T


def _directions(whole: np.ndarray, count: int) -> np.ndarray:
    """The strongest directions (K, D) of rows, by the smaller of their two second moments."""
    count = min(count, *whole.shape)
    if len(whole) < whole.shape[1]:
        values, vectors = np.linalg.eigh(whole @ whole.T)
        values, vectors = values[::-1][:count], vectors[:, ::-1][:, :count]
        return vectors.T @ whole / np.sqrt(np.maximum(values, 1e-300))[:, None]
    return np.linalg.eigh(whole.T @ whole)[1][:, ::-1][:, :count].T
