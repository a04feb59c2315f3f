"""One linear layer for each world.

Axes: B batch, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from emulator.models.baselines.per_world import PerWorldBaseline
from emulator.models.baselines.trivial import LinearRegression


class LinearBaseline(PerWorldBaseline):
    """theta -> linear layer of the world -> all its responses at once; it starts at the
    least-squares solution of its draws.
    """

    def __init__(
        self,
        param_dims: Mapping[str, int],
        H: int = 40,
        n_shocks: int | Mapping[str, int] = 3,
        n_observables: int | Mapping[str, int] = 3,
        sizes: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        super().__init__(param_dims, H, n_shocks, n_observables, sizes)
        self.layers = nn.ModuleList(
            nn.Linear(n, self.width(world)) for world, n in self.param_dims.items()
        )

    @torch.no_grad()
    def prepare(self, samples: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Least squares; where the draws do not determine it, the solution of smallest norm."""
        for world, (theta, irf) in samples.items():
            layer = self.part(self.layers, world)
            z_nP, flat = self.standardised_samples(world, theta, irf)
            fitted = LinearRegression().fit(
                z_nP.cpu().numpy(), flat.cpu().numpy()[:, :, None, None]
            )
            at_zero_and_units = torch.cat(
                [torch.zeros(1, self.param_dims[world]), torch.eye(self.param_dims[world])]
            )
            answers = torch.from_numpy(fitted.predict(at_zero_and_units.numpy())).flatten(1)
            layer.bias.copy_(answers[0])
            layer.weight.copy_((answers[1:] - answers[0]).T)

    def standardised(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        return self.as_responses(self.part(self.layers, world)(theta_BP), world)
