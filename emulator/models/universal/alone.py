"""The network folded for one world, as exporters need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from emulator.models.universal.folding import Folded

if TYPE_CHECKING:
    from emulator.models.universal.network import UniversalEmulator


class Alone(nn.Module):
    """The network folded for one world: a few small matrices, constants from here on."""

    def __init__(self, network: UniversalEmulator, world: str, folded: Folded) -> None:
        super().__init__()
        self.network, self.world, self.folded = network, world, folded

    def forward(self, theta: Tensor) -> Tensor:
        network, declared = self.network, self.network._declared.get(self.world)
        question = theta, self.world, network.horizon
        if declared is None:
            return network._predict(*question, self.folded)
        return network._predict_exact(*question, declared.to(theta.device), self.folded)
