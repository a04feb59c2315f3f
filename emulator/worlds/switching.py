"""`switching`: the New Keynesian model of `nk` under a policy rule that a two-state Markov chain
switches.

    x  = E x' - (i - E pi' - r) / sigma                                    dynamic IS curve
    pi = beta E pi' + kappa x + u                                          New Keynesian Phillips
                                                                           curve
    i  = rho_i i_1 + (1 - rho_i)(phi_pi(s) pi + phi_y(s) x) + m            Taylor rule of regime s:
    active or passive
    P(s' = active | s = active) = p_active,  P(s' = passive | s = passive) = p_passive

and the shocks m, r, u of `nk`, all in quarterly percent. Everybody sees the regime and knows the
chain. Davig and Leeper (2007), Generalizing the Taylor Principle, American Economic Review 97,
607-635, doi:10.1257/aer.97.3.607, section III.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from emulator.declarations import SHARE
from emulator.solvers import StateSpace
from emulator.solvers.regime_paths import average_path, average_state_space
from emulator.solvers.regime_switching import SwitchingSolution, solve_switching_equations
from emulator.spec import Extrapolation, Parameter, Status, WorldSpec
from emulator.worlds import nk
from emulator.worlds.base import OnFailure
from emulator.worlds.draws import mark_impossible
from emulator.worlds.linear import LinearWorld

REGIMES = ("active", "passive")
_NK = {p.name: p for p in nk.SPEC.parameters}

# fmt: off
PARAMETERS = (
    *(_NK[name] for name in ("sigma", "beta", "kappa")),
    Parameter(name="phi_pi_active", tex=r"\phi_\pi^{A}", low=1.5, high=3.5, default=2.0, unit="1", meaning="reaction of the policy rate to inflation, active regime", role="policy_rule"),
    Parameter(name="phi_y_active", tex=r"\phi_y^{A}", low=0.0, high=1.0, default=0.125, unit="1", meaning="reaction of the policy rate to the output gap (quarterly rate), active regime", role="policy_rule"),
    Parameter(name="phi_pi_passive", tex=r"\phi_\pi^{P}", low=0.5, high=1.0, default=0.9, unit="1", meaning="reaction of the policy rate to inflation, passive regime", role="policy_rule"),
    Parameter(name="phi_y_passive", tex=r"\phi_y^{P}", low=0.0, high=1.0, default=0.125, unit="1", meaning="reaction of the policy rate to the output gap (quarterly rate), passive regime", role="policy_rule"),
    _NK["rho_i"],
    Parameter(name="p_active", tex="p_{AA}", low=0.8, high=0.99, default=0.95, unit="probability per quarter", meaning="chance that the active regime stays another quarter", role="regime", bounds=SHARE),
    Parameter(name="p_passive", tex="p_{PP}", low=0.5, high=0.95, default=0.85, unit="probability per quarter", meaning="chance that the passive regime stays another quarter", role="regime", bounds=SHARE),
    Parameter(name="active_at_impact", tex="q_A", low=0.0, high=1.0, default=1.0, unit="probability", meaning="chance that the active regime holds in the first quarter: 1 and 0 give the responses of either regime", role="regime", bounds=SHARE),
    *(_NK[name] for name in ("rho_m", "rho_r", "rho_u", "sigma_m", "sigma_r", "sigma_u")),
)
# fmt: on

SPEC = WorldSpec(
    name="switching",
    title="New Keynesian model with a policy rule that switches",
    summary=(
        "The model of `nk` with an active and a passive Taylor rule that follow each other by a"
        " Markov chain; responses are averages over regime paths."
    ),
    prior=(
        "Independent and uniform over the ranges; draws without a unique mean-square stable"
        " solution are refused and redrawn."
    ),
    source="Davig and Leeper (2007), section III; Farmer, Waggoner and Zha (2011)",
    parameters=PARAMETERS,
    shocks=nk.SPEC.shocks,
    observables=nk.SPEC.observables,
    states=tuple(f"{variable}_{regime}" for regime in REGIMES for variable in nk.SPEC.states),
    extrapolation=Extrapolation(
        slice_parameters=("p_passive",), corner_parameters=("rho_r", "rho_u")
    ),
)

_OF_NK = tuple(
    [
        SPEC.index(f"{name}_{regime}" if name in ("phi_pi", "phi_y") else name)
        for name in nk.SPEC.parameter_names
    ]
    for regime in REGIMES
)
"""Where theta holds the parameters of `nk`, regime by regime."""


def chain(theta: Any) -> Any:
    """Transition probabilities (n, 2, 2) at theta (n, 17), NumPy or PyTorch; a row is the regime
    left, active first.
    """
    xp = array_namespace(theta)
    active, passive = theta[:, SPEC.index("p_active")], theta[:, SPEC.index("p_passive")]
    return xp.stack(
        (xp.stack((active, 1 - active), axis=1), xp.stack((1 - passive, passive), axis=1)), axis=1
    )


def equations(theta: Any) -> tuple[Any, ...]:
    """Matrices (lead, current, lag: (n, 2, 6, 6); shock: (n, 2, 6, 3); chain: (n, 2, 2)) at theta
    (n, 17), NumPy or PyTorch.

    Regimes in the order active, passive; variables and equations as in `nk`.
    """
    by_regime = (nk.equations(theta[:, columns]) for columns in _OF_NK)
    return *(
        array_namespace(theta).stack(pair, axis=1) for pair in zip(*by_regime, strict=True)
    ), chain(theta)


class RegimeSwitching(LinearWorld):
    """The world `switching`; see the module's text for the model."""

    spec = SPEC

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(self.spec.low, self.spec.high, size=(n, self.spec.n_parameters))

    def solve(self, theta: np.ndarray) -> SwitchingSolution:
        """Decision rules of x, pi, i, m, r, u (quarterly percent) in either regime, certified draw
        by draw.
        """
        theta = self.spec.check_theta(theta)
        solution = solve_switching_equations(equations, theta, nk.STRUCTURE)
        mark_impossible(self.spec, theta, solution.status, solution.transition, solution.impact)
        return solution

    def status(self, theta: np.ndarray) -> np.ndarray:
        return self.solve(theta).status

    def residual(self, theta: np.ndarray) -> np.ndarray:
        return self.solve(theta).residual

    def state_space(self, theta: np.ndarray) -> StateSpace:
        """State space of E[y; regime], y = (x, pi, i, m, r, u), 6 numbers for the active regime and
        6 for the passive one.
        """
        theta = self.spec.check_theta(theta)
        return _average(self.solve(theta), theta)

    def _simulated_response(
        self, theta: np.ndarray, shocks: np.ndarray, on_failure: OnFailure
    ) -> np.ndarray:
        """Mean (n, T, 3) over all paths of the regimes, the first quarter's drawn by
        `active_at_impact`; in the units of `irf`.

        A shock in a later quarter meets the regimes with the probabilities that the chain has
        reached by then.
        """
        shocks = self._check_shocks(theta, shocks)
        solution = self.solve(theta)
        self._refuse(theta, solution.status != Status.OK, on_failure, solution.status)
        return average_path(
            _average(solution, theta), solution.impact, chain(theta), _at_impact(theta), shocks
        )


def _average(solution: SwitchingSolution, theta: np.ndarray) -> StateSpace:
    return average_state_space(
        solution.transition, solution.impact, chain(theta), _at_impact(theta), nk.OBSERVATION
    )


def _at_impact(theta: np.ndarray) -> np.ndarray:
    """Probabilities (n, 2) of the active and the passive regime in the first quarter."""
    active = theta[:, SPEC.index("active_at_impact")]
    return np.stack([active, 1 - active], axis=1)
