"""Principal components of a dear part, in the metric of what its entries count for.

Blocks that answer in modes and blocks that answer by horizon have components of their own: the
first decide all responses, the second only what is watched. Axes: G household or other group of
draws, D number of the part, K component.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.linalg import eigh
from torch import Tensor, nn

from emulator.closures.closure import Closure
from emulator.closures.metric import Weights
from emulator.models.structure.maps import make_room

SMALLEST = 1e-6
"""Directions of the metric count at least as this share of the strongest."""
MOST_DRAWS = 2500
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
        mean = values_GD[:, : closure.margins.start].mean(axis=0, dtype=np.float64)
        self.mean = torch.from_numpy(mean).float()
        in_time = np.asarray(closure.blocks)[:, 1].astype(bool)
        coefficients = []
        names = ("decode_modes", "decode_time")
        for name, family, count in zip(names, (~in_time, in_time), components, strict=True):
            blocks = [_White(closure.places[k], weights[k], mean) for k in np.flatnonzero(family)]
            directions = _directions(_whitened(blocks, values_GD[:MOST_DRAWS]), count)
            pieces = np.array_split(values_GD, 1 + len(values_GD) // MOST_DRAWS)
            coefficients.append(
                np.concatenate([_whitened(blocks, piece) @ directions.T for piece in pieces])
            )
            decode, start = [np.zeros((len(directions), 0))], 0
            for block in blocks:
                stop = start + block.size
                decode.append(block.coloured(directions[:, start:stop]))
                start = stop
            setattr(self, name, torch.from_numpy(np.concatenate(decode, axis=1)).float())
        return coefficients

    def forward(self, modes_BK: Tensor, time_BK: Tensor) -> Tensor:
        """The part without its margins, (B, D), float64."""
        families, start = [], 0
        for coefficients, decode in ((modes_BK, self.decode_modes), (time_BK, self.decode_time)):
            if decode.numel():
                mean = self.mean[start : start + decode.shape[1]]
                families.append(torch.addmm(mean, coefficients.float(), decode).double())
                start += decode.shape[1]
        return torch.cat(families, dim=1) if len(families) > 1 else families[0]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        make_room(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *rest)


class _White:
    """One block of parts, and the roots of its metric."""

    def __init__(self, place: tuple[int, int, int], weights: Weights, mean: np.ndarray) -> None:
        self.start, self.stop, self.rows = place
        self.size = self.stop - self.start
        self.mean = mean[self.start : self.stop]
        self.left, self.right = (_root(matrix) for matrix in weights)

    def white(self, values_GD: np.ndarray) -> np.ndarray:
        """Its numbers (G, size), each direction by what it counts for."""
        block = values_GD[:, self.start : self.stop] - self.mean
        return (self.left @ self._matrices(block) @ self.right).reshape(len(block), -1)

    def coloured(self, white: np.ndarray) -> np.ndarray:
        """Back from `white`, without the mean."""
        left, right = np.linalg.inv(self.left), np.linalg.inv(self.right)
        return (left @ self._matrices(white) @ right).reshape(len(white), -1)

    def _matrices(self, block: np.ndarray) -> np.ndarray:
        return block.reshape(len(block), self.rows, -1)


def _whitened(blocks: list[_White], values_GD: np.ndarray) -> np.ndarray:
    """All blocks of some parts (G, D'), side by side."""
    return np.concatenate(
        [np.zeros((len(values_GD), 0)), *(block.white(values_GD) for block in blocks)], axis=1
    )


def _root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric root, no direction weaker than `SMALLEST`."""
    values, vectors = np.linalg.eigh(matrix)
    values = np.maximum(values, SMALLEST * values.max())
    return (vectors * np.sqrt(values)) @ vectors.T


def _directions(whole: np.ndarray, count: int) -> np.ndarray:
    """The strongest directions (K, D) of rows, by the smaller of their two second moments."""
    count = min(count, *whole.shape)
    if len(whole) < whole.shape[1]:
        values, vectors = _strongest(whole @ whole.T, count)
        return vectors.T @ whole / np.sqrt(np.maximum(values, 1e-300))[:, None]
    return _strongest(whole.T @ whole, count)[1].T


def _strongest(matrix: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues and their vectors, the largest first."""
    last = len(matrix) - 1
    values, vectors = eigh(matrix, subset_by_index=(last + 1 - count, last))
    return values[::-1], vectors[:, ::-1]
