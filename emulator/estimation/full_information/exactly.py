"""The exact posterior where a network's likelihood was sampled: by importance weights, or, where
these are too uneven, by a chain that the solver corrects.

The chain: particles move many steps under the network alone, by steps that are reversible under it,
and the solver takes or refuses where they have come to (Christen and Fox 2005,
doi:10.1198/106186005X76983; Liu 2001, Monte Carlo Strategies in Scientific Computing, sec. 9.4.3):

    accept with probability min(1, exact(there) network(here) / (exact(here) network(there)))

Its target is the exact posterior whatever the network's error; this decides how many are taken.
Axes: N particle, F free parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from emulator.estimation.density import Parts, PosteriorDensity
from emulator.estimation.diagnostics import FEWEST, K_HAT, NOTHING, arviz
from emulator.estimation.moves import Cloud, moved

ROUNDS = 40
"""Times that the solver takes or refuses, at most."""

TAKEN = 5.0
"""Times that a particle has been taken, on average, when the chain ends."""

STEPS = 10
"""Steps under the network between them."""

SETTLED = 0.6
"""Share of the particles that must have been taken once for the chain to be relied on."""


@dataclass(frozen=True)
class Corrected:
    """Particles z (N, F) of the chain that the solver corrects, the share of its proposals that was
    taken, the share of particles that moved at least once, and the solver's evaluations.
    """

    z: np.ndarray
    accepted: float
    moved: float
    evaluations: int


@dataclass(frozen=True)
class Reweighted:
    """Draws z (n, F) of a network's posterior as the solver weighs them: logarithms of weights
    (n,), Pareto's k, the shift of the log marginal likelihood; and the corrected chain where k is
    too large.
    """

    z: np.ndarray
    log_weights: np.ndarray
    k_hat: float
    corrected: Corrected | None = None

    @property
    def weights(self) -> np.ndarray:
        """Normalised to a sum of one, (n,); NaN where no draw has a solution."""
        if np.isneginf(self.log_weights).all():
            return np.full(len(self.z), np.nan)
        return np.exp(self.log_weights - logsumexp(self.log_weights))

    @property
    def effective(self) -> float:
        """Kish's effective sample size, as a share of the draws; zero where none has a solution."""
        weights = self.weights
        return 0.0 if np.isnan(weights).any() else float(1 / np.square(weights).sum() / len(self.z))

    @property
    def log_mean_weight(self) -> float:
        """What is added to the network's log marginal likelihood, before priors are normalised."""
        return float(logsumexp(self.log_weights) - np.log(len(self.z)))

    @property
    def reliable(self) -> bool:
        """Whether averages under the weights have a mean to speak of."""
        return self.k_hat <= K_HAT

    def draws(self, rng: np.random.Generator) -> np.ndarray:
        """z (n, F) of the exact posterior, equally weighted: those of the corrected chain, else
        the network's, resampled.
        """
        if self.corrected is not None:
            return self.corrected.z
        weights = self.weights
        if np.isnan(weights).any():
            return self.z
        return self.z[_systematic(weights, rng)]

    @property
    def complaints(self) -> list[str]:
        """What speaks against the network, in words; empty where nothing does."""
        if np.isneginf(self.log_weights).all():
            return [
                "the solver finds no density at any of the network's draws; estimate with --exact"
            ]
        if np.isnan(self.k_hat):
            return [f"the solver scored {len(self.z)} draws; let it score {FEWEST} or more"]
        if self.reliable:
            return []
        if self.corrected is not None and self.corrected.moved >= SETTLED:
            return [
                f"weights under the exact solution are heavy-tailed (Pareto k {self.k_hat:.2f}):"
                " the exact draws are those of the corrected chain, of whose proposals the solver"
                f" took {self.corrected.accepted:.0%}"
            ]
        return [
            f"weights under the exact solution are heavy-tailed (Pareto k {self.k_hat:.2f}), and"
            " the chain that the solver corrects hardly moves: estimate with --exact"
        ]


def reweighted(
    network: PosteriorDensity,
    exact: PosteriorDensity,
    z: np.ndarray,
    log_kernel: np.ndarray,
    rng: np.random.Generator,
) -> Reweighted:
    """The solver's weights of draws z (n, F) of a network's posterior, whose log-density there is
    log_kernel (n,); and a corrected chain where Pareto's k exceeds `K_HAT`.
    """
    at = exact.parts(z).total
    log_weights = np.where(np.isfinite(at), at - log_kernel, -np.inf)
    if np.isneginf(log_weights).all():
        return Reweighted(z, log_weights, float("inf"))
    if len(z) < FEWEST:
        return Reweighted(z, log_weights, float("nan"))
    _, k = arviz().psislw(np.maximum(log_weights, log_weights.max() - NOTHING))
    result = Reweighted(z, log_weights, float(k))
    if result.reliable:
        return result
    return Reweighted(z, log_weights, float(k), corrected(network, exact, result, rng))


def corrected(
    network: PosteriorDensity, exact: PosteriorDensity, begin: Reweighted, rng: np.random.Generator
) -> Corrected:
    """A chain of the exact posterior, begun from the network's draws by their weights."""
    rows = _systematic(begin.weights, rng)
    z = begin.z[rows].copy()
    at = exact.parts(z).total
    taken = np.zeros(len(z), dtype=int)
    accepted = []
    evaluations = len(z)
    for _ in range(ROUNDS):
        kind = "normal" if rng.uniform() < 0.5 else "difference"
        for half in np.array_split(rng.permutation(len(z)), 2):
            others = np.setdiff1d(np.arange(len(z)), half)
            there = _under_network(network, z[half], z[others], kind, rng)
            before = network.parts(z[half]).total
            after = network.parts(there).total
            at_there = exact.parts(there).total
            evaluations += len(half)
            with np.errstate(invalid="ignore"):
                ratio = (at_there - after) - (at[half] - before)
            ratio = np.where(np.isfinite(at_there), ratio, -np.inf)
            yes = np.log(rng.uniform(size=len(half))) < ratio
            z[half[yes]], at[half[yes]] = there[yes], at_there[yes]
            taken[half[yes]] += 1
            accepted.append(float(yes.mean()))
        if taken.mean() >= TAKEN:
            break
    return Corrected(z, float(np.mean(accepted)), float((taken > 0).mean()), evaluations)


def _under_network(
    network: PosteriorDensity,
    z: np.ndarray,
    others: np.ndarray,
    kind: str,
    rng: np.random.Generator,
) -> np.ndarray:
    """Where steps of one kind under the network lead: reversible, as the others stay."""

    def untempered(points: np.ndarray, parts: Parts) -> np.ndarray:
        return np.zeros(len(points))

    cloud = Cloud(z, network.parts(z), np.zeros(len(z)), power=1.0, short=0.5, normal=0.5)
    for _ in range(STEPS):
        stepped = moved(network, cloud, untempered, kind, rng, others)
        cloud = Cloud(stepped.z, stepped.parts, stepped.reference, 1.0, cloud.short, cloud.normal)
    return cloud.z


def _systematic(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    places = (np.arange(len(weights)) + rng.uniform()) / len(weights)
    return np.searchsorted(np.cumsum(weights), places).clip(max=len(weights) - 1)
