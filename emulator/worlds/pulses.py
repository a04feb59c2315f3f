"""A path of shocks as worlds simulate it. Axes: n draw, S shock, T period, H horizon."""

from __future__ import annotations

import numpy as np

from emulator.errors import ParameterError
from emulator.spec import WorldSpec


def pulses_of(
    spec: WorldSpec, n: int, shocks: np.ndarray, horizon: int | None, longest: int | None
) -> np.ndarray:
    """A path of shocks (n, S, T) or (1, S, T) as `World.simulate` takes it, (n, H+1, S).

    longest: periods to which the world is solved. Raises `ParameterError` for shapes that do not
    fit and for a path longer than the horizon.
    """
    array = np.asarray(shocks, dtype=np.float64)
    if array.ndim != 3 or array.shape[0] not in (1, n) or array.shape[1] != spec.n_shocks:
        raise ParameterError(
            f"World '{spec.name}' takes a path of shocks of shape ({n}, {spec.n_shocks}, T) or"
            f" (1, {spec.n_shocks}, T), in standard deviations; found {array.shape}."
        )
    last = array.shape[2] - 1 if horizon is None else horizon
    if not array.shape[2] - 1 <= last or last < 0:
        raise ParameterError(
            f"The path of shocks has {array.shape[2]} periods and the horizon is {last};"
            " expected at least one period, and none after the horizon."
        )
    if longest is not None and last > longest:
        raise ParameterError(
            f"The horizon is {last}; world '{spec.name}' is solved for {longest} periods at most."
        )
    pulses = np.zeros((n, last + 1, spec.n_shocks))
    pulses[:, : array.shape[2]] = np.swapaxes(array, 1, 2)
    return pulses
