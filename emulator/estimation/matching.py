"""One world against one target: point estimate, posterior, marginal likelihood, and the exact solution's word on them.

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

from emulator.errors import ParameterError, UnknownNameError
from emulator.estimation.criterion import Criterion, Weighting
from emulator.estimation.density import Density
from emulator.estimation.evidence import Evidence, log_evidence, prior_mass, z_of
from emulator.estimation.meter import metered
from emulator.estimation.point import Point, find_point
from emulator.estimation.posterior import Diagnostics, diagnose, missed, sample, u_of
from emulator.estimation.prior import Prior, Ranges
from emulator.estimation.rescore import Rescored, rescore
from emulator.estimation.responder import ExactResponder, Responder
from emulator.estimation.smc import KEPT, run_smc, sample_smc
from emulator.estimation.target import Target
from emulator.estimation.trouble import EstimationWarning
from emulator.inference.exact import ExactWorld
from emulator.spec import WorldSpec
from emulator.worlds.priors import Prior as Shape

if TYPE_CHECKING:
    from emulator.inference.network import Emulator

QUANTILES = (0.05, 0.5, 0.95)
SAMPLERS = ("nuts", "smc")

FITTED = 500
"""Draws of the posterior whose responses make the fitted band."""


@dataclass(frozen=True)
class Budget:
    """How much is spent: searches, chains with their warm-up and draws, draws for the exact solver to score; and the seed of it all.

    sampler: "smc", whose independent runs are the chains and whose particles are the draws, or "nuts" (docs/decisions/004-sampler.md). scouts: particles of
    the one run of sequential Monte Carlo that finds where the chains of NUTS start. kept: share of particles that stay effective at each rise of the
    likelihood's power; nearer to one takes more stages, and finds modes that are far apart more surely.
    """

    sampler: str = "smc"
    kept: float = KEPT
    scouts: int = 1000
    starts: int = 8
    chains: int = 4
    tune: int = 500
    draws: int = 1000
    rescored: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise ParameterError(f"The sampler is {self.sampler!r}; expected {' or '.join(SAMPLERS)}.")
        if not 0 < self.kept < 1:
            raise ParameterError(f"kept is {self.kept}; expected a share between 0 and 1.")
        least = {"scouts": 20, "starts": 1, "chains": 1, "tune": 20, "draws": 20, "rescored": 0, "seed": 0}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ParameterError(f"{name} is {getattr(self, name)}; expected {bound} or more.")


@dataclass(frozen=True)
class Estimate:
    """What was found. `posterior` is ArviZ InferenceData with a variable for each free parameter, in its own unit.

    fitted (Q, H+1, 3): quantiles `QUANTILES` of the responses under the posterior; evidence: log marginal quasi-likelihood under the responder that
    was sampled, exact_evidence under the solver, by importance weights; held: values of parameters that were not
    estimated, with the reason; missed: parameters whose chains differ from the scout's particles; flagged: share of draws that the network itself doubts;
    seconds: by stage, on a clock on the wall; processor_seconds: those that this process computed, which other programs do not lengthen.
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
        if self.missed:
            found.append(f"the chains are distributed otherwise than the scout's particles in {', '.join(self.missed)}: the posterior has several modes between which they do not move; use the sampler smc")
        if self.rescored is not None:
            found += self.rescored.complaints
        if self.flagged > 0.05:
            found.append(f"the network itself doubts {self.flagged:.0%} of the draws")
        return found

    def table(self) -> pd.DataFrame:
        """A row a free parameter: point, standard error, whether at its bound, mean, standard deviation and quantiles of the posterior, and the mean under exact weights."""
        prior = self.density.prior
        draws = np.stack([self.posterior.posterior[name].values.ravel() for name in prior.names], axis=1)
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
        columns |= {"low": prior.low, "high": prior.high, "unit": [self.spec.parameters[k].unit for k in prior.free]}
        return pd.DataFrame(columns, index=pd.Index(prior.names, name="parameter"))

    def fit(self) -> pd.DataFrame:
        """A row a horizon and observable: the target with its standard deviation, whether it was matched, the fit at the point, and its quantiles."""
        data = self.target.dataset()[["irf", "sd", "matched"]].to_dataframe().drop(columns="unit", errors="ignore")
        data = data.rename(columns={"irf": "target", "sd": "target_sd"}).assign(point=self.point.irf.ravel())
        return data.assign(**{f"q{100 * q:02.0f}": values.ravel() for q, values in zip(QUANTILES, self.fitted, strict=True)})

    def write(self, folder: str | Path) -> None:
        """Write `posterior.nc`, `parameters.csv`, `fit.csv` and `result.json` into a folder."""
        from emulator.estimation.result_files import write_estimate

        write_estimate(self, Path(folder))


