"""Moments of the training split, from which scales of inputs, outputs and losses follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from emulator.models.normaliser import FLOOR, SILENT, WorldStatistics
from emulator.training.collate import Batch

Blocks = Callable[[], Iterable[tuple[Tensor, Tensor]]]


def moments(blocks: Blocks) -> WorldStatistics:
    """Statistics of one world from blocks of theta (b, P) and responses (b, S, H+1, 3) in natural
    units.

    Two passes in float64: means first, then deviations from them.
    """
    count = 0
    theta_sum, irf_sum = torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    low, high = torch.tensor(torch.inf), torch.tensor(-torch.inf)
    for theta, irf in blocks():
        count += len(theta)
        theta_sum = theta_sum + theta.double().sum(0)
        irf_sum = irf_sum + irf.double().mean(2).sum(0)
        low, high = (
            torch.minimum(low, theta.min(0).values),
            torch.maximum(high, theta.max(0).values),
        )
    theta_mean, irf_mean = theta_sum / count, irf_sum / count
    theta_var, irf_var = torch.zeros_like(theta_mean), torch.zeros_like(irf_mean)
    for theta, irf in blocks():
        theta_var += (theta.double() - theta_mean).square().sum(0) / count
        irf_var += (irf.double() - irf_mean[:, None]).square().mean(2).sum(0) / count
    scale = irf_var.sqrt()
    largest = max(float(scale.max()), torch.finfo(torch.float32).tiny)
    scale = torch.where(scale > SILENT * largest, scale, FLOOR * largest)
    return WorldStatistics(theta_mean.float(), theta_var.sqrt().float(), low, high, scale.float())


def of_batches(batches: Iterable[Batch]) -> dict[str, WorldStatistics]:
    """Statistics of every world in a loader's batches, held in memory while they are taken."""
    found: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for batch in batches:
        ids = batch["world_ids"]
        ids = [ids] * len(batch["theta"]) if isinstance(ids, str) else ids
        for world in dict.fromkeys(ids):
            rows = torch.tensor([k for k, name in enumerate(ids) if name == world])
            theta, irf = batch["theta"][rows], batch["irf"][rows]
            if "theta_mask" in batch:
                theta = theta[:, : int(batch["theta_mask"][rows[0]].sum())]
            if "shock_mask" in batch:
                irf = irf[:, : int(batch["shock_mask"][rows[0]].sum())]
            found.setdefault(world, []).append((theta, irf))
    return {world: moments(lambda pieces=pieces: pieces) for world, pieces in sorted(found.items())}  # type: ignore[misc]
