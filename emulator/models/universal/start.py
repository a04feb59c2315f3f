"""Where training starts in a world whose state space has matrices linear in theta, and the least
squares by which it is found.

Axes: n draw, F 1 + P, S shock, O observable, N state, K regressor, J target.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

FITTED = 0.75
"""Share of the draws from which a start is fitted before the others judge it."""

EXACT = 1e-5
"""Share of the responses that an exact start leaves unexplained at most."""


class Start(NamedTuple):
    """A state space whose matrices are linear in z = (1, theta as standard scores): coefficients of
    the transition (F, N, N), the loadings (F, N, O) and the first states (F, S, N), states as rows;
    and the share left unexplained of draws from which it was not fitted: of their movement
    from a period to the next (`autoregression`), or of their first two responses (`linear_states`).
    """

    transition: Tensor
    loadings: Tensor
    first: Tensor
    unexplained: float


def at(z_nF: Tensor, coefficients: Tensor) -> Tensor:
    """A matrix that is linear in z, (n, i, j) from (F, i, j)."""
    return torch.einsum("nf,fij->nij", z_nF, coefficients)


def moments(left: Tensor, right: Tensor) -> list[Tensor]:
    """What least squares needs of regressors (n, K) and targets (n, J)."""
    return [left.T @ left, left.T @ right]


def added(sums: list[Tensor], more: list[Tensor]) -> list[Tensor]:
    """`moments` of the equations of both; the first are changed."""
    return [both.add_(new) for both, new in zip(sums, more, strict=True)]


def summed(blocks: Iterable[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """`moments` of equations that come in blocks of regressors and targets."""
    return reduce(added, (moments(left, right) for left, right in blocks))


def solve(sums: list[Tensor], ridge: float) -> Tensor:
    """Coefficients (K, J) from `moments`, with a penalty as a share of the mean square of the
    regressors.
    """
    gram, target = sums
    size = gram.diagonal().mean().clamp_min(torch.finfo(gram.dtype).tiny)
    return torch.linalg.solve(gram + ridge * size * torch.eye(len(gram), dtype=gram.dtype), target)
