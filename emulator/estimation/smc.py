"""Sequential Monte Carlo from a reference to the posterior: many draws at a time, no gradient, and
several modes found in their proportions.

Tempering as in Herbst and Schorfheide (2014, doi:10.1002/jae.2397): the power of the posterior over
the reference, by default the prior, rises from 0 to 1 so that a share of the particles stays
effective at each stage; particles are resampled, then moved by Metropolis steps
(`emulator.estimation.moves`). A network or a batched solver answers for all particles at once. The
product of the stages' mean weights is the marginal likelihood. Axes: N particle, F free parameter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logsumexp

from emulator.estimation.density import Parts, PosteriorDensity, solvable_draws
from emulator.estimation.diagnostics import Evidence, arviz
from emulator.estimation.meter import Meter, metered
from emulator.estimation.moves import Cloud, Reference, moved
from emulator.estimation.settings import KEPT

STEPS = 8
"""Metropolis steps after each stage, beside one for each free parameter; twice as many after the
last.
"""

FEWEST_STEPS = 4
"""The same at least, where steps end once particles have moved far enough."""

REMEMBERED = 0.2
"""Correlation of the particles with where a stage began, mean over parameters, at which its steps
end.
"""

FORGOTTEN = 0.1
CHANCE = 2.0
"""The same for the last stage, of every parameter, beside so many standard deviations of chance."""


class Particles(NamedTuple):
    """Draws z (N, F) of the posterior, equally weighted, the logarithm of the marginal likelihood
    that they imply, how many draws were answered for, and the parts of the log-density there.
    """

    z: np.ndarray
    log_evidence: float
    evaluations: int
    parts: Parts


class Start(Protocol):
    """What the tempering begins with: draws of it, and its log-density."""

    def draws(self, density: PosteriorDensity, n: int, rng: np.random.Generator) -> np.ndarray:
        """z (n, F)."""
        ...

    def log_density(self, z: np.ndarray, parts: Parts) -> np.ndarray:
        """(n,)"""
        ...


class FromPrior:
    """The prior where there is a solution."""

    def draws(self, density: PosteriorDensity, n: int, rng: np.random.Generator) -> np.ndarray:
        """z (n, F). Raises `NoSolutionError` where the prior hardly has any solution."""
        return density.prior.z(solvable_draws(density, n, rng))

    def log_density(self, z: np.ndarray, parts: Parts) -> np.ndarray:
        """(n,), not normalised for draws without a solution."""
        return parts.solvable + parts.prior


@dataclass(frozen=True)
class Moves:
    """How particles move: kinds of steps, in turn, and whether they end once particles have moved
    far enough.
    """

    kinds: tuple[str, ...] = ("difference",)
    adaptive: bool = False


@dataclass(frozen=True)
class Stage:
    """Where a run stands after a stage."""

    cloud: Cloud
    number: int
    log_evidence: float
    evaluations: int


class Ledger(Protocol):
    """Keeps the stages of a run, so that an interrupted one goes on from its last."""

    def load(self, rng: np.random.Generator) -> Stage | None:
        """The last stage, with the generator set as it was then; None where there is none."""
        ...

    def save(self, stage: Stage, rng: np.random.Generator) -> None: ...


def run_smc(
    density: PosteriorDensity,
    n: int,
    rng: np.random.Generator,
    kept: float = KEPT,
    meter: Meter | None = None,
    start: Start | None = None,
    moves: Moves | None = None,
    ledger: Ledger | None = None,
) -> Particles:
    """One run with n particles, of which a share `kept` stays effective at each rise of the power;
    a meter counts each move. Raises `NoSolutionError` where the prior hardly has any solution.
    """
    start = start or FromPrior()
    moves = moves or Moves()
    stage = ledger.load(rng) if ledger is not None else None
    if stage is None:
        z = start.draws(density, n, rng)
        parts = density.parts(z)
        stage = Stage(Cloud(z, parts, start.log_density(z, parts)), 0, 0.0, n)
    while stage.cloud.power < 1.0:
        stage = _next(density, stage, start.log_density, kept, moves, rng, meter)
        if ledger is not None:
            ledger.save(stage, rng)
    return Particles(stage.cloud.z, stage.log_evidence, stage.evaluations, stage.cloud.parts)


def _next(
    density: PosteriorDensity,
    stage: Stage,
    reference: Reference,
    kept: float,
    moves: Moves,
    rng: np.random.Generator,
    meter: Meter | None,
) -> Stage:
    """The next stage: a rise of the power, resampling, moves."""
    cloud = stage.cloud
    n, size = cloud.z.shape
    rise = _rise(cloud.gain, 1.0 - cloud.power, kept)
    log_weights = rise * cloud.gain
    log_evidence = stage.log_evidence + float(logsumexp(log_weights) - np.log(n))
    cloud = replace(cloud.chosen(_resampled(log_weights, rng)), power=min(cloud.power + rise, 1.0))
    began = cloud.z
    last = cloud.power == 1.0
    most = (STEPS + size) * (2 if last else 1)
    evaluations = stage.evaluations
    for step in range(most):
        kind = moves.kinds[step % len(moves.kinds)]
        cloud = moved(density, cloud, reference, kind, rng)
        evaluations += n
        done = moves.adaptive and step + 1 >= FEWEST_STEPS
        done = done and _forgotten(began, cloud.z, last)
        if meter is not None:
            meter.moved(stage.number + 1, cloud.power, 0 if done else most - step - 1, STEPS + size)
        if done:
            break
    return Stage(cloud, stage.number + 1, log_evidence, evaluations)


def _forgotten(before: np.ndarray, after: np.ndarray, last: bool) -> bool:
    """Whether particles have moved far enough from where a stage began."""
    a, b = (z - z.mean(axis=0) for z in (before, after))
    size = np.sqrt(np.square(a).sum(axis=0) * np.square(b).sum(axis=0))
    correlations = (a * b).sum(axis=0) / np.maximum(size, 1e-300)
    if last:
        return bool(correlations.max() < FORGOTTEN + CHANCE / np.sqrt(len(before)))
    return bool(correlations.mean() < REMEMBERED)


def sample_smc(
    density: PosteriorDensity, runs: int, n: int, seed: int, kept: float = KEPT
) -> tuple[Any, Evidence]:
    """InferenceData of independent runs of n particles each, a run a chain, and the evidence with
    its standard error over runs (NaN with one).

    Its attribute `evaluations` is the number of draws that were answered for.
    """
    with metered(f"{density.prior.spec.name}, {density.title}", runs, n) as meter:
        clouds = [
            run_smc(density, n, np.random.default_rng([seed, 7, run]), kept, meter)
            for run in range(runs)
        ]
    return collected(density, clouds)


def collected(density: PosteriorDensity, clouds: list[Particles]) -> tuple[Any, Evidence]:
    """`sample_smc`'s answer, from its runs."""
    runs = len(clouds)
    values = np.stack([density.prior.values(expit(particles.z)) for particles in clouds])
    logs = np.array([particles.log_evidence for particles in clouds])
    mean = float(logsumexp(logs) - np.log(runs))
    error = float(np.exp(logs - mean).std(ddof=1) / np.sqrt(runs)) if runs > 1 else float("nan")
    draws = {name: values[:, :, k] for k, name in enumerate(density.prior.names)}
    posterior = arviz().from_dict(
        posterior=draws, sample_stats={"diverging": np.zeros(values.shape[:2], dtype=bool)}
    )
    posterior.attrs["evaluations"] = sum(particles.evaluations for particles in clouds)
    return posterior, Evidence(mean, error)


def _rise(log_likelihood: np.ndarray, most: float, kept: float) -> float:
    """By how much the power may rise so that a share `kept` of the particles stays effective."""

    def effective(rise: float) -> float:
        log_weights = rise * np.maximum(log_likelihood, log_likelihood.max() - 1e6)
        return (
            float(np.exp(2 * logsumexp(log_weights) - logsumexp(2 * log_weights)))
            / len(log_weights)
            - kept
        )

    return most if effective(most) >= 0 else float(brentq(effective, 0.0, most, xtol=1e-12))


def _resampled(log_weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Systematic resampling, in random order, so that no particle is told by its place."""
    weights = np.exp(log_weights - logsumexp(log_weights))
    places = (np.arange(len(weights)) + rng.uniform()) / len(weights)
    chosen = np.searchsorted(np.cumsum(weights), places).clip(max=len(weights) - 1)
    return rng.permutation(chosen)
