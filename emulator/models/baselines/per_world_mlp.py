"""A multilayer perceptron for each world; nothing is shared.

Axes: B batch, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.base import mlp
from emulator.models.baselines.per_world import PerWorldBaseline
from emulator.models.declared import Declared


class PerWorldMLPBaseline(PerWorldBaseline):
    """theta -> MLP of the world -> all its responses at once.

    hidden_dims: widths; dropout: a share; the rest as in `PerWorldBaseline`.
    """

    holds_processes = True

    def __init__(
        self,
        param_dims: Mapping[str, int],
        hidden_dims: Sequence[int] = (256, 128, 64),
        H: int = 40,
        n_shocks: int | Mapping[str, int] = 3,
        dropout: float = 0.0,
        n_observables: int | Mapping[str, int] = 3,
        sizes: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        super().__init__(
            param_dims,
            H,
            n_shocks,
            n_observables,
            sizes,
            hidden_dims=list(hidden_dims),
            dropout=dropout,
        )
        if not hidden_dims:
            raise ModelError(
                "PerWorldMLPBaseline needs at least one hidden layer; hidden_dims is empty."
            )
        self.networks = nn.ModuleList(
            mlp([n_parameters, *hidden_dims, self.width(world)], dropout)
            for world, n_parameters in self.param_dims.items()
        )

    def exact(self, theta_BP: Tensor, world: str, horizon: int, declared: Declared) -> Tensor:
        """The hidden layers are asked for every set of held parameters, the last one only for the
        shocks that are read from it.
        """
        *hidden, last = self.part(self.networks, world)
        shape = self.shock_dims[world], self.horizon + 1, self.observable_dims[world]
        weight_SHOD, bias_SHO = last.weight.unflatten(0, shape), last.bias.unflatten(0, shape)
        scale_SHO = self.normaliser.scale(world, horizon + 1)
        observables = scale_SHO.shape[2]
        moments = self.normaliser.statistics(world)
        z_KBP = self.normaliser.theta(declared.questions(theta_BP, moments.theta_mean), world)
        code_KBD = nn.Sequential(*hidden)(z_KBP)
        answers = []
        for code_BD, shocks in zip(code_KBD, declared.shocks, strict=True):
            weight = weight_SHOD[shocks, : horizon + 1, :observables]
            bias = bias_SHO[shocks, : horizon + 1, :observables]
            flat = nn.functional.linear(code_BD, weight.flatten(0, 2), bias.flatten())
            answers.append(flat.unflatten(1, bias.shape) * scale_SHO[shocks])
        irf = declared.assembled(answers)
        if world not in self.sizes:
            return irf
        return irf * self.size_factors(theta_BP, world)[:, : irf.shape[1], None, None]

    def standardised(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        return self.as_responses(self.part(self.networks, world)(theta_BP), world)
