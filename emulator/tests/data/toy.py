"""A small monthly world with as many observables as a test wants, of which `first` is one state and
each next one a multiple of it.
"""

from __future__ import annotations

import numpy as np

from emulator.declarations import Extrapolation, Observable, Parameter, Shock
from emulator.solvers import StateSpace
from emulator.spec import Status, WorldSpec
from emulator.worlds import LinearWorld

NAMES = ("sales", "orders", "price", "stock", "hours", "wage", "credit")
UNITS = ("percent", "percent", "index points", "unknown", "hours", "percent", "unknown")


class Toy(LinearWorld):
    """`s = rho s_1 + e` for each of two shocks; observable k is `(k + 1) (s_1 + load s_2)`."""

    def __init__(self, observables: tuple[str, ...], states: tuple[str, ...] = ("a", "b")) -> None:
        ranges = {"rho_a": (0.2, 0.9), "rho_b": (0.1, 0.8), "load": (0.5, 2.0)}
        self.spec = WorldSpec(
            name="toy",
            title="Toy",
            summary="Two autoregressions.",
            source="Made up",
            prior="Uniform.",
            parameters=tuple(
                Parameter(
                    name=name,
                    tex=name,
                    low=low,
                    high=high,
                    default=(low + high) / 2,
                    unit="1",
                    meaning=name,
                    role="dynamics",
                )
                for name, (low, high) in ranges.items()
            ),
            shocks=tuple(Shock(name=n, tex=n, meaning=n) for n in ("demand", "supply")),
            observables=tuple(
                Observable(name=n, tex=n, unit=UNITS[NAMES.index(n)], meaning=n)
                for n in observables
            ),
            extrapolation=Extrapolation(
                slice_parameters=("rho_a",), corner_parameters=("rho_b", "load")
            ),
            states=states,
            frequency="month",
        )

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(self.spec.low, self.spec.high, (n, 3))

    def status(self, theta: np.ndarray) -> np.ndarray:
        return np.full(len(self.spec.check_theta(theta)), Status.OK, dtype=np.uint8)

    def state_space(self, theta: np.ndarray) -> StateSpace:
        theta = self.spec.check_theta(theta)
        n, n_states = len(theta), len(self.spec.states)
        transition, impact = np.zeros((n, n_states, n_states)), np.zeros((n, n_states, 2))
        transition[:, 0, 0], transition[:, 1, 1] = theta[:, 0], theta[:, 1]
        impact[:, 0, 0] = impact[:, 1, 1] = 1.0
        observation = np.zeros((n, self.spec.n_observables, n_states))
        for row, name in enumerate(self.spec.observable_names):
            observation[:, row, 0] = 1.0 + NAMES.index(name)
            observation[:, row, 1] = (1.0 + NAMES.index(name)) * theta[:, 2]
        return StateSpace(transition, impact, observation)
