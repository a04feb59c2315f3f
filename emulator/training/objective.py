"""What training minimises: the losses of a batch's samples in normalised units, and what each
sample weighs.

Axes: B batch, W world, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from emulator.errors import ModelError, TrainingError
from emulator.models.base import EmulatorModel, rows_by_world
from emulator.models.normaliser import WorldStatistics
from emulator.training.config import TrainingConfig
from emulator.training.losses import horizon_weights, irf_loss, relative_weights, smoothness
from emulator.training.processes import Group, unwrapped

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class OfWorld(NamedTuple):
    """The samples of one world in a batch: its number, their rows, true responses (B', S, H+1, 3)
    in units of `scale` (S, 1, 3), which shocks are real (B', S).
    """

    number: int
    rows: Tensor
    true: Tensor
    scale: Tensor
    real: Tensor


class Objective:
    """Losses over the worlds of the training data; `horizon` is the last one seen in the data.

    Worlds of a batch are treated one by one, since most of a batch padded to its widest world is
    padding.
    """

    def __init__(
        self,
        config: TrainingConfig,
        statistics: Mapping[str, WorldStatistics],
        device: torch.device,
    ) -> None:
        self.config, self.device, self.horizon = config, device, 0
        self.worlds = list(statistics)
        self._number = {world: k for k, world in enumerate(self.worlds)}
        self._entries_W = 3.0 * torch.tensor(
            [found.irf_scale.shape[0] for found in statistics.values()], dtype=torch.float64
        )
        natural = config.loss_units != "normalised"
        self._scales = [
            (torch.ones_like(f.irf_scale) if natural else f.irf_scale)[:, None].to(device)
            for f in statistics.values()
        ]
        self._weights: dict[int, Tensor] = {}
        self._last: tuple[Any, list[OfWorld]] = (None, [])

    def losses(self, model: nn.Module, batch: dict[str, Any], horizon: int | None = None) -> Tensor:
        """Loss of each sample (B,), in normalised units, smoothness penalty included; up to
        `horizon` only if given.
        """
        last = batch["irf"].shape[2] - 1
        self.horizon = max(self.horizon, last)
        if horizon is not None and horizon > last:
            raise TrainingError(
                f"A stage of the curriculum ends at horizon {horizon}; the data end at {last}."
            )
        last = last if horizon is None else horizon
        parts = self._of_worlds(batch)
        predicted = self._predict(model, batch, parts, horizon)
        found = [self._loss(pred, part, last) for pred, part in zip(predicted, parts, strict=True)]
        return torch.cat(found)[torch.argsort(torch.cat([part.rows for part in parts]))]

    def _predict(
        self, model: nn.Module, batch: dict[str, Any], parts: list[OfWorld], horizon: int | None
    ) -> list[Tensor]:
        """Responses of each world's samples, from one call of the model."""
        ours = isinstance(unwrapped(model), EmulatorModel)
        options: dict[str, Any] = {"apart": True} if ours else {}
        if horizon is not None:
            options["horizon"] = horizon
        theta = batch["theta"].to(self.device)
        with torch.autocast(
            self.device.type, DTYPES[self.config.precision], enabled=self.config.precision != "fp32"
        ):
            pred = model(theta, batch["world_ids"], **options)
        if ours:
            return pred
        if len(pred) != len(theta):
            raise ModelError(
                f"The network returned responses of shape {tuple(pred.shape)} for {len(theta)}"
                " samples."
            )
        if pred.ndim == 3:
            pred = pred[:, None]
        return [pred[part.rows] for part in parts]

    def _loss(self, pred: Tensor, part: OfWorld, horizon: int) -> Tensor:
        true = part.true[:, :, : horizon + 1]
        pred = pred[
            :, : true.shape[1]
        ]  # a network may always return the shocks of its widest world
        if pred.shape != true.shape:
            raise ModelError(
                f"The network returned responses of shape {tuple(pred.shape)}; the data have"
                f" {tuple(true.shape)}."
            )
        pred = pred.float() / part.scale
        losses = irf_loss(
            pred, true, self._horizon_weights(horizon), part.real, self.config.loss_fn
        )
        if self.config.lambda_smooth > 0:
            losses = losses + self.config.lambda_smooth * smoothness(pred, part.real)
        return losses

    def counts(self, batch: dict[str, Any]) -> Tensor:
        """Samples of each world (W,) in a batch; none in one that only keeps a process in step."""
        found = torch.zeros(len(self.worlds), dtype=torch.float64)
        if not batch.get("idle"):
            for part in self._of_worlds(batch):
                found[part.number] = len(part.rows)
        return found

    def total(self, losses_B: Tensor, batch: dict[str, Any], counts_W: Tensor) -> Tensor:
        """The samples' share in the loss of a batch, times the number of its samples.

        counts_W: samples of each world in the batch, over all processes. Samples weigh the same, or
        under `world_weighting: equal` such that L = mean over worlds of the mean over a world's
        samples of loss / (3 S_w). Under `sample_weighting: relative` each loss is first divided by
        the size of its true response.
        """
        if batch.get("idle"):
            return 0.0 * losses_B.sum()
        relative, equal = (
            self.config.sample_weighting == "relative",
            self.config.world_weighting == "equal",
        )
        if not (relative or equal):
            return losses_B.sum()
        weights_B = torch.ones_like(losses_B)
        for part in self._of_worlds(batch):
            if relative:
                weights_B[part.rows] = relative_weights(part.true, part.real)
            if equal:
                weights_B[part.rows] *= float(
                    counts_W.sum()
                    / ((counts_W > 0).sum() * counts_W[part.number] * self._entries_W[part.number])
                )
        return (losses_B * weights_B).sum()

    @torch.no_grad()
    def mean(
        self, model: nn.Module, batches: Any, group: Group, where: str
    ) -> tuple[float, dict[str, float]]:
        """Mean loss over the batches of all processes, and of each world's samples, weighted as in
        training.

        Raises `TrainingError` on a loss that is not finite, with the place that `where` names.
        """
        total, count = 0.0, 0
        sums_W, counts_W = torch.zeros(2, len(self.worlds), dtype=torch.float64)
        for batch in batches:
            losses_B = self.losses(model, batch)
            if bad := not_finite(losses_B, batch):
                raise TrainingError(
                    f"The validation loss is not finite {where}, world"
                    f" {', '.join(sorted(set(bad)))}. Lower lr."
                )
            total += float(losses_B.sum())
            count += len(losses_B)
            counts_W += self.counts(batch)
            for part in self._of_worlds(batch):
                sums_W[part.number] += losses_B[part.rows].double().sum().cpu()
        sums = group.sum(
            torch.cat([torch.tensor([total, count], dtype=torch.float64), sums_W, counts_W])
        )
        sums_W, counts_W = sums[2:].chunk(2)
        equal = self.config.world_weighting == "equal"
        means_W = sums_W / counts_W / (self._entries_W if equal else 1.0)
        by_world = {
            world: float(means_W[k]) for k, world in enumerate(self.worlds) if counts_W[k] > 0
        }
        return (
            sum(by_world.values()) / len(by_world) if equal else float(sums[0] / sums[1])
        ), by_world

    def _of_worlds(self, batch: dict[str, Any]) -> list[OfWorld]:
        """A batch's samples by world; those of the last batch are kept.

        Raises `TrainingError` for a world that the training data lack.
        """
        if self._last[0] is not batch:  # not by its tensors, which a loader may fill anew
            irf = batch["irf"].to(self.device)
            real = (
                batch["shock_mask"].to(self.device)
                if "shock_mask" in batch
                else torch.ones(irf.shape[:2], dtype=torch.bool, device=self.device)
            )
            found = []
            for world, rows_of in rows_by_world(world_names(batch)).items():
                if world not in self._number:
                    raise TrainingError(
                        f"World '{world}' is not in the training data; the training loader has"
                        f" {', '.join(self.worlds)}."
                    )
                rows, scale = (
                    torch.tensor(rows_of, device=self.device),
                    self._scales[self._number[world]],
                )
                shocks = min(len(scale), irf.shape[1])
                true = irf[rows, :shocks] / scale[:shocks]
                found.append(
                    OfWorld(self._number[world], rows, true, scale[:shocks], real[rows, :shocks])
                )
            self._last = (batch, found)
        return self._last[1]

    def _horizon_weights(self, horizon: int) -> Tensor:
        if horizon not in self._weights:
            self._weights[horizon] = horizon_weights(self.config.horizon_weights, horizon).to(
                self.device
            )
        return self._weights[horizon]


def not_finite(losses_B: Tensor, batch: dict[str, Any]) -> list[str]:
    """The world of each sample whose loss is not finite."""
    rows = (~torch.isfinite(losses_B)).nonzero().flatten().tolist()
    return [world_names(batch)[row] for row in rows]


def world_names(batch: dict[str, Any]) -> list[str]:
    """The world of each sample of a batch. Raises `TrainingError` for a batch that does not say."""
    keys = set(batch) if isinstance(batch, Mapping) else set()
    missing = [key for key in ("theta", "irf", "world_ids") if key not in keys]
    if missing:
        held = ", ".join(map(str, batch)) if keys else f"no keys but a {type(batch).__name__},"
        raise TrainingError(
            f"A batch holds {held} and no {', '.join(missing)}; give the DataLoader"
            " collate_fn=collate_mixed_worlds."
        )
    ids = batch["world_ids"]
    return [ids] * len(batch["theta"]) if isinstance(ids, str) else ids
