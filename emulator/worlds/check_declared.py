"""What parameters and shocks declare of themselves, held against the responses.

Axes: n draw, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

import numpy as np

from emulator.worlds.base import World
from emulator.worlds.expectations import TOLERANCE, close, expect


def shocks_have_their_own_parameters(world: World, theta: np.ndarray, horizon: int) -> None:
    """Responses to a shock depend neither on the size of another nor on the parameters of its
    process, and are in proportion to its own size.
    """
    spec, first = world.spec, theta[:2]
    if not spec.shock_sizes:
        return
    before = world.irf(first, horizon=horizon)
    for k, (size, own) in enumerate(zip(spec.shock_sizes, spec.shock_parameters, strict=True)):
        moved = first.copy()
        moved[:, own] = 0.5 * (moved[:, own] + spec.low[list(own)])
        moved[:, size] *= 0.5
        after, others = world.irf(moved, horizon=horizon), np.arange(spec.n_shocks) != k
        names = ", ".join(spec.parameter_names[p] for p in (size, *own))
        close(
            after[:, others],
            before[:, others],
            f"{names} are of {spec.shock_names[k]}, yet other responses move with them: give what"
            " they share another role or name",
        )
        moved[:, own] = first[:, own]
        close(
            world.irf(moved, horizon=horizon)[:, k],
            0.5 * before[:, k],
            f"{spec.parameter_names[size]} is no size of {spec.shock_names[k]}: list sizes in the"
            " order of the shocks",
        )


def declared_responses_stay(world: World, theta: np.ndarray, horizon: int) -> None:
    """Parameters leave alone what `moves_only` does not name; so do shocks, whose responses are
    zero there.
    """
    spec, first, moved = world.spec, theta[:2], world.spec.moved
    if moved.all():
        return
    before = world.irf(first, horizon=horizon)
    largest = max(float(np.abs(before).max()), 1.0)
    for s, o in np.argwhere(spec.silent):
        expect(
            np.abs(before[:, s, :, o]).max() <= TOLERANCE * largest,
            f"{spec.observable_names[o]} moves with the shock {spec.shock_names[s]}, whose"
            " moves_only does not name it",
        )
    for k in np.flatnonzero((~moved & ~spec.silent).any(axis=(1, 2))):
        other = first.copy()
        other[:, k] = 0.5 * (other[:, k] + spec.low[k])
        after = world.irf(other, horizon=horizon)
        stays = np.nonzero(~moved[k] & ~spec.silent)
        close(
            after[:, stays[0], :, stays[1]],
            before[:, stays[0], :, stays[1]],
            f"'{spec.parameter_names[k]}' moves responses that its moves_only does not name",
        )
