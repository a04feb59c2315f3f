"""A multilayer perceptron for each world; nothing is shared.

Axes: B batch, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.base import mlp
from emulator.models.baselines.per_world import PerWorldBaseline


class PerWorldMLPBaseline(PerWorldBaseline):
    """theta -> MLP of the world -> all its responses at once.

    hidden_dims: widths; dropout: a share; the rest as in `PerWorldBaseline`.
    """

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

    def standardised(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        return self.as_responses(self.part(self.networks, world)(theta_BP), world)
