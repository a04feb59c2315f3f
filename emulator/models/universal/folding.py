"""A world's network as plain matrices: tokens, corrections, start and units multiplied out.

Axes: P parameter of theta, D hidden, E hidden of a shock, S shock, C common outputs, R outputs of a
shock, O observable.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from emulator.models.normaliser import FLOOR, WorldStatistics
from emulator.models.universal.head import Head
from emulator.models.universal.layers import Corrections, Shared
from emulator.models.universal.state_space import GROWTH, LOOSE_GROWTH
from emulator.models.universal.tokens import Description


class Folded(NamedTuple):
    """A world's network with tokens, corrections, start and units folded in: plain matrices and
    vectors over all its parameters.

    z = (theta - centre) * inverse_spread. Common: x from z by `first` and `hidden`, outputs [z x]
    outputs + constant. Of each shock (S, ..): s from [z x] by `into_shocks` and from there by
    `shock_hidden`, outputs z shock_linear + shock_constant + s shock_out.
    """

    centre: Tensor
    inverse_spread: Tensor
    first: Tensor
    first_bias: Tensor
    hidden: tuple[tuple[Tensor, Tensor], ...]
    outputs: Tensor
    constant: Tensor
    into_shocks: Tensor
    shock_bias: Tensor
    shock_hidden: Tensor
    shock_hidden_bias: Tensor
    shock_out: Tensor
    shock_linear: Tensor
    shock_constant: Tensor
    sizes: slice | list[int] | None
    shock_unit: Tensor
    live: Tensor | None
    growth: float

    def shock_sizes(self, theta_BP: Tensor) -> Tensor:
        """Sizes of responses to the shocks (B or 1, S): times the sizes of the shocks, unless these
        are inputs as any other parameter.
        """
        return (
            self.shock_unit[None]
            if self.sizes is None
            else theta_BP[:, self.sizes] * self.shock_unit
        )

    def of(self, shocks: list[int]) -> Folded:
        """The weights for some of the shocks alone."""
        sizes = self.sizes
        if sizes is not None:
            columns = list(range(len(self.centre)))[sizes] if isinstance(sizes, slice) else sizes
            sizes = _columns(tuple(columns[shock] for shock in shocks))
        return self._replace(
            into_shocks=self.into_shocks[shocks],
            shock_bias=self.shock_bias[shocks],
            shock_hidden=self.shock_hidden[: len(shocks)],  # the same for all
            shock_hidden_bias=self.shock_hidden_bias[shocks],
            shock_out=self.shock_out[shocks],
            shock_linear=self.shock_linear[shocks],
            shock_constant=self.shock_constant[shocks],
            sizes=sizes,
            shock_unit=self.shock_unit[shocks],
            live=None if self.live is None else self.live[shocks],
        )

    @property
    def linear(self) -> Tensor:
        """Outputs by parameter (P, C)."""
        return self.outputs[: len(self.centre)]

    @property
    def out(self) -> Tensor:
        """Outputs by hidden x (D, C)."""
        return self.outputs[len(self.centre) :]

    @property
    def shock_first(self) -> Tensor:
        """Hidden of each shock by parameter (S, P, E)."""
        return self.into_shocks[:, : len(self.centre)]

    @property
    def shock_from(self) -> Tensor:
        """Hidden of every shock by hidden x (D, E)."""
        return self.into_shocks[0, len(self.centre) :]


def fold(
    shared: Shared,
    own: Corrections,
    head: Head,
    seen: Description,
    statistics: WorldStatistics | None,
) -> Folded:
    """The folded weights of a world, differentiable in all that is trained; before `bind`
    parameters are taken as they are.
    """
    tokens_PT, own_SKT, shocks_ST, world_T = shared.tokens(own)
    common_units, shock_units = head.units(own)
    reach, narrow = (own.reach * common_units)[:, None], own.shock_hidden.shape[0]
    shock_reach, start = (
        (own.reach * shock_units)[:, :, None],
        own.shock_start * shock_units[:, :, None],
    )
    over_all = _Spread(seen, len(shocks_ST))
    skip = shared.skip[own.common] @ tokens_PT.T + own.skip
    skip_SRT = shared.of_shock(shared.shock_skip, shocks_ST, own)
    shock_skip = skip_SRT @ tokens_PT.T + own.shock_skip.view(*shock_units.shape, -1)
    own_first = own_skip = None
    if own_SKT is not None and own.shock_own is not None and own.shock_own_skip is not None:
        own_first = own_SKT @ shared.shock_own.T + own.shock_own.unflatten(
            0, (-1, narrow)
        ).transpose(1, 2)
        own_skip = own_SKT @ shared.of_shock(shared.shock_own_skip, shocks_ST, own).transpose(
            1, 2
        ) + own.shock_own_skip.view(*shock_units.shape, -1).transpose(1, 2)
        own_skip = own_skip * shock_reach.transpose(1, 2)
    outputs = [
        over_all.common(own.common_start[:, 1:] * common_units[:, None] + reach * skip).T,
        (reach * (shared.out[own.common] + own.out)).T,
    ]
    by_parameter = over_all.of_shocks(
        (shared.shock_first @ tokens_PT.T + own.shock_first).T.expand(len(shocks_ST), -1, -1),
        own_first,
    )
    by_hidden = (shared.shock_from + own.shock_from).T.expand(len(shocks_ST), -1, -1)
    constant = shared.of_shock(shared.shock_constant, shocks_ST, own)[..., 0] + own.shock_constant
    shock_out = shared.of_shock(shared.shock_out, shocks_ST, own) + own.shock_out.view(
        *shock_units.shape, -1
    )
    return Folded(
        *_standard_scores(len(seen.parameters), statistics, shared.first),
        first=over_all.common(shared.first @ tokens_PT.T + own.first),
        first_bias=shared.first_bias + shared.first_world @ world_T + own.first_bias,
        hidden=tuple(
            (weight + delta, bias + delta_bias)
            for weight, bias, delta, delta_bias in zip(
                shared.hidden, shared.hidden_bias, own.hidden, own.hidden_bias, strict=True
            )
        ),
        outputs=torch.cat(outputs),
        constant=own.common_start[:, 0] * common_units
        + reach[:, 0] * ((shared.bias @ world_T)[own.common] + own.bias),
        into_shocks=torch.cat([by_parameter, by_hidden], dim=1),
        shock_bias=(shocks_ST @ shared.shock_bias.T + own.shock_bias)[:, None],
        shock_hidden=(shared.shock_hidden + own.shock_hidden).T.expand(len(shocks_ST), -1, -1),
        shock_hidden_bias=(shocks_ST @ shared.shock_hidden_bias.T + own.shock_hidden_bias)[:, None],
        shock_out=(shock_reach * shock_out).transpose(1, 2),
        shock_linear=over_all.of_shocks(
            (start[..., 1:] + shock_reach * shock_skip).transpose(1, 2), own_skip
        ),
        shock_constant=(start[..., 0] + shock_reach[..., 0] * constant)[:, None],
        sizes=_columns(seen.sizes),
        shock_unit=own.shock_unit,
        live=None if bool((own.live > 0).all()) else own.live,
        growth=GROWTH if float(own.reach) > 0 else LOOSE_GROWTH,
    )


class _Spread:
    """Weights on some parameters as weights on all of them, zero on the others."""

    def __init__(self, seen: Description, shocks: int) -> None:
        self.positions, self.parameters = list(seen.common), len(seen.parameters)
        pairs = [(shock, k, p) for shock, own in enumerate(seen.own) for k, p in enumerate(own)]
        self.shock, self.place, self.parameter = (
            (list(entries) for entries in zip(*pairs, strict=True)) if pairs else ([], [], [])
        )

    def common(self, weights: Tensor) -> Tensor:
        """Weights (.., common parameters) as (.., P)."""
        if len(self.positions) == self.parameters:
            return weights
        whole = weights.new_zeros(*weights.shape[:-1], self.parameters)
        whole[..., self.positions] = weights
        return whole

    def of_shocks(self, weights: Tensor, own: Tensor | None) -> Tensor:
        """Weights (S, common parameters, ..) and on each shock's own (S, K, ..) as (S, P, ..)."""
        if len(self.positions) == self.parameters:
            return weights
        whole = weights.new_zeros(len(weights), self.parameters, weights.shape[2])
        whole[:, self.positions] = weights
        if own is not None:
            whole[self.shock, self.parameter] = own[self.shock, self.place]
        return whole


