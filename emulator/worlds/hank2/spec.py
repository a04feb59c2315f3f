"""What `hank2` says of itself: parameters with the ranges of their prior, shocks, observables."""

from __future__ import annotations

from emulator.declarations import AUTOREGRESSION, BELOW_ONE, NONNEGATIVE, POSITIVE
from emulator.spec import (
    ANNUAL_POINTS,
    PERCENT,
    QUARTERLY_POINTS,
    Extrapolation,
    Moves,
    Observable,
    Parameter,
    Shock,
    WorldSpec,
)

# fmt: off
PARAMETERS = (
    Parameter(name="eis", tex=r"\mathrm{eis}", low=0.3, high=1.0, default=0.5, unit="1", meaning="elasticity of intertemporal substitution", role="preference", bounds=POSITIVE),
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
    Parameter(name="phi_pi", tex=r"\phi_\pi", low=1.2, high=3.0, default=1.5, unit="1", meaning="reaction of the policy rate to inflation", role="policy_rule"),
    Parameter(name="phi_y", tex=r"\phi_y", low=0.0, high=0.5, default=0.0, unit="1", meaning="reaction of the policy rate to output (quarterly rate)", role="policy_rule"),
    Parameter(name="rho_i", tex=r"\rho_i", low=0.0, high=0.9, default=0.0, unit="per quarter", meaning="interest-rate smoothing", role="policy_rule"),
    Parameter(name="rho_b", tex=r"\rho_b", low=0.0, high=0.95, default=0.0, unit="per quarter", meaning="persistence of public debt after a deficit; 0 is a balanced budget", role="fiscal", bounds=BELOW_ONE, moves_only=Moves(shocks=("fiscal",))),
    Parameter(name="rho_m", tex=r"\rho_m", low=0.0, high=0.9, default=0.61, unit="per quarter", meaning="persistence of the monetary shock", role="persistence", bounds=AUTOREGRESSION),
    Parameter(name="rho_z", tex=r"\rho_z", low=0.0, high=0.95, default=0.9, unit="per quarter", meaning="persistence of technology", role="persistence", bounds=AUTOREGRESSION),
    Parameter(name="rho_g", tex=r"\rho_g", low=0.0, high=0.95, default=0.8, unit="per quarter", meaning="persistence of government purchases", role="persistence", bounds=AUTOREGRESSION),
    Parameter(name="rho_u", tex=r"\rho_u", low=0.0, high=0.95, default=0.5, unit="per quarter", meaning="persistence of the cost-push shock", role="persistence", bounds=AUTOREGRESSION),
    Parameter(name="sigma_m", tex=r"\sigma_m", low=0.05, high=0.5, default=0.25, unit=QUARTERLY_POINTS, meaning="standard deviation of the monetary innovation", role="shock_size", bounds=NONNEGATIVE),
    Parameter(name="sigma_z", tex=r"\sigma_z", low=0.1, high=1.5, default=0.7, unit=PERCENT, meaning="standard deviation of the technology innovation", role="shock_size", bounds=NONNEGATIVE),
    Parameter(name="sigma_g", tex=r"\sigma_g", low=0.1, high=1.0, default=0.5, unit="percent of output", meaning="standard deviation of the innovation of purchases", role="shock_size", bounds=NONNEGATIVE),
    Parameter(name="sigma_u", tex=r"\sigma_u", low=0.05, high=0.75, default=0.2, unit=QUARTERLY_POINTS, meaning="standard deviation of the cost-push innovation", role="shock_size", bounds=NONNEGATIVE),
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
    prior=(
        "Independent and uniform over the ranges; draws without a unique stable solution are"
        " refused and redrawn."
    ),
    source="Auclert, Bardóczy, Rognlie and Straub (2021), Econometrica 89, 2375-2408",
    parameters=PARAMETERS,
    shocks=(
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
            meaning="rise of total factor productivity",
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
            meaning="rise of inflation at a given real marginal cost",
            size="sigma_u",
            process=("rho_u",),
        ),
    ),
    observables=(
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
