"""What a shock's responses are a function of, by what the world declares.

In a linear world with sizes of shocks, the responses to a shock are its size times a function of
the parameters that all shocks share and of its own process, but for those that leave them alone
(`moves_only`). In another world the size is divided out all the same, since most of what it does is
to multiply, and stays among the parameters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.models.baselines.per_world import NO_SIZE
from emulator.spec import WorldSpec


class ShockView(NamedTuple):
    """The column of theta that multiplies a shock's responses, `NO_SIZE` where none does, and the
    columns that what is left depends on.
    """

    size: int
    columns: tuple[int, ...]


def views_of(spec: WorldSpec) -> tuple[ShockView, ...]:
    """The view of each shock of a world."""
    everything = range(spec.n_parameters)
    if not spec.shock_sizes:
        return tuple(
            ShockView(spec.index(shock.size) if shock.size else NO_SIZE, tuple(everything))
            for shock in spec.shocks
        )
    moved_PS: np.ndarray = np.any(spec.moved, axis=2)
    owned = {column for own in spec.shock_parameters for column in own}
    shared = set(everything) - owned - set(spec.shock_sizes)
    views = []
    for s, (size, own) in enumerate(zip(spec.shock_sizes, spec.shock_parameters, strict=True)):
        columns = tuple(sorted(shared | set(own)))
        views.append(ShockView(size, tuple(p for p in columns if moved_PS[p, s]) or columns))
    return tuple(views)
