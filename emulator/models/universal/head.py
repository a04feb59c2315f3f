"""From the network's outputs to responses: a latent state space, or (for comparison) every horizon on its own.

Axes: B batch, N latent state, S shock, O observable, H horizon, C outputs common to all shocks, R outputs of each shock.
"""

from __future__ import annotations

from typing import NamedTuple

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

UNDAMPED, DAMPED = 20.0, 2.0
"""Logits of the factor on the transition where training starts: of a fitted start (one in single precision), and of a random one."""


class Parts(NamedTuple):
    """Views of outputs (.., C + S R): transition (.., N, N), loadings (.., N, 3), logit of its factor (..), and of each shock its row (.., S, N) and log gain (.., S)."""

    transition: Tensor
    loadings: Tensor
    decay: Tensor
    rows: Tensor
    gain: Tensor


class Head:
    """Layout of a world's outputs. Common to all shocks: transition, loadings, its factor; of each shock: a row, a log gain.

    states: N, at least three; horizon: of the training data; structure: False reads responses off horizon by horizon.
    """

    def __init__(self, states: int, horizon: int, structure: bool) -> None:
        self.n, self.lags, self.horizon, self.structure = states, states // 3, horizon, structure
        self.common = self.n * self.n + 3 * self.n + 1 if structure else 0
        self.per_shock = self.n + 1 if structure else (horizon + 1) * 3

    def rows_of(self, larger: Head) -> tuple[Tensor, Tensor]:
        """Where this head's outputs stand among those of a larger one: the common ones, and the ones of a shock."""
        if not self.structure:
            return torch.arange(0), torch.arange(self.per_shock)
        states, width = torch.arange(self.n), larger.n
        transition = (states[:, None] * width + states).flatten()
        loadings = width * width + torch.arange(3 * self.n)
        return torch.cat([transition, loadings, torch.tensor([larger.common - 1])]), torch.cat([states, torch.tensor([width])])

    def split(self, outputs: Tensor) -> Parts:
        n, by_shock = self.n, outputs[..., self.common :].unflatten(-1, (-1, self.n + 1))
        return Parts(
            outputs[..., : n * n].unflatten(-1, (n, n)),
            outputs[..., n * n : self.common - 1].unflatten(-1, (n, 3)),
            outputs[..., self.common - 1],
            by_shock[..., :n],
            by_shock[..., n],
        )

    def units(self, own: Corrections) -> Tensor:
        """What each output (C + S R,) is multiplied by, so that responses come out in natural units."""
        by_shock = own.shock_unit
        if not self.structure:
            return (by_shock[:, None, None] * own.observable_unit * own.live[:, None, :]).expand(-1, self.horizon + 1, -1).flatten()
        found = torch.ones(self.common + len(by_shock) * self.per_shock, device=by_shock.device)
        parts = self.split(found)
        parts.loadings.copy_(own.observable_unit.expand_as(parts.loadings))
        parts.rows.copy_(by_shock[:, None].expand_as(parts.rows))
        return found

    def scatter(self, own: Corrections) -> None:
        """The start without data: decays spread over (0, 1), observables mostly the first states, shocks anywhere."""
        if not self.structure:
            return
        outputs = torch.zeros_like(own.start.T)
        parts = self.split(outputs[0])
        parts.transition.copy_(torch.diag(torch.linspace(0.3, 0.9, self.n)) + 0.05 * torch.randn(self.n, self.n))
        parts.loadings.copy_(torch.eye(self.n, 3) + 0.3 * torch.randn(self.n, 3))
        parts.rows.copy_(0.3 * torch.randn(parts.rows.shape))
        parts.decay.fill_(DAMPED)
        own.start.copy_(outputs.T)

    def begin(self, own: Corrections, start: Start) -> None:
        """Write a fitted start into a world's buffers, the companion form of its autoregression, unless it explains nothing."""
        if start.unexplained >= 1.0:
            return
        outputs = torch.zeros_like(own.start.T)
        parts, held = self.split(outputs), 3 * self.lags
        parts.transition[:, :held, :3] = start.lags.permute(0, 2, 3, 1).flatten(1, 2)
        parts.transition[0, : held - 3, 3:held] = torch.eye(held - 3)  # lagged observables move on by one lag
        parts.loadings[0, :3] = torch.eye(3)
        parts.rows[:, :, :3] = start.impact.transpose(1, 2)
        parts.decay[0] = UNDAMPED
        own.start.copy_(outputs.T)
        own.reach.fill_(min(1.0, CERTAIN * start.unexplained) if start.unexplained > EXACT else 0.0)

    def responses(self, outputs: Tensor, size_BS: Tensor | None, live: Tensor | None, horizon: int, growth: float) -> Tensor:
        """Responses (B, S, H+1, 3) in natural units, from outputs (B, C + S R) and the sizes of shocks; `live` (S, 3) is zero
        for silent responses; `growth` bounds the transition."""
        if not self.structure:
            irf = outputs.unflatten(1, (-1, self.horizon + 1, 3))[:, :, : horizon + 1]
            return irf if size_BS is None else irf * size_BS[:, :, None, None]
        parts = self.split(outputs)
        gain = parts.gain.clamp(-FREE_LOG_GAIN, FREE_LOG_GAIN).exp()
        rows = parts.rows * (gain if size_BS is None else gain * size_BS)[:, :, None]
        irf = rollout(parts.transition, rows, parts.loadings, parts.decay, horizon, growth)
        return irf if live is None else irf * live[:, None, :]
