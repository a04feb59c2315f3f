"""The posterior of one world's parameters given data, in the words of Dynare's tables.

Axes: n draw, P parameter, F free parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from emulator.estimation.diagnostics import Diagnostics, Evidence, arviz
from emulator.estimation.full_information.exactly import Reweighted
from emulator.estimation.full_information.identification import Identification
from emulator.estimation.full_information.mode import Mode
from emulator.estimation.full_information.question import DataProblem
from emulator.estimation.settings import QUANTILE_NAMES, QUANTILES
from emulator.spec import BAND_LEVEL, WorldSpec

DYNARE_SHAPES = {
    "uniform": "unif",
    "normal": "norm",
    "beta": "beta",
    "gamma": "gamm",
    "inv_gamma": "invg",
    "inv_gamma2": "invg2",
    "weibull": "wbll",
}
"""Shapes of priors as Dynare's tables name them."""

APART = 1.0
"""Distance of marginal likelihoods by two methods from which they count as different."""

CHANGES = 0.05
"""Share of draws that a network may doubt."""


class Evidences(NamedTuple):
    """Log marginal likelihoods, the prior normalised between its bounds and where there is a
    solution: of the sampler with its standard error, Laplace's, the modified harmonic mean's.

    prior_mass: logarithm of the prior's probability where there is a solution; between_bounds: of
    its shapes' probability between their bounds. Dynare divides by neither: its log data density is
    these two plus ours.
    """

    sampled: Evidence
    laplace: float
    harmonic: float
    prior_mass: float
    between_bounds: float

    @property
    def as_dynare(self) -> float:
        """What Dynare calls the log data density, of the sampler."""
        return self.sampled.log + self.prior_mass + self.between_bounds


