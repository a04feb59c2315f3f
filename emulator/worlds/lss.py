"""`lss`: a generic linear state space with four states and two shocks.

    s = A s_1 + B e,   y = C s,   IRF[h] = C A^h B

theta holds A (4x4), B (4x2) and C (3x4), row by row. Durbin and Koopman (2012), Time Series
Analysis by State Space Methods, 2nd ed., ch. 3.
"""

from __future__ import annotations

import numpy as np

from emulator.solvers import StateSpace, spectral_radius
from emulator.solvers.news import Outlook
from emulator.spec import (
    ANNUAL_POINTS,
    PERCENT,
    Extrapolation,
    Observable,
    Parameter,
    Role,
    Shock,
    Status,
    WorldSpec,
)
from emulator.worlds.linear import LinearWorld, without_expectations
from emulator.worlds.roots import ROOT_RANGE, rescale, status_of_roots

# Illustrative defaults: a damped cycle in the first two states, two monotone ones, all four loaded.
DEFAULT_A = np.array(
    [[0.8, 0.3, 0.0, 0.1], [-0.3, 0.8, 0.1, 0.0], [0.0, 0.1, 0.6, 0.0], [0.1, 0.0, 0.0, 0.4]]
)
DEFAULT_B = np.array([[0.6, 0.0], [0.0, 0.5], [0.4, -0.3], [-0.2, 0.7]])
DEFAULT_C = np.array([[0.8, 0.1, 0.3, -0.2], [0.2, 0.7, -0.3, 0.4], [0.1, -0.4, 0.6, 0.5]])


def _block(
    letter: str, default: np.ndarray, bound: float, role: Role, meaning: str
) -> list[Parameter]:
    return [
        Parameter(
            name=f"{letter}_{i + 1}{j + 1}",
            tex=f"{letter.upper()}_{{{i + 1}{j + 1}}}",
            low=-bound,
            high=bound,
            default=float(default[i, j]),
            unit="1",
            meaning=meaning.format(i=i + 1, j=j + 1),
            role=role,
        )
        for i in range(default.shape[0])
        for j in range(default.shape[1])
    ]


SPEC = WorldSpec(
    name="lss",
    title="Linear state space, 4 states",
    summary="Four unnamed states, two shocks; the generic linear economy behind three observables.",
    prior=(
        "A Gaussian and not symmetric, scaled so that its largest root is uniform over [0.3, 0.98];"
        " B and C uniform over their ranges."
    ),
    source="Durbin and Koopman (2012), ch. 3",
    parameters=(
        *_block("a", DEFAULT_A, 1.5, "dynamics", "state {j} of last quarter in state {i}"),
        *_block("b", DEFAULT_B, 1.0, "impact", "impact of shock {j} on state {i}"),
        *_block("c", DEFAULT_C, 1.0, "loading", "loading of observable {i} on state {j}"),
    ),
    shocks=(
        Shock(name="shock_1", tex="e_1", meaning="first innovation of the states"),
        Shock(name="shock_2", tex="e_2", meaning="second innovation of the states"),
    ),
    observables=(
        Observable(
            name="output", tex="y_1", unit=PERCENT, meaning="output, percent deviation from trend"
        ),
        Observable(
            name="inflation",
            tex="y_2",
            unit=ANNUAL_POINTS,
            meaning="inflation, deviation from steady state",
        ),
        Observable(
            name="rate",
            tex="y_3",
            unit=ANNUAL_POINTS,
            meaning="policy rate, deviation from steady state",
        ),
    ),
    states=("s_1", "s_2", "s_3", "s_4"),
    extrapolation=Extrapolation(slice_parameters=("a_13",), corner_parameters=("b_12", "c_12")),
)


class LinearStateSpace(LinearWorld):
    """The world `lss`; see the module's text for the model."""

    spec = SPEC

    def split(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A (n, 4, 4), B (n, 4, 2) and C (n, 3, 4) of theta (n, 36)."""
        theta = self.spec.check_theta(theta)
        return (
            theta[:, :16].reshape(-1, 4, 4),
            theta[:, 16:24].reshape(-1, 4, 2),
            theta[:, 24:].reshape(-1, 3, 4),
        )

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """A Gaussian and not symmetric, its roots scaled to a radius drawn evenly; B and C even
        over their ranges.
        """
        a = rng.normal(0.0, 0.5, (n, 4, 4))
        a *= rescale(spectral_radius(a), rng.uniform(*ROOT_RANGE, size=n))
        rest = rng.uniform(self.spec.low, self.spec.high, size=(n, self.spec.n_parameters))
        return np.concatenate([a.reshape(n, 16), rest[:, 16:]], axis=1)

    def status(self, theta: np.ndarray) -> np.ndarray:
        return status_of_roots(self.spec, theta, spectral_radius(self.split(theta)[0]))

    def outlook(self, theta: np.ndarray) -> Outlook:
        return without_expectations(self.state_space(theta))

    def state_space(self, theta: np.ndarray) -> StateSpace:
        a, b, c = self.split(theta)
        failed = (self.status(theta) != Status.OK)[:, None, None]
        return StateSpace(np.where(failed, np.nan, a), np.where(failed, np.nan, b), c)
