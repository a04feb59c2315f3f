"""Losses over impulse responses, in normalised units.

    L_irf    = (1/N) sum_i sum_s sum_h sum_v w[h] (yhat - y)^2         (or |yhat - y|)
    L_smooth = lambda (1/N) sum_i sum_s sum_h sum_v (second difference of yhat over h)^2

N is the number of samples; sums run over real shocks and observables, never over padding. What is
real is said by a mask, (B, S) where only shocks are padded, else (B, S, O). Axes: B sample, S
shock, H horizon, O observable.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from emulator.errors import ConfigError, TrainingError, nearest

TAU = 20.0
"""Decay of the exponential weights, in quarters."""

IMPACT_WEIGHT = 0.3

SMALL_RESPONSE = 0.03
"""Mean square of a response, in normalised units, below which its relative weight stops growing."""


def horizon_weights(scheme: str, horizon: int) -> Tensor:
    """Weights w (H+1,) that sum to one: `uniform`, `exponential` (exp(-h/20)) or `impact` (0.3 on
    impact).

    Raises `ConfigError` for another scheme.
    """
    steps = torch.arange(horizon + 1, dtype=torch.float64)
    if scheme == "uniform":
        weights = torch.full_like(steps, 1.0 / (horizon + 1))
    elif scheme == "exponential":
        weights = torch.exp(-steps / TAU)
        weights = weights / weights.sum()
    elif scheme == "impact":
        if horizon == 0:
            return torch.ones(1)
        weights = torch.full_like(steps, (1 - IMPACT_WEIGHT) / horizon)
        weights[0] = IMPACT_WEIGHT
    else:
        raise ConfigError(
            f"Unknown horizon_weights '{scheme}'."
            f" {nearest(scheme, ['uniform', 'exponential', 'impact'])}"
        )
    return weights.to(torch.float32)


def irf_loss(
    pred_BSHO: Tensor, true_BSHO: Tensor, weights_H: Tensor, real: Tensor, kind: str = "mse"
) -> Tensor:
    """L_irf of each sample (B,): weighted squared or absolute errors, summed over real shocks,
    horizons, real observables.
    """
    if kind not in ("mse", "mae"):
        raise ConfigError(f"Unknown loss_fn '{kind}'. {nearest(kind, ['mse', 'mae'])}")
    if pred_BSHO.shape != true_BSHO.shape:
        raise TrainingError(
            f"Predicted responses have shape {tuple(pred_BSHO.shape)}, true ones"
            f" {tuple(true_BSHO.shape)}."
        )
    error = torch.where(_at_horizons(real), pred_BSHO - true_BSHO, 0.0)
    size = error.square() if kind == "mse" else error.abs()
    return (size.sum(dim=(1, 3)) * weights_H).sum(dim=1)


def _at_horizons(real: Tensor) -> Tensor:
    """A mask of what is real (B, S) or (B, S, O), for responses (B, S, H+1, O)."""
    return real[:, :, None, None] if real.ndim == 2 else real[:, :, None]


def sums_at_horizons(values_BSHO: Tensor) -> Tensor:
    """`values_BSHO.sum(dim=(1, 3))` of numbers that need no gradient, (B, H+1), by additions of
    whole slices.

    On a CPU PyTorch adds one number at a time here: first over observables, then over shocks. The
    same order by slices gives the same bits in half the time. At a single horizon it adds in
    another order, as do other devices.
    """
    if values_BSHO.shape[2] == 1 or values_BSHO.device.type != "cpu":
        return values_BSHO.sum(dim=(1, 3))
    sums = _sum_of(values_BSHO.unbind(3))
    return _sum_of(sums.unbind(1))


def _sum_of(slices: tuple[Tensor, ...]) -> Tensor:
    """The slices added up from the first to the last; a lone one as it is."""
    if len(slices) == 1:
        return slices[0]
    total = slices[0] + slices[1]
    for values in slices[2:]:
        total.add_(values)
    return total


def smoothness(pred_BSHO: Tensor, real: Tensor) -> Tensor:
    """Sum of squared second differences over horizons of each sample (B,), over what is real."""
    second = pred_BSHO[:, :, 2:] - 2 * pred_BSHO[:, :, 1:-1] + pred_BSHO[:, :, :-2]
    return torch.where(_at_horizons(real), second, 0.0).square().sum(dim=(1, 2, 3))


def size_weights(scheme: str, true_BSHO: Tensor, real: Tensor) -> Tensor:
    """Weights (B,) of squared errors by the size of what is true: with `relative` 1 / (mean square
    of a sample's true responses + `SMALL_RESPONSE`), with `root` the root of that.

    Near the border of determinacy responses are so large that a few draws in a thousand hold most
    of the squared error (kurtosis of hundreds): unweighted, a step follows whichever of them its
    batch happens to hold. Relative weights make that as rare as such draws are, and a score in
    standard deviations then hangs on them; those of `root` lie between.
    """
    size = torch.where(_at_horizons(real), true_BSHO, 0.0).square().sum(dim=(1, 2, 3))
    periods, observables = true_BSHO.shape[2:]
    pairs = real.sum(dim=1) * observables if real.ndim == 2 else real.sum(dim=(1, 2))
    relative = 1.0 / (size / (periods * pairs.clamp_min(1)) + SMALL_RESPONSE)
    return relative.sqrt() if scheme == "root" else relative


class SquaredLosses(torch.autograd.Function):
    """`irf_loss` with squared errors of several worlds' samples, none of them padded: (B,).

    The same numbers bit for bit, and the same gradients, from half as many operations. Arguments:
    weights_HO, those of the horizons repeated for each observable of the world that has most; rows,
    scales (S, H+1, O) and true responses in their units of each world; then its predicted responses
    in natural units, one tensor for each world.
    """

    @staticmethod
    def forward(
        ctx: Any,
        weights_HO: Tensor,
        rows: list[Tensor],
        scales: list[Tensor],
        truths: list[Tensor],
        *predictions: Tensor,
    ) -> Tensor:
        errors = [
            (prediction / scale).sub_(true)
            for prediction, scale, true in zip(predictions, scales, truths, strict=True)
        ]
        weights_H = weights_HO[:, 0]
        losses_B = weights_HO.new_empty(sum(map(len, rows)))
        for own, error in zip(rows, errors, strict=True):
            losses = (sums_at_horizons(error.square()) * weights_H).sum(dim=1)
            losses_B.index_copy_(0, own, losses)
        ctx.weights_HO = weights_HO
        ctx.rows = rows
        ctx.scales = scales
        ctx.errors = errors
        return losses_B

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient_B: Tensor) -> tuple[Tensor | None, ...]:
        if gradient_B.stride(0) == 0:  # one number for all samples, as the gradient of a sum is
            slope = 2 * gradient_B[0] * ctx.weights_HO
            slopes = [_of_observables(slope, error) for error in ctx.errors]
        else:
            slopes = [
                (2 * gradient_B.index_select(0, own))[:, None, None, None]
                * _of_observables(ctx.weights_HO, error)
                for own, error in zip(ctx.rows, ctx.errors, strict=True)
            ]
        gradients = [
            (error * slope).div_(scale)
            for error, slope, scale in zip(ctx.errors, slopes, ctx.scales, strict=True)
        ]
        return (None, None, None, None, *gradients)


def _of_observables(numbers_HO: Tensor, responses_BSHO: Tensor) -> Tensor:
    """Numbers that are the same for every observable, for as many as the responses have."""
    observables = responses_BSHO.shape[3]
    return numbers_HO if numbers_HO.shape[1] == observables else numbers_HO[:, :observables]