@dataclass(frozen=True)
class PosteriorEstimate:
    """Mode, posterior and marginal likelihood of one world given data, and what speaks against
    them.

    `posterior` is ArviZ InferenceData with a variable for each free parameter, in its own unit;
    theta (n, P): the same draws as whole parameter vectors; log_kernel (n,): log-density over z
    there; reweighted: the solver's weights where a network was sampled; checks: a row a statistic
    of the data, see `predictive_checks`; seconds: by stage.
    """

    problem: DataProblem
    mode: Mode
    posterior: Any
    theta: np.ndarray
    log_kernel: np.ndarray
    diagnostics: Diagnostics
    evidences: Evidences
    reweighted: Reweighted | None
    checks: pd.DataFrame
    identification: Identification
    flagged: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=dict)
    processor_seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def spec(self) -> WorldSpec:
        return self.problem.density.prior.spec

    @property
    def exact(self) -> bool:
        """Whether the solver answered during the search, not a network."""
        return self.problem.density.likelihood.exact

    @property
    def names(self) -> tuple[str, ...]:
        """Of the free parameters."""
        return self.problem.density.prior.names

    @property
    def draws(self) -> np.ndarray:
        """Draws (n, F) of the posterior that was sampled, each parameter in its unit."""
        return np.stack([self.posterior.posterior[name].values.ravel() for name in self.names], 1)

    @cached_property
    def exact_draws(self) -> np.ndarray:
        """Draws (n, P) of the exact posterior, whole vectors: where a network was sampled, by the
        solver's weights or by the chain that it corrects.
        """
        if self.reweighted is None:
            return self.theta
        rng = np.random.default_rng([self.problem.settings.budget.seed, 11, 5])
        return self.problem.density.theta(self.reweighted.draws(rng))

    @property
    def log_marginal_likelihood(self) -> float:
        """Of the exact posterior where it is known, else of the one that was sampled."""
        scored = self.reweighted
        shift = scored.log_mean_weight if scored is not None and scored.reliable else 0.0
        return self.evidences.sampled.log + shift

    @property
    def held(self) -> dict[str, tuple[float, str]]:
        """Parameters that were not estimated, with their values and why."""
        prior = self.problem.density.prior
        return {
            name: (float(value), "given" if name in self.problem.fixed else "has no prior")
            for name, value in zip(prior.spec.parameter_names, prior.base, strict=True)
            if name not in prior.names
        }

    @property
    def why_no_laplace(self) -> str:
        """Why there is no approximation by Laplace, in words; empty where there is one."""
        if self.mode.at_bound:
            return f"the mode is at an end of the range of {', '.join(self.mode.at_bound)}"
        if np.isfinite(self.mode.laplace):
            return ""
        return (
            "the curvature at the mode is not that of a maximum, as at the border of where there is"
            " a solution"
        )

    @property
    def complaints(self) -> list[str]:
        """What speaks against relying on the posterior, in words; empty where nothing does."""
        complaints = [*self.diagnostics.complaints, *self.identification.complaints]
        if self.mode.agreeing < 2 <= len(self.mode.objectives):
            complaints.append(
                f"one of {len(self.mode.objectives)} searches found the mode: there may be a higher"
                " one; take more searches (--starts)"
            )
        if why := self.why_no_laplace:
            complaints.append(f"{why}: Laplace's approximation does not hold")
        apart = abs(self.evidences.harmonic - self.evidences.sampled.log)
        if apart > APART:
            complaints.append(
                f"the marginal likelihoods of the sampler and of the harmonic mean are {apart:.1f}"
                " apart; take more draws"
            )
        if self.reweighted is not None:
            complaints += self.reweighted.complaints
        if self.flagged > CHANGES:
            complaints.append(f"the network itself doubts {self.flagged:.0%} of the draws")
        return complaints

    @cached_property
    def _table(self) -> pd.DataFrame:
        prior = self.problem.density.prior
        az, draws = arviz(), self.draws
        ends = np.array([az.hdi(draws[:, k], hdi_prob=BAND_LEVEL) for k in range(draws.shape[1])])
        summary = {"r_hat": np.full(len(self.names), np.nan)}
        if self.diagnostics.chains > 1:
            r_hats = az.rhat(self.posterior.posterior)
            summary["r_hat"] = np.array([float(r_hats[name]) for name in self.names])
        for kind in ("bulk", "tail"):
            sizes = az.ess(self.posterior.posterior, method=kind)
            summary[f"ess_{kind}"] = np.array([float(sizes[name]) for name in self.names])
        shapes = prior.shapes
        means = [shape.mean if shape.mean is not None else np.nan for shape in shapes]
        sds = [shape.sd if shape.sd is not None else np.nan for shape in shapes]
        middle, spread = (prior.low + prior.high) / 2, (prior.high - prior.low) / np.sqrt(12)
        columns: dict[str, Any] = {
            "prior": [DYNARE_SHAPES[shape.prior] for shape in shapes],
            "prior_mean": np.where(np.isnan(means), middle, means),
            "prior_sd": np.where(np.isnan(sds), spread, sds),
            "mode": self.mode.values,
            "mode_sd": self.mode.sd,
            "mean": draws.mean(axis=0),
            "sd": draws.std(axis=0),
            "hpd_low": ends[:, 0],
            "hpd_high": ends[:, 1],
            **dict(zip(QUANTILE_NAMES, np.quantile(draws, QUANTILES, axis=0), strict=True)),
        }
        if self.reweighted is not None:
            exact = self.exact_draws[:, list(prior.free)]
            columns |= {"mean_exact": exact.mean(axis=0), "sd_exact": exact.std(axis=0)}
        columns |= summary
        columns |= {"identified": self.identification.identified}
        columns |= {"low": prior.low, "high": prior.high}
        columns |= {"unit": [self.spec.parameters[k].unit for k in prior.free]}
        return pd.DataFrame(columns, index=pd.Index(self.names, name="parameter"))

    def table(self) -> pd.DataFrame:
        """A row a free parameter: its prior; the mode with its standard deviation by curvature;
        mean, standard deviation, 90 % interval of highest density and quantiles of the posterior;
        R-hat and effective sizes; whether the data identify it.
        """
        return self._table.copy()
