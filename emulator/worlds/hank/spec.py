"""What `hank` says of itself: parameters with the ranges of their prior, shocks, observables."""

from __future__ import annotations

from emulator.declarations import BELOW_ONE, POSITIVE
from emulator.spec import PERCENT, Extrapolation, Observable, Parameter, WorldSpec
from emulator.worlds.households.spec import (
    EIS,
    KAPPA,
    OBSERVABLES,
    PRIOR,
    PROCESSES,
    RULE,
    SOURCE,
    reaction_to_inflation,
    shocks,
)

# fmt: off
PARAMETERS = (
    EIS,
    Parameter(name="frisch", tex=r"\nu", low=0.25, high=1.5, default=0.5, unit="1", meaning="Frisch elasticity of labour supply", role="preference", bounds=POSITIVE),
    Parameter(name="rho_e", tex=r"\rho_e", low=0.92, high=0.98, default=0.966, unit="per quarter", meaning="persistence of a household's skill", role="risk", bounds=BELOW_ONE),
    Parameter(name="sd_e", tex=r"\sigma_e", low=0.3, high=0.7, default=0.5, unit="1", meaning="cross-sectional standard deviation of log skill", role="risk", bounds=POSITIVE),
    Parameter(name="debt", tex="B", low=2.0, high=8.0, default=5.6, unit="quarterly output", meaning="public debt, the only asset: liquidity of households", role="fiscal", bounds=POSITIVE),
    Parameter(name="r", tex=r"\bar r", low=0.0025, high=0.01, default=0.005, unit="per quarter", meaning="real interest rate at rest; the discount factor adjusts", role="steady_state", bounds=POSITIVE),
    Parameter(name="mu", tex=r"\mu", low=1.1, high=1.4, default=1.2, unit="1", meaning="gross markup of firms", role="price_setting", bounds="(1, inf)"),
    KAPPA,
    reaction_to_inflation(low=1.1),
    *RULE,
    *PROCESSES,
)
# fmt: on

SPEC = WorldSpec(
    name="hank",
    title="One-asset HANK",
    summary=(
        "Households with uninsured income risk and a borrowing limit, sticky prices, a Taylor rule"
        " and public debt; AR(1) shocks; linear in the aggregate shocks."
    ),
    prior=PRIOR,
    source=SOURCE,
    parameters=PARAMETERS,
    shocks=shocks(
        technology="rise of output per unit of labour",
        cost_push="rise of inflation at a given real wage",
    ),
    observables=(
        *OBSERVABLES,
        Observable(
            name="hours",
            tex="L",
            unit=PERCENT,
            meaning="hours worked, weighed by skill (effective labour), percent of steady state",
        ),
        Observable(
            name="consumption_bottom_half",
            tex=r"C_{0-50}",
            unit=PERCENT,
            meaning="consumption of the poorest half by wealth, percent of theirs at rest",
        ),
        Observable(
            name="consumption_top_tenth",
            tex=r"C_{90-100}",
            unit=PERCENT,
            meaning="consumption of the richest tenth by wealth, percent of theirs at rest",
        ),
    ),
    extrapolation=Extrapolation(slice_parameters=("debt",), corner_parameters=("rho_i", "rho_z")),
)
