"""Which worlds need no training: those of which a start explains every response at hand.

Other worlds start from chance (`Head.scatter`), which trains better than a start that is nearly
right. An exact start is not corrected: optimisers that scale each step by past gradients make steps
of full size out of rounding errors. It therefore has to be right for every draw at hand before
training. Axes: n draw, F 1 + P, S shock, H horizon, O observable.
"""

from __future__ import annotations

import torch
from torch import Tensor

from emulator.models.universal.autoregression import regress
from emulator.models.universal.linear_states import find_states
from emulator.models.universal.start import EXACT, Start, at
from emulator.models.universal.state_space import LOOSE_GROWTH, bounded_powers, rollout

DRAWS = 2048
"""Draws from which a start is fitted at most: it has a few hundred coefficients, and each draw
gives hundreds of equations.
"""

LEAST = 8
"""Draws from which a start is fitted at least: a quarter of them judges it."""

WORST = 1e-3
"""Relative error of each single draw at most."""

BLOCK = 1024
"""Draws that are rolled out at once."""


def exact_start(z_nF: Tensor, irf_nSHO: Tensor, lags: int, most: int) -> Start | None:
    """The vector autoregression with so many lags, else the state space with `most` states at most,
    that explains all responses; None where neither does.
    """
    if len(z_nF) < LEAST or not bool(torch.isfinite(irf_nSHO).all()):
        return None
    some = z_nF[:DRAWS], irf_nSHO[:DRAWS]
    autoregression = regress(*some, lags)
    if explains(autoregression, z_nF, irf_nSHO, most):
        return autoregression
    space = find_states(*some, most)
    return space if space is not None and explains(space, z_nF, irf_nSHO, most) else None


def explains(start: Start, z_nF: Tensor, irf_nSHO: Tensor, most: int) -> bool:
    """Whether a start is exact: by its own judgement and, rolled out within the bounds of a network
    of `most` states, for all draws together (`EXACT`) and for each (`WORST`).
    """
    if not start.unexplained <= EXACT:
        return False
    blocks = zip(z_nF.split(BLOCK), irf_nSHO.split(BLOCK), strict=True)
    squares = [_squares(start, z.double(), irf.double(), most) for z, irf in blocks]
    wrong, whole = (torch.cat(of_draws) for of_draws in zip(*squares, strict=True))
    each = wrong <= WORST**2 * whole
    return bool(each.all()) and bool(wrong.sum() <= EXACT**2 * whole.sum())


def _squares(start: Start, z: Tensor, irf: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Sums of squares of each draw's errors and responses (n,)."""
    undamped = z.new_full((len(z),), float("inf"))
    transition, loadings, first = (at(z, part.double()) for part in start[:3])
    of_A = bounded_powers(transition, undamped, LOOSE_GROWTH, most)
    rolled = rollout(of_A, first, loadings, irf.shape[2] - 1)
    return (rolled - irf).square().sum((1, 2, 3)), irf.square().sum((1, 2, 3))
