"""The universal network: parameters' names, roles and values in, impulse responses of any world out.

    e_p = E [features of name and role of p] + own_p                    a token a parameter
    x   = phi(W x_1 + b),  x_1 = phi(sum_p z_p U e_p + V world + b_1)   trunk, shared, with a correction of each world's own
    (A, B, C, g) = start(z) + r (K z + O x)                             latent state space; rows of B and g by token of the shock
    y_h[s, o] = size_s exp(g_s) k[s, o] (C A^h B)[o, s]                 sizes of shocks in linear worlds multiply exactly

Weights are sums of a part made from tokens, which all worlds share, and a part of the world's own, so that for a given world
all of it folds into one small perceptron. A world's own parts start at zero: a new world starts from what others taught.
Axes: B batch, P parameter, S shock, N latent state, D hidden, T token, O observable, H horizon.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.base import EmulatorModel
from emulator.models.normaliser import FLOOR, WorldStatistics
from emulator.models.universal.head import Head
from emulator.models.universal.layers import Corrections, Shared
from emulator.models.universal.start import START_DRAWS, regress
from emulator.models.universal.state_space import GROWTH, LOOSE_GROWTH
from emulator.models.universal.tokens import UNNAMED, Description
from emulator.spec import WorldSpec

BLOCK = 512
"""Draws predicted at once: what lies between the layers then stays in the processor's caches."""


class Folded(NamedTuple):
    """A world's network with tokens, corrections, start and units folded in: plain matrices and vectors.

    z = (theta - centre) * inverse_spread;  outputs = z linear' + constant + x out', x from z by `first` and `hidden`.
    """

    centre: Tensor
    inverse_spread: Tensor
    first: Tensor
    first_bias: Tensor
    hidden: tuple[tuple[Tensor, Tensor], ...]
    out: Tensor
    linear: Tensor
    constant: Tensor
    live: Tensor | None
    growth: float


