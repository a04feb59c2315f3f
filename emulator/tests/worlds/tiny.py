"""Worlds with any number of observables: three states whose transition is random and stable, moved
by two shocks.
"""

import numpy as np

from emulator.solvers import StateSpace
from emulator.spec import (
    ANNUAL_POINTS,
    PERCENT,
    UNKNOWN_UNIT,
    Extrapolation,
    Observable,
    Parameter,
    Shock,
    Status,
    WorldSpec,
)
from emulator.worlds.draws import mark_impossible
from emulator.worlds.linear import LinearWorld

NAMES = (
    ("hours", PERCENT),
    ("output", PERCENT),
    ("rate", ANNUAL_POINTS),
    ("spread", UNKNOWN_UNIT),
    ("unemployment", "persons per thousand"),
    ("inflation", ANNUAL_POINTS),
    ("consumption", PERCENT),
    ("investment", PERCENT),
    ("wage", PERCENT),
    ("loans", "billions of crowns"),
    ("house_prices", PERCENT),
    ("real_exchange_rate", "index, 2015 = 100"),
)
"""Observables of the worlds, of which each takes the first ones."""

PARAMETERS = (
    ("rho", 0.1, 0.9, 0.6, "persistence"),
    ("slope", 0.2, 2.0, 1.0, "friction"),
    ("sigma_money", 0.1, 1.0, 0.5, "shock_size"),
    ("sigma_supply", 0.1, 1.0, 0.5, "shock_size"),
)


def tiny_spec(n_observables, frequency="quarter", name=None):
    """What a world with so many observables says of itself."""
    return WorldSpec(
        name=name or f"tiny{n_observables}",
        title=f"Tiny world, {n_observables} observables",
        summary="For tests.",
        source="none",
        prior="uniform",
        parameters=tuple(
            Parameter(
                name=parameter,
                tex=parameter,
                low=low,
                high=high,
                default=default,
                unit="percent" if parameter == "sigma_money" else "1",
                meaning="a number",
                role=role,
            )
            for parameter, low, high, default, role in PARAMETERS
        ),
        shocks=(
            Shock(name="money", tex="m", meaning="of money", size="sigma_money"),
            Shock(name="supply", tex="s", meaning="of supply", size="sigma_supply"),
        ),
        observables=tuple(
            Observable(name=observable, tex=observable, unit=unit, meaning=observable)
            for observable, unit in NAMES[:n_observables]
        ),
        states=("s_1", "s_2", "s_3"),
        frequency=frequency,
        extrapolation=Extrapolation(slice_parameters=("rho",), corner_parameters=("slope",)),
    )


class TinyWorld(LinearWorld):
    """states_t = A(rho) states_{t-1} + B(sigmas) e_t, observables = C(slope) states."""

    def __init__(self, n_observables, frequency="quarter", seed=0, name=None):
        self.spec = tiny_spec(n_observables, frequency, name)
        rng = np.random.default_rng(seed)
        rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        self.transition = rotation * [1.0, 0.7, 0.4] @ rotation.T
        self.impact = rng.normal(size=(3, 2)) + 1.0
        self.loading = rng.normal(size=(len(NAMES), 3))[:n_observables]
        self.tilt = rng.normal(size=(len(NAMES), 3))[:n_observables]

    def propose(self, n, rng):
        return rng.uniform(self.spec.low, self.spec.high, size=(n, self.spec.n_parameters))

    def status(self, theta):
        theta = self.spec.check_theta(theta)
        status = np.full(len(theta), Status.OK, dtype=np.uint8)
        status[np.abs(theta[:, 0]) >= 1] = Status.EXPLOSIVE
        mark_impossible(self.spec, theta, status)
        return status

    def state_space(self, theta):
        status = self.status(theta)
        a = theta[:, 0, None, None] * self.transition
        b = self.impact * theta[:, None, 2:]
        c = self.loading + self.tilt * theta[:, 1, None, None]
        a[status != Status.OK] = np.nan
        b[status != Status.OK] = np.nan
        return StateSpace(a, b, c)
