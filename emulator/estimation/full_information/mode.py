"""The mode of the posterior, from several starts at once, and the curvature there.

Steps are those of Berndt, Hall, Hall and Hausman (1974), damped as by Levenberg and Marquardt: the
outer product of the periods' scores and the prior's curvature stand for the Hessian. All starts and
all dampings are evaluated in one batch. Newton's steps with the Hessian by differences end the
search.

Two densities have modes: that over z, in which samplers move, and that over the parameters
themselves, which Dynare maximises and of which Laplace's approximation is taken.
Axes: M start, n draw, F free parameter, P parameter, T period.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from emulator.errors import NoSolutionError
from emulator.estimation.density import solvable_draws
from emulator.estimation.full_information.density import DataDensity
from emulator.estimation.prior import JointPrior

SCORED = 512
"""Draws of the prior that are scored; the best of them are where searches start."""

DAMPINGS = 10.0 ** np.arange(-4, 5)
"""Shares of the diagonal that are added to the curvature; the best step is taken."""

ROUNDS = 150
"""Steps of a search at most."""

GAIN = 1e-3
"""A search ends where a step, and those of `PATIENCE` rounds, add less to the log-density."""

PATIENCE = 3

LATE = 30
BEHIND = 100.0
"""After so many rounds a search whose log-density is so far behind the best is given up."""

AGREE = 0.1
"""Searches that end within this of the best log-density have found the same mode."""

NEWTON = 8
"""Newton's steps at most."""

SMALL = 1e-5
"""Half width in z of a difference of the prior."""

EDGE = 14.0
"""Largest |z|: beyond, a parameter is at an end of its range."""

AT_BOUND = 1e-3
"""A parameter so near to an end of its range, in probability, is at its bound."""

CUT_OFF = 1e-6
"""Probability beyond an end from which on the end cuts a prior off."""


@dataclass(frozen=True)
class Peak:
    """A mode over z: where (F,), log-density, and minus the Hessian (F, F) there."""

    z: np.ndarray
    value: float
    curvature: np.ndarray


@dataclass(frozen=True)
class Mode:
    """The mode over the parameters, theta (P,), values (F,) of the free ones with their standard
    deviations (F,) by the curvature there, NaN where it is not that of a maximum.

    log_posterior: the log-density at the mode, prior included, not normalised; laplace: the log
    marginal likelihood by Laplace's approximation, NaN where it does not hold; objectives: where
    each search over z ended, best first; agreeing: how many at the best; peaks: the distinct modes
    over z, best first; at_bound: names of parameters at an end of their range.
    """

    theta: np.ndarray
    values: np.ndarray
    sd: np.ndarray
    log_posterior: float
    log_likelihood: float
    laplace: float
    objectives: tuple[float, ...]
    peaks: tuple[Peak, ...]
    at_bound: tuple[str, ...]

    @property
    def agreeing(self) -> int:
        """How many searches ended at the best mode."""
        return int(sum(self.objectives[0] - value < AGREE for value in self.objectives))


