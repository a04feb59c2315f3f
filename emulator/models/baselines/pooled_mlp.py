"""One multilayer perceptron for all worlds, told apart by a learned token.

Axes: B batch, P parameter (of the widest world), D token, S shock, H horizon, O observable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.base import EmulatorModel, mlp
from emulator.models.counts import observable_dims, observables_option, shock_dims


class PooledMLPBaseline(EmulatorModel):
    """[theta padded with zeros, token of the world] -> one MLP -> all responses of the widest
    world, cut to the world's own.
    """

    def __init__(
        self,
        param_dims: Mapping[str, int],
        hidden_dims: Sequence[int] = (512, 512, 512),
        H: int = 40,
        n_shocks: int | Mapping[str, int] = 3,
        token_dim: int = 16,
        dropout: float = 0.0,
        n_observables: int | Mapping[str, int] = 3,
    ) -> None:
        counts = n_shocks if isinstance(n_shocks, int) else dict(n_shocks)
        super().__init__(
            param_dims=dict(param_dims),
            hidden_dims=list(hidden_dims),
            H=H,
            n_shocks=counts,
            token_dim=token_dim,
            dropout=dropout,
            **observables_option(n_observables),
        )
        if not param_dims or not hidden_dims or H < 0 or token_dim < 1:
            raise ModelError(
                "PooledMLPBaseline needs at least one world, one hidden layer, H >= 0 and token_dim"
                " >= 1."
            )
        self.param_dims = dict(param_dims)
        self.shock_dims = shock_dims(param_dims, n_shocks)
        self.observable_dims = observable_dims(param_dims, n_observables)
        self.horizon = H
        self.width = max(self.param_dims.values())
        self.widest = max(self.shock_dims.values()), H + 1, max(self.observable_dims.values())
        self.tokens = nn.Parameter(torch.randn(len(self.param_dims), token_dim))
        self.network = mlp([self.width + token_dim, *hidden_dims, math.prod(self.widest)], dropout)
        self._position = {world: k for k, world in enumerate(self.param_dims)}

    def standardised(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        padded = nn.functional.pad(theta_BP, (0, self.width - theta_BP.shape[1]))
        token = self.tokens[self._position[world]].expand(len(theta_BP), -1)
        flat = self.network(torch.cat([padded, token], dim=1))
        irf = flat.unflatten(1, self.widest)
        return irf[:, : self.shock_dims[world], :, : self.observable_dims[world]]
