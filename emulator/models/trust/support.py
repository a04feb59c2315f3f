"""Where the training data lie: the range of each parameter, and corners of two parameters that no draw has reached.

Axes: N training draws, B batch, P parameter, Q corners.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor, nn

EXPECTED = 20.0
"""An empty corner counts where this many draws would be in it if its two parameters were independent: by chance alone
it stays empty with probability exp(-20), so that even a thousand pairs give no false corner."""


class EmptyCorners(nn.Module):
    """Quadrants {sign_1 theta_1 >= edge_1, sign_2 theta_2 > edge_2} of pairs of parameters without a training draw."""

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
        """The largest empty corner of each pair of parameters and signs, where there is one worth the name."""
        found = []
        n, n_parameters = theta_NP.shape
        signed = torch.stack([theta_NP.T, -theta_NP.T])  # (2, P, N)
        ordered = signed.sort(dim=2).values.contiguous()
        beyond = n - torch.searchsorted(ordered, signed.contiguous(), right=True, out_int32=True)  # draws strictly above, (2, P, N)
        for i, s in product(range(n_parameters - 1), range(2)):
            order = signed[s, i].argsort(descending=True, stable=True)
            value = signed[s, i, order]
            last = torch.ones(n, dtype=torch.bool)
            last[:-1] = value[:-1] > value[1:]  # ties enter together
            fewest = beyond[:, i + 1 :, order].cummin(dim=2).values  # of the other parameter, above all that entered so far
            expected = torch.where(last, fewest * torch.arange(1, n + 1) / n, 0.0)
            best = expected.max(dim=2)
            for t, j in (best.values >= EXPECTED).nonzero().tolist():
                place = best.indices[t, j]
                edge = ordered[t, i + 1 + j, n - 1 - int(fewest[t, j, place])]
                found.append((i, i + 1 + j, 1 - 2 * s, 1 - 2 * t, value[place], edge))
        made = cls(len(found))
        for k, (first, second, sign_1, sign_2, edge_1, edge_2) in enumerate(found):
            made.column_Q2[k] = torch.tensor([first, second])
            made.sign_Q2[k] = torch.tensor([sign_1, sign_2])
            made.edge_Q2[k] = torch.stack([edge_1, edge_2])
        return made
