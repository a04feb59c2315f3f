"""From a question to its answer: mode, posterior, marginal likelihood, what speaks against them.

Axes: n draw, N particle, P parameter, F free parameter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from emulator.errors import EstimationWarning, warn
from emulator.estimation.clock import Clock
from emulator.estimation.diagnostics import Evidence, diagnose
from emulator.estimation.full_information.density import DataDensity
from emulator.estimation.full_information.exactly import Reweighted, reweighted
from emulator.estimation.full_information.harmonic import harmonic_mean
from emulator.estimation.full_information.identification import identification
from emulator.estimation.full_information.ledger import Stages
from emulator.estimation.full_information.mode import Mode, find_mode
from emulator.estimation.full_information.predictive import predictive_checks
from emulator.estimation.full_information.question import Begin, DataProblem, DataSettings
from emulator.estimation.full_information.result import Evidences, PosteriorEstimate
from emulator.estimation.full_information.start import AroundModes
from emulator.estimation.matching import thinned
from emulator.estimation.meter import metered
from emulator.estimation.moves import kinds_for
from emulator.estimation.smc import FromPrior, Moves, Particles, Start, collected, run_smc
from emulator.series import read_data

if TYPE_CHECKING:
    from emulator.estimation.prior import Ranges
    from emulator.estimation.settings import Budget
    from emulator.inference.economy import Economy
    from emulator.inference.emulator import Emulator
    from emulator.worlds.priors import Prior as MarginalPrior

PRIOR_DRAWS = 2000
"""Draws of the prior that say which share of it has a solution."""

CHECKED = 200
"""Draws of prior and posterior from which data are simulated for the predictive checks."""


def estimate_from_data(
    data: Any,
    world: str | Path | Economy,
    *,
    emulator: Emulator | None = None,
    exact: bool | None = None,
    observe: Mapping[str, str] | Sequence[str] | None = None,
    errors: Mapping[str, Any] | None = None,
    sample: str | None = None,
    transform: Mapping[str, str] | None = None,
    start: str | None = None,
    presample: int | None = None,
    horizon: int | None = None,
    fixed: Mapping[str, float] | None = None,
    ranges: Ranges | None = None,
    priors: Mapping[str, MarginalPrior] | None = None,
    begin: Begin | None = None,
    budget: Budget | None = None,
    folder: str | Path | None = None,
) -> PosteriorEstimate:
    """Estimate a world's parameters from data by their full likelihood.

    data, sample, transform: "us", a file or a table, as `emulator.read_data` has it; observe,
    errors, start, presample, horizon: as `Economy.log_likelihood` has them, by default those that
    the `estimation` command of a `.mod` file says. world: a name, the path of a `.mod` file, or an
    `Economy`. exact: whether the solver answers; by default it does where the world has a state
    space, and elsewhere the network, `emulator`, by default the one that ships. fixed: parameters
    held at values; ranges: narrower ones; priors: by parameter, by default the world's own, or
    those of the file's `estimated_params`. begin: what sequential Monte Carlo begins with, "mode"
    or "prior"; by default the prior where few parameters are free (`question.FEW`). folder: where
    finished stages are kept, from which an interrupted call goes on.

    Raises `UnknownNameError`, `ParameterError`, `SeriesError`, `NoSolutionError`,
    `EstimationError`; warns with `EstimationWarning` where the result is not to be relied on.
    """
    from emulator.estimation.settings import Budget

    settings = DataSettings(
        emulator=emulator,
        exact=solver_answers(world) if exact is None else exact,
        observe=observe,
        errors=errors,
        sample=sample,
        start=start,
        presample=presample,
        horizon=horizon,
        fixed=fixed,
        ranges=ranges,
        priors=priors,
        begin=begin,
        budget=budget or Budget(),
    )
    problem = DataProblem.of(read_data(data, transform=transform), world, settings)
    for note in problem.density.likelihood.notes:
        warn(f"{problem.world}: {note}", EstimationWarning)
    result = solve(problem, None if folder is None else Path(folder))
    for complaint in result.complaints:
        warn(f"{problem.world}: {complaint}.", EstimationWarning)
    return result


def solver_answers(world: str | Path | Economy) -> bool:
    """Whether a world's own solver answers by default: where it has a state space."""
    from emulator.inference.economy import Economy

    if isinstance(world, Economy):
        return world.answerer.exact
    return Economy.named(world).answerer.has_state_space


