"""General equilibrium of `hank` given the households' Jacobians, without a product of matrices.

The equations are those of `equilibrium.py`. What moves households is a combination of output
and inflation, of their leads and lags, and of what the Taylor rule accumulates of them; so each
derivative of a market by the paths of output and inflation is a Jacobian whose columns are shifted,
filtered and added. T period, K column of paths.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from emulator.worlds.hank.equilibrium import Paths, Policy, economy
from emulator.worlds.hank.household import Tastes

ASSETS, LABOUR = 0, 1


def close(
    jacobian_OITT: np.ndarray, tastes: Tastes, policy: Policy, shocks: np.ndarray
) -> tuple[np.ndarray, float]:
    """Paths (3, T, K) of output, inflation and policy rate under processes m, z, g, u, (4, T, K),
    and the relative error of the markets.

    Quarterly deviations, in fractions of output and as rates. The error is measured by putting the
    paths back into the equations.
    """
    markets = jacobian_OITT[[ASSETS, LABOUR]]
    op, (_, periods, columns) = Paths(markets), shocks.shape
    none = np.zeros((periods, columns))
    forced = economy(op, tastes, policy, none, none, shocks)
    # NumPy's solver, which estimates no condition number: the error below says what came out.
    solution = np.linalg.solve(
        system(markets, tastes, policy), -np.concatenate([forced.assets, forced.labour])
    )
    y, pi = solution[:periods], solution[periods:]
    check = economy(op, tastes, policy, y, pi, shocks)
    error = np.maximum(np.abs(check.assets), np.abs(check.labour)).max(axis=0) / np.abs(
        solution
    ).max(axis=0)
    return np.stack([y, pi, check.i]), float(error.max())


def system(markets_OITT: np.ndarray, tastes: Tastes, policy: Policy) -> np.ndarray:
    """The derivative (2T, 2T) of excess assets and labour by the paths of output and inflation."""
    by_r, by_w, by_tau = markets_OITT.transpose(1, 0, 2, 3)
    gross = 1 + tastes.r
    by_rate = by_r - tastes.debt * by_tau  # taxes pay what the debt costs
    by_cost = (by_w - by_tau) / policy.kappa  # what labour gains, profits lose
    by_rule = (1 - policy.rho_i) * through_rule(by_rate, policy.rho_i)
    by_output = policy.phi_y * by_rule + (1 - tastes.wage) * by_tau
    by_inflation = policy.phi_pi * by_rule - gross * by_rate + by_cost
    by_inflation[..., 1:] -= by_cost[..., :-1] / gross  # the Phillips curve looks ahead
    periods = np.arange(markets_OITT.shape[-1])
    by_output[LABOUR, periods, periods] -= 1
    columns = np.concatenate([by_output, by_inflation], axis=-1)
    return columns.reshape(-1, columns.shape[-1])


def through_rule(by_rate: np.ndarray, rho_i: float) -> np.ndarray:
    """Derivatives (..., T) by the rule's target, of which last quarter's policy rate has
    accumulated the past: from column s what all later columns say, discounted by rho_i.
    """
    backwards = lfilter([0.0, 1.0], [1.0, -rho_i], by_rate[..., ::-1], axis=-1)
    return np.ascontiguousarray(backwards[..., ::-1])
