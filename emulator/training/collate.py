"""From samples to batches: gathered by world, padded where worlds differ, with masks of what is
real.

Axes: B batch, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from emulator.errors import TrainingError

Sample = dict[str, Any]
Batch = dict[str, Any]


class Piece(NamedTuple):
    """The samples of a batch that belong to one world; `position` (b,) says where they stand
    in it.
    """

    world_id: str
    position: Tensor
    theta: Tensor
    irf: Tensor
    sample_idx: Tensor


class Gathered(Sequence[Sample]):
    """A batch of samples gathered by world.

    Iterates as sample dictionaries; `pieces` holds the tensors, one piece a world in the order of
    their first samples. `idle`: the batch only keeps a process in step, and does not count.
    """

    def __init__(self, pieces: list[Piece], size: int, idle: bool = False) -> None:
        self.pieces = pieces
        self.size = size
        self.idle = idle

    @property
    def world_ids(self) -> list[str]:
        """The world of each sample."""
        names = [""] * self.size
        for piece in self.pieces:
            for row in piece.position.tolist():
                names[row] = piece.world_id
        return names

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(self.size))]
        wanted = index + self.size if index < 0 else index
        for piece in self.pieces:
            places = (piece.position == wanted).nonzero()
            if len(places):
                row = int(places[0])
                return {
                    "theta": piece.theta[row],
                    "irf": piece.irf[row],
                    "world_id": piece.world_id,
                    "sample_idx": int(piece.sample_idx[row]),
                }
        raise IndexError(index)

    def __iter__(self) -> Iterator[Sample]:
        return (self[k] for k in range(self.size))


def _gather(samples: Sequence[Sample]) -> Gathered:
    if isinstance(samples, Gathered):
        return samples
    rows_of: dict[str, list[int]] = {}
    for row, sample in enumerate(samples):
        rows_of.setdefault(sample["world_id"], []).append(row)
    pieces = [
        Piece(
            world,
            torch.tensor(rows),
            torch.stack([samples[k]["theta"] for k in rows]),
            torch.stack([samples[k]["irf"] for k in rows]),
            torch.tensor([samples[k]["sample_idx"] for k in rows]),
        )
        for world, rows in rows_of.items()
    ]
    return Gathered(pieces, len(samples))


def collate_mixed_worlds(samples: Sequence[Sample]) -> Batch:
    """A batch from samples of any worlds, padded on the right with zeros.

    theta (B, P), irf (B, S, H+1, O) with P, S and O of the widest world in the batch; world_ids
    (list of B); sample_idx (B,); theta_mask (B, P), shock_mask (B, S) and observable_mask (B, O),
    true where a number is real.
    Raises `TrainingError` if the horizons differ or there is no sample.
    """
    batch = _gather(samples)
    if not batch.pieces:
        raise TrainingError("A batch without samples cannot be collated.")
    horizons = {piece.irf.shape[2] for piece in batch.pieces}
    if len(horizons) > 1:
        raise TrainingError(
            f"Responses of several lengths in one batch: {sorted(horizons)} periods; expected one."
        )
    size = len(batch)
    first = batch.pieces[0]
    widest = max(piece.theta.shape[1] for piece in batch.pieces)
    shocks = max(piece.irf.shape[1] for piece in batch.pieces)
    theta = first.theta.new_zeros(size, widest)
    observables = max(piece.irf.shape[3] for piece in batch.pieces)
    irf = first.irf.new_zeros(size, shocks, first.irf.shape[2], observables)
    theta_mask = torch.zeros(size, widest, dtype=torch.bool)
    shock_mask = torch.zeros(size, shocks, dtype=torch.bool)
    observable_mask = torch.zeros(size, observables, dtype=torch.bool)
    sample_idx = torch.zeros(size, dtype=torch.int64)
    for piece in batch.pieces:
        own_p, own_s, own_o = piece.theta.shape[1], piece.irf.shape[1], piece.irf.shape[3]
        theta[:, :own_p].index_copy_(0, piece.position, piece.theta)
        irf[:, :own_s, :, :own_o].index_copy_(0, piece.position, piece.irf)
        theta_mask[:, :own_p].index_fill_(0, piece.position, True)
        shock_mask[:, :own_s].index_fill_(0, piece.position, True)
        observable_mask[:, :own_o].index_fill_(0, piece.position, True)
        sample_idx.index_copy_(0, piece.position, piece.sample_idx)
    return {
        "theta": theta,
        "irf": irf,
        "world_ids": batch.world_ids,
        "sample_idx": sample_idx,
        "theta_mask": theta_mask,
        "shock_mask": shock_mask,
        "observable_mask": observable_mask,
    }


def collate_single_world(samples: Sequence[Sample]) -> Batch:
    """A batch from samples of one world, stacked without padding; the same keys as
    `collate_mixed_worlds`.

    Raises `TrainingError` if the samples are of several worlds.
    """
    batch = _gather(samples)
    worlds = [piece.world_id for piece in batch.pieces]
    if len(worlds) != 1:
        raise TrainingError(
            f"collate_single_world was given samples of {len(worlds)} worlds ({', '.join(worlds)});"
            " use collate_mixed_worlds."
        )
    return collate_mixed_worlds(batch)
