"""Responses of a latent state space, rolled out for many draws at once.

    y_h = C A^h B,    h = 0 .. H

Axes: B batch, N latent state, S shock, H horizon, O observable.
"""

from __future__ import annotations

import torch
from torch import Tensor

NORM = 1.6
"""Frobenius norm of a transition at most, in units of sqrt(N). Every stable system has coordinates in which it is one at
most (output-normal form: Moore 1981, doi:10.1109/TAC.1981.1102568); the rest is room for coordinates that are not."""

GROWTH, DOUBLINGS = 1.08, 5
"""Growth a period at most, by Gelfand's estimate |A^k|^(1/k) with k = 2^DOUBLINGS, which lies above the spectral radius."""


def rollout(A_BNN: Tensor, B_BNS: Tensor, C_BON: Tensor, horizon: int) -> Tensor:
    """Responses (B, S, H+1, O) by doubling, bounded by construction whatever the matrices are.

    [B, AB, .., A^(2k-1) B] = [X, A^k X] with X = [B, .., A^(k-1) B]: log2(H) products instead of H. A transition whose norm
    exceeds `NORM` sqrt(N) is scaled down to it, then one that would grow faster than `GROWTH`, whatever the horizon asked for.
    """
    shocks, powers = B_BNS.shape[2], _bounded_powers(A_BNN)
    columns, power, done = B_BNS, powers[0], 1
    while done <= horizon:
        power = powers.pop(0) if powers else power @ power
        take = min(done, horizon + 1 - done)
        columns = torch.cat([columns, power @ columns[:, :, : take * shocks]], dim=2)
        done += take
    return (C_BON @ columns).unflatten(2, (horizon + 1, shocks)).permute(0, 3, 2, 1)


def _bounded_powers(A_BNN: Tensor) -> list[Tensor]:
    """A, A^2, A^4, .. of the bounded transition."""
    most = NORM * A_BNN.shape[1] ** 0.5
    powers = [A_BNN * (most / A_BNN.flatten(1).norm(dim=1).clamp_min(most))[:, None, None]]
    for _ in range(DOUBLINGS):
        powers.append(powers[-1] @ powers[-1])
    growth = (powers[-1].flatten(1).norm(dim=1) + 1e-12) ** (0.5**DOUBLINGS)
    damping = GROWTH / growth.clamp_min(GROWTH)
    return [power * (damping ** (2**k))[:, None, None] for k, power in enumerate(powers)]
