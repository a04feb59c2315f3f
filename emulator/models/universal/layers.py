"""Weights of the universal network: what all worlds share, made from tokens, and what each world
adds of its own.

Axes: T token, D hidden, E hidden of a shock, P common parameters, S shock, K own parameters of a
shock at most, F feature, C common outputs, R outputs of a shock.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from emulator.models.universal.layout import Layout, shared_places
from emulator.models.universal.tokens import (
    PARAMETER_FEATURES,
    SHOCK_FEATURES,
    UNNAMED,
    Description,
    name_features,
    parameter_features,
)

SMALL = 1e-3
"""Spread of the shared output weights at the start, so that responses start from `start`, nearly.
"""


INPUT = 0.3
"""Spread of the weight of a hidden unit on a standard score at the start: small, so that the first
functions are smooth.
"""


BY_OUTPUT = (
    ("out", "skip", "bias"),
    ("shock_out", "shock_constant", "shock_skip", "shock_own_skip"),
)
"""Shared weights whose rows stand for common outputs, and for outputs of a shock."""


class Sizes(NamedTuple):
    """Hidden units and layers of the common part, hidden units of a shock's part, entries of a
    token.
    """

    width: int
    shock_width: int
    layers: int
    token: int


class Corrections(nn.Module):
    """A world's own part of every weight, zero at the start but for its token, and the fixed facts
    about the world.

    Buffers: features of parameters and shocks; which of the shared outputs the world uses;
    `shock_unit` (S,) and `observable_unit` (O,), sizes of responses to a shock and of an
    observable; `live` (S, O), zero for responses that never move; `common_start` (C, 1 + P) and
    `shock_start` (S, R, 1 + P), what outputs are before training, linear in the common parameters,
    and `reach`, zero where that explains all responses and else one: corrections are multiplied by
    it.
    """

    def __init__(
        self,
        seen: Description,
        sizes: Sizes,
        common: Tensor,
        per_shock: Tensor,
        *,
        names: bool = True,
    ) -> None:
        super().__init__()
        observables = len(seen.observables)
        inputs, shocks, most = len(seen.common), len(seen.shocks), max(len(own) for own in seen.own)
        c, r, width, narrow = len(common), len(per_shock), sizes.width, sizes.shock_width
        self.first, self.first_bias = _zeros(width, inputs), _zeros(width)
        self.hidden = nn.ParameterList(_zeros(width, width) for _ in range(sizes.layers - 1))
        self.hidden_bias = nn.ParameterList(_zeros(width) for _ in range(sizes.layers - 1))
        self.out, self.skip, self.bias = _zeros(c, width), _zeros(c, inputs), _zeros(c)
        self.shock_first, self.shock_own = (
            _zeros(narrow, inputs),
            (_zeros(shocks * narrow, most) if most else None),
        )
        self.shock_from, self.shock_bias = _zeros(narrow, width), _zeros(shocks, narrow)
        self.shock_hidden, self.shock_hidden_bias = _zeros(narrow, narrow), _zeros(shocks, narrow)
        self.shock_out, self.shock_constant = _zeros(shocks * r, narrow), _zeros(shocks, r)
        self.shock_skip, self.shock_own_skip = (
            _zeros(shocks * r, inputs),
            (_zeros(shocks * r, most) if most else None),
        )
        self.token, self.own_token = (
            _zeros(inputs, sizes.token),
            (_zeros(shocks * most, sizes.token) if most else None),
        )
        self.shock_token, self.world_token = (
            _zeros(shocks, sizes.token),
            _normal(sizes.token, spread=0.1),
        )
        self.features: Tensor
        self.own_features: Tensor
        self.shock_features: Tensor
        self.common: Tensor
        self.per_shock: Tensor
        self.shock_unit: Tensor
        self.observable_unit: Tensor
        self.live: Tensor
        self.common_start: Tensor
        self.shock_start: Tensor
        self.reach: Tensor
        own_features = torch.zeros(shocks, most, PARAMETER_FEATURES)
        for shock, own in enumerate(seen.own):
            for k, p in enumerate(own):
                own_features[shock, k] = _features(seen, p, names)
        facts = {
            "features": (
                torch.stack([_features(seen, p, names) for p in seen.common])
                if inputs
                else torch.zeros(0, PARAMETER_FEATURES)
            ),
            "own_features": own_features.flatten(0, 1),
            "shock_features": torch.stack(
                [name_features(name if names else UNNAMED) for name in seen.shocks]
            ),
            "common": common,
            "per_shock": per_shock,
        }
        for name, value in facts.items():
            self.register_buffer(name, value, persistent=False)
        for name, shape in (
            ("shock_unit", (shocks,)),
            ("observable_unit", (observables,)),
            ("live", (shocks, observables)),
            ("reach", ()),
        ):
            self.register_buffer(name, torch.ones(shape))
        self.register_buffer("common_start", torch.zeros(c, 1 + inputs))
        self.register_buffer("shock_start", torch.zeros(shocks, r, 1 + inputs))


class Shared(nn.Module):
    """What all worlds share: maps from tokens to weights."""

    def __init__(self, sizes: Sizes, common: int, per_shock: int, world_token: bool) -> None:
        super().__init__()
        width, narrow, token = sizes.width, sizes.shock_width, sizes.token
        self.per_shock, self.with_world = per_shock, world_token
        self.embed, self.embed_shock = (
            _normal(token, PARAMETER_FEATURES),
            _normal(token, SHOCK_FEATURES),
        )
        self.first, self.first_bias = (
            _normal(width, token, spread=INPUT * token**-0.5),
            _normal(width, spread=INPUT),
        )
        self.first_world = _normal(width, token, spread=token**-0.5)
        self.hidden = nn.ParameterList(
            _normal(width, width, spread=width**-0.5) for _ in range(sizes.layers - 1)
        )
        self.hidden_bias = nn.ParameterList(_zeros(width) for _ in range(sizes.layers - 1))
        self.out, self.skip, self.bias = (
            _normal(common, width, spread=SMALL),
            _normal(common, token, spread=SMALL),
            _normal(common, token, spread=SMALL),
        )
        self.shock_first, self.shock_own = (
            _normal(narrow, token, spread=INPUT * token**-0.5) for _ in range(2)
        )
        self.shock_from, self.shock_bias = (
            _normal(narrow, width, spread=0.5 * width**-0.5),
            _normal(narrow, token, spread=INPUT * token**-0.5),
        )
        self.shock_hidden, self.shock_hidden_bias = (
            _normal(narrow, narrow, spread=narrow**-0.5),
            _zeros(narrow, token),
        )
        self.shock_out, self.shock_constant = (
            _normal(per_shock * narrow, token, spread=SMALL),
            _normal(per_shock, token, spread=SMALL),
        )
        self.shock_skip, self.shock_own_skip = (
            _normal(per_shock * token, token, spread=SMALL),
            _normal(per_shock * token, token, spread=SMALL),
        )

    def taken_over(self, layout: Layout, other: Shared, other_layout: Layout) -> dict[str, Tensor]:
        """The weights of another network's shared part, laid out as here: those on outputs that
        both have; elsewhere this part's own.
        """
        weights = other.state_dict()
        if layout == other_layout or layout.structure != other_layout.structure:
            return weights
        mine = self.state_dict()
        counts = (layout.common, other_layout.common), (layout.per_shock, other_layout.per_shock)
        places = shared_places(layout, other_layout)
        for names, (count, others), (here, there) in zip(BY_OUTPUT, counts, places, strict=True):
            for name in names if count and others else ():
                rows = mine[name].clone().unflatten(0, (count, -1))
                their_rows = weights[name].unflatten(0, (others, -1))
                if rows.shape[1:] == their_rows.shape[1:]:
                    rows[here] = their_rows[there]
                    weights[name] = rows.flatten(0, 1)
        return weights

    def tokens(self, own: Corrections) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Tokens of a world's common parameters (P, T), of its shocks' own (S, K, T) if there are
        any, of its shocks (S, T) and of itself (T,).
        """
        world = own.world_token if self.with_world else torch.zeros_like(own.world_token)
        of_shocks = own.shock_features @ self.embed_shock.T + own.shock_token
        of_own = (
            None
            if own.own_token is None
            else (own.own_features @ self.embed.T + own.own_token).unflatten(
                0, (len(of_shocks), -1)
            )
        )
        return own.features @ self.embed.T + own.token, of_own, of_shocks, world

    def of_shock(self, weights: Tensor, shocks_ST: Tensor, own: Corrections) -> Tensor:
        """Output weights (S, R, ..) of a world's shocks from weights (R' .., T) by token."""
        return (shocks_ST @ weights.T).unflatten(1, (self.per_shock, -1))[:, own.per_shock]


def _features(seen: Description, parameter: int, names: bool) -> Tensor:
    return (
        parameter_features(seen.parameters[parameter], seen.roles[parameter])
        if names
        else parameter_features(UNNAMED, UNNAMED)
    )


def _zeros(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(shape))


def _normal(*shape: int, spread: float = 1.0) -> nn.Parameter:
    return nn.Parameter(spread * torch.randn(shape))
