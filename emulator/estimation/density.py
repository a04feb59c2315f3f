"""The posterior as a function: prior times quasi-likelihood, with its gradient.

The quasi-likelihood of the matched entries y, where the model answers m, is Gaussian:

    log L = - M/2 log 2 pi - 1/2 log |V| - 1/2 (m - y)' V^-1 (m - y)

V is the diagonal of the target's covariance ("diagonal", as in Christiano, Eichenbaum and Evans
2005, doi:10.1086/426038) or all of it ("full"). As a likelihood to which a prior is joined:
Christiano, Trabandt and Walentin (2010, doi:10.1016/B978-0-444-53238-1.00007-7). Neighbouring
horizons of an estimated response err together; the diagonal ignores that, so that its posterior is
narrower than the data warrant. The full covariance counts it, and leans on its smallest
eigenvalues, which a short sample knows badly. "principal" counts it and leaves those out: what is
matched are the principal components of the entries that hold nearly all of their errors' variance.
"pooled" does so with a covariance from histories of the world as well
(`emulator.estimation.indirect.pooled`).

Axes: n draw, F free parameter, H horizon, O observable of the target, M matched entry, K residual.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np
from scipy.special import expit

from emulator.errors import NoSolutionError, ParameterError, TargetError
from emulator.estimation.prior import JointPrior
from emulator.estimation.settings import Weighting
from emulator.estimation.target import Target
from emulator.inference.answerer import Answerer, Force, Gradient, Local
from emulator.inference.draws import chosen_observables

DRAWS_THAT_TELL = 16
"""Draws of the prior at which derivatives are taken to see which parameters move the matched
responses.
"""

UNMOVED = 1e-3
"""A parameter whose whole range moves no matched response by more than this share of the response's
standard deviation, to first order at any of these draws, is not estimated.
"""

MOST_TRIES = 40
"""Rounds of proposals after which a prior counts as one that has hardly any solution."""


COMPONENTS = ("principal", "pooled")
"""Weightings that match principal components."""

PRINCIPAL = 0.95
"""Share of the errors' variance, each entry's counted as one, that principal components hold."""


class Criterion:
    """The quasi-likelihood of a target under a weighting.

    Raises `TargetError` where the whole covariance cannot be inverted.
    """

    def __init__(self, target: Target, weighting: Weighting = "diagonal") -> None:
        if weighting not in get_args(Weighting):
            raise TargetError(
                f"The weighting is {weighting!r}; expected one of {', '.join(get_args(Weighting))}."
            )
        self.target = target
        self.weighting = weighting
        covariance = target.matched_covariance
        components = np.eye(len(covariance))
        if weighting == "diagonal":
            covariance = np.diag(np.diag(covariance))
        elif weighting in COMPONENTS:
            components = principal_components(covariance)
            covariance = components @ covariance @ components.T
        scale = np.sqrt(np.diag(covariance))
        try:
            factor = np.linalg.cholesky(covariance / np.outer(scale, scale))
        except np.linalg.LinAlgError:
            raise TargetError(
                f"The covariance of the {len(scale)} matched entries of target '{target.name}' is"
                " singular, so that it cannot serve as a weight. Use the diagonal weighting, match"
                " fewer entries, or estimate it from more replications."
            ) from None
        self.whitener = np.linalg.solve(factor, components / scale[:, None])
        self.constant = (
            -0.5 * len(scale) * np.log(2 * np.pi)
            - np.log(np.diag(factor)).sum()
            - np.log(scale).sum()
        )

    @property
    def size(self) -> int:
        """How many residuals there are: matched entries, or their principal components."""
        return len(self.whitener)

    @property
    def words(self) -> str:
        """The same for people: "61 matched entries"."""
        entries = f"{len(self.target.entries)} matched entries"
        return f"{self.size} components of {entries}" if self.weighting in COMPONENTS else entries

    def residuals(self, irf: np.ndarray) -> np.ndarray:
        """Whitened distances (..., K) of responses (..., H+1, O) from the target, each of unit
        variance if the target errs alone.
        """
        entries = irf.reshape(*irf.shape[:-2], -1)[..., self.target.entries]
        return (entries - self.target.values) @ self.whitener.T

    def derivatives(self, irf_by: np.ndarray) -> np.ndarray:
        """Derivatives (F, K) of the residuals from those of the responses (F, H+1, O)."""
        return irf_by.reshape(len(irf_by), -1)[:, self.target.entries] @ self.whitener.T

    def force(self, irf: np.ndarray) -> np.ndarray:
        """Derivatives (H+1, O) of the log-likelihood by responses (H+1, O); zero for entries that
        are not matched.
        """
        by_entry = np.zeros(irf.size)
        by_entry[self.target.entries] = -self.residuals(irf) @ self.whitener
        return by_entry.reshape(irf.shape)

    def log_likelihood(self, irf: np.ndarray) -> np.ndarray:
        """(...,) from responses (..., H+1, O); minus infinity where they are NaN."""
        return self.constant - 0.5 * self.distance(irf)

    def distance(self, irf: np.ndarray) -> np.ndarray:
        """The quadratic form (m - y)' V^-1 (m - y), (...,); infinity where responses are NaN."""
        squares = np.square(self.residuals(irf)).sum(axis=-1)
        return np.where(np.isfinite(squares), squares, np.inf)


