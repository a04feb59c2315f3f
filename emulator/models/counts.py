"""Numbers of shocks and observables of each world, as networks take them for options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.errors import ModelError


def shock_dims(param_dims: Mapping[str, int], n_shocks: int | Mapping[str, int]) -> dict[str, int]:
    """Number of shocks of each world, from one number for all or a number for each."""
    return _of_each_world("n_shocks", param_dims, n_shocks)


def observable_dims(
    param_dims: Mapping[str, int], n_observables: int | Mapping[str, int]
) -> dict[str, int]:
    """Number of observables of each world, from one number for all or a number for each."""
    return _of_each_world("n_observables", param_dims, n_observables)


def _of_each_world(
    argument: str, param_dims: Mapping[str, int], counts: int | Mapping[str, int]
) -> dict[str, int]:
    if isinstance(counts, int):
        return dict.fromkeys(param_dims, counts)
    if set(counts) != set(param_dims):
        raise ModelError(
            f"{argument} names the worlds {sorted(counts)}, param_dims {sorted(param_dims)};"
            " expected the same."
        )
    return dict(counts)


def observables_option(n_observables: int | Mapping[str, int]) -> dict[str, Any]:
    """The option `n_observables` that builds a network again; none where every world has three,
    as every network of before had.
    """
    if isinstance(n_observables, int):
        return {} if n_observables == 3 else {"n_observables": n_observables}
    counts = dict(n_observables)
    return {} if set(counts.values()) == {3} else {"n_observables": counts}
