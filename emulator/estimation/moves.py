"""Metropolis moves of a cloud of particles, each half by what the other half knows, so that the
target stays invariant.

"difference": along the difference of two other particles (ter Braak 2006,
doi:10.1007/s11222-006-8769-1), some of them of full length, which lead from mode to mode.
"normal": towards and around the mean of the others, with their covariance. The step keeps a normal
target as it is, whatever the dimension (Neal 1999; Cotter, Roberts, Stuart and White 2013,
doi:10.1214/13-STS421), so that long steps are accepted where the posterior is nearly normal over z.

Axes: N particle, F free parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from emulator.estimation.density import Parts, PosteriorDensity

FULL_LENGTH = 0.2
"""Share of steps along differences that are of full length."""

ACCEPTED = 0.25
"""Share of accepted steps that the scale of short steps is steered to."""

LONGEST = 0.98
"""Largest share of a normal step that is new."""

PER_PARAMETER = 4
"""Particles a parameter in each half from which a covariance is taken of them."""


@dataclass(frozen=True)
class Cloud:
    """Particles z (N, F) with the parts of their log-density and the log-density (N,) of the
    reference from which the tempering began; power of the target; scales of the two moves.
    """

    z: np.ndarray
    parts: Parts
    reference: np.ndarray
    power: float = 0.0
    short: float = 1.0
    normal: float = 0.5

    @property
    def gain(self) -> np.ndarray:
        """What a whole power adds to the log-density, (N,)."""
        with np.errstate(invalid="ignore"):
            gain = self.parts.total - self.reference
        return np.where(np.isnan(gain), -np.inf, gain)

    def chosen(self, rows: np.ndarray) -> Cloud:
        """The same particles again, by their numbers."""
        parts = Parts(*(values[rows] for values in self.parts))
        return replace(self, z=self.z[rows], parts=parts, reference=self.reference[rows])


Reference = Callable[[np.ndarray, Parts], np.ndarray]
"""Log-density (N,) of what the tempering begins with, from z and the parts there."""


class _Step(NamedTuple):
    """Proposals (n, F), the logarithm of how much likelier they are proposed back than forth, and
    which of them steer the scale.
    """

    z: np.ndarray
    back: np.ndarray
    steering: np.ndarray


def moved(
    density: PosteriorDensity,
    cloud: Cloud,
    reference: Reference,
    kind: str,
    rng: np.random.Generator,
    others: np.ndarray | None = None,
) -> Cloud:
    """The cloud after one Metropolis step of all particles; others: points (n, F) by which all
    move at once, in place of each half by the other.
    """
    z, at = cloud.z.copy(), cloud.reference.copy()
    parts = Parts(*(values.copy() for values in cloud.parts))
    everyone = np.arange(len(z))
    halves = np.array_split(rng.permutation(everyone), 2) if others is None else [everyone]
    accepted = 0.0
    for k, ours in enumerate(halves):
        by = z[halves[1 - k]] if others is None else others
        step = _proposed(z[ours], by, cloud, kind, rng)
        there = density.parts(step.z)
        at_there = reference(step.z, there)
        before, after = (
            _tempered(p, r, cloud.power)
            for p, r in ((Parts(*(v[ours] for v in parts)), at[ours]), (there, at_there))
        )
        yes = np.log(rng.uniform(size=len(ours))) < after - before + step.back
        z[ours[yes]] = step.z[yes]
        at[ours[yes]] = at_there[yes]
        for values, new in zip(parts, there, strict=True):
            values[ours[yes]] = new[yes]
        steering = step.steering
        accepted += (float(yes[steering].mean()) if steering.any() else ACCEPTED) / len(halves)
    factor = float(np.exp(accepted - ACCEPTED))
    scales = (
        {"short": cloud.short * factor}
        if kind == "difference"
        else {"normal": min(cloud.normal * factor, LONGEST)}
    )
    return replace(cloud, z=z, parts=parts, reference=at, **scales)


def _tempered(parts: Parts, reference: np.ndarray, power: float) -> np.ndarray:
    """Log-density (n,) of the target at a power."""
    with np.errstate(invalid="ignore"):
        total = power * parts.total + (1.0 - power) * reference if power < 1.0 else parts.total
    return np.where(np.isfinite(total), total, -np.inf)


def _proposed(
    ours: np.ndarray, others: np.ndarray, cloud: Cloud, kind: str, rng: np.random.Generator
) -> _Step:
    n, size = ours.shape
    if kind == "difference":
        pairs = rng.integers(len(others), size=(2, n))
        full = rng.uniform(size=(n, 1)) < FULL_LENGTH
        length = np.where(full, 1.0, cloud.short * 2.38 / np.sqrt(2 * size))
        z = (
            ours
            + length * (others[pairs[0]] - others[pairs[1]])
            + 1e-4 * rng.normal(size=(n, size))
        )
        return _Step(z, np.zeros(n), ~full[:, 0])
    mean = others.mean(axis=0)
    factor = np.linalg.cholesky(np.atleast_2d(np.cov(others, rowvar=False)) + 1e-10 * np.eye(size))
    share = np.sqrt(1 - cloud.normal**2)
    z = mean + share * (ours - mean) + cloud.normal * rng.normal(size=(n, size)) @ factor.T
    white = [np.linalg.solve(factor, (points - mean).T) for points in (z, ours)]
    squares = [0.5 * np.square(w).sum(axis=0) for w in white]
    return _Step(z, squares[0] - squares[1], np.ones(n, dtype=bool))


def kinds_for(n: int, parameters: int) -> tuple[str, ...]:
    """The moves that so many particles allow, in turn."""
    enough = n // 2 >= PER_PARAMETER * parameters + 10
    return ("normal", "difference") if enough else ("difference",)
