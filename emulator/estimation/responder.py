"""What an estimation asks of an answerer: one world's responses to one shock up to one horizon.

Axes: n draw, P parameter, F free parameter, H horizon, O observable.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emulator.errors import ParameterError
from emulator.inference.answerer import Answerer, Force, Gradient, Local


class Responder:
    """Responses to one shock of one standard deviation, in the units of the world's observables.

    Raises `UnknownNameError` for a shock that the world does not have, `ParameterError` for a
    horizon beyond the answerer's last.
    """

    def __init__(self, answerer: Answerer, shock: str, horizon: int) -> None:
        most = answerer.last_horizon
        if most is not None and horizon > most:
            raise ParameterError(
                f"The target's horizon is {horizon}; this {answerer.title.split()[0]} answers to"
                f" horizons 0 to {most}. Match an earlier last horizon."
            )
        self.answerer = answerer
        self.spec = answerer.spec
        self.exact = answerer.exact
        self.title = "exact solution" if answerer.exact else "network"
        self.horizon = horizon
        self.shock = answerer.spec.shock_index(shock)

    def responses(self, theta: np.ndarray) -> np.ndarray:
        """Responses (n, H+1, O) at theta (n, P); NaN where the solver finds no unique stable
        solution.
        """
        return self.answerer.responses(theta, self.horizon, [self.shock])[:, 0]

    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        """Logarithm (n,) of the probability that each draw has a unique stable solution."""
        return self.answerer.log_solvable(theta)

    def judged(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`responses` and `log_solvable` of the same draws; a solver finds both in one."""
        return self.answerer.judged(theta, self.horizon, self.shock)

    def local(self, theta: np.ndarray, free: Sequence[int]) -> Local:
        """Responses and derivatives by the free parameters at one draw (P,); NaN where the solver
        finds no solution, there or at both neighbours.
        """
        return self.answerer.local(theta, self.horizon, self.shock, free)

    def pulled(self, theta: np.ndarray, free: Sequence[int], force: Force) -> Gradient:
        """The gradient of f(responses) + log-probability of a solution by the free parameters, at
        one draw (P,); force: derivatives of f.
        """
        return self.answerer.gradient(theta, self.horizon, self.shock, free, force)

    def flagged(self, theta: np.ndarray) -> np.ndarray:
        """Which draws (n,) the answerer says itself to doubt; a solver none."""
        return self.answerer.flagged(theta)