def solve(problem: DataProblem, folder: Path | None = None) -> PosteriorEstimate:
    """The answer to a question that has been checked, without its warnings; folder: where finished
    stages are kept.

    Raises `NoSolutionError`, `EstimationError`.
    """
    density, budget = problem.density, problem.settings.budget
    stages = Stages(folder, problem.fingerprint)
    clock = Clock()
    mode = stages.mode()
    if mode is None:
        mode = find_mode(density, budget.starts, _stream(budget, 2))
        stages.write_mode(mode)
    clock.lap("mode")
    posterior, runs, evidence = _sampled(problem, mode, stages)
    clock.lap("posterior")
    mass = density.prior_mass(PRIOR_DRAWS, _stream(budget, 4))
    evidences = _evidences(problem, mode, runs, evidence, mass)
    theta = density.theta(np.concatenate([run.z for run in runs]))
    scored = _exactly(problem, runs)
    clock.lap("rescoring")
    checks = predictive_checks(
        density,
        density.theta(density.prior.z(density.prior.sample(CHECKED, _stream(budget, 8)))),
        thinned(theta, CHECKED),
        _stream(budget, 9),
    )
    clock.lap("predictive checks")
    answer = identification(density, mode)
    clock.lap("identification")
    return PosteriorEstimate(
        problem=problem,
        mode=mode,
        posterior=posterior,
        theta=theta,
        log_kernel=np.concatenate([run.parts.total for run in runs]),
        diagnostics=diagnose(posterior),
        evidences=evidences,
        reweighted=scored,
        checks=checks,
        identification=answer,
        flagged=float(density.likelihood.answerer.flagged(theta).mean()),
        seconds=clock.seconds,
        processor_seconds=clock.processor_seconds,
    )


def _sampled(
    problem: DataProblem, mode: Mode, stages: Stages
) -> tuple[Any, list[Particles], Evidence]:
    """InferenceData, its draws over z by chain, and the marginal likelihood before the prior is
    normalised where there is a solution; NaN from NUTS where its bridge does not converge.
    """
    if problem.settings.budget.sampler == "nuts":
        return _by_nuts(problem, mode)
    density, budget = problem.density, problem.settings.budget
    begin: Start = AroundModes(mode.peaks) if problem.settings.begin == "mode" else FromPrior()
    moves = Moves(kinds_for(budget.draws, len(density.prior.free)), adaptive=True)
    with metered(f"{problem.world}, {density.title}", budget.chains, budget.draws) as meter:
        runs = [
            run_smc(
                density,
                budget.draws,
                np.random.default_rng([budget.seed, 7, run]),
                kept=budget.kept,
                meter=meter,
                start=begin,
                moves=moves,
                ledger=stages.run(run),
            )
            for run in range(budget.chains)
        ]
    posterior, evidence = collected(density, runs)
    return posterior, runs, evidence


def _by_nuts(problem: DataProblem, mode: Mode) -> tuple[Any, list[Particles], Evidence]:
    from emulator.estimation.nuts import log_evidence, sample, u_of, z_of

    density, budget = problem.density, problem.settings.budget
    scout = AroundModes(mode.peaks).draws(density, 50 * budget.chains, _stream(budget, 6))
    scout = scout[np.isfinite(density.parts(scout).total)]
    posterior = sample(density, scout, budget.chains, budget.tune, budget.draws, budget.seed)
    z = z_of(density, u_of(density, posterior), budget.chains)
    evidence = log_evidence(density, z, _stream(budget, 3))
    runs = [Particles(chain, evidence.log, len(chain), density.parts(chain)) for chain in z]
    return posterior, runs, evidence


def _evidences(
    problem: DataProblem,
    mode: Mode,
    runs: Sequence[Particles],
    evidence: Evidence,
    mass: tuple[float, float],
) -> Evidences:
    """All marginal likelihoods, the prior normalised where there is a solution."""
    normalised = problem.settings.begin == "prior" or problem.settings.budget.sampler == "nuts"
    shift = 0.0 if normalised else mass[0]
    error = evidence.error if normalised else float(np.hypot(evidence.error, mass[1]))
    z = np.concatenate([run.z for run in runs])
    kernel = np.concatenate([run.parts.total for run in runs])
    return Evidences(
        sampled=Evidence(evidence.log - shift, error),
        laplace=mode.laplace - mass[0],
        harmonic=harmonic_mean(z, kernel) - mass[0],
        prior_mass=mass[0],
        between_bounds=_between_bounds(problem.density),
    )


def _between_bounds(density: DataDensity) -> float:
    """Logarithm of the prior's probability between the bounds, by which Dynare does not divide."""
    total = 0.0
    for shape in density.prior.shapes:
        ends = shape.probability(np.array(shape.bounds()))
        total += float(np.log(ends[1] - ends[0]))
    return total


def _exactly(problem: DataProblem, runs: Sequence[Particles]) -> Reweighted | None:
    budget = problem.settings.budget
    if problem.exact is None or budget.rescored == 0:
        return None
    z = np.concatenate([run.z for run in runs])
    kernel = np.concatenate([run.parts.total for run in runs])
    rows = np.unique(np.linspace(0, len(z) - 1, min(budget.rescored, len(z))).astype(int))
    return reweighted(problem.density, problem.exact, z[rows], kernel[rows], _stream(budget, 5))


def _stream(budget: Budget, purpose: int) -> np.random.Generator:
    return np.random.default_rng([budget.seed, purpose, 5])


def prior_draws(problem: DataProblem, n: int) -> np.ndarray:
    """Free parameters (n, F) drawn from the prior, with or without a solution."""
    prior = problem.density.prior
    return prior.values(expit(prior.z(prior.sample(n, _stream(problem.settings.budget, 10)))))
