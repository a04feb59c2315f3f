"""The point estimate: where the criterion, and what priors that are not uniform add to it, is
least; from many starts, by derivatives.

Without such priors it is the minimum-distance estimator within the bounds of the prior. Each
parameter with one adds the square of its normal score, so that for normal priors the estimate is
the mode of the posterior.

Gauss and Newton's steps within a trust region and bounds (`scipy.optimize.least_squares`), since
the criterion is a sum of squares. Axes: P parameter, F free parameter, M matched entry, H horizon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.special import ndtri

from emulator.errors import NoSolutionError
from emulator.estimation.density import Density, solvable_draws
from emulator.estimation.prior import EDGE
from emulator.inference.answerer import Local

SCORED = 256
"""Draws of the prior that are scored; the best of them are where searches start."""

REFUSED = 1e4
"""Every residual where there is no solution, so that no step there is taken."""

AGREE = 0.01
"""Searches whose objectives differ by less than this have found the same mode."""

AT_BOUND = 1e-3
"""A parameter this near to an end of its range, as a share of it, is at its bound."""

CONDITION = 1e12
"""Largest condition number of the information matrix, in units of standard errors, that tells
parameters apart.
"""


@dataclass(frozen=True)
class Point:
    """theta (P,), in each parameter's unit, and the responses irf (H+1, O) there.

    distance: the quadratic form of the matched entries; standard_errors (F,): of the estimator, NaN
    where they do not follow; objectives: half the sum of squares at the end of each search, best
    first; agreeing: how many searches ended at the best; at_bound: names of parameters at an end of
    their range.
    """

    theta: np.ndarray
    irf: np.ndarray
    distance: float
    log_likelihood: float
    standard_errors: np.ndarray
    objectives: tuple[float, ...]
    at_bound: tuple[str, ...]

    @property
    def agreeing(self) -> int:
        return int(sum(value - self.objectives[0] < AGREE for value in self.objectives))


class _Objective:
    """Residuals by u and their derivatives; half their sum of squares is what is minimised."""

    def __init__(self, density: Density) -> None:
        self.density = density
        self.scored = np.flatnonzero(density.prior.informative)
        self.last: tuple[bytes, Local] | None = None

    def local(self, u: np.ndarray) -> Local:
        if self.last is None or self.last[0] != u.tobytes():
            prior = self.density.prior
            self.last = (
                u.tobytes(),
                self.density.responder.local(prior.theta(u[None])[0], prior.free),
            )
        return self.last[1]

    def residuals(self, u: np.ndarray) -> np.ndarray:
        local = self.local(u)
        residuals = np.concatenate(
            [
                self.density.criterion.residuals(local.irf),
                ndtri(u[self.scored]),
                [np.sqrt(-2 * min(local.log_solvable, 0.0))],
            ]
        )
        return residuals if np.isfinite(residuals).all() else np.full(len(residuals), REFUSED)

    def jacobian(self, u: np.ndarray) -> np.ndarray:
        local = self.local(u)
        prior = self.density.prior
        slopes = prior.slopes(u[None])[0]
        pulls = np.zeros((len(self.scored), len(u)))
        pulls[range(len(self.scored)), self.scored] = np.sqrt(2 * np.pi) * np.exp(
            0.5 * ndtri(u[self.scored]) ** 2
        )
        root = np.sqrt(-2 * min(local.log_solvable, 0.0))
        solvable = -local.log_solvable_by * slopes / max(root, 1e-6)
        entries = self.density.criterion.derivatives(local.irf_by * slopes[:, None, None]).T
        return np.nan_to_num(
            np.concatenate([entries, pulls, solvable[None]]), posinf=0.0, neginf=0.0
        )


def find_point(density: Density, starts: int, rng: np.random.Generator) -> Point:
    """The best of `starts` searches.

    Raises `NoSolutionError` where none ends at a draw with a solution.
    """
    objective = _Objective(density)
    prior = density.prior
    scored = solvable_draws(density, SCORED, rng)
    value = density.criterion.log_likelihood(density.responder.responses(prior.theta(scored)))
    ends = []
    for u in np.clip(scored[np.argsort(-value)[:starts]], 1e-6, 1 - 1e-6):
        search = least_squares(
            objective.residuals,
            u,
            objective.jacobian,
            bounds=(EDGE, 1 - EDGE),
            max_nfev=200,
            xtol=1e-9,
            ftol=1e-9,
            gtol=1e-9,
        )
        if np.isfinite(objective.local(search.x).irf).all():
            ends.append((float(search.cost), search.x))
    if not ends:
        raise NoSolutionError(
            f"World '{prior.spec.name}': none of {starts} searches ended at parameters with a"
            " unique stable solution. Change ranges or fixed values."
        )
    ends.sort(key=lambda end: end[0])
    u = ends[0][1]
    theta = prior.theta(u[None])[0]
    local = objective.local(u)
    place = (theta[list(prior.free)] - prior.low) / (prior.high - prior.low)
    bound = (place < AT_BOUND) | (place > 1 - AT_BOUND)
    return Point(
        theta=theta,
        irf=local.irf,
        distance=float(density.criterion.distance(local.irf)),
        log_likelihood=float(density.criterion.log_likelihood(local.irf)),
        standard_errors=_standard_errors(density, local, bound),
        objectives=tuple(cost for cost, _ in ends),
        at_bound=tuple(name for name, there in zip(prior.names, bound, strict=True) if there),
    )


def _standard_errors(density: Density, local: Local, bound: np.ndarray) -> np.ndarray:
    """Standard errors (F,) of the parameters inside their bounds, those at bounds held; NaN where
    the target does not tell parameters apart, or derivatives are missing.

    The delta method with the target's whole covariance, whatever the weighting: Christiano,
    Eichenbaum and Evans (2005). The prior is left out.
    """
    standard_errors = np.full(len(bound), np.nan)
    inside = np.flatnonzero(~bound)
    criterion = density.criterion
    by = criterion.derivatives(local.irf_by)[inside]
    information = by @ by.T
    scale = np.sqrt(np.diag(information))
    if (
        len(inside) == 0
        or not (scale > 0).all()
        or np.linalg.cond(information / np.outer(scale, scale)) > CONDITION
    ):
        return standard_errors
    errors = criterion.whitener @ criterion.target.matched_covariance @ criterion.whitener.T
    inverse = np.linalg.inv(information)
    standard_errors[inside] = np.sqrt(np.diag(inverse @ by @ errors @ by.T @ inverse))
    return standard_errors
