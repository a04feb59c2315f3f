"""`zlb`: the New Keynesian model of `nk` under a zero lower bound on the policy rate.

    x  = E x' - (i - E pi' - r) / sigma                                       dynamic IS curve
    pi = beta E pi' + kappa x + u                                             New Keynesian Phillips
                                                                              curve
    i  = max(rho_i i_1 + (1 - rho_i)(phi_pi pi + phi_y x) + m, -bound)        Taylor rule, where the
    bound allows it
    m  = rho_m m_1 + sigma_m e_m,  r = rho_r r_1 + sigma_r e_r,  u = rho_u u_1 + sigma_u e_u

All in quarterly percent; `bound`, the steady-state nominal rate, is (pi_star - 400 log beta) / 4.
Smoothing is on the lagged actual rate, as in Guerrieri and Iacoviello (2017), J. Monetary Economics
90, 28-49: a rate that the bound forbade is not made up for. In the quarter of the shock the natural
rate is low by `shortfall`, and the rate was at its steady state the quarter before. Perfect
foresight, piecewise linear: Guerrieri and Iacoviello (2015), J. Monetary Economics 70, 22-38,
doi:10.1016/j.jmoneco.2014.08.005.

Axes: N draw, T period; draws come last inside.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from emulator.errors import ParameterError
from emulator.solvers import solve_linear_re
from emulator.solvers.occasionally_binding import News, respect_bound
from emulator.spec import (
    ANNUAL_POINTS,
    DEFAULT_HORIZON,
    Extrapolation,
    Parameter,
    Status,
    WorldSpec,
)
from emulator.worlds import nk
from emulator.worlds.base import OnFailure, World
from emulator.worlds.draws import mark_impossible

RANGES: dict[str, dict[str, float]] = {
    "sigma": {"low": 1.0},
    "beta": {"low": 0.99, "default": 0.995},
    "kappa": {"high": 0.1, "default": 0.05},
    "phi_pi": {"low": 1.25},
    "phi_y": {"low": 0.1, "default": 0.25},
    "rho_i": {"high": 0.8, "default": 0.5},
    "rho_r": {"low": 0.5, "high": 0.9, "default": 0.8},
    "rho_u": {"high": 0.8},
}
"""Where the prior departs from that of `nk`, so that the bound matters often and seldom ends in a
depression of hundreds of percent.
"""

# fmt: off
PARAMETERS = (
    *(Parameter(**{**p.model_dump(), **RANGES.get(p.name, {})}) for p in nk.SPEC.parameters),
    Parameter(name="pi_star", tex=r"\pi^*", low=0.0, high=2.0, default=1.0, unit="annualised percent", meaning="inflation target; the steady-state rate is pi_star - 400 log beta", role="steady_state"),
    Parameter(name="shortfall", tex=r"s_0", low=0.0, high=12.0, default=8.0, unit=ANNUAL_POINTS, meaning="how far the natural rate is below its steady state when the shock comes", role="initial_state"),
)
# fmt: on

SPEC = WorldSpec(
    name="zlb",
    title="New Keynesian model under a zero lower bound",
    summary=(
        "The economy of nk whose policy rate cannot fall below zero; perfect foresight, piecewise"
        " linear; the natural rate is low when the shock comes."
    ),
    prior=(
        "Independent and uniform over the ranges; draws without a unique solution are refused and"
        " redrawn. At 35.5 % of the draws the bound binds even without a shock."
    ),
    source="Guerrieri and Iacoviello (2015); Galí (2015), ch. 3",
    parameters=PARAMETERS,
    shocks=nk.SPEC.shocks,
    observables=nk.SPEC.observables,
    linear=False,
    extrapolation=Extrapolation(
        slice_parameters=("rho_i",), corner_parameters=("rho_r", "shortfall")
    ),
)

N_NK = nk.SPEC.n_parameters
JUMPS = [nk.X, nk.PI, nk.RATE]
SIZES = [nk.SPEC.index(f"sigma_{letter}") for letter in "mru"]
PERSISTENCES = [nk.SPEC.index(f"rho_{letter}") for letter in "mru"]
RULE = 2
"""Position of the Taylor rule among the equations of `nk`."""

UNITS = np.array([1.0, 4.0, 4.0])

PERIODS = (16, 32, 64, 128, 256, 512)
"""Quarters after which the bound is known to be slack for good; a path that may bind even later is
not converged.
"""

BLOCK = 4096
"""Draws solved at once, and paths under the bound solved at once: the memory used does not grow
with the number of draws.
"""


@dataclass(frozen=True)
class Economy:
    """Draws solved without the bound: x, pi, i = response i_1 + loading (m, r, u), in quarterly
    percent.

    news; response (3, N); loading (3, 3, N); persistence and size (3, N) of m, r, u; bound (N,);
    start (3, N): m, r, u in the quarter of the shock, without it.
    """

    news: News
    response: np.ndarray
    loading: np.ndarray
    persistence: np.ndarray
    size: np.ndarray
    bound: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, theta: np.ndarray) -> tuple[Self, np.ndarray]:
        """Economies at theta (N, 14) and the `Status` of each draw as far as it depends on no path,
        (N,) uint8.
        """
        unit = theta[:, :N_NK].copy()
        unit[:, SIZES] = 1.0
        lead, current, lag, shock = nk.equations(unit)
        solution = solve_linear_re(lead, current, lag, shock, nk.STRUCTURE)
        news = News.of(nk.STRUCTURE, lead, current, solution.transition, nk.RATE, RULE)
        with np.errstate(
            all="ignore"
        ):  # a discount factor that has no logarithm gives no bound, and is refused below
            bound = theta[:, N_NK] / 4 - 100 * np.log(theta[:, SPEC.index("beta")])
        start = np.zeros((3, len(theta)))
        start[1] = -theta[:, N_NK + 1] / 4
        status = solution.status.copy()
        status[(status == Status.OK) & ~(bound > 0)] = Status.OUTSIDE_RANGE
        status[(status == Status.OK) & ~news.unique(PERIODS[-1])] = Status.INDETERMINATE
        mark_impossible(SPEC, theta, status)
        economy = cls(
            news=news,
            response=np.ascontiguousarray(solution.transition[:, JUMPS, nk.RATE].T),
            loading=np.ascontiguousarray(np.moveaxis(solution.impact[:, JUMPS], 0, 2)),
            persistence=np.ascontiguousarray(theta[:, PERSISTENCES].T),
            size=np.ascontiguousarray(theta[:, SIZES].T),
            bound=bound,
            start=start,
        )
        return economy, status

    def take(self, rows: np.ndarray) -> Self:
        """The economies of these draws."""
        news = self.news.take(rows)
        return type(self)(
            news, *(np.take(getattr(self, field.name), rows, axis=-1) for field in fields(self)[1:])
        )

    def unbounded(self, rate: np.ndarray, state: np.ndarray, periods: int) -> np.ndarray:
        """x, pi, i (T, 3, N) without the bound, after last quarter's rate (N,), from this quarter's
        m, r, u (3, N).
        """
        path = np.empty((periods, 3, len(rate)))
        for t in range(periods):
            path[t] = self.response * rate + (self.loading * state).sum(axis=1)
            rate, state = path[t, 2], self.persistence * state
        return path

    def reach(self, state: np.ndarray) -> np.ndarray:
        """Quarters (N,) after which the bound is slack for good; 0 where it never binds, -1 where
        even the longest may not do.

        With |m|, |r|, |u| moving the unbounded rate by at most (1 - g) bound, and less every
        quarter, `i = g i_1 + ..` keeps a rate that is above its bound above it.
        """
        persistence = np.abs(self.persistence)
        force = np.abs(self.loading[2] * state)
        room = (1 - self.news.persistence) * self.bound
        reach = np.full(len(room), -1)
        for periods in (*PERIODS[::-1], 0):
            reach[(force * persistence**periods).sum(axis=0) <= room] = periods
        return np.where(self.news.persistence >= 0, reach, -1)


@dataclass(frozen=True)
class Paths:
    """Paths (T, 3, N) of x, pi, i in quarterly percent; spell (N,): quarters at the bound; solved
    (N,): all conditions verified.
    """

    values: np.ndarray
    spell: np.ndarray
    solved: np.ndarray


@np.errstate(all="ignore")  # a path that overflows is not called solved
def bounded_paths(economy: Economy, rate: np.ndarray, state: np.ndarray, periods: int) -> Paths:
    """Perfect-foresight paths under the bound, after last quarter's rate (N,) >= -bound, from this
    quarter's m, r, u (3, N).
    """
    values = economy.unbounded(rate, state, periods)
    reach = economy.reach(state)
    spell, solved = np.zeros(len(rate), dtype=int), reach >= 0
    for length in PERIODS:
        rows = np.flatnonzero(reach == length)
        for first in range(0, len(rows), BLOCK):
            part = rows[first : first + BLOCK]
            some = economy.take(part)
            gap = some.unbounded(rate[part], state[:, part], length)[:, 2] + some.bound
            low = (gap < 0).any(axis=0)
            part, some, gap = part[low], some.take(np.flatnonzero(low)), gap[:, low]
            path = respect_bound(some.news, gap)
            solved[part] = path.solved
            spell[part] = (path.multiplier > 0).sum(axis=0)
            led, held = path.continued(some.news, periods)
            values[:, :2, part] += led
            values[:, 2, part] += held
    return Paths(values, spell, solved)


class ZeroLowerBound(World):
    """The world `zlb`; see the module's text for the model."""

    spec = SPEC

    def propose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(self.spec.low, self.spec.high, size=(n, self.spec.n_parameters))

    def status(self, theta: np.ndarray) -> np.ndarray:
        return self.solve(theta, 0)[2]

    def irf(
        self, theta: np.ndarray, horizon: int = DEFAULT_HORIZON, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        """Path with the shock minus path without it, both from the same initial shortfall; see
        `World.irf` for axes and units.
        """
        if horizon < 0:
            raise ParameterError(
                f"The horizon is {horizon}; expected 0 (the impact period alone) or more."
            )
        theta = self.spec.check_theta(theta)
        responses = np.empty((len(theta), self.spec.n_shocks, horizon + 1, 3))
        status = np.empty(len(theta), dtype=np.uint8)
        for first in range(0, len(theta), BLOCK):  # paths take more room than responses
            part = slice(first, first + BLOCK)
            paths, _, status[part] = self.solve(theta[part], horizon)
            responses[part] = paths[:, 1:] - paths[:, :1]
        self._refuse(theta, status != Status.OK, on_failure, status)
        return responses

    def solve(self, theta: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Paths (n, 1+S, H+1, 3) without a shock and with each shock, in the units of `irf` and in
        deviations from steady state; quarters that each of them spends at the bound (n, 1+S);
        status (n,). Paths are NaN where the status is not `Status.OK`.
        """
        theta = self.spec.check_theta(theta)
        n, starts = len(theta), 1 + self.spec.n_shocks
        paths, spells = (
            np.full((n, starts, horizon + 1, 3), np.nan),
            np.zeros((n, starts), dtype=int),
        )
        status = np.empty(n, dtype=np.uint8)
        for first in range(0, n, BLOCK):
            economy, by_draw = Economy.of(theta[first : first + BLOCK])
            rows = np.flatnonzero(by_draw == Status.OK)
            some, rate = economy.take(rows), np.zeros(len(rows))
            for k in range(starts):
                state = some.start.copy()
                if k:
                    state[k - 1] += some.size[k - 1]
                bounded = bounded_paths(some, rate, state, horizon + 1)
                paths[first + rows, k] = bounded.values.transpose(2, 0, 1) * UNITS
                spells[first + rows, k] = bounded.spell
                finite = np.isfinite(paths[first + rows, k]).all(axis=(1, 2))
                by_draw[rows[~(bounded.solved & finite)]] = Status.NOT_CONVERGED
            status[first : first + BLOCK] = by_draw
        paths[status != Status.OK] = np.nan
        return paths, spells, status

    def simulate(
        self, theta: np.ndarray, shocks: np.ndarray, *, on_failure: OnFailure = "raise"
    ) -> np.ndarray:
        """Paths (n, T, 3) from the initial shortfall under shocks (n, T, S) that surprise in every
        quarter, in the units of `irf`.

        No further shock is ever expected, as in simulations by OccBin; the economy is at rest only
        where the shortfall is zero.
        """
        theta = self.spec.check_theta(theta)
        shocks = self._check_shocks(theta, shocks)
        paths, status = (
            np.full((*shocks.shape[:2], 3), np.nan),
            np.empty(len(theta), dtype=np.uint8),
        )
        for first in range(0, len(theta), BLOCK):
            part = slice(first, first + BLOCK)
            economy, status[part] = Economy.of(theta[part])
            rows = np.flatnonzero(status[part] == Status.OK)
            paths[first + rows], solved = _simulate(economy.take(rows), shocks[part][rows])
            status[first + rows[~solved]] = Status.NOT_CONVERGED
        self._refuse(theta, status != Status.OK, on_failure, status)
        return paths


def _simulate(economy: Economy, shocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Paths (N, T, 3) of solved economies, NaN where a quarter has none, and where all quarters
    were solved (N,).
    """
    path = np.empty((*shocks.shape[:2], 3))
    rate, state, solved = np.zeros(len(shocks)), economy.start, np.ones(len(shocks), dtype=bool)
    for t in range(shocks.shape[1]):
        state = (economy.persistence * state if t else state) + economy.size * shocks[:, t].T
        bounded = bounded_paths(economy, rate, state, 1)
        solved &= bounded.solved
        path[:, t] = (bounded.values[0] * UNITS[:, None]).T
        rate = bounded.values[0, 2]
    solved &= np.isfinite(path).all(axis=(1, 2))
    path[~solved] = np.nan
    return path, solved
