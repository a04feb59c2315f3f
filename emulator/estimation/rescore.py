"""The solver's verdict on a posterior that a network made: importance weights and what is left of
the draws under them.

    w = L_exact / (L_network p_network),  zero where there is no solution

with p the network's probability of a solution, by which its own posterior was weighted. Pareto k by
Vehtari, Simpson, Gelman, Yao and Gabry (2024, JMLR 25(72)): above 0.7 the weights have no mean to
speak of, and neither have averages under them. Axes: n draw, P parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from emulator.estimation.criterion import Criterion
from emulator.estimation.posterior import arviz
from emulator.estimation.responder import Responder

K_HAT = 0.7
FEW = 0.5
"""Below this share of effective draws the emulator's error matters."""

FEWEST = 25
"""Draws with which Pareto's tail has the five members that its fit needs."""

NOTHING = 700.0
"""How far below the largest a log-weight of minus infinity is put where Pareto's tail is fitted,
which sees only the largest.
"""


@dataclass(frozen=True)
class Rescored:
    """theta (n, P), logarithms of weights (n,), minus infinity where the solver finds no solution,
    and Pareto's k, NaN for fewer than `FEWEST` draws.
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
        found = []
        if self.unsolved == 1.0:
            found.append(
                "the solver finds no unique stable solution at any of the network's draws; estimate"
                " with the exact solver"
            )
        elif len(self.theta) < FEWEST:
            found.append(
                f"the exact solver scored {len(self.theta)} draws, too few to judge the network by;"
                f" let it score {FEWEST} or more"
            )
        elif not self.k_hat <= K_HAT:
            found.append(
                f"weights under the exact solution are heavy-tailed (Pareto k {self.k_hat:.2f},"
                f" expected at most {K_HAT}; {self.effective:.0%} of the draws effective): the"
                " network is far off at some draws; hold the result against an estimate by the"
                " exact solver"
            )
        elif self.effective < FEW:
            found.append(
                f"under the exact solution {self.effective:.0%} of the draws are effective: the"
                " network's error matters; use the weighted results"
            )
        return found


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
