"""Decision rules of second and third order.

With v = (x, e), x the lagged states and e independent shocks of standard deviation one, and with
the size of uncertainty sigma, the rule is expanded around the deterministic steady state:

    y = ybar + G v + 1/2 G2 (v, v) + 1/2 g_ss + 1/6 G3 (v, v, v) + 1/2 g_vss v

`emulator.solvers.perturbation.solving` finds them.

Axes: N draw, n variable, s state, k shock, m = s + k.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Rules:
    """Decision rules of `order` for variables (n); `states` are the positions of the states among
    the variables of the model.

    first (N, n, m), second (N, n, m, m), risk (N, n), third (N, n, m, m, m), risk_slope (N, n, m):
    derivatives as in the module's text, zero beyond the order. of_states: the same for the states
    alone (itself where that is what this is).
    """

    order: int
    states: tuple[int, ...]
    first: np.ndarray
    second: np.ndarray
    risk: np.ndarray
    third: np.ndarray | None = None
    risk_slope: np.ndarray | None = None
    of_states: Rules | None = None

    @property
    def n_states(self) -> int:
        return len(self.states)

    @property
    def n_shocks(self) -> int:
        return int(self.first.shape[2]) - len(self.states)

    @property
    def solved(self) -> np.ndarray:
        """Which draws (N,) have finite rules."""
        parts = [self.first, self.second, self.risk]
        if self.third is not None and self.risk_slope is not None:
            parts += [self.third, self.risk_slope]
        n = len(self.first)
        finite = [np.isfinite(part).reshape(n, -1).all(axis=1) for part in parts]
        return np.asarray(np.logical_and.reduce(finite))

    def at(self, draws: np.ndarray) -> Rules:
        """The rules of the given draws."""
        return self._each(lambda part: part[draws])

    def of(self, variables: list[int] | np.ndarray | slice) -> Rules:
        """The rules of some variables; the states' own stay known."""
        states = self.of_states or self._pick(list(self.states))
        return replace(self._pick(variables), of_states=states)

    def _pick(self, variables: list[int] | np.ndarray | slice) -> Rules:
        alone = replace(self, of_states=None)
        return alone._each(lambda part: part[:, variables])

    def _each(self, change: Callable[[np.ndarray], np.ndarray]) -> Rules:
        return Rules(
            order=self.order,
            states=self.states,
            first=change(self.first),
            second=change(self.second),
            risk=change(self.risk),
            third=None if self.third is None else change(self.third),
            risk_slope=None if self.risk_slope is None else change(self.risk_slope),
            of_states=None if self.of_states is None else self.of_states._each(change),
        )
