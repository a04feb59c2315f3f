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


def rollout(A_BNN: Tensor, rows_BSN: Tensor, columns_BNO: Tensor, decay_B: Tensor, horizon: int, growth: float = GROWTH) -> Tensor:
    """Responses (B, S, H+1, O) of shocks with rows l and observables with columns R, bounded by construction whatever the matrices are.

    decay_B: logits of a factor in (0, 1) on the transition. A transition whose norm exceeds `NORM` sqrt(N) is scaled down to
    it, then one that would grow faster than `growth`, whatever the horizon asked for; then `decay_B` scales it further.
    """
    short, long = _powers(A_BNN, decay_B, growth)
    right = columns_BNO
    for power in short.powers:
        right = torch.cat([right, torch.bmm(power, right)], dim=2)
    right = (right.unflatten(2, (2**SHORT, -1)) * short.factors_BK[:, None, :, None]).flatten(2, 3)
    left = _long_steps(rows_BSN, long, horizon // 2**SHORT + 1)
    both = torch.bmm(left.flatten(1, 2), right).unflatten(1, left.shape[1:3])
    return both.unflatten(3, (2**SHORT, -1)).flatten(2, 3)[:, :, : horizon + 1]


class Powers(NamedTuple):
    """Powers of a transition (B, N, N) that are still to be scaled, and factors (B, K) that do it."""

    powers: list[Tensor]
    factors_BK: Tensor


def _powers(A_BNN: Tensor, decay_B: Tensor, growth: float) -> tuple[Powers, Powers]:
    """A, A^2, A^4 with the factors of A^0 to A^7, and A^8, A^16, A^32 each with its own."""
    most = NORM * A_BNN.shape[1] ** 0.5
    powers = [A_BNN * (most / A_BNN.flatten(1).norm(dim=1).clamp_min(most))[:, None, None]]
    for _ in range(DOUBLINGS - 1):
        powers.append(torch.bmm(powers[-1], powers[-1]))
    small = powers[-1] * SHRINK**0.5
    powers.append(torch.bmm(small, small))
    excess = (powers[-1].flatten(1).norm(dim=1) * (growth ** -(2**DOUBLINGS) / SHRINK)).clamp_min(1.0).log()
    log_factor = torch.sub(nn.functional.logsigmoid(decay_B), excess, alpha=0.5**DOUBLINGS)
    steps, shift = _steps(A_BNN.dtype, A_BNN.device)
    factors = torch.addcmul(shift, log_factor[:, None], steps).exp()
    return Powers(powers[:SHORT], factors[:, : 2**SHORT]), Powers(powers[SHORT:], factors[:, 2**SHORT :])


@cache
def _steps(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Exponents 0 .. 7, 8, 16, 32, and for each the logarithm that makes good what its power was shrunk by."""
    steps = [*range(2**SHORT), *(2**k for k in range(SHORT, DOUBLINGS + 1))]
    shift = [0.0] * (len(steps) - 1) + [-math.log(SHRINK)]
    return torch.tensor(steps, dtype=dtype, device=device), torch.tensor(shift, dtype=dtype, device=device)


def _long_steps(rows_BSN: Tensor, long: Powers, wanted: int) -> Tensor:
    """Rows times the scaled A^(8 j), j < wanted, (B, S, wanted, N) by doubling."""
    left = rows_BSN[:, :, None]
    for k in range((wanted - 1).bit_length()):
        if k < len(long.powers):
            power = long.powers[k] * long.factors_BK[:, k, None, None]
        else:
            power = torch.bmm(power, power)
        moved = left[:, :, : wanted - left.shape[2]]
        left = torch.cat([left, torch.bmm(moved.flatten(1, 2), power).unflatten(1, moved.shape[1:3])], dim=2)
    return left
