"""What training minimises: the losses of a batch's samples in normalised units, and what each
sample weighs.

Axes: B batch, W world, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from emulator.errors import ModelError, TrainingError
from emulator.models.base import EmulatorModel, rows_by_world
from emulator.models.normaliser import WorldStatistics
from emulator.training.collate import Batch, Gathered, collate_mixed_worlds
from emulator.training.config import TrainingConfig
from emulator.training.losses import (
    SquaredLosses,
    horizon_weights,
    irf_loss,
    size_weights,
    smoothness,
)
from emulator.training.processes import Group, unwrapped

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class OfWorld(NamedTuple):
    """The samples of one world in a batch: its number and name, their rows, theta (B', >= P), true
    responses (B', S, H+1, O) in units of `scale` (S, H+1, O), which shocks are real (B', S), or
    which responses (B', S, O), None for all.
    """

    number: int
    world: str
    rows: Tensor
    theta: Tensor
    true: Tensor
    scale: Tensor
    some_real: Tensor | None

    @property
    def real(self) -> Tensor:
        """Which shocks are real (B', S), or which responses (B', S, O)."""
        if self.some_real is None:
            return torch.ones(self.true.shape[:2], dtype=torch.bool, device=self.true.device)
        return self.some_real


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
        self._entries = [float(own.irf_scale.numel()) for own in statistics.values()]
        natural = config.loss_units != "normalised"
        self._scales = [
            (torch.ones_like(own.irf_scale) if natural else own.irf_scale).to(device)
            for own in statistics.values()
        ]
        self._whole_scales: dict[tuple[int, int, int, int], Tensor] = {}
        self._weights: dict[int, Tensor] = {}
        self._weights_HO: dict[tuple[int, int], Tensor] = {}
        self._last: tuple[Any, list[OfWorld]] = (None, [])

    def losses(
        self, model: nn.Module, batch: Batch | Gathered, horizon: int | None = None
    ) -> Tensor:
        """Loss of each sample (B,), in normalised units, smoothness penalty included; up to
        `horizon` only if given.
        """
        parts = self._of_worlds(batch)
        last = parts[0].true.shape[2] - 1
        self.horizon = max(self.horizon, last)
        if horizon is not None and horizon > last:
            raise TrainingError(
                f"A stage of the curriculum ends at horizon {horizon}; the data end at {last}."
            )
        last = last if horizon is None else horizon
        predictions = self._predict(model, batch, parts, horizon)
        if horizon is not None:
            parts = [
                part._replace(
                    true=part.true[:, :, : last + 1],
                    scale=part.scale[:, : last + 1],
                )
                for part in parts
            ]
        truths = [part.true for part in parts]
        if self._plain(predictions, truths, parts):
            return SquaredLosses.apply(
                self._repeated_weights(last, max(true.shape[3] for true in truths)),
                [part.rows for part in parts],
                [part.scale for part in parts],
                truths,
                *predictions,
            )
        losses = [
            self._loss(pred, part, last) for pred, part in zip(predictions, parts, strict=True)
        ]
        return torch.cat(losses)[torch.argsort(torch.cat([part.rows for part in parts]))]

    def _plain(self, predictions: list[Tensor], truths: list[Tensor], parts: list[OfWorld]) -> bool:
        """Whether the losses are squared errors in full precision over what is real, and no
        more.
        """
        return (
            self.config.loss_fn == "mse"
            and self.config.lambda_smooth == 0
            and all(
                part.some_real is None
                and pred.shape == true.shape
                and pred.dtype == true.dtype == torch.float32
                for pred, true, part in zip(predictions, truths, parts, strict=True)
            )
        )

    def _predict(
        self,
        model: nn.Module,
        batch: Batch | Gathered,
        parts: list[OfWorld],
        horizon: int | None,
    ) -> list[Tensor]:
        """Responses of each world's samples, from one call of the model."""
        options: dict[str, Any] = {} if horizon is None else {"horizon": horizon}
        with self._autocast():
            if isinstance(unwrapped(model), EmulatorModel):
                worlds = [part.world for part in parts]
                return model([part.theta for part in parts], worlds, **options)
            padded = collate_mixed_worlds(batch) if isinstance(batch, Gathered) else batch
            theta = padded["theta"].to(self.device)
            pred = model(theta, padded["world_ids"], **options)
        if len(pred) != len(theta):
            raise ModelError(
                f"The network returned responses of shape {tuple(pred.shape)} for {len(theta)}"
                " samples."
            )
        if pred.ndim == 3:
            pred = pred[:, None]
        return [pred[part.rows] for part in parts]

    def _autocast(self) -> AbstractContextManager[Any]:
        kind, precision = self.device.type, self.config.precision
        if precision == "fp32" and not torch.is_autocast_enabled(kind):
            return nullcontext()
        return torch.autocast(kind, DTYPES[precision], enabled=precision != "fp32")

    def _loss(self, pred: Tensor, part: OfWorld, horizon: int) -> Tensor:
        true = part.true
        # A network may always return the shocks and observables of its widest world.
        pred = pred[:, : true.shape[1], :, : true.shape[3]]
        if pred.shape != true.shape:
            raise ModelError(
                f"The network returned responses of shape {tuple(pred.shape)}; the data have"
                f" {tuple(true.shape)}."
            )
        pred = pred.float() / part.scale
        real = part.real
        losses = irf_loss(pred, true, self._horizon_weights(horizon), real, self.config.loss_fn)
        if self.config.lambda_smooth > 0:
            losses = losses + self.config.lambda_smooth * smoothness(pred, real)
        return losses

    def counts(self, batch: Batch | Gathered) -> list[int]:
        """Samples of each world in a batch; none in one that only keeps a process in step."""
        counts = [0] * len(self.worlds)
        if not idle(batch):
            for part in self._of_worlds(batch):
                counts[part.number] = part.true.shape[0]
        return counts

    def total(self, losses_B: Tensor, batch: Batch | Gathered, counts: list[int]) -> Tensor:
        """The samples' share in the loss of a batch, times the number of its samples.

        counts: samples of each world in the batch, over all processes. Samples weigh the same, or
        under `world_weighting: equal` such that L = mean over worlds of the mean over a world's
        samples of loss / (S_w O_w). Under `sample_weighting: relative` each loss is first divided
        by the size of its true response, under `root` by the root of that size.
        """
        if idle(batch):
            return 0.0 * losses_B.sum()
        scheme = self.config.sample_weighting
        equal = self.config.world_weighting == "equal"
        if scheme == "none" and not equal:
            return losses_B.sum()
        weights_B = torch.ones_like(losses_B)
        for part in self._of_worlds(batch):
            if scheme != "none":
                weights_B[part.rows] = size_weights(scheme, part.true, part.real)
            if equal:
                present = sum(count > 0 for count in counts)
                entries = self._entries[part.number]
                weights_B[part.rows] *= sum(counts) / (present * counts[part.number] * entries)
        return (losses_B * weights_B).sum()

    @torch.no_grad()
    def mean(
        self, model: nn.Module, batches: Any, group: Group, where: str
    ) -> tuple[float, dict[str, float]]:
        """Mean loss over the batches of all processes, and of each world's samples, weighted as in
        training.

        Raises `TrainingError` on a loss that is not finite, with the place that `where` names.
        """
        total = 0.0
        count = 0
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
            counts_W += torch.tensor(self.counts(batch))
            for part in self._of_worlds(batch):
                sums_W[part.number] += losses_B[part.rows].double().sum().cpu()
        sums = group.sum(
            torch.cat([torch.tensor([total, count], dtype=torch.float64), sums_W, counts_W])
        )
        sums_W, counts_W = sums[2:].chunk(2)
        equal = self.config.world_weighting == "equal"
        means_W = sums_W / counts_W
        if equal:
            means_W /= torch.tensor(self._entries, dtype=torch.float64)
        by_world = {
            world: float(means_W[k]) for k, world in enumerate(self.worlds) if counts_W[k] > 0
        }
        return (
            sum(by_world.values()) / len(by_world) if equal else float(sums[0] / sums[1])
        ), by_world

    def _of_worlds(self, batch: Batch | Gathered) -> list[OfWorld]:
        """A batch's samples by world; those of the last batch are kept.

        Raises `TrainingError` for a world that the training data lack.
        """
        if self._last[0] is not batch:  # not by its tensors, which a loader may fill anew
            parts = self._gathered(batch) if isinstance(batch, Gathered) else self._padded(batch)
            self._last = (batch, parts)
        return self._last[1]

    def _gathered(self, batch: Gathered) -> list[OfWorld]:
        return [
            self._part(piece.world_id, piece.position.to(self.device), piece.theta, piece.irf)
            for piece in batch.pieces
        ]

    def _padded(self, batch: Batch) -> list[OfWorld]:
        rows_of_worlds = rows_by_world(world_names(batch))
        theta = batch["theta"].to(self.device)
        irf = batch["irf"].to(self.device)
        masks = [
            batch[name].to(self.device) if name in batch else None
            for name in ("shock_mask", "observable_mask")
        ]
        parts = []
        for world, rows_of in rows_of_worlds.items():
            rows = torch.tensor(rows_of, device=self.device)
            real = [None if mask is None else mask[rows] for mask in masks]
            parts.append(self._part(world, rows, theta[rows], irf[rows], *real))
        return parts

    def _part(
        self,
        world: str,
        rows: Tensor,
        theta: Tensor,
        irf: Tensor,
        shock_mask: Tensor | None = None,
        observable_mask: Tensor | None = None,
    ) -> OfWorld:
        if world not in self._number:
            raise TrainingError(
                f"World '{world}' is not in the training data; the training loader has"
                f" {', '.join(self.worlds)}."
            )
        number = self._number[world]
        shocks = min(self._scales[number].shape[0], irf.shape[1])
        observables = min(self._scales[number].shape[1], irf.shape[3])
        if (shocks, observables) != (irf.shape[1], irf.shape[3]):
            irf = irf[:, :shocks, :, :observables]
        real = None if shock_mask is None else shock_mask[:, :shocks]
        if observable_mask is not None and not bool(observable_mask[:, :observables].all()):
            of_shocks = real if real is not None else irf.new_ones(irf.shape[:2], dtype=torch.bool)
            real = of_shocks[:, :, None] & observable_mask[:, None, :observables]
        if real is not None and bool(real.all()):
            real = None
        scale = self._whole_scale(number, (shocks, observables), irf.shape[2])
        true = irf.to(self.device) / scale
        return OfWorld(number, world, rows, theta.to(self.device), true, scale, real)

    def _whole_scale(self, number: int, size: tuple[int, int], periods: int) -> Tensor:
        """A world's scales (S, H+1, O), repeated for each horizon: quotients by numbers that are
        repeated on the way take four times as long.
        """
        shocks, observables = size
        key = (number, shocks, observables, periods)
        if key not in self._whole_scales:
            scale = self._scales[number][:shocks, None, :observables]
            self._whole_scales[key] = scale.expand(-1, periods, -1).contiguous()
        return self._whole_scales[key]

    def _repeated_weights(self, horizon: int, observables: int) -> Tensor:
        """Weights of the horizons, repeated for each observable (H+1, O)."""
        key = (horizon, observables)
        if key not in self._weights_HO:
            weights_H = self._horizon_weights(horizon)
            self._weights_HO[key] = weights_H[:, None].expand(-1, observables).contiguous()
        return self._weights_HO[key]

    def _horizon_weights(self, horizon: int) -> Tensor:
        if horizon not in self._weights:
            self._weights[horizon] = horizon_weights(self.config.horizon_weights, horizon).to(
                self.device
            )
        return self._weights[horizon]


def not_finite(losses_B: Tensor, batch: Batch | Gathered) -> list[str]:
    """The world of each sample whose loss is not finite."""
    rows = (~torch.isfinite(losses_B)).nonzero().flatten().tolist()
    return [world_names(batch)[row] for row in rows]


def idle(batch: Batch | Gathered) -> bool:
    """Whether a batch only keeps a process in step."""
    return batch.idle if isinstance(batch, Gathered) else bool(batch.get("idle"))


def world_names(batch: Batch | Gathered) -> list[str]:
    """The world of each sample of a batch. Raises `TrainingError` for a batch that does not say."""
    if isinstance(batch, Gathered):
        return batch.world_ids
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
