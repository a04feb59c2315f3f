"""What a world declares to be exact is exact in its network, whatever its weights are.

Responses that parameters do not move (`moves_only` in `emulator.declarations`) are read from an
answer for which these are held at their means over the training draws; responses that are declared
to be zero are zero. The network is asked once for each set of parameters that are held together.

Axes: B batch, P parameter, K set of held parameters, S shock, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from emulator.spec import WorldSpec


class Declared(NamedTuple):
    """held_KP: parameters that are at their means when the network is asked the k-th time.
    read_KSO: responses that are read from that answer; those that are read from none are zero.
    read: for each shock the sets that it is read from, each with whether all its observables are.
    """

    held_KP: Tensor
    read_KSO: Tensor
    read: tuple[tuple[tuple[int, bool], ...], ...]

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
        read = tuple(
            tuple(
                (int(k), bool(read_KSO[k, s].all())) for k in np.flatnonzero(read_KSO[:, s].any(1))
            )
            for s in range(alive.shape[0])
        )
        return cls(torch.from_numpy(held_KP), torch.from_numpy(read_KSO), read)

    @property
    def sets(self) -> int:
        """How many times the network is asked, K."""
        return len(self.held_KP)

    @property
    def shocks(self) -> list[list[int]]:
        """Of each set, the shocks of which any response is read."""
        return [
            [s for s, own in enumerate(self.read) if any(k == number for k, _ in own)]
            for number in range(self.sets)
        ]

    def to(self, device: torch.device) -> Declared:
        return self._replace(held_KP=self.held_KP.to(device), read_KSO=self.read_KSO.to(device))

    def questions(self, theta_BP: Tensor, mean_P: Tensor) -> Tensor:
        """What the network is asked, for one set after the other: (K, B, P)."""
        return torch.where(self.held_KP[:, None], mean_P, theta_BP)

    def assembled(self, answers: Sequence[Tensor], of_all: bool = False) -> Tensor:
        """Responses (B, S, H+1, O) from an answer of each set, (B, S', H+1, O) for the set's own
        `shocks`, or for all of them where `of_all` says so.
        """
        of_sets = [range(len(self.read))] * self.sets if of_all else self.shocks
        responses = []
        for s, sets in enumerate(self.read):
            irf_BHO = None
            for k, whole in sets:
                answer = answers[k][:, of_sets[k].index(s)]
                if not whole:
                    others = torch.zeros_like(answer) if irf_BHO is None else irf_BHO
                    answer = torch.where(self.read_KSO[k, s], answer, others)
                irf_BHO = answer
            responses.append(torch.zeros_like(answers[0][:, 0]) if irf_BHO is None else irf_BHO)
        return torch.stack(responses, dim=1)

    def of_one_draw(self, answers_KSHO: Tensor) -> Tensor:
        """Responses (1, S, H+1, O) of a single draw, from an answer of each set for all shocks."""
        if all(len(sets) == 1 and sets[0][1] for sets in self.read):
            rows = [sets[0][0] * len(self.read) + s for s, sets in enumerate(self.read)]
            rows_S = torch.tensor(rows, device=answers_KSHO.device)
            return answers_KSHO.flatten(0, 1).index_select(0, rows_S)[None]
        return self.assembled(list(answers_KSHO[:, None]), of_all=True)


def sizes_of_shocks(spec: WorldSpec) -> np.ndarray:
    """Which parameters are sizes of shocks, by which responses are to be multiplied: (P, 1, 1)."""
    sizes_P = np.zeros(spec.n_parameters, dtype=bool)
    sizes_P[list(spec.shock_sizes)] = True
    return sizes_P[:, None, None]


def processes_of_others(spec: WorldSpec) -> np.ndarray:
    """Which parameters belong to the process of another shock, (P, S, 1) bool."""
    others_PS1 = np.zeros((spec.n_parameters, spec.n_shocks, 1), dtype=bool)
    for shock, own in enumerate(spec.shock_parameters):
        others_PS1[list(own)] = True
        others_PS1[list(own), shock] = False
    return others_PS1
