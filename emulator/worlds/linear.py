"""A world with an exact linear state space.

Axes: n draw, P parameter, S shock, H horizon, T period, O observable, D state.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from emulator.errors import ParameterError
from emulator.solvers import StateSpace, block_size, impulse_response, simulate
from emulator.solvers.news import Outlook, anticipated_response
from emulator.spec import DEFAULT_HORIZON
from emulator.worlds.base import OnFailure, World

IRF_BLOCK = 4096
"""Draws whose state spaces are in memory at once while responses are computed."""


class LinearWorld(World):
    """A world with an exact linear state space: everything follows from `state_space`."""

    has_state_space = True

    @abstractmethod
    def state_space(self, theta: np.ndarray) -> StateSpace:
        """See `World.state_space`."""

    def mean(self, theta: np.ndarray) -> np.ndarray:
        """Steady state of the observables, (n, O), around which `simulate` moves; zero unless the
        world has constants.
        """
        return np.zeros((len(theta), self.spec.n_observables))

    def levels(self, theta: np.ndarray) -> np.ndarray:
        """The mean of the variables themselves, (n, O): `mean`, or their steady state where the
        observables are deviations from it.
        """
        return self.mean(theta)

    def residual(self, theta: np.ndarray) -> np.ndarray:
        """Largest relative error of the solution in the model's own equations, (n,); zero where the
        matrices are the model.
        """
        return np.zeros(len(theta))

    @property
    def width(self) -> int:
        """Variables of `outlook`, which decide how many draws are solved at once."""
        return len(self.spec.states)

    def outlook(self, theta: np.ndarray) -> Outlook:
        """The solution with what today's decisions make of the future, for shocks that are known
        before they occur; NaN without a solution.

        Raises `ParameterError` where the world does not say it.
        """
        raise ParameterError(
            f"World '{self.spec.name}' does not say what its expectations are (`outlook`), so that"
            " shocks known ahead are not answered."
        )

    def anticipated(
        self, theta: np.ndarray, horizon: int, ahead: int, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        """Responses (n, S, H+1, O) to shocks of one standard deviation that become known at horizon
        0 and occur `ahead` periods later. Raises as `outlook` and `irf` do.
        """
        theta = self.spec.check_theta(theta)
        shape = (len(theta), self.spec.n_shocks, horizon + 1, self.spec.n_observables)
        responses = np.empty(shape)
        block = block_size(self.width)
        for start in range(0, len(theta), block):
            part = slice(start, start + block)
            responses[part] = anticipated_response(self.outlook(theta[part]), ahead, horizon)
        failed = np.asarray(~np.isfinite(responses).all(axis=(1, 2, 3)))
        self._refuse(theta, failed, on_failure)
        return responses

    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        if horizon < 0:
            raise ParameterError(
                f"The horizon is {horizon}; expected 0 (the impact period alone) or more."
            )
        theta = self.spec.check_theta(theta)
        responses = np.empty((len(theta), self.spec.n_shocks, horizon + 1, self.spec.n_observables))
        failed = np.zeros(len(theta), dtype=bool)
        for start in range(
            0, len(theta), IRF_BLOCK
        ):  # state spaces of large worlds are larger than their responses
            part = slice(start, start + IRF_BLOCK)
            space = self.state_space(theta[part])
            failed[part] = ~np.isfinite(space.A).all(axis=(1, 2))
            responses[part] = impulse_response(space, horizon)
        self._refuse(theta, failed, on_failure)
        return responses

    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        theta = self.spec.check_theta(theta)
        return self._simulated_response(theta, shocks, on_failure) + self.mean(theta)[:, None, :]

    def _simulated_response(
        self, theta: np.ndarray, shocks: np.ndarray, on_failure: OnFailure
    ) -> np.ndarray:
        """Deviations (n, T, O) from the mean: all of them are responses to the shocks."""
        shocks = self._check_shocks(theta, shocks)
        return simulate(self._solved(theta, on_failure), shocks)

    def _solved(self, theta: np.ndarray, on_failure: OnFailure) -> StateSpace:
        theta = self.spec.check_theta(theta)
        space = self.state_space(theta)
        self._refuse(theta, ~np.isfinite(space.A).all(axis=(1, 2)), on_failure)
        return space


def without_expectations(space: StateSpace) -> Outlook:
    """The outlook of a world that looks back alone: what is known ahead moves nothing before it
    occurs.
    """
    return Outlook(space.A, space.B, np.zeros_like(space.A), space.C)
