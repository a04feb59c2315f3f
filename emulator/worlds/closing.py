"""An economy whose dear part is a world of its own, closed by a function that is cheap and exact.

The part, such as the households of a model, answers with responses of its own; the closing makes
the economy's responses of them, and takes parameters that the part does not know. A network then
has to learn the part alone: what the closing does is exact (`emulator.closed`).

Axes: n draw, P parameter, S shock, H horizon, O observable.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from emulator.errors import ParameterError
from emulator.spec import DEFAULT_HORIZON
from emulator.worlds.base import World
from emulator.worlds.calls import name_of
from emulator.worlds.simulator import Simulator
from emulator.worlds.tables import parameters_of


class Closing(Simulator):
    """A world that is made of another one, its part, draw by draw.

    part: the dear world, such as a `Simulator`.
    function: responses of the part (n, S', H+1, O') and theta (n, P), P the part's parameters and
        then the closing's own, -> responses (n, S, H+1, O).
    parameters: the closing's own; these and shocks, observables, linear and title as those of a
        `Simulator`.

    Draws without a solution of the part have none of the economy. Raises `SimulatorError` as a
    `Simulator` does.
    """

    def __init__(
        self,
        part: World,
        function: Callable[..., Any],
        parameters: Any,
        shocks: Any,
        observables: Any,
        *,
        name: str = "",
        linear: bool = False,
        title: str = "",
    ) -> None:
        self.part = part
        self.closing = function
        self._declared = {
            "parameters": parameters,
            "shocks": shocks,
            "observables": observables,
            "name": name or name_of(function),
            "linear": linear,
            "title": title,
        }
        super().__init__(
            self.close,
            [*part.spec.parameters, *parameters_of(parameters, ())],
            shocks,
            observables,
            name=name or name_of(function),
            horizon=part.horizon,
            frequency=part.spec.frequency,
            linear=linear,
            status=self.status_of_part,
            prior=self.drawn,
            draws_per_task=part.draws_per_task,
            dear=part.spec.parameter_names,
            title=title or f"{part.spec.title}, closed",
            source=part.spec.source,
        )
        self._responses.stands_for(function)
        self.longest_horizon = part.longest_horizon
        self.has_part = True
        self.difference = part.difference

    def over(self, part: World) -> Closing:
        """The same economy, of another world in the part's place."""
        return Closing(part, self.closing, **self._declared)

    def of_part(self, theta: np.ndarray) -> np.ndarray:
        """The parameters of the part (n, P') among those of the economy (n, P)."""
        return theta[:, : self.part.spec.n_parameters]

    def close(self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON) -> np.ndarray:
        """Responses of the economy, NaN where the part has none."""
        part = self.part.irf(self.of_part(theta), horizon, on_failure="nan")
        solved = np.isfinite(part).all(axis=(1, 2, 3))
        spec = self.spec
        irf = np.full((len(theta), spec.n_shocks, horizon + 1, spec.n_observables), np.nan)
        if solved.all():
            return self.closing(part, theta)
        if solved.any():
            irf[solved] = self.closing(part[solved], theta[solved])
        return irf

    def dear_part(self, theta: np.ndarray) -> np.ndarray:
        """The part's responses up to its own horizon (n, D), flat; see `World.dear_part`."""
        theta = self.spec.check_theta(theta)
        responses = self.part.irf(self.of_part(theta), self.horizon, on_failure="nan")
        return responses.reshape(len(theta), -1)

    def from_part(
        self, theta: np.ndarray, part: np.ndarray, horizon: int = DEFAULT_HORIZON
    ) -> np.ndarray:
        """What the function makes of responses of the part; see `World.from_part`."""
        spec = self.part.spec
        shape = len(theta), spec.n_shocks, self.horizon + 1, spec.n_observables
        if not 0 <= horizon <= self.horizon or part.shape != (len(theta), math.prod(shape[1:])):
            raise ParameterError(
                f"The part of {len(theta)} draws is an array {(len(theta), math.prod(shape[1:]))},"
                f" for horizons 0 to {self.horizon}; found {part.shape} and horizon {horizon}."
            )
        return self.closing(part.reshape(shape)[:, :, : horizon + 1], theta)

    def status_of_part(self, theta: np.ndarray) -> np.ndarray:
        """Codes (n,) of `Status`: whether the part has a solution."""
        return self.part.status(self.of_part(theta))

    def drawn(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """From the part's prior, and uniformly over the ranges of the closing's own parameters."""
        own = slice(self.part.spec.n_parameters, None)
        low, high = self.spec.low[own], self.spec.high[own]
        return np.hstack([self.part.propose(n, rng), rng.uniform(low, high, size=(n, len(low)))])
