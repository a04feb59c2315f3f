"""One draw at a time: the operations of a prediction recorded once and played back.

A prediction of one draw is some hundred operations of 2 us each, half of which is Python between
them. A world that is asked for single draws again and again has its operations recorded by
`torch.jit.trace`, and played back one by one as they were, none fused and none reordered, so that
answers stay the same bit for bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from emulator.models.universal.folding import Folded

AFTER = 16
"""Single draws of a world after which its operations are recorded: recording costs as much as some
two hundred.
"""

MOST = 64
"""Recordings that are kept, each of one world to one horizon."""

Predict = Callable[[Tensor], Tensor]


class Recordings:
    """Recordings of a network's worlds, each with the folded weights that it is of."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], int] = {}
        self._kept: dict[tuple[str, int], tuple[Folded, torch.jit.ScriptModule]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Recordings:
        return Recordings()  # those of a copy are of its own weights

    def __reduce__(self) -> tuple[type[Recordings], tuple[()]]:
        return Recordings, ()

    def answer(
        self, theta_1P: Tensor, world: str, horizon: int, folded: Folded, predict: Predict
    ) -> Tensor:
        """What `predict` answers to a draw (1, P) with these folded weights, from a recording where
        there is one.
        """
        key = world, horizon
        of_weights, recording = self._kept.get(key, (None, None))
        if recording is not None and of_weights is folded:
            return _played(recording, theta_1P)
        self._asked[key] = self._asked.get(key, 0) + 1
        if self._asked[key] < AFTER:
            return predict(theta_1P)
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._asked[key] = 0
        self._kept[key] = (folded, _recorded(predict, theta_1P))
        return _played(self._kept[key][1], theta_1P)


class _Question(nn.Module):
    def __init__(self, predict: Predict) -> None:
        super().__init__()
        self.predict = predict

    def forward(self, theta_1P: Tensor) -> Tensor:
        return self.predict(theta_1P)


def _recorded(predict: Predict, theta_1P: Tensor) -> torch.jit.ScriptModule:
    with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
        warnings.simplefilter("ignore")  # sizes that are constants here, as is meant
        example = torch.tensor(theta_1P.tolist(), dtype=theta_1P.dtype)
        traced = torch.jit.trace(_Question(predict).eval(), (example,), check_trace=False)
        return torch.jit.freeze(traced, optimize_numerics=False)


def _played(recording: torch.jit.ScriptModule, theta_1P: Tensor) -> Tensor:
    with torch.jit.optimized_execution(False):
        return recording(theta_1P)
