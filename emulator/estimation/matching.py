"""One world against one target: what is asked, checked as a whole before any work begins, and its
answer.

Axes: n draw, P parameter, F free parameter, H horizon, O observable, Q quantile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.errors import EstimationWarning, ParameterError, warn
from emulator.estimation.answering import answerers
from emulator.estimation.clock import Clock
from emulator.estimation.density import Criterion, Density, Responder
from emulator.estimation.diagnostics import (
    Evidence,
    Rescored,
    arviz,
    diagnose,
    movements,
    rescore,
)
from emulator.estimation.indirect.identification import Recursive
from emulator.estimation.indirect.pooled import pooled_criterion
from emulator.estimation.indirect.responder import DataOfWorld, LikeTheData, procedure_of
from emulator.estimation.meter import metered
from emulator.estimation.point import find_point
from emulator.estimation.prior import JointPrior, Ranges
from emulator.estimation.result import Estimate
from emulator.estimation.settings import HISTORY, QUANTILES, Budget, Weighting
from emulator.estimation.smc import run_smc, sample_smc
from emulator.estimation.target import Target
from emulator.inference.answerer import Answerer
from emulator.inference.economy import Economy
from emulator.worlds.priors import Prior as MarginalPrior

if TYPE_CHECKING:
    from emulator.inference.emulator import Emulator

FITTED = 500
"""Draws of the posterior whose responses make the fitted band."""


@dataclass(frozen=True)
class Settings:
    """Who answers, and what is known before; each is described by `estimate`."""

    emulator: Emulator | None = None
    exact: bool = False
    shock: str | None = None
    weighting: Weighting | None = None
    fixed: Mapping[str, float] | None = None
    ranges: Ranges | None = None
    priors: Mapping[str, MarginalPrior] | None = None
    budget: Budget | None = None
    like_the_data: bool = False
    errors: Mapping[str, float] | None = None
    history: int = HISTORY


@dataclass(frozen=True)
class MatchingProblem:
    """A target, who answers during the search, the solver that a network is held against (None
    without one), and what is known before: priors, values held, a budget.
    """

    target: Target
    criterion: Criterion
    responder: Responder
    exact_responder: Responder | None
    prior: JointPrior
    fixed: frozenset[str]
    budget: Budget

    @classmethod
    def of(
        cls, target: Target, world: str | Path | Economy, settings: Settings | None = None
    ) -> MatchingProblem:
        """The problem whose parts `emulator.estimation.estimate` describes, checked as a whole.

        Raises `UnknownNameError`, `ParameterError`, `MissingExtraError`.
        """
        settings = settings or Settings()
        budget = settings.budget or Budget()
        arviz()
        if budget.sampler == "nuts":
            from emulator.estimation.nuts import nutpie

            nutpie()
        answerer, solver = answerers(world, settings.emulator, settings.exact)
        target = _of_whom(answerer, solver, target)
        shock = settings.shock or target.shock
        if settings.errors and not settings.like_the_data:
            raise ParameterError(
                "Errors of measurement are those of the series of a VAR that is run on the world's"
                " own data; they need like_the_data=True (--like-the-data)."
            )
        weighting = settings.weighting or usual_weighting(settings, target)
        _check_pooled(weighting, settings, target)
        if settings.like_the_data:
            target = _of_series(target)
            data = DataOfWorld(settings.errors or {}, settings.history, budget.seed)

        def responder(who: Answerer) -> Responder:
            if settings.like_the_data:
                return LikeTheData(who, shock, target, data)
            return Responder(who, shock, target.horizon, target.observables)

        sampled = responder(answerer)
        beside = solver is not None and not answerer.exact
        own = getattr(solver.solver, "priors", None) if solver is not None else None
        prior = JointPrior.of(
            answerer.spec,
            settings.fixed,
            settings.ranges,
            shapes=own if settings.priors is None else settings.priors,
        )
        if isinstance(sampled, LikeTheData):
            sampled.check(prior.base)
        return cls(
            target=target,
            criterion=Criterion(target, weighting),
            responder=sampled,
            exact_responder=responder(solver.answerer) if solver is not None and beside else None,
            prior=prior,
            fixed=frozenset(settings.fixed or {}),
            budget=budget,
        )


def usual_weighting(settings: Settings, target: Target) -> Weighting:
    """The weighting unless one is asked for."""
    if not settings.like_the_data:
        return "diagonal"
    return "pooled" if _is_recursive(target) else "principal"


def _is_recursive(target: Target) -> bool:
    return isinstance(procedure_of(target).identification, Recursive)


def _check_pooled(weighting: Weighting, settings: Settings, target: Target) -> None:
    """Raises `ParameterError` for pooled weights of what is no recursive VAR on the world's data:
    its errors alone are those of short histories.
    """
    if weighting == "pooled" and not (settings.like_the_data and _is_recursive(target)):
        raise ParameterError(
            "The pooled weighting needs a recursive VAR that is run on the world's own data"
            " (like_the_data=True, on the command line --like-the-data). Expected diagonal, full or"
            " principal."
        )


def _of_series(target: Target) -> Target:
    """The target's observables that are among the series of its VAR. Raises `ParameterError` where
    it says no VAR.
    """
    series = [column.observable for column in procedure_of(target).columns]
    return target.observing([name for name in target.observables if name in series])


def _of_whom(answerer: Answerer, solver: Economy | None, target: Target) -> Target:
    """The target as the world knows it that answers.

    Raises `ParameterError` for one that the world, or its network, has not all observables of, and
    for the world of a file without a mapping.
    """
    target = target.in_world(answerer.spec if solver is None else solver.spec)
    if answerer.complete is not None:
        raise ParameterError(
            f"'{answerer.spec.source}' says no prior from which parameters could be estimated: no"
            " mapping lies beside it. A mapping beside a .mod file says which parameters vary, and"
            f" which variables are observed (emulator irf {answerer.spec.source} --write-mapping"
            " proposes one)."
        )
    matched = dict.fromkeys(name for _, name in target.places)
    beyond = [name for name in matched if name not in answerer.spec.observable_names]
    if beyond:
        known = ", ".join(answerer.spec.observable_names)
        raise ParameterError(
            f"The network knows {known} of world '{answerer.spec.name}', and no"
            f" {', '.join(beyond)}, which target '{target.name}' matches. The world's solver"
            " answers with exact=True, on the command line --exact."
        )
    return target.in_world(answerer.spec)


def estimate(
    target: Target,
    world: str | Path | Economy,
    *,
    emulator: Emulator | None = None,
    exact: bool = False,
    shock: str | None = None,
    weighting: Weighting | None = None,
    fixed: Mapping[str, float] | None = None,
    ranges: Ranges | None = None,
    priors: Mapping[str, MarginalPrior] | None = None,
    budget: Budget | None = None,
    like_the_data: bool = False,
    errors: Mapping[str, float] | None = None,
    history: int = HISTORY,
) -> Estimate:
    """Estimate a world's parameters from a target of impulse responses.

    world: a name, the path of a `.mod` file, or an `Economy`, over a solver (`emulator.world`) or
    over a network (`emulator.load()["nk"]`); emulator: the network, by default the one that ships;
    exact: let the solver answer instead. shock: the world's name of the shock, by default the
    target's. The shock is of one standard deviation in the target and in
    the world, so that its size is estimated as any other parameter. fixed, ranges: see
    `JointPrior.of`; priors: by parameter (`emulator.worlds.priors.Prior`), by default the world's
    own; an empty mapping makes all uniform over their ranges. The target's observables are those of
    the world of the same names, in the world's periods. Parameters that do not move the
    matched responses are held at their defaults; the solver decides which, from derivatives.

    like_the_data: match what the target's own VAR finds in the world's data, in place of the
    world's responses (indirect inference), which is right also where the VAR's identification is
    false in the world; errors: standard deviations of errors of measurement by series of the VAR,
    in the world's data; history: periods that are simulated where the world is not linear.
    weighting: "diagonal", "full", "principal" or "pooled", by default diagonal; for like_the_data
    pooled if the VAR is recursive, else principal.

    Raises `UnknownNameError`, `ParameterError`, `NoSolutionError`, `EstimationError`; warns with
    `EstimationWarning` where the result is not to be relied on (`Estimate.complaints`).
    """
    settings = Settings(
        emulator=emulator,
        exact=exact,
        shock=shock,
        weighting=weighting,
        fixed=fixed,
        ranges=ranges,
        priors=priors,
        budget=budget,
        like_the_data=like_the_data,
        errors=errors,
        history=history,
    )
    result = solve(MatchingProblem.of(target, world, settings))
    for complaint in result.complaints:
        warn(f"{result.spec.name}: {complaint}.", EstimationWarning)
    return result


def solve(problem: MatchingProblem) -> Estimate:
    """The estimate of a problem that has been checked, without its warnings.

    Raises `NoSolutionError`, `EstimationError`.
    """
    target = problem.target
    budget = problem.budget
    prior = problem.prior
    exact_responder = problem.exact_responder
    clock = Clock()
    before = Density(exact_responder or problem.responder, problem.criterion, prior)
    moving = before.moving(_stream(budget, 1))
    density = Density(problem.responder, problem.criterion, prior.only(moving))
    if problem.criterion.weighting == "pooled":
        draws = budget.chains * budget.draws
        density = replace(density, criterion=pooled_criterion(density, draws, _stream(budget, 7)))
        clock.lap("first step")
    point = find_point(density, budget.starts, _stream(budget, 2))
    clock.lap("point")
    posterior, evidence, missed = _sampled(density, budget)
    posterior.add_groups(observed_data=target.dataset()[["irf", "sd"]].drop_vars("unit"))
    posterior.attrs |= {
        "world": prior.spec.name,
        "target": target.name,
        "answered_by": density.responder.title,
        "sampler": budget.sampler,
    }
    clock.lap("posterior")
    theta = _theta_of(density, posterior)
    irf = density.responder.responses(thinned(theta, FITTED))
    own = irf
    if isinstance(problem.responder, LikeTheData):
        own = problem.responder.own(thinned(theta, FITTED))
    rescored, exact_evidence = _reweighted(density, exact_responder, theta, evidence, budget)
    clock.lap("rescoring")
    held = {
        name: (float(base), "given" if name in problem.fixed else "moves no matched response")
        for name, base in zip(prior.spec.parameter_names, prior.base, strict=True)
        if name not in density.prior.names
    }
    return Estimate(
        target=target,
        density=density,
        budget=budget,
        point=point,
        posterior=posterior,
        diagnostics=diagnose(posterior),
        evidence=evidence,
        fitted=np.quantile(irf, QUANTILES, axis=0),
        own=np.quantile(own, QUANTILES, axis=0),
        held=held,
        movements=(
            ()
            if isinstance(problem.responder, LikeTheData)
            else movements(target, np.concatenate([point.irf[None], irf]))
        ),
        missed=missed,
        rescored=rescored,
        exact_evidence=exact_evidence,
        flagged=float(density.responder.flagged(theta).mean()),
        seconds=clock.seconds,
        processor_seconds=clock.processor_seconds,
    )


def _sampled(density: Density, budget: Budget) -> tuple[Any, Evidence, list[str]]:
    """InferenceData, marginal likelihood, and parameters in which chains and scout differ."""
    if budget.sampler == "smc":
        return *sample_smc(density, budget.chains, budget.draws, budget.seed, budget.kept), []
    from emulator.estimation.nuts import log_evidence, missed, sample, u_of, z_of

    with metered(f"{density.prior.spec.name}, scout", 1, budget.scouts) as meter:
        scout = run_smc(density, budget.scouts, _stream(budget, 6), budget.kept, meter).z
    posterior = sample(density, scout, budget.chains, budget.tune, budget.draws, budget.seed)
    evidence = log_evidence(
        density, z_of(density, u_of(density, posterior), budget.chains), _stream(budget, 3)
    )
    return posterior, evidence, missed(density, posterior, scout)


def _theta_of(density: Density, posterior: Any) -> np.ndarray:
    """The posterior's draws as whole parameter vectors (n, P), chain after chain."""
    prior = density.prior
    return prior.theta(
        prior.places(
            np.stack([posterior.posterior[name].values.ravel() for name in prior.names], axis=1)
        )
    )


def _reweighted(
    density: Density,
    exact_responder: Responder | None,
    theta: np.ndarray,
    evidence: Evidence,
    budget: Budget,
) -> tuple[Rescored | None, float | None]:
    """The solver's weights of a network's draws, and the marginal likelihood under the solver."""
    if exact_responder is None or budget.rescored == 0:
        return None, None
    rescored = rescore(
        density.criterion, density.responder, exact_responder, thinned(theta, budget.rescored)
    )
    ours, exact = (
        Density(responder, density.criterion, density.prior).prior_mass(
            budget.rescored, _stream(budget, 4)
        )[0]
        for responder in (density.responder, exact_responder)
    )
    return rescored, evidence.log + ours + rescored.log_mean_weight - exact


def thinned(theta: np.ndarray, n: int) -> np.ndarray:
    """At most n of the draws, spread evenly over all chains."""
    return theta[np.unique(np.linspace(0, len(theta) - 1, min(n, len(theta))).astype(int))]


def _stream(budget: Budget, purpose: int) -> np.random.Generator:
    return np.random.default_rng([budget.seed, purpose, 5])
