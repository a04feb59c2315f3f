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
from emulator.models.universal.tokens import UNNAMED, Description
from emulator.spec import WorldSpec


class Folded(NamedTuple):
    """A world's network with tokens and corrections folded in: plain matrices and vectors."""

    first: Tensor
    first_bias: Tensor
    hidden: tuple[tuple[Tensor, Tensor], ...]
    skip: Tensor
    out: Tensor
    bias: Tensor


class UniversalEmulator(EmulatorModel):
    """One network for many worlds.

    worlds: a `Description` of each, as plain values; H: last horizon of the training data; width, layers: of the trunk;
    lags, most_lags: a world of S shocks has 3 lags latent states with S - 2 lags, but at least and at most so many; token_dim: size of tokens. For ablations: names (else parameters and shocks
    are anonymous), world_token, structure (else responses are read off the trunk, horizon by horizon), shock_sizes (else
    they are inputs as any other parameter), start (else training starts from chance).
    """

    def __init__(
        self,
        worlds: Mapping[str, Mapping[str, Any]],
        H: int = 40,
        width: int = 128,
        layers: int = 2,
        lags: int = 3,
        most_lags: int = 5,
        token_dim: int = 32,
        names: bool = True,
        world_token: bool = True,
        structure: bool = True,
        shock_sizes: bool = True,
        start: bool = True,
    ) -> None:
        found = {name: Description.read(plain) for name, plain in worlds.items()}
        super().__init__(
            worlds={name: d.plain() for name, d in found.items()}, H=H, width=width, layers=layers, lags=lags,
            most_lags=most_lags, token_dim=token_dim, names=names, world_token=world_token, structure=structure, shock_sizes=shock_sizes, start=start,
        )  # fmt: skip
        if not found or H < 0 or min(width, layers, lags, token_dim) < 1 or most_lags < lags:
            raise ModelError("UniversalEmulator needs at least one world, H >= 0, width, layers, lags and token_dim of at least 1, and most_lags no less than lags.")
        self.descriptions = found
        self.param_dims = {name: len(d.parameters) for name, d in found.items()}
        self.shock_dims = {name: len(d.shocks) for name, d in found.items()}
        self.horizon, self.any_horizon = H, structure
        largest = Head(most_lags, H, structure)
        self.shared = Shared(width, layers, token_dim, largest.common, largest.per_shock, world_token)
        self.heads = {name: Head(min(most_lags, max(lags, len(d.shocks) - 2)), H, structure) for name, d in found.items()}
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
            scale = _ratio(found.irf_scale)
            self._own(world).ratio = scale.to(self._own(world).ratio)

    def _own(self, world: str) -> Corrections:
        return self.corrections[self._position[world]]  # type: ignore[return-value]

    def prepare(self, samples: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Least squares of `start`, from at most `START_DRAWS` draws of each world."""
        if not (self.options["start"] and self.options["structure"]):
            return
        for world, (theta, irf) in samples.items():
            own, scale = self._own(world), self.normaliser.statistics(world).irf_scale
            z, size_BS = self._split(self.normaliser.theta(theta[:START_DRAWS], world), world)
            units = (scale * torch.where(own.ratio > 0, own.ratio, 1.0))[None, :, None, :] * size_BS[:, :, None, None]
            latent = torch.where((own.ratio > 0)[None, :, None, :] & (size_BS > 0)[:, :, None, None], irf[:START_DRAWS] / units, 0.0)
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

    def standardised(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        z_BP, size_BS = self._split(theta_BP, world)
        own, head, folded = self._own(world), self.heads[world], self._fold(world)
        x = nn.functional.silu(nn.functional.linear(z_BP, folded.first, folded.first_bias))
        for weight, bias in folded.hidden:
            x = nn.functional.silu(nn.functional.linear(x, weight, bias))
        correction = torch.addmm(nn.functional.linear(z_BP, folded.skip, folded.bias), x, folded.out.T)
        with torch.autocast(z_BP.device.type, enabled=False):
            values = head.assemble(own, z_BP.float(), correction.float())
            return head.responses(values, own, horizon) * size_BS[:, :, None, None]

    def _split(self, theta_BP: Tensor, world: str) -> tuple[Tensor, Tensor]:
        """Standard scores of the inputs (B, P'), and sizes of the shocks (B, S) as shares of their mean; ones where sizes are inputs."""
        sizes = list(self._sizes[world])
        if not sizes:
            return theta_BP, theta_BP.new_ones(len(theta_BP), self.shock_dims[world])
        inputs = theta_BP[:, self._inputs[world]]
        if not self.normaliser.fitted:
            return inputs, theta_BP[:, sizes]
        found = self.normaliser.statistics(world)
        mean = found.theta_mean[sizes]
        natural = theta_BP[:, sizes] * found.theta_std[sizes] + mean
        return inputs, natural / torch.where(mean > 0, mean, 1.0)

    def _fold(self, world: str) -> Folded:
        """The world's folded weights: kept while nothing changes and no gradient is wanted."""
        if torch.is_grad_enabled():
            return self._make(world)
        versions = tuple(p._version for p in self._relevant(world))
        kept = self._folded.get(world)
        if kept is None or kept[0] != versions or kept[1].first.device != self.shared.first.device:
            kept = self._folded[world] = (versions, self._make(world))
        return kept[1]

    def _relevant(self, world: str) -> list[Tensor]:
        return [*self.shared.parameters(), *self._own(world).parameters()]

    def _make(self, world: str) -> Folded:
        own, shared = self._own(world), self.shared
        tokens_PT, shocks_ST, world_T = shared.tokens(own)
        hidden = tuple(
            (weight + delta, bias + delta_bias)
            for weight, bias, delta, delta_bias in zip(shared.hidden, shared.hidden_bias, own.hidden, own.hidden_bias, strict=True)
        )
        return Folded(
            first=shared.first @ tokens_PT.T + own.first,
            first_bias=shared.first_bias + shared.first_world @ world_T + own.first_bias,
            hidden=hidden,
            skip=shared.skip_rows(shocks_ST, own) @ tokens_PT.T + own.skip,
            out=shared.out_rows(shocks_ST, own) + own.out,
            bias=shared.bias_rows(shocks_ST, world_T, own) + own.bias,
        )


def _ratio(scale_SO: Tensor) -> Tensor:
    """k (S, O): what is left of 1/scale when a size of each shock and of each observable is taken out; zero for silent responses.

    A state space in standardised units exists only if scale[s, o] is a product of two such sizes; k carries what is not.
    """
    silent = scale_SO <= FLOOR * scale_SO.max() * (1 + 1e-6)
    logs, real = torch.where(silent, 0.0, scale_SO.log()), (~silent).to(scale_SO.dtype)
    shock, observable = logs.new_zeros(len(logs), 1), logs.new_zeros(1, logs.shape[1])
    for _ in range(50):  # alternating means; exact at once where nothing is silent
        shock = ((logs - observable) * real).sum(1, keepdim=True) / real.sum(1, keepdim=True).clamp_min(1.0)
        observable = ((logs - shock) * real).sum(0, keepdim=True) / real.sum(0, keepdim=True).clamp_min(1.0)
    return torch.where(silent, 0.0, (shock + observable - logs).exp())