class _Objective:
    """The log-density over z, or that over the parameters as a function of z."""

    def __init__(self, density: DataDensity, by_parameters: bool) -> None:
        self.density = density
        self.by_parameters = by_parameters

    def _jacobian(self, z: np.ndarray) -> np.ndarray:
        """What turns the density over z into that over the parameters, in logarithms (n,)."""
        prior = self.density.prior
        return self.density.log_prior(z) - prior.log_density_z(z)[0]

    def _jacobian_slopes(self, z: np.ndarray) -> np.ndarray:
        """Derivatives (n, F) of `_jacobian`, by differences in one batch."""
        n, size = z.shape
        shifts = SMALL * np.stack([np.eye(size), -np.eye(size)])
        heights = self._jacobian((z[:, None, None] + shifts).reshape(-1, size))
        ahead, behind = heights.reshape(n, 2, size).swapaxes(0, 1)
        return (ahead - behind) / (2 * SMALL)

    def values(self, z: np.ndarray) -> np.ndarray:
        parts = self.density.parts(z)
        total = parts.total + (self._jacobian(z) if self.by_parameters else 0.0)
        return np.where(np.isfinite(total), total, -np.inf)

    def local(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values (M,), gradients (M, F) and curvatures (M, F, F) that are never negative."""
        slopes = self.density.slopes(z)
        place = expit(z)
        curvature = slopes.scores @ slopes.scores.swapaxes(1, 2)
        curvature += np.eye(z.shape[1]) * (2 * place * (1 - place))[:, None]
        value, gradient = slopes.value, slopes.gradient
        if self.by_parameters:
            value = value + self._jacobian(z)
            gradient = gradient + self._jacobian_slopes(z)
        return value, np.nan_to_num(gradient), curvature


class Search(NamedTuple):
    """Distinct modes over z, best first, and where each search ended."""

    peaks: tuple[Peak, ...]
    objectives: tuple[float, ...]


def find_peaks(density: DataDensity, starts: int, rng: np.random.Generator) -> Search:
    """The modes over z that several searches find: what sequential Monte Carlo begins with.

    Raises `NoSolutionError` where the prior hardly has any solution.
    """
    over_z = _Objective(density, by_parameters=False)
    points = _starting_points(over_z, starts, rng)
    ends = _climbed(over_z, points)
    values = over_z.values(ends)
    order = np.argsort(-values)
    peaks = _distinct(over_z, ends[order], values[order])
    objectives = np.sort(np.append(values, peaks[0].value))[::-1]
    return Search(peaks, tuple(float(value) for value in objectives[: len(points)]))


def find_mode(density: DataDensity, starts: int, rng: np.random.Generator) -> Mode:
    """The best of several searches, the first from the world's own values.

    Raises `NoSolutionError` where the prior hardly has any solution.
    """
    prior = density.prior
    search = find_peaks(density, starts, rng)
    peaks = search.peaks
    over_theta = _Objective(density, by_parameters=True)
    best = _newton(over_theta, _climbed(over_theta, peaks[0].z[None])[0])
    place = expit(best.z)
    bound = (np.abs(best.z) > EDGE - 0.5) | _at_bound(prior, place)
    sd, laplace = _laplace(density, best, bound)
    counted, _ = density.by_period(best.z[None])
    return Mode(
        theta=density.theta(best.z[None])[0],
        values=prior.values(place[None])[0],
        sd=sd,
        log_posterior=best.value,
        log_likelihood=float(counted.sum()),
        laplace=laplace,
        objectives=search.objectives,
        peaks=peaks,
        at_bound=tuple(name for name, there in zip(prior.names, bound, strict=True) if there),
    )


def _starting_points(objective: _Objective, starts: int, rng: np.random.Generator) -> np.ndarray:
    """z (M, F): the world's own values where they have a density, then the best draws of the
    prior.
    """
    prior = objective.density.prior
    own = prior.base[None, list(prior.free)]
    inside = np.clip(own, prior.low, prior.high)
    points = prior.z(np.clip(prior.places(inside), 1e-4, 1 - 1e-4))
    good = np.isfinite(points).all() and np.isfinite(objective.values(points)).all()
    drawn = prior.z(solvable_draws(objective.density, SCORED, rng))
    scores = objective.values(drawn)
    drawn = drawn[np.argsort(-scores)]
    if not np.isfinite(scores).any() and not good:
        raise NoSolutionError(
            f"World '{prior.spec.name}': the data have no density at any of {SCORED} draws of the"
            " prior. Observe fewer series, or give some of them errors of measurement."
        )
    return np.concatenate([points[:1] if good else points[:0], drawn])[:starts]


def _climbed(objective: _Objective, z: np.ndarray) -> np.ndarray:
    """Where damped steps lead from points z (M, F)."""
    z = z.copy()
    active = np.ones(len(z), dtype=bool)
    waited = np.zeros(len(z), dtype=int)
    reached = np.full(len(z), -np.inf)
    for number in range(ROUNDS):
        if number > LATE:
            active &= reached > reached.max() - BEHIND
        rows = np.flatnonzero(active)
        if len(rows) == 0:
            break
        value, gradient, curvature = objective.local(z[rows])
        diagonal = np.einsum("mff->mf", curvature)
        damped = (
            curvature[:, None]
            + DAMPINGS[:, None, None] * (np.eye(z.shape[1]) * diagonal[:, None])[:, None]
        )
        steps = np.linalg.solve(damped, gradient[:, None, :, None])[..., 0]
        tried = np.clip(z[rows, None] + steps, -EDGE, EDGE)
        values = objective.values(tried.reshape(-1, z.shape[1])).reshape(len(rows), -1)
        best = values.argmax(axis=1)
        gain = values[range(len(rows)), best] - value
        better = gain > 0
        z[rows[better]] = tried[range(len(rows)), best][better]
        reached[rows] = np.maximum(value, values.max(axis=1))
        waited[rows] = np.where(gain < GAIN, waited[rows] + 1, 0)
        active[rows] = better & (waited[rows] < PATIENCE)
    return z


def _distinct(objective: _Objective, ends: np.ndarray, values: np.ndarray) -> tuple[Peak, ...]:
    """The best end, sharpened, and others that are likely enough to matter and lie elsewhere."""
    peaks = [_newton(objective, ends[0])]
    for z, value in zip(ends[1:], values[1:], strict=True):
        if value < peaks[0].value - 10.0 or len(peaks) == 4:
            break
        apart = [(z - p.z) @ p.curvature @ (z - p.z) for p in peaks]
        if min(apart) > len(z):
            peak = _newton(objective, z)
            apart = [(peak.z - p.z) @ p.curvature @ (peak.z - p.z) for p in peaks]
            if min(apart) > len(z):
                peaks.append(peak)
    return tuple(sorted(peaks, key=lambda peak: -peak.value))


def _newton(objective: _Objective, z: np.ndarray) -> Peak:
    """The mode near z (F,) by Newton's steps."""
    value, gradient, bhhh = objective.local(z[None])
    scale = 1 / np.sqrt(np.diag(bhhh[0]))
    for _ in range(NEWTON):
        curvature = -hessian(objective.values, z, 0.05 * scale)
        if not np.isfinite(curvature).all():  # the border of where there is a solution is near
            curvature = bhhh[0]
        roots, vectors = np.linalg.eigh(curvature * np.outer(scale, scale))
        scaled = vectors.T @ (gradient[0] * scale)
        step = scale * (vectors @ (scaled / np.maximum(np.abs(roots), 1e-3)))
        lengths = np.array([1.0, 0.5, 0.25, 0.1, 0.02])
        tried = np.clip(z + lengths[:, None] * step, -EDGE, EDGE)
        values = objective.values(tried)
        best = int(values.argmax())
        gain = float(values[best] - value[0])
        if not gain > 0:
            break
        z = tried[best]
        value, gradient, bhhh = objective.local(z[None])
        if gain < 1e-6:
            break
    return Peak(z, float(value[0]), _positive(curvature, bhhh[0]))


def _positive(curvature: np.ndarray, instead: np.ndarray) -> np.ndarray:
    """A curvature that is that of a maximum; in directions where it is not, that of `instead`."""
    scale = 1 / np.sqrt(np.diag(instead))
    roots, vectors = np.linalg.eigh(curvature * np.outer(scale, scale))
    if (roots > 1e-6).all():
        return curvature
    other = np.einsum("fk,fg,gk->k", vectors, instead * np.outer(scale, scale), vectors)
    roots = np.where(roots > 1e-6, roots, np.maximum(other, 1e-3))
    return (vectors * roots) @ vectors.T / np.outer(scale, scale)


def _at_bound(prior: JointPrior, place: np.ndarray) -> np.ndarray:
    """Which parameters (F,) at places (F,) are at an end of their range at which their prior does
    not fade out: of a uniform one either end, of another an end that cuts off probability.
    """
    ends = np.array([shape.probability(np.array(shape.bounds())) for shape in prior.shapes])
    cut_low = ~prior.informative | (ends[:, 0] > CUT_OFF)
    cut_high = ~prior.informative | (ends[:, 1] < 1 - CUT_OFF)
    return (cut_low & (place < AT_BOUND)) | (cut_high & (place > 1 - AT_BOUND))


def _laplace(density: DataDensity, best: Peak, bound: np.ndarray) -> tuple[np.ndarray, float]:
    """Standard deviations (F,) of the parameters, and Laplace's log marginal likelihood, from the
    curvature over the parameters themselves; NaN where it is not that of a maximum.
    """
    prior = density.prior
    missing = np.full(len(bound), np.nan), float("nan")
    if bound.any():
        return missing
    place = expit(best.z)
    slope = prior.slopes(place[None])[0] * place * (1 - place)
    objective = _Objective(density, by_parameters=True)
    scale = 1 / np.sqrt(np.diag(objective.local(best.z[None])[2][0]))
    curvature = -hessian(objective.values, best.z, 0.05 * scale) / np.outer(slope, slope)
    if not np.isfinite(curvature).all() or not (np.linalg.eigvalsh(curvature) > 0).all():
        return missing
    sd = np.sqrt(np.diag(np.linalg.inv(curvature)))
    volume = 0.5 * len(bound) * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(curvature)[1]
    return sd, float(best.value + volume)


def hessian(values, z: np.ndarray, step: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Second derivatives (F, F) at z (F,) of a function of many points, by differences of half
    widths `step` (F,), all points in one batch; NaN where a neighbour has no value.
    """
    size = len(z)
    pairs = [(i, j) for i in range(size) for j in range(i)]
    ahead = np.eye(size) * step
    both = np.array([ahead[i] + ahead[j] for i, j in pairs]).reshape(-1, size)
    shifts = np.concatenate([np.zeros((1, size)), ahead, -ahead, both, -both])
    heights = values(z + shifts)
    centre, up, down = heights[0], heights[1 : size + 1], heights[size + 1 : 2 * size + 1]
    plus, minus = np.split(heights[2 * size + 1 :], 2)
    second = np.diag(np.where(np.isfinite(up) & np.isfinite(down), up - 2 * centre + down, np.nan))
    with np.errstate(invalid="ignore"):
        for k, (i, j) in enumerate(pairs):
            mixed = plus[k] - up[i] - up[j] + 2 * centre - down[i] - down[j] + minus[k]
            second[i, j] = second[j, i] = mixed / 2
    return second / np.outer(step, step)
