"""Simulated paths: under random or given shocks, from the steady state or a given state.

Axes: n draw, T period, S shock, O observable, D state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from emulator.errors import ParameterError, unknown_name
from emulator.inference.asking import Asking
from emulator.inference.draws import generator, periods_wanted
from emulator.inference.higher_order import simulated
from emulator.inference.labels import refuse
from emulator.inference.orders import IN_WORDS
from emulator.inference.over_solver import no_state_space
from emulator.inference.paths import shock_values
from emulator.solvers import simulate

if TYPE_CHECKING:
    from emulator.worlds.base import World

USUAL_PERIODS = 200


class Paths(NamedTuple):
    """Paths (n, T, O) of all observables, and of the states (n, T, D) where they were asked for."""

    observables: np.ndarray
    states: np.ndarray | None
    source: str
    """Who answered."""


def shocks_of(
    asking: Asking,
    n: int,
    periods: int | None,
    shocks: Any,
    seed: int | np.random.Generator,
) -> np.ndarray:
    """Shocks (n, T, S) in standard deviations: random where none are given, else those of a mapping
    of names to paths, or of an array (T, S) or (n, T, S); no shock comes after the given ones.

    Raises `UnknownNameError`, `ParameterError` for what is no path and for more periods of shocks
    than are asked for.
    """
    n_shocks = asking.spec.n_shocks
    if shocks is None:
        wanted = USUAL_PERIODS if periods is None else periods_wanted(periods)
        return generator(seed).standard_normal((n, wanted, n_shocks))
    given = _by_name(asking, shocks) if isinstance(shocks, Mapping) else _array(asking, n, shocks)
    wanted = given.shape[1] if periods is None else periods_wanted(periods)
    if given.shape[1] > wanted:
        raise ParameterError(
            f"The shocks have {given.shape[1]} periods, and the path has {wanted}; ask for"
            f" periods={given.shape[1]} or more."
        )
    path = np.zeros((n, wanted, n_shocks))
    path[:, : given.shape[1]] = given
    return path


def _by_name(asking: Asking, shocks: Mapping[str, Any]) -> np.ndarray:
    asking.refuse_still(shocks)
    columns = {
        asking.spec.shock_index(name): shock_values(name, path) for name, path in shocks.items()
    }
    longest = max((len(path) for path in columns.values()), default=0)
    if not longest:
        raise ParameterError(
            "The mapping of shocks to paths is empty; expected numbers for each shock that comes,"
            f" of {', '.join(asking.spec.shock_names)}."
        )
    given = np.zeros((1, longest, asking.spec.n_shocks))
    for column, path in columns.items():
        given[0, : len(path), column] = path
    return given


def _array(asking: Asking, n: int, shocks: Any) -> np.ndarray:
    n_shocks = asking.spec.n_shocks
    try:
        given = np.asarray(shocks, dtype=np.float64)
    except (TypeError, ValueError):
        given = np.full(1, np.nan)
    if given.ndim == 2:
        given = given[None]
    fits = given.ndim == 3 and given.shape[0] in (1, n) and given.shape[2] == n_shocks
    if not fits or not given.shape[1] or not np.isfinite(given).all():
        raise ParameterError(
            f"The shocks were given with shape {np.shape(shocks)}; expected finite numbers in"
            f" standard deviations, (periods, {n_shocks}) or ({n}, periods, {n_shocks}), or a"
            f" mapping of names to paths, of {', '.join(asking.spec.shock_names)}."
        )
    return given


def simulated_paths(
    asking: Asking,
    theta: np.ndarray,
    shocks: np.ndarray,
    state: Any,
    states: bool,
    on_failure: str,
    order: int,
) -> Paths:
    """Paths under shocks (n, T, S); state: before the first period, (D,), (n, D) or by name, the
    steady state where it is None; states: whether these are answered, too.

    Raises `ParameterError` for an economy that a network answers for, and where there is no state
    space to start from.
    """
    world = asking.solver
    if order > 1:
        return _of_higher_order(asking, theta, shocks, state, states, on_failure, order)
    title = asking.answerer.title
    if state is None and not states:
        path = world.simulate(theta, shocks, on_failure=on_failure)  # type: ignore[arg-type]
        return Paths(path, None, title)
    if not asking.answerer.has_state_space:
        raise no_start(world)
    space = asking.answerer.state_space(theta)
    failed = ~np.isfinite(space.A).all(axis=(1, 2))
    refuse(asking.spec, theta, failed, on_failure, lambda: asking.why({}, theta, failed, None))
    size = space.A.shape[1]
    remembered = (np.nan_to_num(space.A) != 0).any(axis=(0, 1))
    start = _start(asking, state, len(theta), remembered)
    identity = np.broadcast_to(np.eye(size), space.A.shape)
    path = simulate(replace(space, C=identity), shocks, start)
    seen = np.einsum("nod,ntd->nto", space.C, path, optimize=True)
    observables = seen + asking.answerer.mean(theta)[:, None]
    return Paths(observables, path if states else None, title)


def _of_higher_order(
    asking: Asking,
    theta: np.ndarray,
    shocks: np.ndarray,
    state: Any,
    states: bool,
    on_failure: str,
    order: int,
) -> Paths:
    if states:
        raise ParameterError(
            f"A pruned path of order {order} has states of each order, from which no further path"
            " can start. Leave out states=True, or ask for order=1."
        )
    start = None
    if state is not None:
        remembered = np.zeros(len(asking.spec.states), dtype=bool)
        remembered[list(asking.answerer.rules(theta[:1], order)[0].states)] = True
        start = _start(asking, state, len(theta), remembered)
    path = simulated(asking, theta, shocks, start=start, order=order, on_failure=on_failure)
    return Paths(path, None, IN_WORDS[order])


def no_start(world: World) -> ParameterError:
    starts = [p.name for p in world.spec.parameters if p.role == "initial_state"]
    way = f" Its initial state is set by its parameters {', '.join(starts)}." if starts else ""
    return ParameterError(
        f"{no_state_space(world)} A state can be neither given nor answered.{way}"
    )


def _start(asking: Asking, state: Any, n: int, remembered: np.ndarray) -> np.ndarray:
    """The state (n, D) before the first period; remembered (D,): on which a path depends.

    Raises `ParameterError` for a name that is remembered by nothing, `UnknownNameError`.
    """
    size = len(remembered)
    if state is None:
        return np.zeros((n, size))
    if isinstance(state, Mapping):
        names = list(asking.spec.states)
        start = np.zeros((n, size))
        for name, value in state.items():
            if name not in names:
                raise unknown_name(f"state of world '{asking.spec.name}'", str(name), names)
            if not remembered[names.index(name)]:
                states = [name for name, is_one in zip(names, remembered, strict=True) if is_one]
                raise ParameterError(
                    f"'{name}' is no state of '{asking.spec.name}': nothing depends on its value"
                    f" before the first period. States are {', '.join(states)}."
                )
            start[:, names.index(name)] = value
        return start
    try:
        given = np.asarray(state, dtype=np.float64)
    except (TypeError, ValueError):
        given = np.full(1, np.nan)
    if given.shape not in ((size,), (n, size), (1, size)) or not np.isfinite(given).all():
        raise ParameterError(
            f"The state was given with shape {np.shape(state)}; expected finite numbers, ({size},)"
            f" or ({n}, {size}), or a mapping of names, of {', '.join(asking.spec.states)}."
        )
    return np.broadcast_to(given, (n, size))
