"""Where the training data lie: corners of two parameters that no draw has reached, and how far out
draws are, all parameters together.

Axes: N training draws, B batch, P parameter, Q corners, K knots.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor, nn

EXPECTED = 20.0
"""An empty corner counts where this many draws would be in it if its two parameters were
independent: by chance alone it stays empty with probability exp(-20), so that even a thousand pairs
give no false corner.
"""


class EmptyCorners(nn.Module):
    """Quadrants {sign_1 theta_1 >= edge_1, sign_2 theta_2 > edge_2} of pairs of parameters without
    a training draw.
    """

    column_Q2: Tensor
    sign_Q2: Tensor
    edge_Q2: Tensor

    def __init__(self, n_corners: int) -> None:
        super().__init__()
        self.register_buffer("column_Q2", torch.zeros(n_corners, 2, dtype=torch.long))
        self.register_buffer("sign_Q2", torch.zeros(n_corners, 2))
        self.register_buffer("edge_Q2", torch.zeros(n_corners, 2))

    def forward(self, theta_BP: Tensor) -> Tensor:
        """Which parameters (B, P) put a draw, given in natural units, into an empty corner."""
        signed = theta_BP[:, self.column_Q2] * self.sign_Q2  # (B, Q, 2)
        inside = (signed[..., 0] >= self.edge_Q2[:, 0]) & (signed[..., 1] > self.edge_Q2[:, 1])
        hits = torch.zeros_like(theta_BP)
        for side in range(2):
            hits.index_add_(1, self.column_Q2[:, side], inside.to(hits.dtype))
        return hits > 0

    @classmethod
    def fitted(cls, theta_NP: Tensor) -> EmptyCorners:
        """The largest empty corner of each pair of parameters and signs, where there is one worth
        the name.
        """
        corners = []
        n, n_parameters = theta_NP.shape
        signed = torch.stack([theta_NP.T, -theta_NP.T])  # (2, P, N)
        ordered = signed.sort(dim=2).values.contiguous()
        beyond = n - torch.searchsorted(
            ordered, signed.contiguous(), right=True, out_int32=True
        )  # draws strictly above, (2, P, N)
        for i, s in product(range(n_parameters - 1), range(2)):
            order = signed[s, i].argsort(descending=True, stable=True)
            value = signed[s, i, order]
            last = torch.ones(n, dtype=torch.bool)
            last[:-1] = value[:-1] > value[1:]  # ties enter together
            fewest = (
                beyond[:, i + 1 :, order].cummin(dim=2).values
            )  # of the other parameter, above all that entered so far
            expected = torch.where(last, fewest * torch.arange(1, n + 1) / n, 0.0)
            best = expected.max(dim=2)
            for t, j in (best.values >= EXPECTED).nonzero().tolist():
                place = best.indices[t, j]
                edge = ordered[t, i + 1 + j, n - 1 - int(fewest[t, j, place])]
                corners.append((i, i + 1 + j, 1 - 2 * s, 1 - 2 * t, value[place], edge))
        support = cls(len(corners))
        for k, (first, second, sign_1, sign_2, edge_1, edge_2) in enumerate(corners):
            support.column_Q2[k] = torch.tensor([first, second])
            support.sign_Q2[k] = torch.tensor([sign_1, sign_2])
            support.edge_Q2[k] = torch.stack([edge_1, edge_2])
        return support


KNOTS = 65
"""Values of each parameter at which its normal score is kept; between them scores are linear."""


class Remoteness(nn.Module):
    """How far out a draw lies, all parameters together: the sum of their squared normal scores.

    The normal score of a value is the quantile of the standard normal at the value's rank among the
    training draws (van der Waerden 1952), so that skewed and bounded priors count alike. Where
    parameters are independent the sum is chi-squared: a draw with many parameters in the tails,
    each within its range, is farther out than any that the network has seen.
    """

    value_PK: Tensor
    reach: Tensor
    farthest: Tensor

    def __init__(self, n_parameters: int) -> None:
        super().__init__()
        self.register_buffer("value_PK", torch.zeros(n_parameters, KNOTS))
        self.register_buffer("reach", torch.ones(()))
        self.register_buffer("farthest", torch.zeros(()))

    def forward(self, theta_BP: Tensor) -> Tensor:
        """The sum (B,) at parameters in natural units; a value beyond the training draws counts as
        the outermost of them.
        """
        x_PB = theta_BP.T.contiguous()
        return (
            (0.5 * (self._scores(x_PB, right=False) + self._scores(x_PB, right=True)))
            .square()
            .sum(0)
        )

    def beyond(self, theta_BP: Tensor) -> Tensor:
        """Whether a draw (B,) is farther out than every training draw."""
        return self(theta_BP) > self.farthest

    def _scores(self, x_PB: Tensor, right: bool) -> Tensor:
        """Normal scores (P, B); of a value that many draws share, those of its last or of its first
        rank.
        """
        above = torch.searchsorted(self.value_PK, x_PB, right=right).clamp(1, KNOTS - 1)
        low, high = (self.value_PK.gather(1, knot) for knot in (above - 1, above))
        share = torch.where(high > low, (x_PB - low) / (high - low), float(right)).clamp(0, 1)
        return self.reach * (2 * (above - 1 + share) / (KNOTS - 1) - 1)

    @classmethod
    def fitted(cls, theta_NP: Tensor) -> Remoteness:
        """The scores of the training draws, and the farthest of them."""
        n, n_parameters = theta_NP.shape
        remoteness = cls(n_parameters)
        remoteness.reach = torch.special.ndtri(torch.tensor(1 - 0.5 / n, dtype=torch.float64)).to(
            theta_NP.dtype
        )
        rank_K = torch.special.ndtr(remoteness.reach * torch.linspace(-1, 1, KNOTS)) * n - 0.5
        lower = rank_K.floor().clamp(0, n - 1).long()
        ordered = theta_NP.sort(0).values
        share = (rank_K - lower).clamp(0, 1)[:, None]
        remoteness.value_PK = torch.lerp(
            ordered[lower], ordered[(lower + 1).clamp_max(n - 1)], share
        ).T.contiguous()
        remoteness.farthest = remoteness(theta_NP).max()
        return remoteness
