"""One world against one target: point estimate, posterior, marginal likelihood, and the exact
solution's word on them.

Axes: n draw, P parameter, F free parameter, H horizon, Q quantile.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from emulator.estimation.criterion import Weighting
from emulator.estimation.density import Density
from emulator.estimation.evidence import Evidence, log_evidence, prior_mass, z_of
from emulator.estimation.meter import metered
from emulator.estimation.point import Point, find_point
from emulator.estimation.posterior import Diagnostics, diagnose, missed, sample, u_of
from emulator.estimation.prior import Ranges
from emulator.estimation.question import Budget, Question
from emulator.estimation.rescore import Rescored, rescore
from emulator.estimation.responder import Responder
from emulator.estimation.smc import run_smc, sample_smc
from emulator.estimation.target import Target
from emulator.estimation.trouble import EstimationWarning
from emulator.inference.exact import ExactWorld
from emulator.spec import WorldSpec
from emulator.worlds.priors import Prior as Shape

if TYPE_CHECKING:
    from emulator.inference.network import Emulator

QUANTILES = (0.05, 0.5, 0.95)

TAIL = 0.005
"""Share of the posterior's draws that lie beyond the point estimate, from which it counts as
another mode's.
"""

FITTED = 500
"""Draws of the posterior whose responses make the fitted band."""


@dataclass(frozen=True)
class Estimate:
    """What was found.

    `posterior` is ArviZ InferenceData with a variable for each free parameter, in its own unit.

    fitted (Q, H+1, 3): quantiles `QUANTILES` of the responses under the posterior; evidence: log
    marginal quasi-likelihood under the responder that was sampled, exact_evidence under the solver,
    by importance weights; held: values of parameters that were not estimated, with the reason;
    missed: parameters whose chains differ from the scout's particles; flagged: share of draws that
    the network itself doubts; seconds: by stage, on a clock on the wall; processor_seconds: those
    that this process computed, which other programs do not lengthen.
    """

    target: Target
    density: Density
    budget: Budget
    point: Point
    posterior: Any
    diagnostics: Diagnostics
    evidence: Evidence
    fitted: np.ndarray
    held: Mapping[str, tuple[float, str]]
    missed: Sequence[str] = ()
    rescored: Rescored | None = None
    exact_evidence: float | None = None
    flagged: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=dict)
    processor_seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def spec(self) -> WorldSpec:
        return self.density.prior.spec

    @property
    def exact(self) -> bool:
        """Whether the solver answered during the search, not a network."""
        return self.density.responder.exact

    @property
    def complaints(self) -> list[str]:
        """What speaks against relying on the posterior, in words; empty where nothing does."""
        found = self.diagnostics.complaints
        entries, free = len(self.target.entries), len(self.density.prior.free)
        if entries < free:
            found.append(
                f"{entries} matched entries cannot tell {free} parameters apart: many values fit as"
                " well as the point estimate, and the prior decides between them"
            )
        if self.missed:
            found.append(
                "the chains are distributed otherwise than the scout's particles in"
                f" {', '.join(self.missed)}: the posterior has several modes between which they do"
                " not move; use the sampler smc"
            )
        if apart := self.apart:
            found.append(
                f"the point lies beyond nearly all draws of the posterior in {', '.join(apart)}:"
                " the best fit and most of the probability are different modes"
            )
        if self.rescored is not None:
            found += self.rescored.complaints
        if self.flagged > 0.05:
            found.append(f"the network itself doubts {self.flagged:.0%} of the draws")
        return found

    @property
    def draws(self) -> np.ndarray:
        """Draws (n, F) of the posterior, each parameter in its unit."""
        return np.stack(
            [self.posterior.posterior[name].values.ravel() for name in self.density.prior.names],
            axis=1,
        )

    @property
    def apart(self) -> list[str]:
        """Parameters inside their ranges whose point estimate is beyond all but a share `TAIL` of
        the posterior's draws.
        """
        prior = self.density.prior
        below = (self.draws < self.point.theta[list(prior.free)]).mean(axis=0)
        beyond = (below < TAIL) | (below > 1 - TAIL)
        return [
            name
            for name, far in zip(prior.names, beyond, strict=True)
            if far and name not in self.point.at_bound
        ]

    def table(self) -> pd.DataFrame:
        """A row a free parameter: point, standard error, whether at its bound, mean, standard
        deviation and quantiles of the posterior, and the mean under exact weights.
        """
        prior, draws = self.density.prior, self.draws
        columns: dict[str, Any] = {
            "point": self.point.theta[list(prior.free)],
            "standard_error": self.point.standard_errors,
            "at_bound": [name in self.point.at_bound for name in prior.names],
            "mean": draws.mean(axis=0),
            "sd": draws.std(axis=0),
            **{f"q{100 * q:02.0f}": np.quantile(draws, q, axis=0) for q in QUANTILES},
        }
        if self.rescored is not None:
            columns["mean_exact"] = self.rescored.weights @ self.rescored.theta[:, list(prior.free)]
        columns |= {
            "low": prior.low,
            "high": prior.high,
            "unit": [self.spec.parameters[k].unit for k in prior.free],
        }
        return pd.DataFrame(columns, index=pd.Index(prior.names, name="parameter"))

    def fit(self) -> pd.DataFrame:
        """A row a horizon and observable: the target with its standard deviation, whether it was
        matched, the fit at the point, and its quantiles.
        """
        data = (
            self.target.dataset()[["irf", "sd", "matched"]]
            .to_dataframe()
            .drop(columns="unit", errors="ignore")
        )
        data = data.rename(columns={"irf": "target", "sd": "target_sd"}).assign(
            point=self.point.irf.ravel()
        )
        return data.assign(
            **{
                f"q{100 * q:02.0f}": values.ravel()
                for q, values in zip(QUANTILES, self.fitted, strict=True)
            }
        )

    def write(self, folder: str | Path) -> None:
        """Write `posterior.nc`, `parameters.csv`, `fit.csv` and `result.json` into a folder."""
        from emulator.estimation.result_files import write_estimate

        write_estimate(self, Path(folder))


def estimate(
    target: Target,
    world: str | Path | ExactWorld,
    *,
    emulator: Emulator | None = None,
    exact: bool = False,
    shock: str | None = None,
    weighting: Weighting = "diagonal",
    fixed: Mapping[str, float] | None = None,
    ranges: Ranges | None = None,
    priors: Mapping[str, Shape] | None = None,
    budget: Budget | None = None,
) -> Estimate:
    """Estimate a world's parameters from a target of impulse responses.

    world: a name, the path of a `.mod` file, or an `ExactWorld`; emulator: the network, by default
    the one that ships; exact: let the solver answer instead. shock: the world's name of the shock,
    by default the target's. The shock is of one standard deviation in the target and in the world,
    so that its size is estimated as any other parameter. fixed, ranges: see `Prior.of`; priors:
    shapes by parameter (`emulator.worlds.priors.Prior`), by default the world's own; an empty
    mapping makes all uniform over their ranges. Parameters that do not move the matched responses
    are held at their defaults; the solver decides which, from derivatives.

    Raises `UnknownNameError`, `ParameterError`, `NoSolutionError`, `EstimationError`; warns with
    `EstimationWarning` where the result is not to be relied on (`Estimate.complaints`).
    """
    found = answer(
        Question.of(
            target,
            world,
            emulator=emulator,
            exact=exact,
            shock=shock,
            weighting=weighting,
            fixed=fixed,
            ranges=ranges,
            priors=priors,
            budget=budget,
        )
    )
    for complaint in found.complaints:
        warnings.warn(f"{found.spec.name}: {complaint}.", EstimationWarning, stacklevel=2)
    return found


def answer(question: Question) -> Estimate:
    """`estimate` of a question that has been checked, without its warnings.

    Raises `NoSolutionError`, `EstimationError`.
    """
    target, budget, judge, prior, clock = (
        question.target,
        question.budget,
        question.judge,
        question.prior,
        _Clock(),
    )
    moving = Density(judge or question.responder, question.criterion, prior).moving(
        _stream(budget, 1)
    )
    density = Density(question.responder, question.criterion, prior.only(moving))
    point = find_point(density, budget.starts, _stream(budget, 2))
    clock.lap("point")
    posterior, evidence, unlike = _sampled(density, budget)
    posterior.add_groups(observed_data=target.dataset()[["irf", "sd"]].drop_vars("unit"))
    posterior.attrs |= {
        "world": prior.spec.name,
        "target": target.name,
        "answered_by": density.responder.title,
        "sampler": budget.sampler,
    }
    clock.lap("posterior")
    u = u_of(density, posterior)
    theta = density.prior.theta(u)
    fitted = np.quantile(density.responder.responses(_thinned(theta, FITTED)), QUANTILES, axis=0)
    rescored, exact_evidence = _verdict(density, judge, theta, evidence, budget)
    clock.lap("rescoring")
    held = {
        name: (float(base), "given" if name in question.fixed else "moves no matched response")
        for name, base in zip(prior.spec.parameter_names, prior.base, strict=True)
        if name not in density.prior.names
    }
    return Estimate(
        target,
        density,
        budget,
        point,
        posterior,
        diagnose(posterior),
        evidence,
        fitted,
        held,
        unlike,
        rescored,
        exact_evidence,
        float(density.responder.flagged(theta).mean()),
        clock.seconds,
        clock.processor_seconds,
    )


def _sampled(density: Density, budget: Budget) -> tuple[Any, Evidence, list[str]]:
    """InferenceData, marginal likelihood, and parameters in which chains and scout differ."""
    if budget.sampler == "smc":
        return *sample_smc(density, budget.chains, budget.draws, budget.seed, budget.kept), []
    with metered(f"{density.prior.spec.name}, scout", 1, budget.scouts) as meter:
        scout = run_smc(density, budget.scouts, _stream(budget, 6), budget.kept, meter).z
    posterior = sample(density, scout, budget.chains, budget.tune, budget.draws, budget.seed)
    evidence = log_evidence(
        density, z_of(density, u_of(density, posterior), budget.chains), _stream(budget, 3)
    )
    return posterior, evidence, missed(density, posterior, scout)


def _verdict(
    density: Density, judge: Responder | None, theta: np.ndarray, evidence: Evidence, budget: Budget
) -> tuple[Rescored | None, float | None]:
    """The solver's weights, and the marginal likelihood under it."""
    if judge is None or budget.rescored == 0:
        return None, None
    found = rescore(density.criterion, density.responder, judge, _thinned(theta, budget.rescored))
    n = budget.rescored
    masses = [
        prior_mass(Density(who, density.criterion, density.prior), n, _stream(budget, 4)).log
        for who in (density.responder, judge)
    ]
    return found, evidence.log + masses[0] + found.log_mean_weight - masses[1]


def _thinned(theta: np.ndarray, n: int) -> np.ndarray:
    """At most n of the draws, spread evenly over all chains."""
    return theta[np.unique(np.linspace(0, len(theta) - 1, min(n, len(theta))).astype(int))]


def _stream(budget: Budget, purpose: int) -> np.random.Generator:
    return np.random.default_rng([budget.seed, purpose, 5])


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor_seconds: dict[str, float] = {}
        self.last = time.perf_counter(), time.process_time()

    def lap(self, name: str) -> None:
        now = time.perf_counter(), time.process_time()
        self.seconds[name], self.processor_seconds[name] = (
            now[0] - self.last[0],
            now[1] - self.last[1],
        )
        self.last = now
