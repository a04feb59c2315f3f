"""A multilayer perceptron for each world; nothing is shared.

Axes: B batch, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from emulator.errors import ModelError
from emulator.models.base import EmulatorModel, mlp, shock_dims


class PerWorldMLPBaseline(EmulatorModel):
    """theta -> MLP of the world -> all its responses at once.

    param_dims: number of parameters of each world; hidden_dims: widths; H: last horizon; n_shocks: shocks of every
    world, or of each (what the data do not have is cut off once the network is bound to them); dropout: a share.
    """

    def __init__(
        self,
        param_dims: Mapping[str, int],
        hidden_dims: Sequence[int] = (256, 128, 64),
        H: int = 40,
        n_shocks: int | Mapping[str, int] = 3,
        dropout: float = 0.0,
    ) -> None:
        counts = n_shocks if isinstance(n_shocks, int) else dict(n_shocks)
        super().__init__(param_dims=dict(param_dims), hidden_dims=list(hidden_dims), H=H, n_shocks=counts, dropout=dropout)
        if not param_dims or not hidden_dims or H < 0:
            raise ModelError("PerWorldMLPBaseline needs at least one world, one hidden layer and H >= 0.")
        self.param_dims, self.shock_dims, self.horizon = dict(param_dims), shock_dims(param_dims, n_shocks), H
        self.networks = nn.ModuleList(
            mlp([n_parameters, *hidden_dims, self.shock_dims[world] * (H + 1) * 3], dropout)
            for world, n_parameters in self.param_dims.items()
        )
        self._position = {world: k for k, world in enumerate(self.param_dims)}

    def standardised(self, theta_BP: Tensor, world: str, horizon: int) -> Tensor:
        flat = self.networks[self._position[world]](theta_BP)
        return flat.unflatten(1, (self.shock_dims[world], self.horizon + 1, 3))