class UniversalEmulator(EmulatorModel):
    """One network for many worlds.

    worlds: a `Description` of each, as plain values; H: last horizon of the training data; width, layers: of the trunk;
    states, most_states: a world of S shocks has 2 S + 2 latent states, but at least and at most so many; token_dim: size of tokens. For ablations: names (else parameters and shocks
    are anonymous), world_token, structure (else responses are read off the trunk, horizon by horizon), shock_sizes (else
    they are inputs as any other parameter), start (else training starts from chance).
    """

    def __init__(
        self,
        worlds: Mapping[str, Mapping[str, Any]],
        H: int = 40,
        width: int = 128,
        layers: int = 2,
        states: int = 12,
        most_states: int = 16,
        token_dim: int = 32,
        names: bool = True,
        world_token: bool = True,
        structure: bool = True,
        shock_sizes: bool = True,
        start: bool = True,
    ) -> None:
        found = {name: Description.read(plain) for name, plain in worlds.items()}
        super().__init__(
            worlds={name: d.plain() for name, d in found.items()}, H=H, width=width, layers=layers, states=states,
            most_states=most_states, token_dim=token_dim, names=names, world_token=world_token, structure=structure, shock_sizes=shock_sizes, start=start,
        )  # fmt: skip
        if not found or H < 0 or min(width, layers, token_dim) < 1 or not 3 <= states <= most_states:
            raise ModelError("UniversalEmulator needs at least one world, H >= 0, width, layers and token_dim of at least 1, three states or more, and most_states no less than states.")
        self.descriptions = found
        self.param_dims = {name: len(d.parameters) for name, d in found.items()}
        self.shock_dims = {name: len(d.shocks) for name, d in found.items()}
        self.horizon, self.any_horizon = H, structure
        largest = Head(most_states, H, structure)
        self.shared = Shared(width, layers, token_dim, largest.common, largest.per_shock, world_token)
        self.heads = {name: Head(min(most_states, max(states, 2 * len(d.shocks) + 2)), H, structure) for name, d in found.items()}
        self._position = {name: k for k, name in enumerate(found)}
        self._sizes = {name: d.sizes if shock_sizes else () for name, d in found.items()}
        self._inputs = {name: [p for p in range(len(d.parameters)) if p not in self._sizes[name]] for name, d in found.items()}
        self.corrections = nn.ModuleList(
            Corrections(self._seen(d, self._inputs[name], names), width, layers, token_dim, *self.heads[name].rows_of(largest))
            for name, d in found.items()
        )
        for name in found:
            self.heads[name].scatter(self._own(name))
        self._folded: dict[str, tuple[tuple[int, ...], Folded]] = {}
        self._made_of: dict[str, list[nn.Parameter]] = {}

    @classmethod
    def from_specs(cls, specs: Mapping[str, WorldSpec], horizon: int, **options: Any) -> UniversalEmulator:
        return cls(worlds={name: Description.of(spec).plain() for name, spec in specs.items()}, H=horizon, **options)

    @staticmethod
    def _seen(description: Description, inputs: list[int], names: bool) -> Description:
        """What the tokens are made of: the parameters that are inputs; nobody's name where names are not told."""
        parameters = tuple(description.parameters[p] if names else UNNAMED for p in inputs)
        shocks = tuple(name if names else UNNAMED for name in description.shocks)
        return Description(parameters, tuple(description.roles[p] if names else UNNAMED for p in inputs), shocks, description.linear)

    # -- the data's scales -----------------------------------------------------------------------------------------

    def bind(self, statistics: Mapping[str, WorldStatistics], specs: Mapping[str, WorldSpec]) -> None:
        super().bind(statistics, specs)
        for world, found in statistics.items():
            own = self._own(world)
            shock, observable, live = _separate(found.irf_scale)
            mean = found.theta_mean[list(self._sizes[world])] if self._sizes[world] else torch.ones_like(shock)
            own.shock_unit, own.observable_unit, own.live = (
                value.to(own.live) for value in (shock / torch.where(mean > 0, mean, 1.0), observable, live)
            )

    def _own(self, world: str) -> Corrections:
        return self.corrections[self._position[world]]  # type: ignore[return-value]

    def prepare(self, samples: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Least squares of `start`, from at most `START_DRAWS` draws of each world."""
        if not (self.options["start"] and self.options["structure"]):
            return
        for world, (theta, irf) in samples.items():
            own, theta, irf = self._own(world), theta[:START_DRAWS], irf[:START_DRAWS]
            z, sizes = self.normaliser.theta(theta, world)[:, self._inputs[world]], self._shock_sizes(theta, world)
            size_BS = own.shock_unit.expand(len(z), -1) if sizes is None else own.shock_unit * sizes
            units = size_BS[:, :, None, None] * own.observable_unit
            latent = torch.where((own.live > 0)[None, :, None, :] & (units > 0), irf / units, 0.0)
            with torch.no_grad():
                self.heads[world].begin(own, regress(torch.cat([torch.ones(len(z), 1), z], dim=1), latent, self.heads[world].lags))

    def start_from(self, weights: Mapping[str, Tensor], specs: Mapping[str, WorldSpec]) -> None:
        """Take over what another universal network shares, and the own parts of worlds that it knows by the same name."""
        super().start_from(self._renamed(weights, list(specs)), specs)

    def _renamed(self, weights: Mapping[str, Tensor], others: list[str]) -> dict[str, Tensor]:
        """The other network's weights under this one's positions of worlds; own parts of worlds unknown here are left out."""
        found = {}
        for name, value in weights.items():
            parts = name.split(".")
            if parts[0] == "corrections":
                world = others[int(parts[1])] if int(parts[1]) < len(others) else ""
                if world not in self._position:
                    continue
                parts[1] = str(self._position[world])
            found[".".join(parts)] = value
        return found

    # -- the network -----------------------------------------------------------------------------------------------

    def natural(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        if torch.is_grad_enabled() or len(theta_BP) <= BLOCK:
            return self._predict(theta_BP, world, horizon)
        irf = theta_BP.new_empty(len(theta_BP), self.shock_dims[world], horizon + 1, 3)
        for first in range(0, len(theta_BP), BLOCK):
            irf[first : first + BLOCK] = self._predict(theta_BP[first : first + BLOCK], world, horizon)
        return irf

    def _predict(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        folded = self._fold(world)
        z_BP = (theta_BP - folded.centre) * folded.inverse_spread
        x = nn.functional.silu(nn.functional.linear(z_BP, folded.first, folded.first_bias))
        for weight, bias in folded.hidden:
            x = nn.functional.silu(nn.functional.linear(x, weight, bias))
        correction = nn.functional.linear(x, folded.out)
        with torch.autocast(theta_BP.device.type, enabled=False):
            outputs = torch.addmm(folded.constant, z_BP, folded.linear.T) + correction.float()
            return self.heads[world].responses(outputs, self._shock_sizes(theta_BP, world), folded.live, horizon, folded.growth)

    def _shock_sizes(self, theta_BP: Tensor, world: str) -> Tensor | None:
        """Sizes of the shocks (B, S) in natural units; none where they are inputs as any other parameter."""
        sizes = self._sizes[world]
        if not sizes:
            return None
        first, last = sizes[0], sizes[-1] + 1
        return theta_BP[:, first:last] if sizes == tuple(range(first, last)) else theta_BP[:, list(sizes)]

    def _fold(self, world: str) -> Folded:
        """The world's folded weights: kept while nothing changes and no gradient is wanted."""
        if torch.is_grad_enabled():
            return self._make(world)
        if world not in self._made_of:
            self._made_of[world] = [*self.shared.parameters(), *self._own(world).parameters()]
        versions = tuple(p._version for p in self._made_of[world])
        kept = self._folded.get(world)
        if kept is None or kept[0] != versions or kept[1].first.device != self.shared.first.device:
            kept = self._folded[world] = (versions, self._make(world))
        return kept[1]

    def _make(self, world: str) -> Folded:
        own, shared, head = self._own(world), self.shared, self.heads[world]
        tokens_PT, shocks_ST, world_T = shared.tokens(own)
        hidden = tuple(
            (weight + delta, bias + delta_bias)
            for weight, bias, delta, delta_bias in zip(shared.hidden, shared.hidden_bias, own.hidden, own.hidden_bias, strict=True)
        )
        units = head.units(own)
        reach, start = (own.reach * units)[:, None], own.start * units[:, None]
        skip = shared.skip_rows(shocks_ST, own) @ tokens_PT.T + own.skip
        bias = shared.bias_rows(shocks_ST, world_T, own) + own.bias
        return Folded(
            *self._standard_scores(world),
            first=self._over_all(shared.first @ tokens_PT.T + own.first, world),
            first_bias=shared.first_bias + shared.first_world @ world_T + own.first_bias,
            hidden=hidden,
            out=reach * (shared.out_rows(shocks_ST, own) + own.out),
            linear=self._over_all(start[:, 1:] + reach * skip, world),
            constant=start[:, 0] + reach[:, 0] * bias,
            live=None if bool((own.live > 0).all()) else own.live,
            growth=GROWTH if float(own.reach) > 0 else LOOSE_GROWTH,
        )

    def _standard_scores(self, world: str) -> tuple[Tensor, Tensor]:
        """Centre and inverse spread (P,) of a world's parameters; parameters that never varied become zero."""
        if not self.normaliser.fitted:
            one = self.shared.first.new_ones(self.param_dims[world])
            return 0 * one, one
        found = self.normaliser.statistics(world)
        return found.theta_mean, torch.where(found.theta_std > 0, 1 / found.theta_std, 0.0)

    def _over_all(self, weights: Tensor, world: str) -> Tensor:
        """Weights on a world's inputs as weights on all its parameters: zero on sizes that multiply."""
        inputs = self._inputs[world]
        if len(inputs) == self.param_dims[world]:
            return weights
        full = weights.new_zeros(len(weights), self.param_dims[world])
        full[:, inputs] = weights
        return full


def _separate(scale_SO: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sizes of shocks (S,) and of observables (3,) whose products come nearest to the scales of responses, and which responses ever move (S, 3).

    A state space has a size for each shock and for each observable; scales of responses are seldom such products exactly.
    """
    silent = scale_SO <= FLOOR * scale_SO.max() * (1 + 1e-6)
    logs, real = torch.where(silent, 0.0, scale_SO.log()), (~silent).to(scale_SO.dtype)
    shock, observable = logs.new_zeros(len(logs), 1), logs.new_zeros(1, logs.shape[1])
    for _ in range(50):  # alternating means; exact at once where nothing is silent
        shock = ((logs - observable) * real).sum(1, keepdim=True) / real.sum(1, keepdim=True).clamp_min(1.0)
        observable = ((logs - shock) * real).sum(0, keepdim=True) / real.sum(0, keepdim=True).clamp_min(1.0)
    return shock.exp()[:, 0], observable.exp()[0], real
