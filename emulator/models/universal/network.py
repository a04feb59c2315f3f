"""The universal network: parameters' names, roles and values in, impulse responses of any world
out.

    e_p = E [features of name and role of p] + own_p                          a token a parameter
    x   = phi(W x_1 + b),  x_1 = phi(sum_p z_p U e_p + V world + b_1)         common trunk, over the
        parameters that all shocks share
    s_k = phi(W' s'_k + b'_k),  s'_k = phi(sum_p z_p U' e_p + sum_q z_q U'' e_q + V' x)    of shock
    k, q over its own parameters
    (P, loadings) = start(z) + r (K z + O x)                                  common part of a
                                                                              latent state space
    (first state, Q, R, loadings, gain)_k = start(z) + r (K_k z + O_k s_k)    part of shock k
                                                                              (`head`)
    y_h[k] = size_k exp(gain_k) l_k A^h C                                     sizes of shocks in
                                                                              linear worlds multiply
                                                                              exactly

Weights are sums of a part made from tokens, which all worlds share, and a part of the world's own,
so that for a given world all of it folds into small matrices (`folding`). A world's own parts start
at zero, or as its nearest relative's in a network that has learnt (`transfer`). Axes: B batch, P
parameter, S shock, D hidden, E hidden of a shock, T token, O observable, H horizon.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.base import EmulatorModel
from emulator.models.declared import Declared
from emulator.models.normaliser import WorldStatistics
from emulator.models.universal.alone import Alone
from emulator.models.universal.exact import exact_start
from emulator.models.universal.folding import Folded, fold, separate
from emulator.models.universal.head import EVEN, Head
from emulator.models.universal.layers import Corrections, Shared, Sizes
from emulator.models.universal.recorded import Predict, Recordings
from emulator.models.universal.tokens import MOST_OWN, Description
from emulator.models.universal.transfer import Known, start, start_world
from emulator.spec import WorldSpec

_VERSION = attrgetter("_version")

BLOCK = 512
"""Draws predicted at once: what lies between the layers then stays in the processor's caches."""


