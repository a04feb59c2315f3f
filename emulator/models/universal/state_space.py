"""Responses of a latent state space, rolled out for many draws at once.

    y_h = l A^h R,    h = 0 .. H;    l a row for each shock, R a column for each observable

Axes: B batch, N latent state, S shock, H horizon, O observable.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

NORM = 1.6
"""Frobenius norm of a transition at most, in units of sqrt(N). Every stable system has coordinates in which it is one at
most (output-normal form: Moore 1981, doi:10.1109/TAC.1981.1102568); the rest is room for coordinates that are not."""

GROWTH, DOUBLINGS = 1.08, 5
"""Growth a period at most of what is trained, by Gelfand's estimate |A^k|^(1/k) with k = 2^DOUBLINGS, which lies above the spectral radius."""

LOOSE_GROWTH = 1.3
"""The same for a transition that was found exactly: stable ones that are far from normal grow for a while."""

SHORT = 3
"""Horizons h = 8 j + i are few long steps j times 2^SHORT short steps i: fewer and smaller products than one by one."""

SHRINK = 1e-12
"""A^32 is kept times this number, so that its squared norm fits single precision."""


class Powers(NamedTuple):
    """A^1, A^2, A^4 and A^8, A^16, A^32 of transitions (B, N, N), and factors that are still to scale A^0 to A^7 and each of the latter, if any."""

    short: list[Tensor]
    long: list[Tensor]
    short_factors: Tensor | None
    long_factors: Tensor | None


def powers(A_BNN: Tensor) -> Powers:
    """Powers of a transition as it is."""
    found = [A_BNN]
    for _ in range(DOUBLINGS):
        found.append(torch.bmm(found[-1], found[-1]))
    return Powers(found[:SHORT], found[SHORT:], None, None)


def bounded_powers(A_BNN: Tensor, decay_B: Tensor, growth: float = GROWTH) -> Powers:
    """Powers of a transition that is bounded whatever the matrices are, the last of them `SHRINK` times too small but for its factor.

    decay_B: logits of a factor in (0, 1) on the transition. A transition whose norm exceeds `NORM` sqrt(N) is scaled down to
    it, then one that would grow faster than `growth`; then `decay_B` scales it further.
    """
    found, log_factor, _ = _within_norm(A_BNN, decay_B, growth)
    steps, shift = _steps(A_BNN.dtype, A_BNN.device)
    factors = torch.addcmul(shift, log_factor[:, None], steps).exp()
    return Powers(found[:SHORT], found[SHORT:], factors[:, : 2**SHORT], factors[:, 2**SHORT :])


def bounding_factor(A_BNN: Tensor, decay_B: Tensor, growth: float = GROWTH) -> Tensor:
    """By how much (B,) `bounded_powers` scales a transition."""
    _, log_factor, to_norm = _within_norm(A_BNN, decay_B, growth)
    return to_norm * log_factor.exp()


def _within_norm(A_BNN: Tensor, decay_B: Tensor, growth: float) -> tuple[list[Tensor], Tensor, Tensor]:
    """Powers of the transition scaled to the bound on its norm, the last times `SHRINK`; the logarithm (B,) of what remains to scale it by; that first scale (B,)."""
    most = NORM * A_BNN.shape[1] ** 0.5
    to_norm = most / A_BNN.flatten(1).norm(dim=1).clamp_min(most)
    found = [A_BNN * to_norm[:, None, None]]
    for _ in range(DOUBLINGS - 1):
        found.append(torch.bmm(found[-1], found[-1]))
    small = found[-1] * SHRINK**0.5
    found.append(torch.bmm(small, small))
    excess = (found[-1].flatten(1).norm(dim=1) * (growth ** -(2**DOUBLINGS) / SHRINK)).clamp_min(1.0).log()
    return found, torch.sub(nn.functional.logsigmoid(decay_B), excess, alpha=0.5**DOUBLINGS), to_norm


@cache
def _steps(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Exponents 0 .. 7, 8, 16, 32, and for each the logarithm that makes good what its power was shrunk by."""
    steps = [*range(2**SHORT), *(2**k for k in range(SHORT, DOUBLINGS + 1))]
    shift = [0.0] * (len(steps) - 1) + [-math.log(SHRINK)]
    with torch.inference_mode(False):  # kept for callers in any mode
        return torch.tensor(steps, dtype=dtype, device=device), torch.tensor(shift, dtype=dtype, device=device)


def rollout(of_A: Powers, rows_BSN: Tensor, columns_BNO: Tensor, horizon: int) -> Tensor:
    """Responses (B, S, H+1, O) of shocks with rows l and observables with columns R."""
    right = columns_BNO
    for power in of_A.short:
        right = torch.cat([right, torch.bmm(power, right)], dim=2)
    if of_A.short_factors is not None:
        right = (right.unflatten(2, (2**SHORT, -1)) * of_A.short_factors[:, None, :, None]).flatten(2, 3)
    left = _long_steps(rows_BSN, of_A, horizon // 2**SHORT + 1)
    both = torch.bmm(left.flatten(1, 2), right).unflatten(1, left.shape[1:3])
    return both.unflatten(3, (2**SHORT, -1)).flatten(2, 3)[:, :, : horizon + 1]


def _long_steps(rows_BSN: Tensor, of_A: Powers, wanted: int) -> Tensor:
    """Rows times A^(8 j), j < wanted, (B, S, wanted, N) by doubling."""
    left, long = rows_BSN[:, :, None], of_A.long
    if of_A.long_factors is not None:
        long = [power * of_A.long_factors[:, k, None, None] for k, power in enumerate(long)]
    for k in range((wanted - 1).bit_length()):
        if k == len(long):
            long = [*long, torch.bmm(long[-1], long[-1])]
        moved = left[:, :, : wanted - left.shape[2]]
        left = torch.cat([left, torch.bmm(moved.flatten(1, 2), long[k]).unflatten(1, moved.shape[1:3])], dim=2)
    return left
