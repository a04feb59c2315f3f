"""What a world declares to be exact is exact in its network, whatever its weights are.

Responses that parameters do not move (`moves_only` in `emulator.declarations`) are read from an
answer for which these are held at their means over the training draws; responses that are declared
to be zero are zero. The network is asked once for each set of parameters that are held together.

Axes: B batch, P parameter, K set of held parameters, S shock, H horizon, O observable.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from emulator.spec import WorldSpec


class Declared(NamedTuple):
    """held_KP: parameters that are at their means when the network is asked the k-th time.
    read_KSO: responses that are read from that answer; those that are read from none are zero.
    """

    held_KP: Tensor
    read_KSO: Tensor

    @classmethod
    def of(cls, moved_PSO: np.ndarray, silent_SO: np.ndarray) -> Declared | None:
        """From which responses each parameter moves and which are zero, bool; None where every
        parameter may move every response.
        """
        if moved_PSO.all():
            return None
        alive = ~silent_SO
        held_KP, kind = np.unique(~moved_PSO[:, alive].T, axis=0, return_inverse=True)
        read_KSO = np.zeros((len(held_KP), *alive.shape), dtype=bool)
        read_KSO[(kind.ravel(), *np.nonzero(alive))] = True
        return cls(torch.from_numpy(held_KP), torch.from_numpy(read_KSO))

    @property
    def sets(self) -> int:
        """How many times the network is asked, K."""
        return len(self.held_KP)

    def to(self, device: torch.device) -> Declared:
        return Declared(self.held_KP.to(device), self.read_KSO.to(device))

    def questions(self, theta_BP: Tensor, mean_P: Tensor) -> Tensor:
        """What the network is asked, one set after the other: (K B, P)."""
        return torch.where(self.held_KP[:, None], mean_P, theta_BP).flatten(0, 1)

    def read(self, answers: Tensor) -> Tensor:
        """Responses (B, S, H+1, O) from the network's answers (K B, S, H+1, O)."""
        answers_KBSHO = answers.unflatten(0, (self.sets, -1))
        read_K1S1O = self.read_KSO[:, None, :, None]
        irf = torch.zeros_like(answers_KBSHO[0])
        for answer, read in zip(answers_KBSHO, read_K1S1O, strict=True):
            irf = torch.where(read, answer, irf)
        return irf


def of_other_shocks(spec: WorldSpec) -> np.ndarray:
    """Which parameters are sizes of shocks, by which responses are to be multiplied, or of another
    shock's process: (P, S, 1), bool.
    """
    others_PS1 = np.zeros((spec.n_parameters, spec.n_shocks, 1), dtype=bool)
    others_PS1[list(spec.shock_sizes)] = True
    for shock, own in enumerate(spec.shock_parameters):
        others_PS1[list(own)] = True
        others_PS1[list(own), shock] = False
    return others_PS1
