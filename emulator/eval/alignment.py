"""Which observables of a network and of a data set are compared: those that both have, by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from emulator.errors import EvaluationError
from emulator.spec import WorldSpec


@dataclass(frozen=True)
class Alignment:
    """A world as a network knows it and as a data set holds it.

    Raises `EvaluationError` where no observable has the same name in both.
    """

    network: WorldSpec
    data: WorldSpec

    def __post_init__(self) -> None:
        if not self._positions[0]:
            raise EvaluationError(
                f"World '{self.data.name}': the checkpoint's observables are"
                f" {', '.join(self.network.observable_names)}; the data set's are"
                f" {', '.join(self.data.observable_names)}. None is in both, so that nothing can"
                " be scored. Train on this data set, or evaluate on the one the checkpoint was"
                " trained on."
            )

    @cached_property
    def _positions(self) -> tuple[list[int], list[int]]:
        """Where the shared observables stand in the data and in the network."""
        return self.data.shared_observables(self.network)

    @cached_property
    def spec(self) -> WorldSpec:
        """The data set's spec with the shared observables alone."""
        return self.data.observing([self.data.observable_names[k] for k in self._positions[0]])

    @property
    def left_out(self) -> dict[str, list[str]]:
        """Observables that are not scored: those that the network does not know, and those that the
        data do not hold; empty where both have the same.
        """
        sides = {
            "the network does not know them": (self.data, self._positions[0]),
            "the data do not hold them": (self.network, self._positions[1]),
        }
        names = {
            side: [name for k, name in enumerate(spec.observable_names) if k not in positions]
            for side, (spec, positions) in sides.items()
        }
        return {side: missing for side, missing in names.items() if missing}

    def of_data(self, values: np.ndarray) -> np.ndarray:
        """The shared observables of an array of the data set, (..., O)."""
        return _taken(values, self._positions[0], self.data.n_observables)

    def of_network(self, values: np.ndarray) -> np.ndarray:
        """The shared observables of an array of the network's, (..., O), in the data's order."""
        return _taken(values, self._positions[1], self.network.n_observables)


def _taken(values: np.ndarray, positions: list[int], n: int) -> np.ndarray:
    """Entries of the last axis; the array itself, not a copy, where that is all of it.

    A copy lies in memory as an array that never had the others, so that sums have the same bits.
    """
    return values if positions == list(range(n)) else np.take(values, positions, axis=-1)
