"""What `hank2` says of itself: parameters with the ranges of their prior, shocks, observables."""

from __future__ import annotations

from emulator.declarations import BELOW_ONE, NONNEGATIVE, POSITIVE
from emulator.spec import PERCENT, Extrapolation, Observable, Parameter, WorldSpec
from emulator.worlds.households.spec import (
    EIS,
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
    # Near 0.3 economies lie close to indeterminacy, with responses ten times as large as elsewhere.
    EIS.model_copy(update={"low": 0.4}),
    Parameter(name="rho_e", tex=r"\rho_e", low=0.94, high=0.98, default=0.966, unit="per quarter", meaning="persistence of a household's skill", role="risk", bounds=BELOW_ONE),
    Parameter(name="sd_e", tex=r"\sigma_e", low=0.7, high=1.1, default=0.92, unit="1", meaning="cross-sectional standard deviation of log skill", role="risk", bounds=POSITIVE),
    Parameter(name="r", tex=r"\bar r", low=0.008, high=0.0135, default=0.0125, unit="per quarter", meaning="real return on illiquid assets at rest; the discount factor adjusts", role="steady_state", bounds=POSITIVE),
    Parameter(name="spread", tex=r"\omega", low=0.002, high=0.007, default=0.005, unit="per quarter", meaning="by how much liquid assets pay less", role="steady_state", bounds=NONNEGATIVE),
    Parameter(name="wealth", tex="A+B", low=13.0, high=16.0, default=14.0, unit="quarterly output", meaning="wealth of households; the markup adjusts", role="steady_state", bounds=POSITIVE),
    Parameter(name="liquid", tex="B", low=0.5, high=1.6, default=1.04, unit="quarterly output", meaning="liquid assets of households; the cost of adjusting illiquid ones adjusts", role="steady_state", bounds=POSITIVE),
    Parameter(name="frisch", tex=r"\nu", low=0.4, high=2.0, default=1.0, unit="1", meaning="Frisch elasticity of labour supply", role="preference", bounds=POSITIVE),
    Parameter(name="eps_i", tex=r"\epsilon_I", low=1.0, high=8.0, default=4.0, unit="1", meaning="elasticity of investment to the price of capital", role="technology", bounds=POSITIVE),
    Parameter(name="debt", tex="B^g", low=1.0, high=2.9, default=2.8, unit="quarterly output", meaning="public debt; the rest of wealth is equity", role="fiscal", bounds=NONNEGATIVE),
    Parameter(name="kappa", tex=r"\kappa_p", low=0.02, high=0.3, default=0.1, unit="1", meaning="slope of the Phillips curve of prices", role="price_setting", bounds=NONNEGATIVE),
    Parameter(name="kappa_w", tex=r"\kappa_w", low=0.02, high=0.3, default=0.1, unit="1", meaning="slope of the Phillips curve of wages", role="wage_setting", bounds=NONNEGATIVE),
    reaction_to_inflation(low=1.2),
    *RULE,
    *PROCESSES,
)
# fmt: on

SPEC = WorldSpec(
    name="hank2",
    title="Two-asset HANK",
    summary=(
        "Households with uninsured income risk hold liquid assets and illiquid ones that are costly"
        " to adjust; sticky prices and wages, investment, a Taylor rule and public debt; AR(1)"
        " shocks; linear in the aggregate shocks."
    ),
    prior=PRIOR,
    source=SOURCE,
    parameters=PARAMETERS,
    shocks=shocks(
        technology="rise of total factor productivity",
        cost_push="rise of inflation at a given real marginal cost",
    ),
    observables=(
        *OBSERVABLES,
        Observable(
            name="hours",
            tex="N",
            unit=PERCENT,
            meaning="hours worked, percent of steady state",
        ),
        Observable(
            name="investment",
            tex="I",
            unit=PERCENT,
            meaning="investment, percent of steady state",
        ),
    ),
    extrapolation=Extrapolation(slice_parameters=("liquid",), corner_parameters=("rho_i", "rho_z")),
)
