"""Sequential Monte Carlo from the prior to the posterior: many draws at a time, no gradient, and
several modes found in their proportions.

Likelihood tempering as in Herbst and Schorfheide (2014, doi:10.1002/jae.2397): the likelihood's
power rises from 0 to 1 so that half of the particles stay effective at each stage, particles are
resampled, then moved by Metropolis steps along differences of two other particles (ter Braak 2006,
doi:10.1007/s11222-006-8769-1), some of them of full length, which lead from mode to mode. A network
or a batched solver answers for all particles at once. The product of the stages' mean weights is
the marginal likelihood. Axes: N particle, F free parameter.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from rich.progress import Progress
from scipy.optimize import brentq
from scipy.special import expit, logsumexp

from emulator.estimation.density import Density, Parts, solvable_draws
from emulator.estimation.diagnostics import Evidence, arviz
from emulator.estimation.settings import KEPT
from emulator.progress import progress

STEPS = 8
"""Metropolis steps after each stage, beside one for each free parameter; twice as many after the
last.
"""

FULL_LENGTH = 0.2
"""Share of steps that are of the full difference of two particles."""

ACCEPTED = 0.25
"""Share of accepted steps that the scale of short steps is steered to."""


class Particles(NamedTuple):
    """Draws z (N, F) of the posterior, equally weighted, the logarithm of the marginal likelihood
    that they imply, and how many draws were answered for.
    """

    z: np.ndarray
    log_evidence: float
    evaluations: int


def run_smc(
    density: Density,
    n: int,
    rng: np.random.Generator,
    kept: float = KEPT,
    meter: Meter | None = None,
) -> Particles:
    """One run with n particles, of which a share `kept` stays effective at each rise of the power;
    a meter counts each move. Raises `NoSolutionError` where the prior hardly has any solution.
    """
    z = density.prior.z(solvable_draws(density, n, rng))
    parts = density.parts(z)
    power = 0.0
    log_evidence = 0.0
    scale = 1.0
    evaluations = n
    moves = STEPS + z.shape[1]
    for stage in itertools.count(1):
        rise = _rise(parts.likelihood, 1.0 - power, kept)
        log_weights = rise * parts.likelihood
        log_evidence += float(logsumexp(log_weights) - np.log(n))
        power = min(power + rise, 1.0)
        chosen = _resampled(log_weights, rng)
        z, parts = z[chosen], Parts(*(values[chosen] for values in parts))
        for left in reversed(range(moves * (1 if power < 1.0 else 2))):
            z, parts, scale = _moved(density, z, parts, power, scale, rng)
            evaluations += n
            if meter is not None:
                meter.moved(stage, power, left, moves)
        if power == 1.0:
            break
    return Particles(z, log_evidence, evaluations)


def sample_smc(
    density: Density, runs: int, n: int, seed: int, kept: float = KEPT
) -> tuple[Any, Evidence]:
    """InferenceData of independent runs of n particles each, a run a chain, and the evidence with
    its standard error over runs (NaN with one).

    Its attribute `evaluations` is the number of draws that were answered for.
    """
    with metered(f"{density.prior.spec.name}, {density.responder.title}", runs, n) as meter:
        clouds = [
            run_smc(density, n, np.random.default_rng([seed, 7, run]), kept, meter)
            for run in range(runs)
        ]
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


def _moved(
    density: Density,
    z: np.ndarray,
    parts: Parts,
    power: float,
    scale: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, Parts, float]:
    """One Metropolis step for all particles: each half moves along differences of the other half,
    so that the target stays invariant.
    """
    n, size = z.shape
    halves = np.array_split(rng.permutation(n), 2)
    accepted = 0.0
    for ours, others in (halves, halves[::-1]):
        pairs = rng.integers(len(others), size=(2, len(ours)))
        full = rng.uniform(size=(len(ours), 1)) < FULL_LENGTH
        length = np.where(full, 1.0, scale * 2.38 / np.sqrt(2 * size))
        proposed = (
            z[ours]
            + length * (z[others[pairs[0]]] - z[others[pairs[1]]])
            + 1e-4 * rng.normal(size=(len(ours), size))
        )
        parts_there = density.parts(proposed)
        before, after = (
            power * p.likelihood + p.solvable + p.prior
            for p in (Parts(*(values[ours] for values in parts)), parts_there)
        )
        yes = (
            np.log(rng.uniform(size=len(ours)))
            < np.where(np.isfinite(after), after, -np.inf) - before
        )
        z[ours[yes]] = proposed[yes]
        for values, new in zip(parts, parts_there, strict=True):
            values[ours[yes]] = new[yes]
        accepted += float(yes[~full[:, 0]].mean()) / 2 if (~full).any() else ACCEPTED / 2
    return z, parts, scale * float(np.exp(accepted - ACCEPTED))


class Meter:
    """A line for some runs of sequential Monte Carlo, which counts moves of all particles.

    How many moves a run takes is known once one has ended. Until then the power is taken to go on
    rising by the same factor a stage as it has since the first; before the second stage nothing is
    known, and the line shows the time since it began.
    """

    def __init__(self, display: Progress, name: str, runs: int, particles: int) -> None:
        self.display = display
        self.runs = runs
        self.particles = particles
        self.began = time.monotonic()
        self.bar = display.add_task(name, total=None, unit="draws", note="", rate=None, due=None)
        self.ended: list[int] = []
        self.done = 0
        self.in_run = 0
        self.first = 0.0

    def moved(self, stage: int, power: float, left: int, moves: int) -> None:
        """All particles were moved once, in a stage (counted from 1) of so much power, of which so
        many of its moves are left; the last stage has twice as many.
        """
        self.done += 1
        self.in_run += 1
        if stage == 1:
            self.first = power
        note = f"run {len(self.ended) + 1} of {self.runs}, power {power:.2g}"
        if power == 1.0 and left == 0:
            self.ended.append(self.in_run)
            self.in_run = 0
        self._show(self._total(stage, power, left, moves), note)

    def _total(self, stage: int, power: float, left: int, moves: int) -> float | None:
        """Moves of all runs."""
        if len(self.ended) == self.runs:
            return self.done
        if self.ended:
            usual = sum(self.ended) / len(self.ended)
            return (
                self.done
                + max(usual - self.in_run, left)
                + (self.runs - len(self.ended) - 1) * usual
            )
        if power == 1.0:
            ahead = float(left)
        elif stage > 1:
            ahead = left + moves * (
                math.ceil(-math.log(power) / (math.log(power / self.first) / (stage - 1))) + 1
            )
        else:
            return None
        return self.runs * (self.in_run + ahead)

    def _show(self, total: float | None, note: str) -> None:
        now = time.monotonic()
        elapsed = now - self.began
        due = None if total is None else now + elapsed / self.done * (total - self.done)
        self.display.update(
            self.bar,
            completed=self.done,
            total=total,
            note=note,
            due=due,
            rate=self.done * self.particles / max(elapsed, 1e-9),
        )


@contextmanager
def metered(name: str, runs: int, particles: int) -> Iterator[Meter]:
    """A meter on a display of its own."""
    with progress() as display:
        yield Meter(display, name, runs, particles)
