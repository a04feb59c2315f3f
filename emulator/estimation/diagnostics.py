"""What speaks for or against a posterior: whether its chains agree, whether the target's
identification holds in the world, and what the exact solver makes of draws that rest on a network.

Identification: a recursive VAR with the policy rate last says that output and inflation do not move
in the quarter of a monetary shock. In a world in which they do, its responses are not the world's
own, even on endless data that the world itself made, and no parameters reproduce them: estimates
are biased, and intervals miss the truth (docs/estimation.md, "Timing", counts how often). So every
estimate looks at what the world does where the target says "zero".

The solver's check is by importance weights,

    w = L_exact / (L_network p_network),  zero where there is no solution

with p the network's probability of a solution, by which its own posterior was weighted. Pareto k by
Vehtari, Simpson, Gelman, Yao and Gabry (2024, JMLR 25(72)): above 0.7 the weights have no mean to
speak of, and neither have averages under them.

Axes: n draw, P parameter, H horizon, O observable.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp

from emulator.errors import MissingExtraError
from emulator.estimation.density import Criterion, Responder
from emulator.estimation.target import Target
from emulator.spec import UNKNOWN_UNIT

R_HAT = 1.01
ESS_PER_CHAIN = 100
"""Bounds of Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021, doi:10.1214/20-BA1221)."""

K_HAT = 0.7
FEW = 0.5
"""Below this share of effective draws the emulator's error matters."""

FEWEST = 25
"""Draws with which Pareto's tail has the five members that its fit needs."""

NOTHING = 700.0
"""How far below the largest a log-weight of minus infinity is put where Pareto's tail is fitted,
which sees only the largest.
"""

MOVES = 0.05
"""A response moves at a horizon if it is larger there than this share of its largest value over all
horizons; less may be a network's error.
"""

NEGLIGIBLE = 1e-6
"""A response that is everywhere smaller than this share of the world's largest is none."""

TOLERATED = 0.05
"""Share of draws that may move where the target says zero before the identification counts as
false.
"""


class Evidence(NamedTuple):
    """Logarithm of the marginal quasi-likelihood, and its approximate standard error."""

    log: float
    error: float


def arviz() -> Any:
    """The package, without its announcement of a next major version. Raises `MissingExtraError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            import arviz
    except ImportError:
        raise MissingExtraError("arviz", "estimation") from None
    return arviz


@dataclass(frozen=True)
class Diagnostics:
    """The largest rank-normalised split R-hat (NaN for a single chain), the smallest effective
    sample sizes of bulk and tails, divergent transitions; over all free parameters.
    """

    r_hat: float
    ess_bulk: float
    ess_tail: float
    divergences: int
    chains: int
    draws: int

    @property
    def complaints(self) -> list[str]:
        """What speaks against the chains, in words; empty where nothing does."""
        least = ESS_PER_CHAIN * self.chains
        complaints = []
        if self.chains < 2:
            complaints.append(
                "a single chain has no R-hat, and nothing to hold it against; take two chains or"
                " more"
            )
        elif not self.r_hat <= R_HAT:
            complaints.append(
                f"chains disagree: R-hat is {self.r_hat:.3f}, expected at most {R_HAT}; take more"
                " draws, or with the sampler smc a slower rise (kept=0.95)"
            )
        for name, size in (("bulk", self.ess_bulk), ("tail", self.ess_tail)):
            if not size >= least:
                complaints.append(
                    f"effective sample size ({name}) is {size:.0f}, expected at least {least}; take"
                    " more draws"
                )
        if self.divergences:
            complaints.append(
                f"{self.divergences} of {self.chains * self.draws} transitions diverged; part of"
                " the posterior may be missing"
            )
        return complaints


def diagnose(posterior: Any) -> Diagnostics:
    """R-hat, effective sample sizes and divergences of InferenceData."""
    az = arviz()
    draws = posterior.posterior
    chains = draws.sizes["chain"]
    return Diagnostics(
        r_hat=float(az.rhat(draws).to_array().max()) if chains > 1 else math.nan,
        ess_bulk=float(az.ess(draws, method="bulk").to_array().min()),
        ess_tail=float(az.ess(draws, method="tail").to_array().min()),
        divergences=int(posterior.sample_stats["diverging"].sum()),
        chains=chains,
        draws=draws.sizes["draw"],
    )


class Movement(NamedTuple):
    """A response of the world where its target says zero, or nothing: the median over draws, in
    `unit`, the share of draws that move there, and whether the target states the zero.
    """

    observable: str
    unit: str
    horizon: int
    response: float
    share: float
    stated: bool


def movements(target: Target, irf_nHO: np.ndarray) -> tuple[Movement, ...]:
    """Where the world moves at these draws although the target's identification says that it does
    not (`Target.restricted`), or may say so (`Target.silent`).
    """
    size = np.abs(irf_nHO)
    largest = size.max(axis=1, keepdims=True)
    world = largest.max(axis=2, keepdims=True)
    moves = (size > MOVES * largest) & (largest > NEGLIGIBLE * world)
    share = moves.mean(axis=0)
    response = np.median(irf_nHO, axis=0)
    asked = target.restricted.copy()
    asked[0] |= target.silent
    return tuple(
        Movement(
            observable=target.observables[observable],
            unit=target.units[observable],
            horizon=int(horizon),
            response=float(response[horizon, observable]),
            share=float(share[horizon, observable]),
            stated=bool(target.restricted[horizon, observable]),
        )
        for horizon, observable in np.argwhere(asked & (share > TOLERATED))
    )


def identification_complaints(moved: Sequence[Movement]) -> list[str]:
    """What the movements of a world say of its target's identification, in words."""
    complaints = []
    stated = [movement for movement in moved if movement.stated]
    silent = [movement for movement in moved if not movement.stated]
    cure = (
        "run the target's VAR on the world's own data as well (like_the_data=True, on the command"
        " line --like-the-data), fit a world that decides these a period ahead, or a target that is"
        " identified otherwise (docs/estimation.md, Timing)"
    )
    if stated:
        complaints.append(
            f"the target's identification is false in this world: it sets {_listed(stated)} to"
            f" zero, where the world answers {_sizes(stated)}; the parameters are biased and their"
            f" intervals do not cover; {cure}"
        )
    if silent:
        complaints.append(
            f"the target says nothing of {_listed(silent)}, where the world answers"
            f" {_sizes(silent)}: if it is zero there by identification, as in a recursive VAR, the"
            f" identification is false in this world and the parameters are biased; {cure}"
        )
    return complaints


