"""A network as responder: derivatives by automatic differentiation, backwards.

One gradient takes one pass. All derivatives of N responses take one pass as well, over N copies of
the draw, of which the k-th is asked for its k-th response; PyTorch's forward mode took three times
as long.

Axes: n draw, P parameter, F free parameter, H horizon.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from emulator.errors import ParameterError
from emulator.estimation.responder import Force, Local, Pulled, Responder
from emulator.inference.network import Emulator
from emulator.models.trained import in_batches

LEAST = 1e-30
"""Probabilities nearer to zero than this count as this, so that their logarithm stays finite in
single precision.
"""

SHARPER = 8.0
"""Factor on the log-odds of a solution.

A likelihood may favour draws without one by many orders of magnitude, since there the network's
responses are whatever they are: at odds of one to nine as the network states them, such a draw is
to be worth 2e-8 rather than a tenth.
"""


class NetworkResponder(Responder):
    """A trained network; the probability of a solution is its own word, sharpened (`SHARPER`), and
    one everywhere if it is not calibrated on verdicts.
    """

    exact = False

    def __init__(self, emulator: Emulator, world: str, shock: str, horizon: int) -> None:
        super().__init__(emulator.spec(world), shock, horizon)
        self.network = copy.deepcopy(emulator.network).requires_grad_(False)
        self.trust = copy.deepcopy(emulator.trust)
        if horizon > self.network.horizon and not self.network.any_horizon:
            raise ParameterError(
                f"The target's horizon is {horizon}; this network answers to horizons 0 to"
                f" {self.network.horizon}. Match an earlier last horizon."
            )
        self.judges = self.trust is not None and self.trust.judges(world)
        self.device = next(self.network.parameters(), torch.empty(0)).device
        self.title = "network"
        self.alone = (
            self.network.alone(world)
            if horizon <= self.network.horizon
            else lambda theta: self.network(theta, world, horizon)
        )

    def responses(self, theta: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return in_batches(self._irf, theta, self.device).astype(np.float64)

    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return in_batches(self._log_solvable, theta, self.device).astype(np.float64)

    def local(self, theta: np.ndarray, free: Sequence[int]) -> Local:
        n = 3 * (self.horizon + 1)
        rows = self._row(theta).repeat(n + 1, 1).requires_grad_()
        responses = self.alone(rows)[:, self.shock, : self.horizon + 1]
        log_solvable = self._log_solvable(rows[n:]).sum()
        (by,) = torch.autograd.grad(responses.flatten(1)[:n].diagonal().sum() + log_solvable, rows)
        found = by[:, list(free)].double().cpu().numpy()
        irf = responses[0].detach().double().cpu().numpy()
        return Local(
            irf, float(log_solvable.detach()), found[:n].T.reshape(len(free), *irf.shape), found[n]
        )

    def pulled(self, theta: np.ndarray, free: Sequence[int], force: Force) -> Pulled:
        row = self._row(theta).requires_grad_()
        responses = self.alone(row)[0, self.shock, : self.horizon + 1]
        irf = responses.detach().double().cpu().numpy()
        log_solvable = self._log_solvable(row).sum()
        pushed = (
            responses * torch.as_tensor(force(irf), dtype=responses.dtype, device=self.device)
        ).sum()
        (gradient,) = torch.autograd.grad(pushed + log_solvable, row)
        return Pulled(
            irf, float(log_solvable.detach()), gradient[0, list(free)].double().cpu().numpy()
        )

    def flagged(self, theta: np.ndarray) -> np.ndarray:
        """Which draws (n,) the network itself says to doubt; none where it is not calibrated."""
        trust = self.trust
        if trust is None:
            return np.zeros(len(theta), dtype=bool)
        with torch.no_grad():
            return (
                in_batches(lambda batch: trust.flagged(batch, self.spec.name), theta, self.device)
                > 0
            )

    def _row(self, theta: np.ndarray) -> Tensor:
        return torch.as_tensor(theta[None], dtype=torch.float32, device=self.device)

    def _irf(self, theta: Tensor) -> Tensor:
        return self.network(theta, self.spec.name, self.horizon)[:, self.shock]

    def _log_solvable(self, theta: Tensor) -> Tensor:
        if self.trust is None or not self.judges:
            return theta.new_zeros(len(theta))
        probability = self.trust.determinacy(theta, self.spec.name).clamp(
            LEAST, 1 - torch.finfo(torch.float32).eps
        )
        return torch.nn.functional.logsigmoid(SHARPER * probability.logit())