def _columns(positions: tuple[int, ...]) -> slice | list[int] | None:
    """What takes these columns from a tensor, if there are any; a slice where they are side by
    side, which is the faster.
    """
    if not positions:
        return None
    first, last = positions[0], positions[-1] + 1
    return slice(first, last) if positions == tuple(range(first, last)) else list(positions)


def _standard_scores(
    parameters: int, statistics: WorldStatistics | None, like: Tensor
) -> tuple[Tensor, Tensor]:
    """Centre and inverse spread (P,) of a world's parameters; parameters that never varied become
    zero.
    """
    if statistics is None:
        return like.new_zeros(parameters), like.new_ones(parameters)
    return statistics.theta_mean, torch.where(
        statistics.theta_std > 0, 1 / statistics.theta_std, 0.0
    )


def separate(scale_SO: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sizes of shocks (S,) and of observables (O,) whose products come nearest to the scales of
    responses, and which responses ever move (S, O).

    A state space has a size for each shock and for each observable; scales of responses are seldom
    such products exactly.
    """
    silent = scale_SO <= FLOOR * scale_SO.max() * (1 + 1e-6)
    logs, real = torch.where(silent, 0.0, scale_SO.log()), (~silent).to(scale_SO.dtype)
    shock, observable = logs.new_zeros(len(logs), 1), logs.new_zeros(1, logs.shape[1])
    for _ in range(50):  # alternating means; exact at once where nothing is silent
        shock = ((logs - observable) * real).sum(1, keepdim=True) / real.sum(
            1, keepdim=True
        ).clamp_min(1.0)
        observable = ((logs - shock) * real).sum(0, keepdim=True) / real.sum(
            0, keepdim=True
        ).clamp_min(1.0)
    return shock.exp()[:, 0], observable.exp()[0], real
