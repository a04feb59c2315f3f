"""Who answers for a world while it is estimated: its network or its solver."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from emulator.errors import ParameterError, UnknownNameError
from emulator.inference.answerer import Answerer
from emulator.inference.economy import Economy

if TYPE_CHECKING:
    from emulator.inference.emulator import Emulator


def answerers(
    world: str | Path | Economy, emulator: Emulator | None, exact: bool
) -> tuple[Answerer, Economy | None]:
    """Who answers during the search, and the world's solver, if there is one.

    Raises `UnknownNameError`, `ParameterError` for a solver of another model than the network's.
    """
    if isinstance(world, Economy) and not world.answerer.exact:
        if exact:
            raise ParameterError(
                f"A network answers for the economy '{world.spec.name}' that was handed over;"
                " expected emulator.world(...) with exact=True."
            )
        return _beside(world.answerer, _solver(world.spec.name, needed=False))
    if isinstance(world, Economy):
        solver: Economy | None = world
    else:
        solver = _solver(world, needed=exact or emulator is None or world not in emulator.worlds)
    if exact:
        assert solver is not None
        return solver.answerer, solver
    from emulator.inference.emulator import Emulator

    name = str(world) if solver is None else solver.spec.name
    network = emulator or Emulator.load()
    if name not in network.worlds:
        raise UnknownNameError(
            f"The network was not trained on '{name}'; it knows {', '.join(network.worlds)}. The"
            " world's solver answers with exact=True, on the command line --exact."
        )
    return _beside(network[name].answerer, solver)


def _solver(world: str | Path, needed: bool) -> Economy | None:
    """The world's solver, if there is one; a network may know worlds that this installation does
    not.
    """
    try:
        solver = Economy.named(world)
    except UnknownNameError:
        if needed:
            raise
        return None
    solver.solver.require()
    return solver


def _beside(network: Answerer, solver: Economy | None) -> tuple[Answerer, Economy | None]:
    """A network's answerer and its world's solver, once it is known to be of the same model."""
    if solver is not None and not solver.spec.is_same_model(network.spec):
        raise ParameterError(
            f"The solver of '{solver.spec.name}' has other parameters, shocks or another file than"
            f" the world '{network.spec.name}' that the network was trained on. Use the exact"
            " solver, or a network that was trained on this model."
        )
    return network, solver
