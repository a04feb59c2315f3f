"""The small network behind error bands and the classifier of determinacy, and its fit.

It starts as a constant and departs from it only where that pays on draws set aside.

Axes: B batch, P parameter, K outputs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from emulator.models.base import mlp

WIDTH = 64
LIMIT = 6.0
"""Largest departure from the constant, in logs or log-odds: a factor of 400, also far outside the
training data.
"""

BATCH = 256
STEPS = 1000
PATIENCE = 4
CHECK_EVERY = 50
LEARNING_RATE = 3e-3
SET_ASIDE = 0.2


class Learner(nn.Module):
    """Standardised parameters (B, P) -> K numbers (B, K): a constant plus a bounded network that
    begins at zero.
    """

    def __init__(self, n_parameters: int, n_outputs: int) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.zeros(n_outputs))
        self.departure = mlp([n_parameters, WIDTH, WIDTH, n_outputs])
        for parameter in self.departure[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, z_BP: Tensor) -> Tensor:
        return self.constant + LIMIT * torch.tanh(self.departure(z_BP) / LIMIT)


def fit(
    learner: Learner,
    z_BP: Tensor,
    target_BK: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    generator: torch.Generator,
) -> None:
    """Fit a learner whose constant is already set, and freeze it.

    Minibatches of AdamW under a cosine; a fifth of the draws is set aside, the weights that did
    best on it are kept, and the fit ends when it no longer gains. Where nothing is gained at all
    the constant remains.
    """
    order = torch.randperm(len(z_BP), generator=generator)
    aside, used = order.tensor_split([max(1, round(SET_ASIDE * len(z_BP)))])
    optimiser = torch.optim.AdamW(learner.parameters(), lr=LEARNING_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    best = _loss_on(learner, z_BP[aside], target_BK[aside], loss)
    best_weights = copy.deepcopy(learner.state_dict())
    waited = 0
    for step in range(1, STEPS + 1):
        rows = used[torch.randint(len(used), (min(BATCH, len(used)),), generator=generator)]
        optimiser.zero_grad()
        loss(learner(z_BP[rows]), target_BK[rows]).backward()
        optimiser.step()
        schedule.step()
        if step % CHECK_EVERY:
            continue
        now = _loss_on(learner, z_BP[aside], target_BK[aside], loss)
        waited = 0 if now < best else waited + 1
        if now < best:
            best = now
            best_weights = copy.deepcopy(learner.state_dict())
        if waited >= PATIENCE:
            break
    learner.load_state_dict(best_weights)
    learner.requires_grad_(False)


@torch.no_grad()
def _loss_on(
    learner: Learner, z_BP: Tensor, target_BK: Tensor, loss: Callable[[Tensor, Tensor], Tensor]
) -> float:
    return float(loss(learner(z_BP), target_BK))
