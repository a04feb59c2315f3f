"""What training minimises: the losses of a batch's samples in normalised units, and what each sample weighs.

Axes: B batch, W world, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from emulator.errors import ModelError, TrainingError
from emulator.models.normaliser import WorldStatistics
from emulator.training.config import TrainingConfig
from emulator.training.distributed import Group
from emulator.training.losses import horizon_weights, irf_loss, relative_weights, smoothness

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Objective:
    """Losses over the worlds of the training data; `horizon` is the last one seen in the data."""

    def __init__(self, config: TrainingConfig, statistics: Mapping[str, WorldStatistics], device: torch.device) -> None:
        self.config, self.device, self.horizon = config, device, 0
        self.worlds = list(statistics)
        self._number = {world: k for k, world in enumerate(self.worlds)}
        shocks = [found.irf_scale.shape[0] for found in statistics.values()]
        self._entries_W = 3.0 * torch.tensor(shocks, dtype=torch.float64)
        self._scale_WSO = torch.ones(len(self.worlds), max(shocks), 3)
        for number, found in enumerate(statistics.values()):
            if config.loss_units == "normalised":
                self._scale_WSO[number, : shocks[number]] = found.irf_scale
        self._scale_WSO = self._scale_WSO.to(device)
        self._weights: dict[int, Tensor] = {}

    def losses(self, model: nn.Module, batch: dict[str, Any], horizon: int | None = None) -> Tensor:
        """Loss of each sample (B,), in normalised units, smoothness penalty included; up to `horizon` only if given."""
        theta, true = batch["theta"].to(self.device), batch["irf"].to(self.device)
        self.horizon = max(self.horizon, true.shape[2] - 1)
        if horizon is not None and horizon >= true.shape[2]:
            raise TrainingError(f"A stage of the curriculum ends at horizon {horizon}; the data end at {true.shape[2] - 1}.")
        options = {} if horizon is None else {"horizon": horizon}
        with torch.autocast(self.device.type, DTYPES[self.config.precision], enabled=self.config.precision != "fp32"):
            pred = model(theta, batch["world_ids"], **options)
        if horizon is not None:
            true = true[:, :, : horizon + 1]
        if pred.ndim == 3:
            pred = pred[:, None]
        if pred.shape[1] > true.shape[1]:  # a network may always return the shocks of its widest world
            pred = pred[:, : true.shape[1]]
        if pred.shape != true.shape:
            raise ModelError(f"The network returned responses of shape {tuple(pred.shape)}; the data have {tuple(true.shape)}.")
        scale, real = self._scale(batch), self._real(batch)
        pred, true = pred.float() / scale, true / scale
        losses = irf_loss(pred, true, self._horizon_weights(true.shape[2] - 1), real, self.config.loss_fn)
        if self.config.lambda_smooth > 0:
            losses = losses + self.config.lambda_smooth * smoothness(pred, real)
        return losses

    def counts(self, batch: dict[str, Any]) -> Tensor:
        """Samples of each world (W,) in a batch; none in one that only keeps a process in step."""
        if batch.get("idle"):
            return torch.zeros(len(self.worlds), dtype=torch.float64)
        return torch.bincount(self._numbers(batch), minlength=len(self.worlds)).double()

    def total(self, losses_B: Tensor, batch: dict[str, Any], counts_W: Tensor) -> Tensor:
        """The samples' share in the loss of a batch, times the number of its samples.

        counts_W: samples of each world in the batch, over all processes. Samples weigh the same, or under
        `world_weighting: equal` such that L = mean over worlds of the mean over a world's samples of loss / (3 S_w).
        Under `sample_weighting: relative` each loss is first divided by the size of its true response.
        """
        if batch.get("idle"):
            return 0.0 * losses_B.sum()
        if self.config.sample_weighting == "relative":
            losses_B = losses_B * relative_weights(batch["irf"].to(self.device) / self._scale(batch), self._real(batch))
        if self.config.world_weighting == "samples":
            return losses_B.sum()
        weights_W = counts_W.sum() / ((counts_W > 0).sum() * counts_W * self._entries_W)
        return (losses_B * weights_W.to(losses_B)[self._numbers(batch).to(losses_B.device)]).sum()

    @torch.no_grad()
    def mean(self, model: nn.Module, batches: Any, group: Group, where: str) -> tuple[float, dict[str, float]]:
        """Mean loss over the batches of all processes, and of each world's samples, weighted as in training.

        Raises `TrainingError` on a loss that is not finite, with the place that `where` names.
        """
        total, count = 0.0, 0
        sums_W, counts_W = torch.zeros(2, len(self.worlds), dtype=torch.float64)
        for batch in batches:
            losses_B = self.losses(model, batch)
            if bad := not_finite(losses_B, batch):
                raise TrainingError(f"The validation loss is not finite {where}, world {', '.join(sorted(set(bad)))}. Lower lr.")
            total += float(losses_B.sum())
            count += len(losses_B)
            counts_W += self.counts(batch)
            sums_W.index_add_(0, self._numbers(batch), losses_B.double().cpu())
        sums = group.sum(torch.cat([torch.tensor([total, count], dtype=torch.float64), sums_W, counts_W]))
        sums_W, counts_W = sums[2:].chunk(2)
        equal = self.config.world_weighting == "equal"
        means_W = sums_W / counts_W / (self._entries_W if equal else 1.0)
        by_world = {world: float(means_W[k]) for k, world in enumerate(self.worlds) if counts_W[k] > 0}
        return (sum(by_world.values()) / len(by_world) if equal else float(sums[0] / sums[1])), by_world

    def _scale(self, batch: dict[str, Any]) -> Tensor:
        """Scale of each sample's responses (B, S, 1, O)."""
        return self._scale_WSO[self._numbers(batch).to(self.device)][:, : batch["irf"].shape[1], None, :]

    def _real(self, batch: dict[str, Any]) -> Tensor:
        """Which shocks of each sample are real (B, S)."""
        irf = batch["irf"]
        return batch["shock_mask"].to(self.device) if "shock_mask" in batch else torch.ones(irf.shape[:2], dtype=torch.bool, device=self.device)

    def _numbers(self, batch: dict[str, Any]) -> Tensor:
        """The number of each sample's world (B,). Raises `TrainingError` for a world that the training data lack."""
        names = world_names(batch)
        numbers = [self._number.get(world, -1) for world in names]
        if min(numbers) < 0:
            raise TrainingError(f"World '{names[numbers.index(-1)]}' is not in the training data; the training loader has {', '.join(self.worlds)}.")
        return torch.tensor(numbers)

    def _horizon_weights(self, horizon: int) -> Tensor:
        if horizon not in self._weights:
            self._weights[horizon] = horizon_weights(self.config.horizon_weights, horizon).to(self.device)
        return self._weights[horizon]


def not_finite(losses_B: Tensor, batch: dict[str, Any]) -> list[str]:
    """The world of each sample whose loss is not finite."""
    rows = (~torch.isfinite(losses_B)).nonzero().flatten().tolist()
    return [world_names(batch)[row] for row in rows]


def world_names(batch: dict[str, Any]) -> list[str]:
    """The world of each sample of a batch. Raises `TrainingError` for a batch that does not say."""
    if "world_ids" not in batch:
        raise TrainingError(f"A batch holds {', '.join(batch)} and no world_ids; give the DataLoader collate_fn=collate_mixed_worlds.")
    ids = batch["world_ids"]
    return [ids] * len(batch["theta"]) if isinstance(ids, str) else ids
