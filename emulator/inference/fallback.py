"""The solver that answers in a network's place where the network is doubted.

Axes: n draw, P parameter.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from emulator.errors import CheckpointError, ParameterError
from emulator.inference.answerer import Answerer
from emulator.inference.over_solver import SolverAnswerer
from emulator.inference.paths import ShockPath
from emulator.inference.shock_size import Scaling
from emulator.spec import WorldSpec, units_agree
from emulator.worlds import get_world, is_known, is_path
from emulator.worlds.base import World

if TYPE_CHECKING:
    from emulator.inference.economy import Economy

    Fallback: TypeAlias = str | Path | World | Economy | None


def with_fallback(
    asked: Scaling | ShockPath,
    answerer: Answerer,
    theta: np.ndarray,
    horizon: int,
    solver: SolverAnswerer | None,
) -> dict[str, np.ndarray]:
    """The fields of an answer at theta (n, P); a solver's in the place of what a network doubts,
    its observables in the network's order.

    Raises `ParameterError` for what the network cannot answer and no solver is there to.
    """
    refusal = answerer.refusal(asked)
    if solver is None:
        if refusal:
            raise ParameterError(f"{refusal} or fallback='exact' (on the command line --exact).")
        return asked.answered(answerer, theta, horizon)
    if refusal:
        return _solved(asked, answerer, theta, horizon, solver)
    fields = asked.answered(answerer, theta, horizon)
    rows = fields["flagged"] | ~fields["determinate"]
    if rows.any():
        solved = _solved(asked, answerer, theta[rows], horizon, solver)
        for name in {"irf", "lower", "upper"} & set(fields):
            fields[name][rows] = solved.get(name, solved["irf"])
        fields["determinate"][rows] = solved["determinate"]
    fields["exact"] = rows
    return fields


def _solved(
    asked: Scaling | ShockPath,
    network: Answerer,
    theta: np.ndarray,
    horizon: int,
    solver: SolverAnswerer,
) -> dict[str, np.ndarray]:
    """The fields of a solver's answer, with a network's observables alone, in its order."""
    fields = asked.of_world(solver.spec).answered(solver, theta, horizon)
    places = places_of(network.spec, solver.spec)
    bands = {"irf", "lower", "upper"} & set(fields)
    return fields | {name: fields[name][..., places] for name in bands}


def near_jump(
    answerer: Answerer, theta: np.ndarray, exact: np.ndarray, solver: SolverAnswerer | None
) -> np.ndarray | None:
    """Which draws (n,) are near a border where responses jump, as who answered each says: the
    solver where `exact` (n,). None where no such border is known.
    """
    near = answerer.near_jump(theta)
    if near is not None and solver is not None and exact.any():
        solved = solver.near_jump(theta[exact])
        near[exact] = near[exact] if solved is None else solved
    return near


def solver_of(answerer: Answerer, fallback: Fallback) -> SolverAnswerer | None:
    """The solver that is asked for, if one is: "exact" for that of a world that the package has;
    for a model of one's own the path of its `.mod` file, or the world itself.

    Raises `CheckpointError` where a network never flags a draw, `ParameterError` for what is no
    solver or solves another model.
    """
    if fallback is None or answerer.exact:
        return None
    if not answerer.calibrated:
        raise CheckpointError(
            "This network is not calibrated, so that no draw is ever flagged. Run `emulator"
            " calibrate` on its checkpoint, or ask `emulator.world(...)` for exact answers."
        )
    world = world_of(answerer.spec, fallback)
    if not world.spec.is_same_model(answerer.spec):
        raise ParameterError(
            f"The solver of '{world.spec.name}' is not that of the world '{answerer.spec.name}'"
            " which the network was trained on: parameters, shocks or file differ."
        )
    places_of(answerer.spec, world.spec)
    return SolverAnswerer(world)


def places_of(network: WorldSpec, solver: WorldSpec) -> list[int]:
    """Positions of a network's observables among those of its world's solver, by name.

    Raises `ParameterError` for one that the solver does not have, or has in another unit.
    """
    units = dict(zip(solver.observable_names, solver.observable_units, strict=True))
    for observable in network.observables:
        unit = units.get(observable.name)
        if unit is None or not units_agree(unit, observable.unit):
            has = "no such observable" if unit is None else f"it in {unit}"
            raise ParameterError(
                f"The network answers with '{observable.name}' in {observable.unit}; the solver of"
                f" '{solver.name}' has {has}. Use a network that was trained on this model."
            )
    return [solver.observable_index(name) for name in network.observable_names]


def of_the_solver_alone(network: WorldSpec, solver: SolverAnswerer) -> list[str]:
    """A note on the observables of a world that its network does not know, where there are any."""
    beyond = [name for name in solver.spec.observable_names if name not in network.observable_names]
    return [_only_solved(network, beyond)] if beyond else []


def left_to_solver(answerer: Answerer) -> list[str]:
    """A note on the observables of its world that a network does not know, and the call that gives
    them, where there are any.
    """
    if answerer.exact or not is_known(answerer.spec.name):
        return []
    note = observed_by_solver(answerer, get_world(answerer.spec.name).spec.observable_names)
    return [note] if note else []


def check_horizon(answerer: Answerer, horizon: int) -> None:
    """Raise `ParameterError` for a horizon that the answerer does not reach."""
    most = answerer.last_horizon
    if most is None or horizon <= most:
        return
    solved = not answerer.exact and is_known(answerer.spec.name)
    later = "; the solver answers later ones" if solved else ""
    raise ParameterError(
        f"The horizon is {horizon}; {answerer.title} answers to horizons 0 to {most}{later}."
    )


def observed_by_solver(answerer: Answerer, observables: str | Iterable[str] | None) -> str:
    """Which of the wanted observables a network does not know and its world's solver does, and the
    call that gives them; empty where there is none.
    """
    if answerer.exact or observables is None or not is_known(answerer.spec.name):
        return ""
    wanted = [observables] if isinstance(observables, str) else [str(name) for name in observables]
    world = get_world(answerer.spec.name).spec
    if not world.is_same_model(answerer.spec):
        return ""
    beyond = [
        name
        for name in wanted
        if name in world.observable_names and name not in answerer.spec.observable_names
    ]
    return _only_solved(answerer.spec, beyond) if beyond else ""


def _only_solved(network: WorldSpec, names: list[str]) -> str:
    """Says that a network has no such observables, and the call of the solver that gives them."""
    return (
        f"The network knows {', '.join(network.observable_names)} of world '{network.name}', and no"
        f" {', '.join(names)}. The solver answers with all of them:"
        f" emulator.world('{network.name}').irf(observables={names!r}); on the command line"
        " --exact."
    )


def no_solver(spec: WorldSpec) -> ParameterError:
    """The error where a solver is asked of an economy that a network answers for."""
    if is_known(spec.name):
        advice = f"; ask emulator.world('{spec.name}')."
    else:
        advice = (
            f", and no world '{spec.name}' is installed. A file has its own,"
            " emulator.world('path/to/file'); imported draws have none."
        )
    return ParameterError(f"A network answers for this economy, not a solver{advice}")


def world_of(spec: WorldSpec, fallback: Fallback) -> World:
    """The world that a fallback names, for a network's world. Raises `ParameterError`."""
    if isinstance(fallback, World):
        return fallback
    if isinstance(fallback, str | Path) and is_path(fallback):
        return get_world(fallback)
    solver = getattr(fallback, "solver", None)  # of an economy
    if isinstance(solver, World):
        return solver
    if fallback != "exact":
        raise ParameterError(
            f"fallback is {fallback!r}; expected 'exact', the path of a .mod or Python file, a"
            " World, or None."
        )
    if not is_known(spec.name):
        raise ParameterError(
            f"The world '{spec.name}' of this network is of none that is installed; name its file:"
            f" fallback='path/to/{spec.name}.mod', or fallback='path/to/file.py:{spec.name}'. A"
            " world whose draws were imported has no solver: the network answers alone."
        )
    return get_world(spec.name)
