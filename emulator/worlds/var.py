"""`var`: a structural vector autoregression of order two in output, inflation and the rate.

    y = c + A1 y_1 + A2 y_2 + L e,   e ~ N(0, I),   L lower triangular

theta holds c (3), A1 and A2 row by row (9 + 9) and the lower triangle of L row by row (6). The
recursive identification is that of Sims (1980), Econometrica 48, 1-48, doi:10.2307/1912017;
Lütkepohl (2005), New Introduction to Multiple Time Series Analysis, ch. 2 for the companion form.
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
    Shock,
    Status,
    WorldSpec,
)
from emulator.worlds.linear import LinearWorld, without_expectations
from emulator.worlds.roots import ROOT_RANGE, rescale, status_of_roots

NAMES = ("output", "inflation", "rate")
LOWER = [(row, column) for row in range(3) for column in range(row + 1)]
# Illustrative defaults: persistent, hump-shaped, with a rate that reacts to output and inflation.
DEFAULT_A1 = np.array([[1.1, -0.05, -0.1], [0.1, 0.6, 0.02], [0.15, 0.2, 0.8]])
DEFAULT_A2 = np.array([[-0.25, 0.0, -0.05], [-0.02, 0.15, 0.0], [-0.05, 0.02, -0.05]])
DEFAULT_L = np.array([[0.7, 0.0, 0.0], [0.1, 0.8, 0.0], [0.15, 0.15, 0.6]])


def _parameters() -> tuple[Parameter, ...]:
    parameters = [
        Parameter(
            name=f"c_{k + 1}",
            tex=f"c_{k + 1}",
            low=-1.0,
            high=1.0,
            default=0.0,
            unit="unit of the observable",
            meaning=f"constant of the {name} equation",
            role="constant",
        )
        for k, name in enumerate(NAMES)
    ]
    for lag, default, bound in ((1, DEFAULT_A1, 2.0), (2, DEFAULT_A2, 1.5)):
        parameters += [
            Parameter(
                name=f"a{lag}_{i + 1}{j + 1}",
                tex=f"A_{{{lag},{i + 1}{j + 1}}}",
                low=-bound,
                high=bound,
                default=float(default[i, j]),
                unit="1",
                meaning=f"{NAMES[j]} {lag} quarter(s) ago in the {NAMES[i]} equation",
                role="dynamics",
            )
            for i in range(3)
            for j in range(3)
        ]
    parameters += [
        Parameter(
            name=f"l_{i + 1}{j + 1}",
            tex=f"L_{{{i + 1}{j + 1}}}",
            low=0.2 if i == j else -0.6,
            high=1.2 if i == j else 0.6,
            default=float(DEFAULT_L[i, j]),
            unit="unit of the observable",
            meaning=f"impact of shock {j + 1} on {NAMES[i]}",
            role="impact",
        )
        for i, j in LOWER
    ]
    return tuple(parameters)


SPEC = WorldSpec(
    name="var",
    title="Structural VAR(2)",
    summary=(
        "Three-variable vector autoregression with recursive impact; roots spread over the stable"
        " range."
    ),
    prior=(
        "A1 and A2 Gaussian (own first lags around 0.5), all companion roots then scaled so that"
        " the largest is uniform over [0.3, 0.98]; constants and L uniform over their ranges."
    ),
    source="Sims (1980); Lütkepohl (2005), ch. 2",
    parameters=_parameters(),
    shocks=tuple(
        Shock(
            name=f"{name}_innovation",
            tex=f"e_{k + 1}",
            meaning=f"orthogonal innovation ordered at {name}",
        )
        for k, name in enumerate(NAMES)
    ),
    observables=(
        Observable(
            name="output", tex="y_1", unit=PERCENT, meaning="output, percent deviation from trend"
        ),
        Observable(
            name="inflation",
            tex="y_2",
            unit=ANNUAL_POINTS,
            meaning="inflation, level as the constants set it",
        ),
        Observable(
            name="rate",
            tex="y_3",
            unit=ANNUAL_POINTS,
            meaning="policy rate, level as the constants set it",
        ),
    ),
    states=tuple(f"{name}{lag}" for lag in ("", "_1") for name in NAMES),
    extrapolation=Extrapolation(slice_parameters=("a1_12",), corner_parameters=("l_11", "l_33")),
)


def companion(a1: np.ndarray, a2: np.ndarray) -> np.ndarray:
    """Companion matrices (n, 6, 6) of stacks of lag matrices (n, 3, 3)."""
    below = np.broadcast_to(np.eye(3, 6), (len(a1), 3, 6))
    return np.concatenate([np.concatenate([a1, a2], axis=2), below], axis=1)


class VectorAutoregression(LinearWorld):
    """The world `var`; see the module's text for the model."""

    spec = SPEC

    def split(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """c (n, 3), A1, A2 and L (n, 3, 3) of theta (n, 27)."""
        theta = self.spec.check_theta(theta)
        impact = np.zeros((len(theta), 3, 3))
        impact[:, *np.transpose(LOWER)] = theta[:, 21:]
        return (
            theta[:, :3],
            theta[:, 3:12].reshape(-1, 3, 3),
            theta[:, 12:21].reshape(-1, 3, 3),
            impact,
        )

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Own lags positive on average, cross effects of either sign, then every root scaled to a
        radius drawn evenly.
        """
        a1, a2 = rng.normal(0.0, 0.3, (n, 3, 3)), rng.normal(0.0, 0.2, (n, 3, 3))
        a1 += np.diag([0.5, 0.5, 0.5])
        radius = rng.uniform(*ROOT_RANGE, size=n)
        factor = rescale(spectral_radius(companion(a1, a2)), radius)
        a1, a2 = a1 * factor, a2 * factor**2  # scales each companion root by the factor
        rest = rng.uniform(self.spec.low, self.spec.high, size=(n, self.spec.n_parameters))
        return np.concatenate(
            [rest[:, :3], a1.reshape(n, 9), a2.reshape(n, 9), rest[:, 21:]], axis=1
        )

    def status(self, theta: np.ndarray) -> np.ndarray:
        _, a1, a2, _ = self.split(theta)
        return status_of_roots(self.spec, theta, spectral_radius(companion(a1, a2)))

    def outlook(self, theta: np.ndarray) -> Outlook:
        return without_expectations(self.state_space(theta))

    def state_space(self, theta: np.ndarray) -> StateSpace:
        _, a1, a2, impact = self.split(theta)
        transition = companion(a1, a2)
        shock = np.concatenate([impact, np.zeros_like(impact)], axis=1)
        failed = self.status(theta) != Status.OK
        transition[failed] = np.nan
        shock[failed] = np.nan
        return StateSpace(transition, shock, np.broadcast_to(np.eye(3, 6), (len(theta), 3, 6)))

    def mean(self, theta: np.ndarray) -> np.ndarray:
        constant, a1, a2, _ = self.split(theta)
        mean = np.full((len(theta), 3), np.nan)
        # A draw with a unit root has no mean, and would end the solution of all others.
        ok = self.status(theta) == Status.OK
        system = np.eye(3) - a1[ok] - a2[ok]
        mean[ok] = np.linalg.solve(system, constant[ok, :, None])[:, :, 0]
        return mean
