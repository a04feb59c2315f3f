"""Generalised responses of pruned rules: what shocks change on the mean of a path.

The path with the given shocks minus the path without, averaged over the states before and over all
other shocks, which are independent and normal. In a pruned system this mean has a closed form: with
d the change of v = (x1, e), Omega the variance of v (that of the states, and one for each shock)
and E2, E3 the changes of the means of x2 and x3,

    dy1 = G d
    dy2 = G (E2, 0) + 1/2 G2 (d, d)
    dy3 = G (E3, 0) + G2 (d, (m2 + E2, 0)) + G2 : M + 1/2 G3 (d, Omega) + 1/6 G3 (d, d, d)
          + 1/2 g_vss d

where m2 is the mean of x2 and M, the covariance of x1 with the change of x2, follows
`M' = h M h' + h_v Omega (H2 d)'`, h the states' own rule. Koop, Pesaran and Potter (1996), J.
Econometrics 74, 119-147, doi:10.1016/0304-4076(95)01753-4; Andreasen, Fernandez-Villaverde and
Rubio-Ramirez (2018), Review of Economic Studies 85, 1-49, section 5, doi:10.1093/restud/rdx037.

Axes: N draw, H horizon (0 is impact), k shock, s state, m = s + k, O variable, R replication.
"""

from __future__ import annotations

import numpy as np

from emulator.solvers.lyapunov import lyapunov
from emulator.solvers.perturbation.pruned import at_rest, simulate
from emulator.solvers.perturbation.rules import Rules

AT_ONCE, BLOCK_NUMBERS = 256, 2**23
"""Paths that are simulated at once, and numbers of their rules in memory."""


def mean_responses(rules: Rules, path: np.ndarray) -> np.ndarray:
    """Mean responses (N, H+1, O) to a path of shocks (N, H+1, k), in standard deviations, over the
    distribution of the states. NaN at third order where the states have a unit root: they have no
    distribution.
    """
    own = rules.of_states
    assert own is not None  # made by `of`
    n, periods, _ = path.shape
    mean = _Mean.of(own)
    responses = np.empty((n, periods, rules.first.shape[1]))
    for period in range(periods):
        d = np.concatenate([mean.x1, path[:, period]], axis=1)
        responses[:, period] = mean.changed(rules, d)
        mean = mean.onward(own, d)
    return responses


class _Mean:
    """Changes of the means of the states' terms before a period: x1, x2, x3 (N, s); M (N, s, s);
    and what does not change: Omega (N, m, m) and m2 (N, s), at third order.
    """

    def __init__(
        self,
        changes: tuple[np.ndarray, np.ndarray, np.ndarray],
        covariance: np.ndarray,
        omega: np.ndarray | None,
        mean: np.ndarray | None,
    ) -> None:
        self.x1, self.x2, self.x3 = changes
        self.covariance = covariance
        self.omega = omega
        self.mean = mean

    @classmethod
    def of(cls, own: Rules) -> _Mean:
        n, size = len(own.first), own.n_states
        zero = np.zeros((n, size))
        if own.order == 2:
            return cls((zero, zero, zero), np.zeros((n, size, size)), None, None)
        omega = variance_of_first(own)
        return cls((zero, zero, zero), np.zeros((n, size, size)), omega, mean_of_second(own, omega))

    def changed(self, rules: Rules, d: np.ndarray) -> np.ndarray:
        """dy1 + dy2 (+ dy3), (N, n)."""
        return sum(self._terms(rules, d))  # type: ignore[return-value]

    def _terms(self, rules: Rules, d: np.ndarray) -> list[np.ndarray]:
        by_states = rules.first[:, :, : rules.n_states]
        twice = _along(rules.second, d)
        terms = [
            _along(rules.first, d),
            _along(by_states, self.x2) + 0.5 * _along(twice, d),
        ]
        if rules.third is None or rules.risk_slope is None:
            return terms
        assert self.omega is not None  # at third order
        assert self.mean is not None
        size = rules.n_states
        thrice = _along(rules.third, d)
        pairs = rules.second[:, :, :size, :size]
        terms.append(
            _along(by_states, self.x3)
            + _along(twice[:, :, :size], self.mean + self.x2)
            + np.einsum("nijk,njk->ni", pairs, self.covariance, optimize=True)
            + 0.5 * np.einsum("nijk,njk->ni", thrice, self.omega, optimize=True)
            + _along(_along(thrice, d), d) / 6
            + 0.5 * _along(rules.risk_slope, d)
        )
        return terms

    def onward(self, own: Rules, d: np.ndarray) -> _Mean:
        """The same a period later."""
        x1, x2, *x3 = self._terms(own, d)
        covariance = self.covariance
        if self.omega is not None:
            h = own.first[:, :, : own.n_states]
            covariance = h @ covariance @ h.swapaxes(1, 2) + own.first @ self.omega @ _along(
                own.second, d
            ).swapaxes(1, 2)
        return _Mean((x1, x2, x3[0] if x3 else x2), covariance, self.omega, self.mean)


def variance_of_first(own: Rules) -> np.ndarray:
    """The variance (N, m, m) of (x1, e); NaN where the states have a unit root."""
    n, size, width = own.first.shape
    h, impact = own.first[:, :, :size], own.first[:, :, size:]
    omega = np.zeros((n, width, width))
    omega[:, :size, :size] = lyapunov(h, impact @ impact.swapaxes(1, 2))
    omega[:, np.arange(size, width), np.arange(size, width)] = 1.0
    return omega


def mean_of_second(own: Rules, omega: np.ndarray) -> np.ndarray:
    """The mean (N, s) of x2."""
    spread = np.einsum("nijk,njk->ni", own.second, omega, optimize=True)
    return at_rest(own, 0.5 * (spread + own.risk))


def _along(form: np.ndarray, d: np.ndarray) -> np.ndarray:
    """The last axis of form (N, .., m) summed along d (N, m)."""
    shape = (len(d), *(1,) * (form.ndim - 3), d.shape[1], 1)
    return (form @ d.reshape(shape))[..., 0]


def simulated_responses(
    rules: Rules, path: np.ndarray, shocks: np.ndarray, burn_in: int
) -> np.ndarray:
    """The mean (N, H+1, O) over simulations under shocks (R, burn_in + H+1, k), in standard
    deviations, of what the path (N, H+1, k) adds from the period after the burn-in on: Dynare's
    `irf` at order 2 and 3 (irf.m). All draws see the same shocks; paths begin in the steady state.
    """
    n, periods, _ = path.shape
    total = np.zeros((n, periods, rules.first.shape[1]))
    largest = rules.second if rules.third is None else rules.third
    together = max(1, min(len(shocks), AT_ONCE // n, BLOCK_NUMBERS // max(largest.size, 1)))
    for start in range(0, len(shocks), together):
        some = shocks[start : start + together]
        rows = np.repeat(np.arange(n), len(some))
        plain = np.tile(some, (n, 1, 1))
        pulsed = plain.copy()
        pulsed[:, burn_in:] += path[rows]
        repeated = rules.at(rows)
        change = (simulate(repeated, pulsed) - simulate(repeated, plain))[:, burn_in:]
        total += change.reshape(n, len(some), *change.shape[1:]).sum(axis=1)
    return total / len(shocks)
