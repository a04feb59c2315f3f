"""A recurrent network for each world; nothing is shared.

Axes: B batch, P parameter, D hidden, S shock, H horizon, O observable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.base import mlp
from emulator.models.baselines.per_world import PerWorldBaseline


class PerWorldGRUBaseline(PerWorldBaseline):
    """theta -> first hidden state and input of the world's GRU -> unrolled over horizons, all
    shocks at once.

    hidden_dim: width of the state; the rest as in `PerWorldBaseline`. No response is fed back, so
    that any horizon can be asked for. The unit is that of Cho et al. (2014,
    doi:10.3115/v1/D14-1179).
    """

    any_horizon = True

    def __init__(
        self,
        param_dims: Mapping[str, int],
        hidden_dim: int = 128,
        H: int = 40,
        n_shocks: int | Mapping[str, int] = 3,
        n_observables: int | Mapping[str, int] = 3,
        sizes: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        super().__init__(param_dims, H, n_shocks, n_observables, sizes, hidden_dim=hidden_dim)
        if hidden_dim < 1:
            raise ModelError(f"PerWorldGRUBaseline needs hidden_dim >= 1; found {hidden_dim}.")
        self.networks = nn.ModuleList(
            _Unrolled(n, hidden_dim, (self.shock_dims[world], self.observable_dims[world]))
            for world, n in self.param_dims.items()
        )

    def standardised(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        return self.part(self.networks, world)(theta_BP, horizon)


class _Unrolled(nn.Module):
    """theta (B, P) -> responses (B, S, H+1, O) of one world, `shape` (S, O)."""

    def __init__(self, n_parameters: int, hidden_dim: int, shape: tuple[int, int]) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = mlp([n_parameters, hidden_dim, hidden_dim])
        self.start = nn.Linear(hidden_dim, hidden_dim)
        self.cell = nn.GRU(hidden_dim, hidden_dim, batch_first=True)
        self.head = nn.Linear(hidden_dim, math.prod(shape))

    def forward(self, theta_BP: Tensor, horizon: int) -> Tensor:
        if not len(theta_BP):  # PyTorch's GRU takes no empty batch
            n_shocks, n_observables = self.shape
            return theta_BP.new_zeros(0, n_shocks, horizon + 1, n_observables)
        code_BD = self.encoder(theta_BP)
        inputs_BHD = code_BD[:, None].expand(-1, horizon + 1, -1)
        states_BHD, _ = self.cell(inputs_BHD, torch.tanh(self.start(code_BD))[None])
        return self.head(states_BHD).unflatten(2, self.shape).transpose(1, 2)
