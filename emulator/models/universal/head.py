"""From the network's outputs to responses: a latent state space, or (for comparison) every horizon on its own.

Axes: B batch, N latent state, S shock, O observable, H horizon, C outputs common to all shocks, R outputs of each shock.
"""

from __future__ import annotations

import torch
from torch import Tensor

from emulator.models.universal.layers import Corrections
from emulator.models.universal.start import Start
from emulator.models.universal.state_space import rollout

FREE_LOG_GAIN = 6.0
"""Largest logarithm of a shock's gain, so that no step of training can make responses overflow."""

CERTAIN, EXACT = 10.0, 1e-5
"""A start that leaves a tenth of responses or more unexplained is corrected without restraint; one that leaves less than `EXACT`, not at
all: optimisers that scale each step by past gradients make steps of full size out of rounding errors."""


class Head:
    """Layout of a world's outputs. Common to all shocks: A (N, N), C (3, N); of each shock: its column of B (N), a log gain.

    lags: N is three times as many; horizon: of the training data; structure: False reads responses off horizon by horizon.
    """

    def __init__(self, lags: int, horizon: int, structure: bool) -> None:
        self.lags, self.n, self.horizon, self.structure = lags, 3 * lags, horizon, structure
        self.common = self.n * self.n + 3 * self.n if structure else 0
        self.per_shock = self.n + 1 if structure else (horizon + 1) * 3

    def rows_of(self, larger: Head) -> tuple[Tensor, Tensor]:
        """Where this head's outputs stand among those of a larger one: the common ones, and the ones of a shock."""
        if not self.structure:
            return torch.arange(0), torch.arange(self.per_shock)
        states, width = torch.arange(self.n), larger.n
        transition = (states[:, None] * width + states).flatten()
        loading = width * width + (torch.arange(3)[:, None] * width + states).flatten()
        return torch.cat([transition, loading]), torch.cat([states, torch.tensor([width])])

    def assemble(self, own: Corrections, z_BP: Tensor, correction: Tensor) -> Tensor:
        """Outputs (B, C + S R): start(z) + reach * correction."""
        if not self.structure:
            return correction
        return torch.addmm(own.start[:, 0], z_BP, own.start[:, 1:].T) + own.reach * correction

    def scatter(self, own: Corrections) -> None:
        """The start without data: decays spread over (0, 1), observables mostly the first states, shocks anywhere."""
        if not self.structure:
            return
        outputs = torch.zeros_like(own.start)
        transition, loading, columns = (view[..., 0] for view in self._views(outputs))
        transition += torch.diag(torch.linspace(0.3, 0.9, self.n)) + 0.05 * torch.randn(self.n, self.n)
        loading += torch.eye(3, self.n) + 0.3 * torch.randn(3, self.n)
        columns[:, : self.n] += 0.3 * torch.randn(len(columns), self.n)
        own.start.copy_(outputs)

    def _views(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Views of outputs (C + S R, ..): A (N, N, ..), C (3, N, ..) and, of each shock, its column of B and log gain (S, N + 1, ..)."""
        n = self.n
        return outputs[: n * n].unflatten(0, (n, n)), outputs[n * n : self.common].unflatten(0, (3, n)), outputs[self.common :].unflatten(0, (-1, n + 1))

    def begin(self, own: Corrections, start: Start) -> None:
        """Write a fitted start into a world's buffers, the companion form of its autoregression, unless it explains nothing."""
        if start.unexplained >= 1.0:
            return
        outputs = torch.zeros_like(own.start)
        transition, loading, columns = self._views(outputs)
        transition[:3] = start.lags.permute(1, 2, 3, 0).flatten(1, 2)
        transition[3:, : self.n - 3, 0] = torch.eye(self.n - 3)  # lagged observables move down by one lag
        loading[:, :3, 0] = torch.eye(3)
        columns[:, :3] = start.impact.permute(2, 1, 0)
        own.start.copy_(outputs)
        own.reach.fill_(min(1.0, CERTAIN * start.unexplained) if start.unexplained > EXACT else 0.0)

    def responses(self, outputs: Tensor, own: Corrections, horizon: int) -> Tensor:
        """Responses (B, S, H+1, 3) in standardised units for shocks of mean size."""
        if not self.structure:
            return outputs.unflatten(1, (-1, self.horizon + 1, 3)) * (own.ratio > 0)[:, None, :]
        n, batch = self.n, len(outputs)
        transition, loading = outputs[:, : n * n].reshape(batch, n, n), outputs[:, n * n : self.common].reshape(batch, 3, n)
        by_shock = outputs[:, self.common :].unflatten(1, (-1, n + 1))
        gain = by_shock[:, :, n].clamp(-FREE_LOG_GAIN, FREE_LOG_GAIN).exp()
        irf = rollout(transition, (by_shock[:, :, :n] * gain[:, :, None]).transpose(1, 2), loading, horizon)
        return irf * own.ratio[:, None, :]
