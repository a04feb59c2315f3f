"""What worlds of households declare alike: policy rule, shocks and their processes, observables.

In the order in which theta has them. A world adds what households and firms of its own need.
"""

from __future__ import annotations

from emulator.declarations import AUTOREGRESSION, BELOW_ONE, NONNEGATIVE, POSITIVE
from emulator.spec import (
    ANNUAL_POINTS,
    PERCENT,
    QUARTERLY_POINTS,
    Moves,
    Observable,
    Parameter,
    Shock,
)

PRIOR = (
    "Independent and uniform over the ranges; draws without a unique stable solution are refused"
    " and redrawn."
)
SOURCE = "Auclert, Bardóczy, Rognlie and Straub (2021), Econometrica 89, 2375-2408"

# fmt: off
EIS = Parameter(name="eis", tex=r"\mathrm{eis}", low=0.3, high=1.0, default=0.5, unit="1", meaning="elasticity of intertemporal substitution", role="preference", bounds=POSITIVE)
KAPPA = Parameter(name="kappa", tex=r"\kappa", low=0.02, high=0.3, default=0.1, unit="1", meaning="slope of the Phillips curve", role="price_setting", bounds=NONNEGATIVE)
RULE = (
    Parameter(name="phi_y", tex=r"\phi_y", low=0.0, high=0.5, default=0.0, unit="1", meaning="reaction of the policy rate to output (quarterly rate)", role="policy_rule"),
    Parameter(name="rho_i", tex=r"\rho_i", low=0.0, high=0.9, default=0.0, unit="per quarter", meaning="interest-rate smoothing", role="policy_rule"),
    Parameter(name="rho_b", tex=r"\rho_b", low=0.0, high=0.95, default=0.0, unit="per quarter", meaning="persistence of public debt after a deficit; 0 is a balanced budget", role="fiscal", bounds=BELOW_ONE, moves_only=Moves(shocks=("fiscal",))),
)
"""Policy beside its reaction to inflation."""
PROCESSES = (
    Parameter(name="rho_m", tex=r"\rho_m", low=0.0, high=0.9, default=0.61, unit="per quarter", meaning="persistence of the monetary shock", role="persistence", bounds=AUTOREGRESSION),
    Parameter(name="rho_z", tex=r"\rho_z", low=0.0, high=0.95, default=0.9, unit="per quarter", meaning="persistence of technology", role="persistence", bounds=AUTOREGRESSION),
    Parameter(name="rho_g", tex=r"\rho_g", low=0.0, high=0.95, default=0.8, unit="per quarter", meaning="persistence of government purchases", role="persistence", bounds=AUTOREGRESSION),
    Parameter(name="rho_u", tex=r"\rho_u", low=0.0, high=0.95, default=0.5, unit="per quarter", meaning="persistence of the cost-push shock", role="persistence", bounds=AUTOREGRESSION),
    Parameter(name="sigma_m", tex=r"\sigma_m", low=0.05, high=0.5, default=0.25, unit=QUARTERLY_POINTS, meaning="standard deviation of the monetary innovation", role="shock_size", bounds=NONNEGATIVE),
    Parameter(name="sigma_z", tex=r"\sigma_z", low=0.1, high=1.5, default=0.7, unit=PERCENT, meaning="standard deviation of the technology innovation", role="shock_size", bounds=NONNEGATIVE),
    Parameter(name="sigma_g", tex=r"\sigma_g", low=0.1, high=1.0, default=0.5, unit="percent of output", meaning="standard deviation of the innovation of purchases", role="shock_size", bounds=NONNEGATIVE),
    Parameter(name="sigma_u", tex=r"\sigma_u", low=0.05, high=0.75, default=0.2, unit=QUARTERLY_POINTS, meaning="standard deviation of the cost-push innovation", role="shock_size", bounds=NONNEGATIVE),
)
"""Persistences and sizes of the shocks, in the order of `shocks`."""
# fmt: on

OBSERVABLES = (
    Observable(name="output", tex="Y", unit=PERCENT, meaning="output, percent of steady state"),
    Observable(
        name="inflation",
        tex=r"4\pi",
        unit=ANNUAL_POINTS,
        meaning="inflation, deviation from steady state",
    ),
    Observable(
        name="rate",
        tex="4i",
        unit=ANNUAL_POINTS,
        meaning="nominal policy rate, deviation from steady state",
    ),
    Observable(
        name="consumption",
        tex="C",
        unit=PERCENT,
        meaning="consumption, percent of steady state",
    ),
)
"""The first of each world's."""


def reaction_to_inflation(low: float) -> Parameter:
    """That of the policy rate, in a range that begins where a world's solution is unique."""
    return Parameter(
        name="phi_pi",
        tex=r"\phi_\pi",
        low=low,
        high=3.0,
        default=1.5,
        unit="1",
        meaning="reaction of the policy rate to inflation",
        role="policy_rule",
    )


def shocks(technology: str, cost_push: str) -> tuple[Shock, ...]:
    """The four shocks, two of them with the meaning that a world gives."""
    return (
        Shock(
            name="monetary",
            tex=r"\varepsilon_m",
            meaning="tightening: the policy rate above its rule",
            size="sigma_m",
            process=("rho_m",),
        ),
        Shock(
            name="technology",
            tex=r"\varepsilon_z",
            meaning=technology,
            size="sigma_z",
            process=("rho_z",),
        ),
        Shock(
            name="fiscal",
            tex=r"\varepsilon_g",
            meaning="rise of government purchases, paid by taxes and, with rho_b, by debt",
            size="sigma_g",
            process=("rho_g",),
        ),
        Shock(
            name="cost_push",
            tex=r"\varepsilon_u",
            meaning=cost_push,
            size="sigma_u",
            process=("rho_u",),
        ),
    )
