"""An economy whose responses are linear in its parameters, so that posterior and evidence are known
in closed form; as solver and as network.
"""

import numpy as np
import torch
from scipy.stats import multivariate_normal

from emulator.estimation.density import Responder
from emulator.estimation.target import Target
from emulator.inference.answerer import Gradient, Local
from emulator.models.base import EmulatorModel
from emulator.spec import Extrapolation, Observable, Parameter, Shock, WorldSpec

UNITS = {
    "output": "percent",
    "inflation": "annualised percentage points",
    "rate": "annualised percentage points",
}
N, LAST = 3, 4
"""Parameters that matter (one more does not), and the last horizon."""

SPEC = WorldSpec(
    name="line",
    title="Linear",
    summary="For tests.",
    source="none",
    prior="uniform",
    parameters=tuple(
        Parameter(
            name=f"p{k}",
            tex="p",
            low=-6.0,
            high=6.0,
            default=0.0,
            unit="1",
            meaning="a number",
            role="friction",
        )
        for k in range(N + 1)
    ),
    shocks=(
        Shock(name="other", tex="o", meaning="unused"),
        Shock(name="monetary", tex="m", meaning="matched"),
    ),
    observables=tuple(
        Observable(name=name, tex=name, unit=unit, meaning=name) for name, unit in UNITS.items()
    ),
    extrapolation=Extrapolation(slice_parameters=("p0",), corner_parameters=("p1",)),
)

SLOPES = np.random.default_rng(5).normal(size=(N, LAST + 1, 3))
"""The fourth parameter moves nothing."""


class LinearResponder(Responder):
    """Responses sum_k theta_k SLOPES_k."""

    exact, title = True, "linear"

    def __init__(self):
        self.spec = SPEC
        self.shock = SPEC.shock_index("monetary")
        self.horizon = LAST

    def responses(self, theta):
        return np.tensordot(theta[:, :N], SLOPES, 1)

    def log_solvable(self, theta):
        return np.zeros(len(theta))

    def local(self, theta, free):
        by = np.stack([SLOPES[k] if k < N else np.zeros_like(SLOPES[0]) for k in free])
        return Local(self.responses(theta[None])[0], 0.0, by, np.zeros(len(free)))

    def judged(self, theta):
        return self.responses(theta), self.log_solvable(theta)

    def pulled(self, theta, free, force):
        local = self.local(theta, free)
        return Gradient(local.irf, 0.0, np.tensordot(local.irf_by, force(local.irf), 2))

    def flagged(self, theta):
        return np.zeros(len(theta), dtype=bool)


class LinearNetwork(EmulatorModel):
    """The same as a network: the matched shock is the second."""

    def __init__(self):
        super().__init__()
        self.param_dims, self.shock_dims, self.horizon = {"line": N + 1}, {"line": 2}, LAST
        self.world_specs = {"line": SPEC}
        self.slopes = torch.nn.Parameter(torch.tensor(SLOPES, dtype=torch.float32))

    def natural(self, theta, world, horizon):
        irf = torch.tensordot(theta[:, :N], self.slopes, 1)
        return torch.stack([torch.zeros_like(irf), irf], dim=1)


def target(truth=(0.5, -1.0, 2.0), sd=0.5, seed=0):
    """Responses at the truth with independent errors."""
    irf = np.tensordot(truth, SLOPES, 1)
    return Target.of(
        "line",
        "monetary",
        irf + sd * np.random.default_rng(seed).normal(size=irf.shape),
        np.full(irf.shape, sd),
    )


def known(target):
    """Mean and covariance of the posterior of the parameters that matter, and the log marginal
    likelihood; the prior's ends are many standard deviations away.
    """
    design = SLOPES.reshape(N, -1)[:, target.entries].T
    precision = np.linalg.inv(target.matched_covariance)
    covariance = np.linalg.inv(design.T @ precision @ design)
    mean = covariance @ design.T @ precision @ target.values
    at_mode = multivariate_normal(design @ mean, target.matched_covariance).logpdf(target.values)
    return (
        mean,
        covariance,
        at_mode + 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1] - N * np.log(12.0),
    )
