"""Weights of the universal network: what all worlds share, made from tokens, and what each world adds of its own.

Axes: T token, D hidden, P parameter, S shock, F feature, C outputs common to all shocks, R outputs of each shock.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emulator.models.universal.tokens import (
    PARAMETER_FEATURES,
    SHOCK_FEATURES,
    Description,
    name_features,
    parameter_features,
)

SMALL = 1e-3
"""Spread of the shared output weights at the start, so that responses start from `start`, nearly."""


class Corrections(nn.Module):
    """A world's own part of every weight, zero at the start but for its token, and the fixed facts about the world.

    first (D, P), hidden (D, D), skip (C + S R, P), out (C + S R, D), their biases; token, shock_token and world_token: own parts of
    tokens. Buffers: features of parameters and shocks, which of the shared outputs the world uses; `shock_unit` (S,) and
    `observable_unit` (3,), sizes of responses to a shock and of an observable, `live` (S, 3), zero for responses that never move;
    `start` (C + S R, 1 + P) and `reach`, the share of responses that the start leaves unexplained, by which corrections are multiplied.
    """

    def __init__(self, seen: Description, width: int, layers: int, token_dim: int, common: Tensor, per_shock: Tensor) -> None:
        super().__init__()
        n_inputs, n_shocks = len(seen.parameters), len(seen.shocks)
        rows = len(common) + n_shocks * len(per_shock)
        self.common: Tensor
        self.per_shock: Tensor
        self.register_buffer("common", common, persistent=False)
        self.register_buffer("per_shock", per_shock, persistent=False)
        self.first, self.first_bias = _zeros(width, n_inputs), _zeros(width)
        self.hidden = nn.ParameterList(_zeros(width, width) for _ in range(layers - 1))
        self.hidden_bias = nn.ParameterList(_zeros(width) for _ in range(layers - 1))
        self.skip, self.out, self.bias = _zeros(rows, n_inputs), _zeros(rows, width), _zeros(rows)
        self.token, self.shock_token = _zeros(n_inputs, token_dim), _zeros(n_shocks, token_dim)
        self.world_token = _normal(token_dim, spread=0.1)
        pairs = zip(seen.parameters, seen.roles, strict=True)
        features = [parameter_features(name, role) for name, role in pairs]
        self.shock_unit: Tensor
        self.observable_unit: Tensor
        self.live: Tensor
        self.start: Tensor
        self.reach: Tensor
        self.parameter_features: Tensor
        self.shock_features: Tensor
        self.register_buffer("parameter_features", torch.stack(features) if features else torch.zeros(0, PARAMETER_FEATURES), persistent=False)
        self.register_buffer("shock_features", torch.stack([name_features(name) for name in seen.shocks]), persistent=False)
        self.register_buffer("shock_unit", torch.ones(n_shocks))
        self.register_buffer("observable_unit", torch.ones(3))
        self.register_buffer("live", torch.ones(n_shocks, 3))
        self.register_buffer("start", torch.zeros(rows, 1 + n_inputs))
        self.register_buffer("reach", torch.ones(()))


class Shared(nn.Module):
    """What all worlds share: maps from tokens to weights."""

    def __init__(self, width: int, layers: int, token_dim: int, common: int, per_shock: int, world_token: bool) -> None:
        super().__init__()
        self.per_shock, self.with_world = per_shock, world_token
        self.embed, self.embed_shock = _normal(token_dim, PARAMETER_FEATURES), _normal(token_dim, SHOCK_FEATURES)
        self.first, self.first_bias = _normal(width, token_dim, spread=0.3), _normal(width, spread=0.3)
        self.first_world = _normal(width, token_dim, spread=token_dim**-0.5)
        self.hidden = nn.ParameterList(_normal(width, width, spread=width**-0.5) for _ in range(layers - 1))
        self.hidden_bias = nn.ParameterList(_zeros(width) for _ in range(layers - 1))
        self.out_common, self.out_shock = _normal(common, width, spread=SMALL), _normal(per_shock * width, token_dim, spread=SMALL)
        self.skip_common, self.skip_shock = _normal(common, token_dim, spread=SMALL), _normal(per_shock * token_dim, token_dim, spread=SMALL)
        self.bias_common, self.bias_shock = _normal(common, token_dim, spread=SMALL), _normal(per_shock, token_dim, spread=SMALL)

    def tokens(self, own: Corrections) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens of a world's parameters (P, T), of its shocks (S, T) and of itself (T,)."""
        world = own.world_token if self.with_world else torch.zeros_like(own.world_token)
        return own.parameter_features @ self.embed.T + own.token, own.shock_features @ self.embed_shock.T + own.shock_token, world

    def out_rows(self, shocks_ST: Tensor, own: Corrections) -> Tensor:
        """Output weights (C + S R, D) of a world."""
        return self._rows(self.out_common, self.out_shock, shocks_ST, own)

    def skip_rows(self, shocks_ST: Tensor, own: Corrections) -> Tensor:
        """Weights of the skip on tokens (C + S R, T) of a world."""
        return self._rows(self.skip_common, self.skip_shock, shocks_ST, own)

    def bias_rows(self, shocks_ST: Tensor, world_T: Tensor, own: Corrections) -> Tensor:
        """Output biases (C + S R,) of a world."""
        return torch.cat([(self.bias_common @ world_T)[own.common], (shocks_ST @ self.bias_shock.T)[:, own.per_shock].flatten()])

    def _rows(self, common: Tensor, of_shock: Tensor, shocks_ST: Tensor, own: Corrections) -> Tensor:
        by_shock = (shocks_ST @ of_shock.T).unflatten(1, (self.per_shock, -1))[:, own.per_shock]
        return torch.cat([common[own.common], by_shock.flatten(0, 1)])


def _zeros(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(shape))


def _normal(*shape: int, spread: float = 1.0) -> nn.Parameter:
    return nn.Parameter(spread * torch.randn(shape))
