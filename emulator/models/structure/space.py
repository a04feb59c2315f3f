"""Principal components of a dear part, in the metric of what its entries count for.

Blocks that answer in modes and blocks that answer by horizon have components of their own: the
first decide all responses, the second only what is watched. A block that is little else than one
matrix times a positive number is taken apart into its direction and its size, the logarithm of
which is learnt: so the size stays positive, and errs by a share of itself. Axes: G household or
other group of draws, D number of the part, K component, Z block that has a size.
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
ONE_DIRECTION = 0.05
"""A block has a size where its directions, of length one, are no farther from their mean."""


class PartSpace(nn.Module):
    """The parts (G, D) as coefficients (G, K) of components, and back; float32, as parts are.

    sized (Z, 2): where blocks that have a size begin and end. After the components of the first
    family stand the logarithms of these sizes, in units (Z,) of what they count for.
    """

    mean: Tensor
    decode_modes: Tensor
    decode_time: Tensor
    sized: Tensor
    units: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(0))
        self.register_buffer("decode_modes", torch.zeros(0, 0))
        self.register_buffer("decode_time", torch.zeros(0, 0))
        self.register_buffer("sized", torch.zeros(0, 2, dtype=torch.int64))
        self.register_buffer("units", torch.zeros(0, dtype=torch.float64))

    def fit(
        self,
        closure: Closure,
        weights: list[Weights],
        values_GD: np.ndarray,
        components: tuple[int, int],
    ) -> list[np.ndarray]:
        """Find the components; the coefficients (G, K) of the parts in both families of blocks."""
        every = [
            _White(place, own, values_GD)
            for place, own in zip(closure.places, weights, strict=True)
        ]
        mean = np.concatenate([block.mean for block in every])
        self.mean = torch.from_numpy(mean).float()
        in_time = np.asarray(closure.blocks)[:, 1].astype(bool)
        coefficients = []
        names = ("decode_modes", "decode_time")
        for name, family, count in zip(names, (~in_time, in_time), components, strict=True):
            blocks = [every[k] for k in np.flatnonzero(family)]
            directions = _directions(_whitened(blocks, values_GD[:MOST_DRAWS]), count)
            pieces = np.array_split(values_GD, 1 + len(values_GD) // MOST_DRAWS)
            coefficients.append(
                np.concatenate([_whitened(blocks, piece) @ directions.T for piece in pieces])
            )
            decode, start = [np.zeros((len(directions), 0))], 0
            for block in blocks:
                stop = start + block.length
                decode.append(block.coloured(directions[:, start:stop]))
                start = stop
            setattr(self, name, torch.from_numpy(np.concatenate(decode, axis=1)).float())
        sized = [block for block in every if block.sized]
        places = [[block.start, block.stop] for block in sized]
        self.sized = torch.tensor(places, dtype=torch.int64).reshape(-1, 2)
        self.units = torch.tensor([block.unit for block in sized], dtype=torch.float64)
        logarithms = [block.unit * np.log(block.sizes(values_GD)) for block in sized]
        coefficients[0] = np.concatenate([coefficients[0], *logarithms], axis=1)
        return coefficients

    def forward(self, modes_BK: Tensor, time_BK: Tensor) -> Tensor:
        """The part without its margins, (B, D), float64."""
        families, start = [], 0
        modes_BK, logarithms_BZ = modes_BK.tensor_split([len(self.decode_modes)], dim=1)
        for coefficients, decode in ((modes_BK, self.decode_modes), (time_BK, self.decode_time)):
            if decode.numel():
                mean = self.mean[start : start + decode.shape[1]]
                families.append(torch.addmm(mean, coefficients.float(), decode).double())
                start += decode.shape[1]
        part = torch.cat(families, dim=1) if len(families) > 1 else families[0]
        if not len(self.sized):
            return part
        sizes_BZ, pieces, end = (logarithms_BZ / self.units).exp(), [], 0
        for place, (start, stop) in enumerate(self.sized.tolist()):
            pieces += [part[:, end:start], part[:, start:stop] * sizes_BZ[:, place, None]]
            end = stop
        return torch.cat([*pieces, part[:, end:]], dim=1)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        if f"{prefix}mean" in state_dict:  # no block had a size once
            state_dict.setdefault(f"{prefix}sized", torch.zeros(0, 2, dtype=torch.int64))
            state_dict.setdefault(f"{prefix}units", torch.zeros(0, dtype=torch.float64))
        make_room(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *rest)


class _White:
    """One block of parts, and the roots of its metric. Where it is `sized` its numbers are those of
    its direction, and `unit` is what its size counts for.
    """

    def __init__(
        self, place: tuple[int, int, int], weights: Weights, values_GD: np.ndarray
    ) -> None:
        self.start, self.stop, self.rows = place
        self.length = self.stop - self.start
        mean = values_GD[:, self.start : self.stop].mean(axis=0, dtype=np.float64)
        sizes, left = self.sizes(values_GD), weights.left
        self.sized, self.unit = False, 1.0
        if (sizes > 0).all():
            shares = (1 / sizes[:, 0]).astype(values_GD.dtype)
            direction = shares @ values_GD[:, self.start : self.stop] / len(values_GD)
            # The mean square of what directions differ by from their mean, which all have length 1.
            self.sized = bool(1 - direction @ direction < ONE_DIRECTION**2)
            if self.sized:
                mean, left = direction.astype(np.float64), left * np.mean(sizes**2)
        self.mean = mean
        self.left, self.right = _root(left), _root(weights.right)
        if self.sized:
            self.unit = float(np.linalg.norm(self.left @ self._matrices(mean[None]) @ self.right))

    def sizes(self, values_GD: np.ndarray) -> np.ndarray:
        """The lengths of the block in all parts, (G, 1)."""
        block = values_GD[:, self.start : self.stop]
        return np.sqrt(np.einsum("gd,gd->g", block, block, dtype=np.float64))[:, None]

    def white(self, values_GD: np.ndarray) -> np.ndarray:
        """Its numbers (G, length), each direction by what it counts for."""
        block = values_GD[:, self.start : self.stop]
        if self.sized:
            block = block / self.sizes(values_GD)
        block = block - self.mean
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