class UniversalEmulator(EmulatorModel):
    """One network for many worlds.

    worlds: a `Description` of each, as plain values; H: last horizon of the training data; width,
    layers: of the common part; shock_width: of the part of a shock; states: common latent states at
    least (as many as a world has observables in any case); token_dim: size of tokens. For
    ablations: names (else parameters and shocks are anonymous), world_token, structure (else
    responses are read off the network, horizon by horizon), shock_sizes (else they are inputs as
    any other parameter), own_parameters (else every shock sees those of all), start (else training
    starts from chance).
    """

    def __init__(
        self,
        worlds: Mapping[str, Mapping[str, Any]],
        H: int = 40,
        width: int = 128,
        shock_width: int = 64,
        layers: int = 2,
        states: int = 9,
        token_dim: int = 32,
        names: bool = True,
        world_token: bool = True,
        structure: bool = True,
        shock_sizes: bool = True,
        own_parameters: bool = True,
        start: bool = True,
    ) -> None:
        descriptions = {name: Description.read(plain) for name, plain in worlds.items()}
        super().__init__(
            worlds={name: d.plain() for name, d in descriptions.items()},
            H=H,
            width=width,
            shock_width=shock_width,
            layers=layers,
            states=states,
            token_dim=token_dim,
            names=names,
            world_token=world_token,
            structure=structure,
            shock_sizes=shock_sizes,
            own_parameters=own_parameters,
            start=start,
        )
        if (
            not descriptions
            or H < 0
            or min(width, shock_width, layers, token_dim) < 1
            or states < 3
        ):
            raise ModelError(
                "UniversalEmulator needs at least one world, H >= 0, width, shock_width, layers and"
                " token_dim of at least 1, and three states or more."
            )
        self.param_dims = {name: len(d.parameters) for name, d in descriptions.items()}
        self.shock_dims = {name: len(d.shocks) for name, d in descriptions.items()}
        self.observable_dims = {name: len(d.observables) for name, d in descriptions.items()}
        self.horizon, self.any_horizon = H, structure
        self._position = {name: k for k, name in enumerate(descriptions)}
        self._seen = {
            name: d.known(own_parameters, shock_sizes) for name, d in descriptions.items()
        }
        sizes = Sizes(width, shock_width, layers, token_dim)
        states = max(states, *self.observable_dims.values())
        self.heads = nn.ModuleList(
            Head.sized(tuple(map(len, d.own)), states, d.observables, H, structure)
            for d in self._seen.values()
        )
        named = tuple(dict.fromkeys(name for d in self._seen.values() for name in d.observables))
        self._largest = Head.sized(
            (MOST_OWN,), states + EVEN - 1 + MOST_OWN, named, H, structure
        ).layout
        self.shared = Shared(sizes, self._largest.common, self._largest.per_shock, world_token)
        self.corrections = nn.ModuleList(
            Corrections(
                self._seen[name],
                sizes,
                *self._head(name).layout.rows_of(self._largest),
                names=names,
            )
            for name in descriptions
        )
        for name in descriptions:
            self._head(name).scatter(self._own(name))
        self.part_heads = nn.ModuleDict()
        self._folded: dict[str, tuple[int, Folded]] = {}
        self._parts_of: dict[str, tuple[Folded, list[Folded]]] = {}
        self._made_of: dict[str, list[nn.Parameter]] = {}
        self._recordings = Recordings()

    @classmethod
    def from_specs(
        cls, specs: Mapping[str, WorldSpec], horizon: int, **options: Any
    ) -> UniversalEmulator:
        return cls(
            worlds={name: Description.of(spec).plain() for name, spec in specs.items()},
            H=horizon,
            **options,
        )

    def parts(self) -> list[list[nn.Parameter]]:
        """What worlds share, and each world's own weights: a step that is too large in one world
        does not shorten those of the others.
        """
        return [
            [weight for weight in part.parameters() if weight.requires_grad]
            for part in (self.shared, *self.corrections)
        ]

    # -- the data's scales

    def bind(
        self, statistics: Mapping[str, WorldStatistics], specs: Mapping[str, WorldSpec]
    ) -> None:
        super().bind(statistics, specs)
        for world, moments in statistics.items():
            own = self._own(world)
            shock, observable, live = separate(moments.irf_scale)
            mean = (
                moments.theta_mean[list(self._seen[world].sizes)]
                if self._seen[world].sizes
                else torch.ones_like(shock)
            )
            own.shock_unit, own.observable_unit, own.live = (
                value.to(own.live)
                for value in (shock / torch.where(mean > 0, mean, 1.0), observable, live)
            )
        self.part_heads = nn.ModuleDict(
            {
                world: nn.ModuleList(self._head(world).of(shocks) for shocks in declared.shocks)
                for world, declared in self._declared.items()
                if declared is not None
            }
        )

    def _own(self, world: str) -> Corrections:
        return self.corrections[self._position[world]]  # type: ignore[return-value]

    def _head(self, world: str) -> Head:
        return self.heads[self._position[world]]  # type: ignore[return-value]

    def prepare(self, samples: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """An exact start, where there is one, of each world whose shocks have no parameters of
        their own.
        """
        if not (self.options["start"] and self.options["structure"]):
            return
        for world, (theta, irf) in samples.items():
            own, head = self._own(world), self._head(world)
            if head.most_own:
                continue
            z = self.normaliser.theta(theta, world)[:, list(self._seen[world].common)]
            with torch.no_grad():
                units = self._make(world).shock_sizes(theta)[:, :, None, None] * own.observable_unit
                latent = torch.where(
                    (own.live > 0)[None, :, None, :] & (units > 0), irf / units, 0.0
                )
                start = exact_start(
                    torch.cat([torch.ones(len(z), 1), z], dim=1), latent, head.lags, head.n
                )
                if start is not None:
                    head.begin(own, start)

    def start_from(self, other: EmulatorModel) -> None:
        """Take over what another universal network shares, and the own parts of worlds that it
        knows by the same name.

        A new world starts from those of its nearest relative, if it has one (`transfer`).
        Observables meet by name: those that only one of the networks has start afresh.
        """
        if not isinstance(other, UniversalEmulator):
            super().start_from(other)
            return
        start(self, other)

    def start_world_from(self, other: EmulatorModel, world: str) -> None:
        """Answer in one world as another universal network does, up to rounding.

        Shared weights stay as they are: the world's own part makes up the difference. A world with
        an exact start keeps it.
        """
        if not isinstance(other, UniversalEmulator):
            raise ModelError(
                f"'{world}' cannot start from {type(other).__name__}: expected a checkpoint of"
                " UniversalEmulator."
            )
        start_world(self, other, world)

    @torch.no_grad()
    def _known_as(self, world: str) -> Known:
        head, moments = self._head(world), self.normaliser.statistics(world)
        return Known(
            self._seen[world],
            head,
            head.units(self._own(world)),
            self._make(world),
            moments.theta_mean,
            moments.theta_std,
        )

    # -- the network

    def precision(self, theta: Tensor) -> torch.dtype:
        return self.shared.first.dtype  # found at once, for single draws

    def as_learnt(self, theta: Tensor, world: str) -> Tensor:
        return self._seen[world].without_sizes(theta, self.normaliser.statistics(world))

    def natural(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        folded = self._fold(world)

        def predict(block_BP: Tensor) -> Tensor:
            return self._predict(block_BP, world, horizon, folded)

        return self._answered(theta_BP, world, horizon, folded, predict)

    def exact(self, theta_BP: Tensor, world: str, horizon: int, declared: Declared) -> Tensor:
        folded = self._fold(world)

        def predict(block_BP: Tensor) -> Tensor:
            if len(block_BP) == 1 and not torch.is_grad_enabled():
                # Operations cost more than numbers: all sets at once, each with all shocks.
                asked_KP = declared.questions(block_BP, folded.centre)[:, 0]
                return declared.of_one_draw(self._predict(asked_KP, world, horizon, folded))
            return self._predict_exact(block_BP, world, horizon, declared, folded)

        return self._answered(theta_BP, world, horizon, folded, predict)

    def _answered(
        self, theta_BP: Tensor, world: str, horizon: int, folded: Folded, predict: Predict
    ) -> Tensor:
        """What `predict` answers: single draws from a recording, many draws block by block."""
        alone = len(theta_BP) == 1 and theta_BP.device.type == "cpu" and not self.training
        # In forward mode gradients are off too, and a draw carries its derivative.
        if alone and torch.is_inference_mode_enabled():
            return self._recordings.answer(theta_BP, world, horizon, folded, predict)
        return self._in_blocks(theta_BP, predict)

    def _in_blocks(self, theta_BP: Tensor, predict: Predict) -> Tensor:
        if torch.is_grad_enabled() or len(theta_BP) <= BLOCK:
            return predict(theta_BP)
        irf = None
        for first in range(0, len(theta_BP), BLOCK):
            part = predict(theta_BP[first : first + BLOCK])
            if irf is None:
                irf = part.new_empty(len(theta_BP), *part.shape[1:])
            irf[first : first + BLOCK] = part
        assert irf is not None
        return irf

    def alone(self, world: str) -> nn.Module:
        with torch.no_grad():
            folded = self._fold(world)
            if (declared := self._declared.get(world)) is not None:
                self._parts(world, folded, declared)  # kept for calls that want gradients
            return Alone(self, world, folded)

    def _predict_exact(
        self,
        theta_BP: Tensor,
        world: str,
        horizon: int,
        declared: Declared,
        folded: Folded | None = None,
    ) -> Tensor:
        """Responses with what the world declares, of any number of draws: each set of held
        parameters is asked for the shocks that are read from it, with their own states alone.
        """
        folded = folded or self._fold(world)
        asked_KBP = declared.questions(theta_BP, folded.centre)
        heads: Any = self.part_heads[world]
        parts = self._parts(world, folded, declared)
        return declared.assembled(
            [
                self._predict(asked_BP, world, horizon, part, head)
                for asked_BP, part, head in zip(asked_KBP, parts, heads, strict=True)
            ]
        )

    def _parts(self, world: str, folded: Folded, declared: Declared) -> list[Folded]:
        """Of each set of held parameters the weights for its shocks, kept as long as the whole."""
        kept_for, parts = self._parts_of.get(world, (None, []))
        if kept_for is folded:
            return parts
        if torch.is_grad_enabled():
            return [folded.of(shocks) for shocks in declared.shocks]
        with torch.inference_mode(False), torch.no_grad():  # for callers in any mode
            parts = [folded.of(shocks) for shocks in declared.shocks]
        self._parts_of[world] = (folded, parts)
        return parts

    def _predict(
        self,
        theta_BP: Tensor,
        world: str,
        horizon: int,
        folded: Folded | None = None,
        head: Head | None = None,
    ) -> Tensor:
        folded, linear = folded or self._fold(world), nn.functional.linear
        z_BP = (theta_BP - folded.centre) * folded.inverse_spread
        x = nn.functional.silu(linear(z_BP, folded.first, folded.first_bias))
        for weight, bias in folded.hidden:
            x = nn.functional.silu(linear(x, weight, bias))
        both, shocks = torch.cat([z_BP, x], dim=1), len(folded.into_shocks)
        s = nn.functional.silu(
            torch.baddbmm(folded.shock_bias, both.expand(shocks, -1, -1), folded.into_shocks)
        )
        s = nn.functional.silu(torch.baddbmm(folded.shock_hidden_bias, s, folded.shock_hidden))
        with torch.autocast(theta_BP.device.type, enabled=False):  # outputs in full precision
            common = torch.addmm(folded.constant, both, folded.outputs)
            direct = torch.baddbmm(
                folded.shock_constant, z_BP.expand(shocks, -1, -1), folded.shock_linear
            )
            by_shock = torch.baddbmm(direct, s.to(z_BP.dtype), folded.shock_out)
            return (head or self._head(world)).responses(
                common, by_shock, folded.shock_sizes(theta_BP), folded.live, horizon, folded.growth
            )

    def _fold(self, world: str) -> Folded:
        """The world's folded weights: kept while nothing changes and no gradient is wanted."""
        if torch.is_grad_enabled() and self._learns(world):
            # Weights may change next, and a fused optimiser does not count that in their versions.
            self._folded.clear()
            return self._make(world)
        if world not in self._made_of:
            self._made_of[world] = [*self.shared.parameters(), *self._own(world).parameters()]
        versions = sum(map(_VERSION, self._made_of[world]))  # each only grows
        folded = self._folded.get(world)
        if (
            folded is None
            or folded[0] != versions
            or folded[1].first.device != self.shared.first.device
            or folded[1].first.dtype != self.shared.first.dtype
        ):
            with torch.inference_mode(False), torch.no_grad():  # kept for callers in any mode
                folded = self._folded[world] = (versions, self._make(world))
        return folded[1]

    def _learns(self, world: str) -> bool:
        """Whether training changes this world's answers: not where the start explains them all."""
        return float(self._own(world).reach) > 0

    def _make(self, world: str) -> Folded:
        moments = self.normaliser.statistics(world) if self.normaliser.fitted else None
        return fold(self.shared, self._own(world), self._head(world), self._seen[world], moments)
