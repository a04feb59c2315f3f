"""General equilibrium of `hank2` given the households' Jacobians, on few periods.

Responses move much at first and then slowly for hundreds of quarters. So the paths of output and
inflation are the polynomials of `fake_news.recovery` through their values at the periods that are
kept, and the equations hold in these periods; what they miss in all others is measured. T period, K
period that is kept, N column of paths.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emulator.worlds.hank.fake_news import kept_periods, recovery
from emulator.worlds.hank2.equilibrium import (
    UTILITY,
    WEALTH,
    Paths,
    Policy,
    Prices,
    Rest,
    by_utility,
    economy,
    prices,
    without_households,
)
from emulator.worlds.hank2.household import INCOME, Jacobian, R


class Closed(NamedTuple):
    """Paths (T, N) of output and inflation, what follows from them, and the relative error of the
    equations.
    """

    y: np.ndarray
    pi: np.ndarray
    prices: Prices
    error: float


class Projected(NamedTuple):
    """Outputs in the periods kept by inputs there, (O, I, K, K), and by a surprise, (O, K)."""

    foreseen: np.ndarray
    surprise: np.ndarray


def nodes(periods: int) -> tuple[np.ndarray, np.ndarray]:
    """The periods (K,) of T that are kept, and the matrix (T, K) that gives all."""
    return kept_periods(periods + 1), recovery(periods + 1)


def project(jacobian: Jacobian) -> Projected:
    """The Jacobians on the periods kept."""
    kept, recover = nodes(jacobian.surprise.shape[1])
    rows = np.take(jacobian.foreseen, kept, axis=2)  # contiguous, as products want it
    return Projected(rows @ recover, jacobian.surprise[:, kept])


def close(
    jacobian: Jacobian,
    projected: Projected,
    rest: Rest,
    policy: Policy,
    shocks: np.ndarray,
    rows: int,
) -> Closed:
    """Paths under processes m, z, g, u, (4, T, N); quarterly deviations, in fractions of output and
    as rates. The error is that over the first `rows` periods.
    """
    op, (_, periods, columns) = Paths(jacobian), shocks.shape
    kept, recover = nodes(periods)
    none = np.zeros((periods, columns))
    forced = economy(op, rest, policy, none, none, shocks)
    solution = np.linalg.solve(
        system(op, projected, rest, policy),
        -np.concatenate([forced.assets[kept], forced.wages[kept]]),
    )
    y, pi = (recover @ half for half in np.split(solution, 2))
    check = economy(op, rest, policy, y, pi, shocks)
    error = np.maximum(np.abs(check.assets), np.abs(check.wages))[:rows].max(axis=0)
    return Closed(y, pi, check.prices, float((error / np.abs(solution).max(axis=0)).max()))


def system(op: Paths, projected: Projected, rest: Rest, policy: Policy) -> np.ndarray:
    """The derivative (2K, 2K) of what the two equations miss by the paths of output and inflation
    in the periods kept.
    """
    periods = op.surprise_OT.shape[1]
    kept, recover = nodes(periods)
    none = np.zeros_like(recover)
    y, pi = np.hstack([recover, none]), np.hstack([none, recover])
    faced = prices(op, rest, policy, y, pi, np.zeros((4, 1, 1)))
    assets, wages = without_households(op, rest, policy, faced)
    by_r, by_income = projected.foreseen[:, R], projected.foreseen[:, INCOME]
    outputs = by_r @ faced.r[kept] + by_income @ faced.income[kept]
    outputs += projected.surprise[..., None] * faced.surprise[0]
    return np.concatenate(
        [
            assets[kept] + outputs[WEALTH],
            wages[kept] + by_utility(rest, policy) * outputs[UTILITY],
        ]
    )