def _listed(moved: Sequence[Movement]) -> str:
    """Such as 'output and inflation on impact'."""
    places = [
        f"{movement.observable} {_when(movement.horizon)}"
        if movement is moved[-1] or movement.horizon != moved[k + 1].horizon
        else movement.observable
        for k, movement in enumerate(moved)
    ]
    return " and ".join([", ".join(places[:-1]), places[-1]] if len(places) > 1 else places)


def _when(horizon: int) -> str:
    return "on impact" if horizon == 0 else f"at horizon {horizon}"


def _sizes(moved: Sequence[Movement]) -> str:
    return ", ".join(
        f"{move.response:+.2g}" + (f" {move.unit}" if move.unit != UNKNOWN_UNIT else "")
        for move in moved
    )


@dataclass(frozen=True)
class Rescored:
    """Draws of a network's posterior as the exact solver weighs them.

    theta (n, P), logarithms of weights (n,), minus infinity where the solver finds no solution, and
    Pareto's k, NaN for fewer than `FEWEST` draws.
    """

    theta: np.ndarray
    log_weights: np.ndarray
    k_hat: float

    @property
    def weights(self) -> np.ndarray:
        """Normalised to a sum of one, (n,); NaN where no draw has a solution."""
        if self.unsolved == 1.0:
            return np.full(len(self.theta), np.nan)
        return np.exp(self.log_weights - logsumexp(self.log_weights))

    @property
    def effective(self) -> float:
        """Kish's effective sample size, as a share of the draws; zero where none has a solution."""
        if self.unsolved == 1.0:
            return 0.0
        return float(1 / np.square(self.weights).sum() / len(self.theta))

    @property
    def unsolved(self) -> float:
        """Share of the draws without a unique stable solution."""
        return float(np.isneginf(self.log_weights).mean())

    @property
    def log_mean_weight(self) -> float:
        """Logarithm of the mean weight: what is added to the network's log marginal likelihood,
        before priors are normalised.
        """
        return float(logsumexp(self.log_weights) - np.log(len(self.log_weights)))

    @property
    def complaints(self) -> list[str]:
        """What speaks against the network, in words; empty where nothing does."""
        if self.unsolved == 1.0:
            return [
                "the solver finds no unique stable solution at any of the network's draws; estimate"
                " with the exact solver"
            ]
        if len(self.theta) < FEWEST:
            return [
                f"the exact solver scored {len(self.theta)} draws, too few to assess the network;"
                f" let it score {FEWEST} or more"
            ]
        if not self.k_hat <= K_HAT:
            return [
                f"weights under the exact solution are heavy-tailed (Pareto k {self.k_hat:.2f},"
                f" expected at most {K_HAT}; {self.effective:.0%} of the draws effective): the"
                " network is far off at some draws; hold the result against an estimate by the"
                " exact solver"
            ]
        if self.effective < FEW:
            return [
                f"under the exact solution {self.effective:.0%} of the draws are effective: the"
                " network's error matters; use the weighted results"
            ]
        return []


def rescore(
    criterion: Criterion, network: Responder, exact: Responder, theta: np.ndarray
) -> Rescored:
    """Weights of draws theta (n, P) of the network's posterior.

    Where no draw has a solution, all weights are minus infinity and k is infinite.
    """
    irf, solvable = network.judged(theta)
    log_weights = (
        criterion.log_likelihood(exact.responses(theta)) - criterion.log_likelihood(irf) - solvable
    )
    if np.isneginf(log_weights).all():
        return Rescored(theta, log_weights, float("inf"))
    if len(theta) < FEWEST:
        return Rescored(theta, log_weights, float("nan"))
    floored = np.maximum(log_weights, log_weights.max() - NOTHING)
    _, k = arviz().psislw(floored)
    return Rescored(theta, log_weights, float(k))
