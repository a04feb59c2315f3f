"""A world, linear in small shocks, whose shocks are known some periods before they occur.

Horizon 0 is the period in which they become known. Axes: n draw, P parameter, S shock, H horizon, T
period, O observable.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from emulator.errors import ParameterError
from emulator.solvers.state_space import superposed
from emulator.spec import DEFAULT_HORIZON
from emulator.worlds.base import OnFailure, World

MOST_PERIODS = 400
"""Periods that a shock can be known ahead."""


@runtime_checkable
class KnowingAhead(Protocol):
    """A world that answers to news: by its linear rule, or in the sequence space."""

    def anticipated(
        self, theta: np.ndarray, horizon: int, ahead: int, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        """Responses (n, S, H+1, O) to shocks of one standard deviation that become known at horizon
        0 and occur `ahead` periods later. Raises as `irf` does, and `ParameterError` where the
        world does not know what they are.
        """
        ...


def _on_a_path(world: World, ahead: int) -> str:
    """How to ask a `.mod` file for the same along its non-linear path; "" for another world."""
    model = getattr(world, "model", None)
    if model is None:
        return ""
    shock = model.shocks[0] if model.shocks else model.file.shocks[0].name
    return (
        " The file answers them along its non-linear path: emulator foresight"
        f" {shlex.quote(str(model.file.path))} --shock {shock}={',' * ahead}0.01, in Python"
        f" perfect_foresight(shocks={{'{shock}': {{{ahead + 1}: 0.01}}}})."
    )


class AnticipatedWorld(World):
    """A world as it answers to shocks that are known `ahead` periods before they occur.

    Raises `ParameterError` for a world that cannot answer, and for a number of periods that is
    none.
    """

    has_trajectories = False

    def __init__(self, world: World, ahead: int) -> None:
        is_whole = isinstance(ahead, int | np.integer) and not isinstance(ahead, bool)
        if not is_whole or not 0 <= ahead <= MOST_PERIODS:
            raise ParameterError(
                f"anticipated={ahead!r}: expected the {world.spec.periods} that a shock is known"
                f" before it occurs, a whole number from 0 to {MOST_PERIODS}."
            )
        if not isinstance(world, KnowingAhead):
            raise ParameterError(
                f"World '{world.spec.name}' is not solved by a linear rule with expectations that"
                " are known here, so that shocks known ahead are not answered."
                + _on_a_path(world, int(ahead))
            )
        self.world = world
        self.knowing = world
        self.ahead = int(ahead)
        self.spec = world.spec
        self.complete = world.complete

    @property
    def notes(self) -> tuple[str, ...]:
        note = (
            f"Shocks become known at horizon 0 and occur at horizon {self.ahead}, so that nobody is"
            " surprised when they do."
        )
        return (*self.world.notes, note) if self.ahead else self.world.notes

    @property
    def solution_error(self) -> Mapping[str, tuple[float, ...]]:
        """At its largest in all periods where shocks are known before they occur: by when it has
        died down was measured for shocks that are not.
        """
        errors = self.world.solution_error
        if not self.ahead:
            return errors
        return {name: (max(shares),) for name, shares in errors.items()}

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return self.world.propose(n, rng)

    def status(self, theta: np.ndarray) -> np.ndarray:
        return self.world.status(theta)

    def explain(self, theta: np.ndarray) -> str:
        return self.world.explain(theta)

    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        return self.knowing.anticipated(theta, horizon, self.ahead, on_failure=on_failure)

    def response_to_path(
        self,
        theta: np.ndarray,
        shocks: np.ndarray,
        horizon: int | None = None,
        *,
        on_failure: OnFailure = "raise",
    ) -> np.ndarray:
        """Each shock of the path becomes known in its own period, and occurs later."""
        theta = self.spec.check_theta(theta)
        pulses = self._pulses(theta, shocks, horizon)
        irf = self.irf(theta, pulses.shape[1] - 1, on_failure=on_failure)
        return superposed(irf, np.swapaxes(pulses, 1, 2))

    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        raise ParameterError(
            "Paths under shocks that are known ahead are asked of irf(shocks=...)."
        )