def principal_components(covariance: np.ndarray) -> np.ndarray:
    """Weights (K, M) of the principal components of entries of unit variance that hold a share
    `PRINCIPAL` of it, in units of their standard deviations.
    """
    scale = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    held = np.cumsum(values[::-1]) / values.sum()
    count = int(np.searchsorted(held, PRINCIPAL)) + 1
    return vectors[:, ::-1][:, :count].T / scale


class Responder:
    """What an estimation asks of an answerer: one world's responses of some observables, by default
    all, to one shock of one standard deviation, up to one horizon.

    Raises `UnknownNameError` for a shock or an observable that the world does not have,
    `ParameterError` for a horizon beyond the answerer's last.
    """

    def __init__(
        self,
        answerer: Answerer,
        shock: str,
        horizon: int,
        observables: Sequence[str] | None = None,
    ) -> None:
        most = answerer.last_horizon
        if most is not None and horizon > most:
            raise ParameterError(
                f"The target's horizon is {horizon}; this {answerer.title.split()[0]} answers to"
                f" horizons 0 to {most}. Match an earlier last horizon."
            )
        self.answerer = answerer
        self.spec = answerer.spec
        self.exact = answerer.exact
        self.title = "exact solution" if answerer.exact else "network"
        self.horizon = horizon
        self.shock = answerer.spec.shock_index(shock)
        self.observables = chosen_observables(answerer.spec, observables)

    def responses(self, theta: np.ndarray) -> np.ndarray:
        """Responses (n, H+1, O) at theta (n, P); NaN where the solver finds no unique stable
        solution.
        """
        irf = self.answerer.responses(theta, self.horizon, [self.shock])[:, 0]
        return irf[..., self.observables]

    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        """Logarithm (n,) of the probability that each draw has a unique stable solution."""
        return self.answerer.log_solvable(theta)

    def judged(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`responses` and `log_solvable` of the same draws; a solver finds both in one."""
        irf, log_solvable = self.answerer.judged(theta, self.horizon, self.shock)
        return irf[..., self.observables], log_solvable

    def local(self, theta: np.ndarray, free: Sequence[int]) -> Local:
        """Responses and derivatives by the free parameters at one draw (P,); NaN where the solver
        finds no solution, there or at both neighbours.
        """
        local = self.answerer.local(theta, self.horizon, self.shock, free)
        return local._replace(
            irf=local.irf[..., self.observables], irf_by=local.irf_by[..., self.observables]
        )

    def pulled(self, theta: np.ndarray, free: Sequence[int], force: Force) -> Gradient:
        """The gradient of f(responses) + log-probability of a solution by the free parameters, at
        one draw (P,); force: derivatives of f.
        """

        def force_on_all(irf: np.ndarray) -> np.ndarray:
            forces = np.zeros_like(irf)
            forces[..., self.observables] = force(irf[..., self.observables])
            return forces

        pulled = self.answerer.gradient(theta, self.horizon, self.shock, free, force_on_all)
        return pulled._replace(irf=pulled.irf[..., self.observables])

    def flagged(self, theta: np.ndarray) -> np.ndarray:
        """Which draws (n,) the answerer says itself to doubt; a solver none."""
        return self.answerer.flagged(theta)


class Parts(NamedTuple):
    """Log-likelihood, log-probability of a solution and log-prior by z, each (n,)."""

    likelihood: np.ndarray
    solvable: np.ndarray
    prior: np.ndarray

    @property
    def total(self) -> np.ndarray:
        return self.likelihood + self.solvable + self.prior


class PosteriorDensity(ABC):
    """The logarithm of a posterior density, not normalised, over z (see
    `emulator.estimation.prior`): what samplers ask.
    """

    prior: JointPrior

    @property
    @abstractmethod
    def title(self) -> str:
        """Who answers, as tables and meters name it."""

    @abstractmethod
    def parts(self, z: np.ndarray) -> Parts:
        """At many points z (n, F)."""

    @abstractmethod
    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        """Logarithm (n,) of the probability that each draw (n, P) has a unique stable solution."""

    @abstractmethod
    def with_gradient(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (F,) at one point z (F,); minus infinity and zeros where there is no
        solution.
        """

    def prior_mass(self, n: int, rng: np.random.Generator) -> tuple[float, float]:
        """Logarithm of the prior's mass where there is a solution, and its standard error, from n
        draws of the prior.
        """
        chance = np.exp(self.log_solvable(self.prior.theta(self.prior.sample(n, rng))))
        if not chance.any():
            return -np.inf, np.inf
        mean = chance.mean()
        return float(np.log(mean)), float(chance.std() / mean / np.sqrt(n))


@dataclass(frozen=True)
class Density(PosteriorDensity):
    """The posterior under a quasi-likelihood of responses."""

    responder: Responder
    criterion: Criterion
    prior: JointPrior

    @property
    def title(self) -> str:
        return self.responder.title

    def log_solvable(self, theta: np.ndarray) -> np.ndarray:
        return self.responder.log_solvable(theta)

    def parts(self, z: np.ndarray) -> Parts:
        irf, solvable = self.responder.judged(self.prior.theta(expit(z)))
        return Parts(self.criterion.log_likelihood(irf), solvable, self.prior.log_density_z(z)[0])

    def with_gradient(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        u = expit(z)
        pulled = self.responder.pulled(
            self.prior.theta(u[None])[0], self.prior.free, self.criterion.force
        )
        prior, prior_by = self.prior.log_density_z(z[None])
        gradient = pulled.gradient * self.prior.slopes(u[None])[0] * u * (1 - u) + prior_by[0]
        value = float(self.criterion.log_likelihood(pulled.irf)) + pulled.log_solvable + prior[0]
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return -np.inf, np.zeros(len(z))
        return float(value), gradient

    def moving(self, rng: np.random.Generator) -> np.ndarray:
        """Which of the free parameters (F,) move the matched responses, by derivatives at draws of
        the prior: see `UNMOVED`.

        Raises `NoSolutionError` where the prior hardly has any solution.
        """
        target = self.criterion.target
        scale = np.sqrt(np.diag(target.matched_covariance))
        largest = np.zeros(len(self.prior.free))
        for u in solvable_draws(self, DRAWS_THAT_TELL, rng):
            local = self.responder.local(self.prior.theta(u[None])[0], self.prior.free)
            entries = local.irf_by.reshape(len(largest), -1)[:, target.entries]
            largest = np.fmax(
                largest, (np.abs(entries) / scale).max(axis=1) * (self.prior.high - self.prior.low)
            )
        return largest > UNMOVED


def solvable_draws(density: PosteriorDensity, n: int, rng: np.random.Generator) -> np.ndarray:
    """n draws u (n, F) of the prior, each kept with the probability that it has a solution.

    Raises `NoSolutionError`.
    """
    batches: list[np.ndarray] = []
    count = 0
    for _ in range(MOST_TRIES):
        u = density.prior.sample(max(n, 16), rng)
        chance = np.exp(density.log_solvable(density.prior.theta(u)))
        batches.append(u[rng.uniform(size=len(u)) < chance])
        count += len(batches[-1])
        if count >= n:
            return np.concatenate(batches)[:n]
    raise NoSolutionError(
        f"World '{density.prior.spec.name}': {count} of {MOST_TRIES * max(n, 16)} draws of this"
        " prior have a unique stable solution. Change fixed values or ranges."
    )
