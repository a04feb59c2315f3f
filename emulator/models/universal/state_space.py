"""Responses of a latent state space, rolled out for many draws at once.

    y_h = l A^h R,    h = 0 .. H;    l a row for each shock, R a column for each observable

Axes: B batch, N latent state, S shock, H horizon, O observable.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

NORM = 1.6
"""Frobenius norm of a transition at most, in units of sqrt(N). Every stable system has coordinates in which it is one at
most (output-normal form: Moore 1981, doi:10.1109/TAC.1981.1102568); the rest is room for coordinates that are not."""

GROWTH, DOUBLINGS = 1.08, 5
"""Growth a period at most, by Gelfand's estimate |A^k|^(1/k) with k = 2^DOUBLINGS, which lies above the spectral radius."""

SHORT = 3
"""Horizons h = 8 j + i are few long steps j times 2^SHORT short steps i: fewer and smaller products than one by one."""

SHRINK = 1e-12
"""A^32 is kept times this number, so that its squared norm fits single precision."""


def rollout(A_BNN: Tensor, rows_BSN: Tensor, columns_BNO: Tensor, decay_B: Tensor, horizon: int) -> Tensor:
    """Responses (B, S, H+1, O) of shocks with rows l and observables with columns R, bounded by construction whatever the matrices are.

    decay_B: logits of a factor in (0, 1) on the transition. A transition whose norm exceeds `NORM` sqrt(N) is scaled down to
    it, then one that would grow faster than `GROWTH`, whatever the horizon asked for; then `decay_B` scales it further.
    """
    powers, log_damping = _powers(A_BNN, decay_B)
    right = columns_BNO
    for power in powers[:SHORT]:
        right = torch.cat([right, torch.bmm(power, right)], dim=2)
    damping = (log_damping[:, None] * torch.arange(2**SHORT, dtype=A_BNN.dtype, device=A_BNN.device)).exp()
    right = (right.unflatten(2, (2**SHORT, -1)) * damping[:, None, :, None]).flatten(2, 3)
    left = _long_steps(rows_BSN, powers[SHORT:], log_damping, horizon // 2**SHORT + 1)
    both = torch.bmm(left.flatten(1, 2), right).unflatten(1, left.shape[1:3])
    return both.unflatten(3, (2**SHORT, -1)).flatten(2, 3)[:, :, : horizon + 1]


def _long_steps(rows_BSN: Tensor, powers: list[Tensor], log_damping: Tensor, wanted: int) -> Tensor:
    """Rows times the damped A^(8 j), j < wanted, (B, S, wanted, N) by doubling; `powers` are A^8, A^16 and so on."""
    left = rows_BSN[:, :, None]
    for k in range((wanted - 1).bit_length()):
        if k < len(powers):
            shrunk = math.log(SHRINK) if k == len(powers) - 1 else 0.0
            power = powers[k] * (2 ** (SHORT + k) * log_damping - shrunk).exp()[:, None, None]
        else:
            power = torch.bmm(power, power)
        moved = left[:, :, : wanted - left.shape[2]]
        left = torch.cat([left, torch.bmm(moved.flatten(1, 2), power).unflatten(1, moved.shape[1:3])], dim=2)
    return left


def _powers(A_BNN: Tensor, decay_B: Tensor) -> tuple[list[Tensor], Tensor]:
    """A, A^2, A^4, .., A^32 of the transition bounded in norm (the last times `SHRINK`), and the logarithm (B,) of what remains to scale A by."""
    most = NORM * A_BNN.shape[1] ** 0.5
    powers = [A_BNN * (most / A_BNN.flatten(1).norm(dim=1).clamp_min(most))[:, None, None]]
    for _ in range(DOUBLINGS - 1):
        powers.append(torch.bmm(powers[-1], powers[-1]))
    small = powers[-1] * SHRINK**0.5
    powers.append(torch.bmm(small, small))
    log_norm = 0.5 * (powers[-1].flatten(1).square().sum(1) + 1e-26).log() - math.log(SHRINK)
    excess = (log_norm * 0.5**DOUBLINGS - math.log(GROWTH)).clamp_min(0.0)
    return powers, nn.functional.logsigmoid(decay_B) - excess
