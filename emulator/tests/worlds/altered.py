"""Worlds that observe more, less or other things than those that ship, made of `nk`."""

from __future__ import annotations

import numpy as np

from emulator.solvers import StateSpace
from emulator.worlds.nk import NewKeynesian


def observing(
    *names: str,
    frequency: str = "quarter",
    units: dict[str, str] | None = None,
    world: str = "altered",
) -> NewKeynesian:
    """`nk` with these observables, of one to many: its own by their names, the others as their
    multiples.
    """
    own = NewKeynesian.spec.observables
    by_name = {observable.name: observable for observable in own}
    rows = [
        list(by_name).index(name) if name in by_name else k % len(own)
        for k, name in enumerate(names)
    ]
    factors = np.array([1.0 if name in by_name else 1.5 + k for k, name in enumerate(names)])
    observables = tuple(
        own[row].model_copy(
            update={"name": name, "unit": (units or {}).get(name, own[row].unit), "tex": name}
        )
        for name, row in zip(names, rows, strict=True)
    )

    class Altered(NewKeynesian):
        spec = NewKeynesian.spec.model_copy(
            update={"name": world, "observables": observables, "frequency": frequency}
        )

        def state_space(self, theta: np.ndarray) -> StateSpace:
            space = super().state_space(theta)
            return StateSpace(space.A, space.B, space.C[:, rows] * factors[:, None])

    return Altered()
