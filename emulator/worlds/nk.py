"""`nk`: the three-equation New Keynesian model with interest-rate smoothing.

    x  = E x' - (i - E pi' - r) / sigma                          dynamic IS curve
    pi = beta E pi' + kappa x + u                                New Keynesian Phillips curve
    i  = rho_i i_1 + (1 - rho_i)(phi_pi pi + phi_y x) + m        Taylor rule
    m  = rho_m m_1 + sigma_m e_m,  r = rho_r r_1 + sigma_r e_r,  u = rho_u u_1 + sigma_u e_u

All in quarterly percent. Galí (2015), Monetary Policy, Inflation, and the Business Cycle, 2nd ed.,
ch. 3; Woodford (2003), Interest and Prices, ch. 4, for determinacy under smoothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from emulator.declarations import AUTOREGRESSION, DISCOUNT, NONNEGATIVE, POSITIVE
from emulator.solvers import Solution, StateSpace, Structure, solve_equations
from emulator.solvers.news import Outlook, onward_matrix
from emulator.spec import (
    ANNUAL_POINTS,
    PERCENT,
    QUARTERLY_POINTS,
    Extrapolation,
    Observable,
    Parameter,
    Shock,
    WorldSpec,
)
from emulator.worlds.draws import mark_impossible
from emulator.worlds.linear import LinearWorld

X, PI, RATE, M, R, U = range(6)

# fmt: off
PARAMETERS = (
    Parameter(name="sigma", tex=r"\sigma", low=0.5, high=4.0, default=1.5, unit="1", meaning="inverse elasticity of intertemporal substitution", role="preference", bounds=POSITIVE),
    Parameter(name="beta", tex=r"\beta", low=0.985, high=0.999, default=0.99, unit="per quarter", meaning="discount factor", role="preference", bounds=DISCOUNT),
    Parameter(name="kappa", tex=r"\kappa", low=0.01, high=0.5, default=0.1, unit="1", meaning="slope of the Phillips curve", role="price_setting", bounds=NONNEGATIVE),
    Parameter(name="phi_pi", tex=r"\phi_\pi", low=0.8, high=3.5, default=1.5, unit="1", meaning="reaction of the policy rate to inflation", role="policy_rule"),
    Parameter(name="phi_y", tex=r"\phi_y", low=0.0, high=1.0, default=0.125, unit="1", meaning="reaction of the policy rate to the output gap (quarterly rate)", role="policy_rule"),
    Parameter(name="rho_i", tex=r"\rho_i", low=0.0, high=0.95, default=0.7, unit="per quarter", meaning="interest-rate smoothing", role="policy_rule"),
    Parameter(name="rho_m", tex=r"\rho_m", low=0.0, high=0.9, default=0.3, unit="per quarter", meaning="persistence of the monetary shock", role="persistence", bounds=AUTOREGRESSION),
    Parameter(name="rho_r", tex=r"\rho_r", low=0.0, high=0.95, default=0.7, unit="per quarter", meaning="persistence of the natural rate (demand)", role="persistence", bounds=AUTOREGRESSION),
    Parameter(name="rho_u", tex=r"\rho_u", low=0.0, high=0.95, default=0.5, unit="per quarter", meaning="persistence of the cost-push shock", role="persistence", bounds=AUTOREGRESSION),
    Parameter(name="sigma_m", tex=r"\sigma_m", low=0.05, high=0.5, default=0.25, unit=QUARTERLY_POINTS, meaning="standard deviation of the monetary innovation", role="shock_size", bounds=NONNEGATIVE),
    Parameter(name="sigma_r", tex=r"\sigma_r", low=0.1, high=1.5, default=0.5, unit=QUARTERLY_POINTS, meaning="standard deviation of the demand innovation", role="shock_size", bounds=NONNEGATIVE),
    Parameter(name="sigma_u", tex=r"\sigma_u", low=0.05, high=0.75, default=0.2, unit=QUARTERLY_POINTS, meaning="standard deviation of the cost-push innovation", role="shock_size", bounds=NONNEGATIVE),
)
# fmt: on

SPEC = WorldSpec(
    name="nk",
    title="Three-equation New Keynesian model",
    summary=(
        "Dynamic IS curve, New Keynesian Phillips curve and a Taylor rule with smoothing; AR(1)"
        " shocks."
    ),
    prior=(
        "Independent and uniform over the ranges; draws without a unique stable solution are"
        " refused and redrawn."
    ),
    source="Galí (2015), ch. 3; Woodford (2003), ch. 4",
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
            name="demand",
            tex=r"\varepsilon_r",
            meaning="rise of the natural rate of interest",
            size="sigma_r",
            process=("rho_r",),
        ),
        Shock(
            name="cost_push",
            tex=r"\varepsilon_u",
            meaning="rise of inflation at a given output gap",
            size="sigma_u",
            process=("rho_u",),
        ),
    ),
    observables=(
        Observable(
            name="output",
            tex="x",
            unit=PERCENT,
            meaning="output gap, percent of the flexible-price level",
        ),
        Observable(
            name="inflation",
            tex=r"4\pi",
            unit=ANNUAL_POINTS,
            meaning="inflation, deviation from target",
        ),
        Observable(
            name="rate",
            tex="4i",
            unit=ANNUAL_POINTS,
            meaning="policy rate, deviation from steady state",
        ),
    ),
    states=("x", "pi", "i", "m", "r", "u"),
    extrapolation=Extrapolation(slice_parameters=("rho_i",), corner_parameters=("rho_r", "rho_u")),
)


def equations(theta: Any) -> tuple[Any, Any, Any, Any]:
    """Matrices (lead, current, lag: (n, 6, 6); shock: (n, 6, 3)) of the model at theta (n, 12),
    NumPy or PyTorch.

    Order of variables: x, pi, i, m, r, u; one row an equation, in the order of the module's text.
    """
    xp = array_namespace(theta)
    sigma, beta, kappa, phi_pi, phi_y, rho_i, rho_m, rho_r, rho_u, sigma_m, sigma_r, sigma_u = (
        theta[:, k] for k in range(12)
    )
    one = xp.ones_like(sigma)
    lead = {(0, X): -one, (0, PI): -1 / sigma, (1, PI): -beta}
    current = {
        (0, X): one,
        (0, RATE): 1 / sigma,
        (0, R): -1 / sigma,
        (1, PI): one,
        (1, X): -kappa,
        (1, U): -one,
        (2, RATE): one,
        (2, PI): -(1 - rho_i) * phi_pi,
        (2, X): -(1 - rho_i) * phi_y,
        (2, M): -one,
        (3, M): one,
        (4, R): one,
        (5, U): one,
    }
    lag = {(2, RATE): -rho_i, (3, M): -rho_m, (4, R): -rho_r, (5, U): -rho_u}
    shock = {(3, 0): -sigma_m, (4, 1): -sigma_r, (5, 2): -sigma_u}
    return _stack(lead, 6, one), _stack(current, 6, one), _stack(lag, 6, one), _stack(shock, 3, one)


def _stack(entries: dict[tuple[int, int], Any], width: int, one: Any) -> Any:
    stack = array_namespace(one).zeros((one.shape[0], 6, width), dtype=one.dtype, device=one.device)
    for (row, column), value in entries.items():
        stack[:, row, column] = value
    return stack


STRUCTURE = Structure.of(*equations(SPEC.theta())[:3])
OBSERVATION = np.zeros((3, 6))
OBSERVATION[0, X], OBSERVATION[1, PI], OBSERVATION[2, RATE] = 1.0, 4.0, 4.0


class NewKeynesian(LinearWorld):
    """The world `nk`; see the module's text for the model."""

    spec = SPEC

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(self.spec.low, self.spec.high, size=(n, self.spec.n_parameters))

    def solve(self, theta: np.ndarray) -> Solution:
        """Decision rules of x, pi, i, m, r, u (quarterly percent), certified draw by draw."""
        theta = self.spec.check_theta(theta)
        solution = solve_equations(equations, theta, STRUCTURE)
        mark_impossible(self.spec, theta, solution.status, solution.transition, solution.impact)
        return solution

    def status(self, theta: np.ndarray) -> np.ndarray:
        return self.solve(theta).status

    def residual(self, theta: np.ndarray) -> np.ndarray:
        return self.solve(theta).residual

    def outlook(self, theta: np.ndarray) -> Outlook:
        solution = self.solve(theta)
        lead, current, _, _ = equations(theta)
        onward = onward_matrix(lead, current, solution.transition)
        observed = np.broadcast_to(OBSERVATION, (len(theta), 3, 6))
        return Outlook(solution.transition, solution.impact, onward, observed)

    def state_space(self, theta: np.ndarray) -> StateSpace:
        solution = self.solve(theta)
        return StateSpace(
            solution.transition, solution.impact, np.broadcast_to(OBSERVATION, (len(theta), 3, 6))
        )
