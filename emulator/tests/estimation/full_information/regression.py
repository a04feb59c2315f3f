"""A linear regression with normal errors and normal priors, so that posterior and marginal
likelihood are known in closed form; a model file with an autoregression, and data of it.
"""

from types import SimpleNamespace

import numpy as np
from scipy.stats import multivariate_normal

from emulator.estimation.full_information.density import DataDensity
from emulator.estimation.prior import JointPrior
from emulator.spec import Extrapolation, Observable, Parameter, Shock, WorldSpec
from emulator.worlds.priors import Prior

N, T = 3, 40

SPEC = WorldSpec(
    name="regression",
    title="Regression",
    summary="For tests.",
    source="none",
    prior="normal",
    parameters=tuple(
        Parameter(
            name=f"b{k}",
            tex="b",
            low=-np.inf,
            high=np.inf,
            default=0.0,
            unit="1",
            meaning="a coefficient",
            role="friction",
        )
        for k in range(N)
    ),
    shocks=(Shock(name="error", tex="e", meaning="of the regression"),),
    observables=(Observable(name="y", tex="y", unit="1", meaning="explained"),),
    extrapolation=Extrapolation(slice_parameters=(), corner_parameters=()),
)
PRIOR = {f"b{k}": Prior(prior="normal", mean=0.0, sd=2.0, low=-20.0, high=20.0) for k in range(N)}
DESIGN = np.random.default_rng(0).normal(size=(T, N))
Y = DESIGN @ [0.5, -1.0, 2.0] + np.random.default_rng(1).normal(size=T)


class Normal:
    """The likelihood of the regression's data; bias: of another regression, as of a network; edge:
    from which value of the first coefficient on there is no solution.
    """

    presample = 0

    def __init__(self, exact=True, bias=0.0, sd=1.0, edge=np.inf):
        self.exact, self.bias, self.sd, self.edge = exact, bias, sd, edge
        self.answerer = SimpleNamespace(
            spec=SPEC,
            exact=exact,
            complete=None,
            log_solvable=lambda theta: np.where(theta[:, 0] < edge, 0.0, -np.inf),
            flagged=lambda theta: np.zeros(len(theta), dtype=bool),
        )

    def values(self, theta, gradient=False, strict=True):
        gaps = (Y - (theta + self.bias) @ DESIGN.T) / self.sd
        by_period = -0.5 * gaps**2 - 0.5 * np.log(2 * np.pi) - np.log(self.sd)
        by_period[theta[:, 0] >= self.edge] = -np.inf
        return SimpleNamespace(by_period=by_period, total=by_period.sum(axis=1))


def density(exact=True, bias=0.0, sd=1.0, edge=np.inf):
    return DataDensity(Normal(exact, bias, sd, edge), JointPrior.of(SPEC, shapes=PRIOR))


def known():
    """Mean and covariance of the posterior, and the log marginal likelihood."""
    precision = DESIGN.T @ DESIGN + np.eye(N) / 4
    covariance = np.linalg.inv(precision)
    joint = np.eye(T) + 4 * DESIGN @ DESIGN.T
    return covariance @ DESIGN.T @ Y, covariance, multivariate_normal(np.zeros(T), joint).logpdf(Y)


AR = """
var y z; varexo e; parameters rho;
rho = 0.6;
model(linear); y = rho*y(-1) + e; z = y; end;
shocks; var e; stderr 1; end;
estimated_params;
rho, 0.6, 0, 0.99, beta_pdf, 0.5, 0.2;
stderr e, inv_gamma_pdf, 1, inf;
end;
varobs y;
"""


def write_ar(folder, text=AR, periods=60):
    """The model file and data of it; their paths."""
    rng = np.random.default_rng(3)
    y = [0.0]
    for shock in rng.normal(size=periods):
        y.append(0.6 * y[-1] + shock)
    rows = [f"{1960 + t // 4}Q{t % 4 + 1},{value}" for t, value in enumerate(y[1:])]
    (folder / "ar.mod").write_text(text)
    (folder / "ar.csv").write_text("\n".join(["period,y", *rows]) + "\n")
    return folder / "ar.mod", folder / "ar.csv"
