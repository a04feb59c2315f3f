"""Principal components and a multilayer perceptron for each world: the recipe of CosmoPower.

Spurio Mancini, Piras, Alsing, Joachimi and Hobson (2022, doi:10.1093/mnras/stac064): features ->
principal components -> standardised components, predicted by an MLP whose activations are learnt.
Here the loss is taken on the responses.

Axes: B batch, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.baselines.pca import PrincipalComponents
from emulator.models.baselines.per_world import PerWorldBaseline


class PCAMLPBaseline(PerWorldBaseline):
    """theta -> MLP of the world -> its standardised principal components -> all its responses.

    hidden_dims: widths; components: principal components of each world, fitted in `prepare`; the
    rest as in `PerWorldBaseline`. Raises `ModelError` where responses are asked for before
    `prepare`.
    """

    def __init__(
        self,
        param_dims: Mapping[str, int],
        hidden_dims: Sequence[int] = (512, 512, 512, 512),
        H: int = 40,
        n_shocks: int | Mapping[str, int] = 3,
        components: int = 64,
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
            components=components,
        )
        if not hidden_dims:
            raise ModelError(
                "PCAMLPBaseline needs at least one hidden layer; hidden_dims is empty."
            )
        self.spaces = nn.ModuleList(
            PrincipalComponents(self.width(world), components) for world in self.param_dims
        )
        self.networks = nn.ModuleList(
            _network([n, *hidden_dims, components]) for n in self.param_dims.values()
        )

    def prepare(self, samples: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Fit each world's principal components."""
        for world, (theta, irf) in samples.items():
            self.part(self.spaces, world).fit(self.standardised_samples(world, theta, irf)[1])

    def standardised(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        components = self.part(self.networks, world)(theta_BP)
        return self.as_responses(self.part(self.spaces, world).decode(components), world)


class LearntActivation(nn.Module):
    """f(x) = (gamma + (1 - gamma) / (1 + exp(-beta x))) x with beta and gamma of each unit
    learnt.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.beta, self.gamma = nn.Parameter(torch.randn(width)), nn.Parameter(torch.randn(width))

    def forward(self, x: Tensor) -> Tensor:
        return (self.gamma + (1 - self.gamma) * torch.sigmoid(self.beta * x)) * x


def _network(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers of these sizes with learnt activations between them; the last layer is
    linear.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        layers += [nn.Linear(inputs, outputs), LearntActivation(outputs)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))
