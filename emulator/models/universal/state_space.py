"""Responses of a latent state space, rolled out for many draws at once.

    y_h = l A^h R,    h = 0 .. H;    l a row for each shock, R a column for each observable

Axes: B batch, N latent state, S shock, H horizon, O observable.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

NORM = 1.6
"""Frobenius norm of a transition at most, in units of sqrt(N).

Every stable system has coordinates in which it is one at most (output-normal form: Moore 1981,
doi:10.1109/TAC.1981.1102568); the rest is room for coordinates that are not.
"""

GROWTH, DOUBLINGS = 1.08, 5
"""Growth a period at most of what is trained, by Gelfand's estimate |A^k|^(1/k) with k =
2^DOUBLINGS, which lies above the spectral radius.
"""

LOOSE_GROWTH = 1.3
"""The same for a transition that was found exactly: stable ones that are far from normal grow for a
while.
"""

SHORT = 3
"""Horizons h = 8 j + i are few long steps j times 2^SHORT short steps i: fewer and smaller products
than one by one.
"""

SHRINK = 1e-12 ** (0.5**DOUBLINGS)
"""Powers are taken of A times this number, and A^32 so times 1e-12, so that its squared norm fits
single precision.
"""


class Powers(NamedTuple):
    """A^1, A^2, A^4 and A^8 of transitions (B, N, N), and factors (B, 9) that are still to scale
    A^0 to A^8, if any.
    """

    short: list[Tensor]
    long: Tensor
    factors: Tensor | None


def powers(A_BNN: Tensor) -> Powers:
    """Powers of a transition as it is."""
    squares = _squared(A_BNN, SHORT)
    return Powers(squares[:-1], squares[-1], None)


def bounded_powers(
    A_BNN: Tensor, decay_B: Tensor, growth: float = GROWTH, states: int | None = None
) -> Powers:
    """Powers of a transition that is bounded whatever the matrices are, but for their factors.

    decay_B: logits of a factor in (0, 1) on the transition; states: N as a plain number, which a
    recording (`recorded`) takes for a constant. A transition whose norm exceeds `NORM`
    sqrt(N) is scaled down to it, then one that would grow faster than `growth`; then `decay_B`
    scales it further.
    """
    squares, factor, _ = _within_norm(A_BNN, decay_B, growth, states or A_BNN.shape[1])
    return Powers(
        squares[:SHORT], squares[SHORT], factor[..., 0] ** _steps(A_BNN.dtype, A_BNN.device)
    )


def bounding_factor(
    A_BNN: Tensor, decay_B: Tensor, growth: float = GROWTH, states: int | None = None
) -> Tensor:
    """By how much (B, 1, 1) `bounded_powers` scales a transition; `states`: how many it has, where
    A is filled up with zeros.
    """
    _, factor, above = _within_norm(A_BNN, decay_B, growth, states or A_BNN.shape[1])
    return factor / above


def _within_norm(
    A_BNN: Tensor, decay_B: Tensor, growth: float, states: int
) -> tuple[list[Tensor], Tensor, Tensor]:
    """A^1 ..

    A^16 of the transition scaled to the bound on its norm, and by `SHRINK`; what remains to scale
    it by, and what it was divided by (B, 1, 1).
    """
    above = (_norms(A_BNN) * (1 / (SHRINK * NORM * states**0.5))).clamp_min(1 / SHRINK)
    squares = _squared(A_BNN / above, DOUBLINGS - 1)
    excess = (_norms(torch.bmm(squares[-1], squares[-1])) * growth ** -(2**DOUBLINGS)).clamp_min(
        SHRINK ** (2**DOUBLINGS)
    )
    return squares, decay_B.sigmoid()[:, None, None] * excess ** -(0.5**DOUBLINGS), above


def _norms(A_BNN: Tensor) -> Tensor:
    return torch.linalg.vector_norm(A_BNN, dim=(1, 2), keepdim=True)


def _squared(A_BNN: Tensor, times: int) -> list[Tensor]:
    """A^1, A^2, A^4 .. A^(2^times)."""
    squares = [A_BNN]
    for _ in range(times):
        squares.append(torch.bmm(squares[-1], squares[-1]))
    return squares


@cache
def _steps(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Exponents 0 .. 8."""
    with torch.inference_mode(False):  # kept for callers in any mode
        return torch.arange(2**SHORT + 1, dtype=dtype, device=device)


def rollout(of_A: Powers, rows_BSN: Tensor, columns_BNO: Tensor, horizon: int) -> Tensor:
    """Responses (B, S, H+1, O) of shocks with rows l and observables with columns R."""
    right, long, steps = columns_BNO.transpose(1, 2), of_A.long, 2**SHORT
    for power in of_A.short:  # rows times a transposed matrix: the faster way round
        right = torch.cat([right, torch.bmm(right, power.transpose(1, 2))], dim=1)
    if of_A.factors is not None:
        right = (right.unflatten(1, (steps, -1)) * of_A.factors[:, :steps, None, None]).flatten(
            1, 2
        )
        long = long * of_A.factors[:, steps, None, None]
    left = [rows_BSN]
    for _ in range(horizon // steps):
        left.append(torch.bmm(left[-1], long))
    both = torch.bmm(torch.stack(left, dim=2).flatten(1, 2), right.transpose(1, 2))
    return both.reshape(-1, rows_BSN.shape[1], len(left) * steps, columns_BNO.shape[2])[
        :, :, : horizon + 1
    ]
