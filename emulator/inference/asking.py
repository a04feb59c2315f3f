"""What a call asks of an answerer: names and numbers as theta, positions and labels.

Axes: n draw, P parameter, S shock, O observable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from emulator.errors import ParameterError, UnknownNameError
from emulator.inference.answerer import Answerer
from emulator.inference.draws import (
    chosen_observables,
    chosen_shocks,
    given_once,
    labels_of,
    last_period,
    parameters_in_words,
    theta_of,
    whole,
)
from emulator.inference.fallback import check_horizon, no_solver, observed_by_solver
from emulator.inference.labels import Labels
from emulator.inference.over_solver import SolverAnswerer
from emulator.inference.paths import Paths, ShockPath, is_path
from emulator.inference.shock_size import Scaling, SizeLike
from emulator.spec import WorldSpec
from emulator.worlds.base import World

if TYPE_CHECKING:
    from emulator.inference.draws import DrawsLike, Names

HIGHEST_ORDER = 3

Shocks = str | Iterable[str] | Paths | None
"""Names of shocks, a mapping of names to paths, or None for each of a world's shocks."""


class Asking(NamedTuple):
    """The questions that an answerer gets, made of the arguments of a call."""

    answerer: Answerer

    @property
    def spec(self) -> WorldSpec:
        return self.answerer.spec

    @property
    def solver(self) -> World:
        """The world itself. Raises `ParameterError` for an economy that a network answers for."""
        if isinstance(self.answerer, SolverAnswerer):
            return self.answerer.world
        raise no_solver(self.spec)

    def theta(
        self, draws: DrawsLike, parameters: Mapping[str, Any], foresight: bool = False
    ) -> np.ndarray:
        """theta (n, P); foresight: of a question about perfect foresight, which a file answers in
        which no shock has a variance. Any other raises the `ModFileError` that says so.
        """
        if self.answerer.no_shocks is not None and not foresight:
            raise self.answerer.no_shocks
        return theta_of(self.spec, draws, parameters, self.answerer.complete)

    def observed(self, observables: Names, variables: Names) -> list[int] | slice:
        """Positions of the observables that are asked for; a slice, which copies nothing, of all.

        Raises `UnknownNameError`, which says where one is only the solver's.
        """
        names = given_once(observables=observables, variables=variables)
        try:
            return slice(None) if names is None else chosen_observables(self.spec, names)
        except UnknownNameError:
            elsewhere = observed_by_solver(self.answerer, names)
            if elsewhere:
                raise UnknownNameError(elsewhere) from None
            raise

    def observing(self, observed: list[int] | slice) -> WorldSpec:
        """The spec with the observables at these positions."""
        if isinstance(observed, slice):
            return self.spec
        return self.spec.observing([self.spec.observable_names[k] for k in observed])

    def refuse_still(self, shocks: Shocks) -> None:
        """Raise `UnknownNameError` for a shock of a file that has no size."""
        names = [shocks] if isinstance(shocks, str) else shocks
        for name in names if isinstance(names, Iterable) else ():
            if isinstance(name, str) and name in self.answerer.still_shocks:
                known = f" Shocks that have a size: {', '.join(self.spec.shock_names)}."
                raise UnknownNameError(self.answerer.still_shocks[name] + known)

    def scaling(self, shocks: Names, shock: str | None, size: SizeLike) -> Scaling:
        if is_path(shocks):
            raise ParameterError(
                "shocks maps names to paths, which irf(...) alone takes; expected names of shocks,"
                f" of {', '.join(self.spec.shock_names)}."
            )
        named = given_once(shock=shock, shocks=shocks)
        self.refuse_still(named)
        self.refuse_still(size if isinstance(size, Mapping) else None)
        chosen = chosen_shocks(self.spec, named)
        if "size" in self.spec.parameter_names and isinstance(size, Real) and size != 1:
            raise ParameterError(
                f"size={size:g} is the size of the shocks, and world '{self.spec.name}' has a"
                " parameter of this name. Give the parameter in a table,"
                f" irf({{'size': {size:g}}}), and the size of the shocks as a text,"
                f" irf(size='{size:g} sd')."
            )
        return Scaling.of(self.spec, chosen, size)

    def answerable(self, shocks: Names, shock: str | None, size: SizeLike) -> Scaling:
        """`_scaling` where no solver can answer in a network's place. Raises `ParameterError`."""
        scaling = self.scaling(shocks, shock, size)
        refusal = self.answerer.refusal(scaling)
        if refusal:
            raise ParameterError(f"{refusal}.")
        return scaling

    def asked(
        self, shocks: Shocks, shock: str | None, size: SizeLike, last: int
    ) -> Scaling | ShockPath:
        if isinstance(shocks, Mapping) and shock is None:
            self.refuse_still(shocks)
            return ShockPath.of(self.spec, shocks, size, last)
        return self.scaling(shocks, shock, size)

    def last(self, horizon: int | None) -> int:
        usual = self.answerer.usual_horizon
        last = usual if horizon is None else last_period(horizon, self.spec.periods)
        check_horizon(self.answerer, last)
        return last

    def order(self, order: int | None) -> int:
        """The order of approximation that is asked for, by default the answerer's own.

        Raises `ParameterError` for one at which it does not answer.
        """
        who = self.answerer
        if order is None:
            return who.order
        chosen = whole(order)
        if chosen is None or not 1 <= chosen <= HIGHEST_ORDER:
            raise ParameterError(
                f"The order of approximation is {order!r}; expected 1, 2 or 3, or none for the"
                " one that a .mod file asks for."
            )
        if chosen > who.highest_order:
            raise ParameterError(
                f"'{self.spec.name}' is answered at first order, and order={chosen} was asked for."
                " Second and third order need the equations of a .mod file, all of whose shocks"
                " its mapping names, if it has one."
            )
        return chosen

    def labels(
        self,
        asked: Scaling | ShockPath,
        draws: DrawsLike,
        theta: np.ndarray,
        observed: list[int] | slice,
        order: int | None = None,
    ) -> Labels:
        """order: of the answer, where the call could ask for another; None of answers that are of
        the first order by what they are, which say so where a file asks for more.
        """
        who = self.answerer
        return Labels(
            spec=self.observing(observed),
            shocks=asked.names,
            sizes=asked.sizes_in_words,
            draws=labels_of(draws, len(theta)),
            source=who.title,
            parameters=parameters_in_words(self.spec, theta),
            notes=who.notes if order else (*who.notes, *who.order_notes),
            trained_range=who.trained_range,
            order=order or 1,
        )

    def why(
        self,
        fields: Mapping[str, np.ndarray],
        theta: np.ndarray,
        failed: np.ndarray,
        solver: SolverAnswerer | None,
    ) -> str:
        of_failed = {
            name: values[failed] for name, values in fields.items() if len(values) == len(failed)
        }
        return (solver or self.answerer).explain(theta[failed], of_failed)