def estimate(
    target: Target, world: str | Path | ExactWorld, *, emulator: Emulator | None = None, exact: bool = False, shock: str | None = None,
    weighting: Weighting = "diagonal", fixed: Mapping[str, float] | None = None, ranges: Ranges | None = None,
    priors: Mapping[str, Shape] | None = None, budget: Budget | None = None,
) -> Estimate:  # fmt: skip
    """Estimate a world's parameters from a target of impulse responses.

    world: a name, the path of a `.mod` file, or an `ExactWorld`; emulator: the network, by default the one that ships; exact: let the solver
    answer instead. shock: the world's name of the shock, by default the target's. The shock is of one standard deviation
    in the target and in the world, so that its size is estimated as any other parameter. fixed, ranges: see `Prior.of`; priors:
    shapes by parameter (`emulator.worlds.priors.Prior`), by default the world's own; an empty mapping makes all uniform over their ranges.
    Parameters that do not move the matched responses are held at their defaults; the solver decides which, from derivatives.

    Raises `UnknownNameError`, `ParameterError`, `NoSolutionError`, `EstimationError`; warns with `EstimationWarning` where the
    result is not to be relied on (`Estimate.complaints`).
    """
    budget, clock = budget or Budget(), _Clock()
    solver = world if isinstance(world, ExactWorld) else _solver(world, needed=exact or emulator is None or world not in emulator.worlds)
    responder, judge = _responders(target, world, solver, emulator, exact, shock or target.shock)
    criterion = Criterion(target, weighting)
    own = getattr(solver.solver, "priors", None) if solver is not None else None
    prior = Prior.of(responder.spec, fixed, ranges, own if priors is None else priors)
    moving = Density(judge or responder, criterion, prior).moving(_stream(budget, 1))
    density = Density(responder, criterion, prior.only(moving))
    point = find_point(density, budget.starts, _stream(budget, 2))
    clock.lap("point")
    posterior, evidence, unlike = _sampled(density, budget)
    posterior.add_groups(observed_data=target.dataset()[["irf", "sd"]].drop_vars("unit"))
    posterior.attrs |= {"world": responder.spec.name, "target": target.name, "answered_by": responder.title, "sampler": budget.sampler}
    clock.lap("posterior")
    u = u_of(density, posterior)
    theta = density.prior.theta(u)
    fitted = np.quantile(responder.responses(_thinned(theta, FITTED)), QUANTILES, axis=0)
    rescored, exact_evidence = _verdict(density, judge, theta, evidence, budget)
    clock.lap("rescoring")
    held = {name: (float(base), "given" if name in (fixed or {}) else "moves no matched response") for name, base in zip(prior.spec.parameter_names, prior.base, strict=True) if name not in density.prior.names}
    found = Estimate(target, density, budget, point, posterior, diagnose(posterior), evidence, fitted, held, unlike, rescored, exact_evidence, float(responder.flagged(theta).mean()), clock.seconds, clock.processor_seconds)
    for complaint in found.complaints:
        warnings.warn(f"{prior.spec.name}: {complaint}.", EstimationWarning, stacklevel=2)
    return found


def _solver(world: str | Path, needed: bool) -> ExactWorld | None:
    """The world's solver, if there is one; a network may know worlds that this installation does not."""
    try:
        found = ExactWorld.named(world)
    except UnknownNameError:
        if needed:
            raise
        return None
    found.solver.require()
    return found


def _responders(target: Target, world: str | Path | ExactWorld, solver: ExactWorld | None, emulator: Emulator | None, exact: bool, shock: str) -> tuple[Responder, Responder | None]:
    """Who answers during the search, and the solver that judges a network, where there is one."""
    judge = None if solver is None else ExactResponder(solver, shock, target.horizon)
    if exact:
        assert judge is not None
        return judge, None
    from emulator.estimation.network_responder import NetworkResponder
    from emulator.inference.network import Emulator

    name = world.spec.name if isinstance(world, ExactWorld) else str(world) if solver is None else solver.spec.name
    network = NetworkResponder(emulator or Emulator.load(), name, shock, target.horizon)
    if judge is not None and not judge.spec.is_same_model(network.spec):
        raise ParameterError(f"The solver of '{judge.spec.name}' has other parameters, shocks or another file than the world '{name}' that the network was trained on. Use the exact solver, or a network that was trained on this model.")
    return network, judge


def _sampled(density: Density, budget: Budget) -> tuple[Any, Evidence, list[str]]:
    """InferenceData, marginal likelihood, and parameters in which chains and scout differ."""
    if budget.sampler == "smc":
        return *sample_smc(density, budget.chains, budget.draws, budget.seed, budget.kept), []
    with metered(f"{density.prior.spec.name}, scout", 1, budget.scouts) as meter:
        scout = run_smc(density, budget.scouts, _stream(budget, 6), budget.kept, meter).z
    posterior = sample(density, scout, budget.chains, budget.tune, budget.draws, budget.seed)
    evidence = log_evidence(density, z_of(density, u_of(density, posterior), budget.chains), _stream(budget, 3))
    return posterior, evidence, missed(density, posterior, scout)


def _verdict(density: Density, judge: Responder | None, theta: np.ndarray, evidence: Evidence, budget: Budget) -> tuple[Rescored | None, float | None]:
    """The solver's weights, and the marginal likelihood under it."""
    if judge is None or budget.rescored == 0:
        return None, None
    found = rescore(density.criterion, density.responder, judge, _thinned(theta, budget.rescored))
    n = budget.rescored
    masses = [prior_mass(Density(who, density.criterion, density.prior), n, _stream(budget, 4)).log for who in (density.responder, judge)]
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
        self.seconds[name], self.processor_seconds[name] = now[0] - self.last[0], now[1] - self.last[1]
        self.last = now
