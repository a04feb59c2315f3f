"""A vector autoregression in the observables whose coefficients are linear in theta.

    y_h = sum_j Phi_j(z) y_{h-j},    y_0 = B(z),    Phi_j and B linear in z = (1, theta as standard
                                     scores)

is linear in the unknown coefficients once the true responses stand on the right, so least squares
finds it in closed form from responses alone. A structural VAR is of this form, and is found
exactly. Axes: n draw, F 1 + P, S shock, H horizon, O observable, L lag, N state.
"""

from __future__ import annotations

import torch
from torch import Tensor

from emulator.models.universal.start import FITTED, Start, added, moments, solve, summed

RIDGES = (1e-10, 1e-7, 1e-5, 1e-3, 1e-1)
"""Penalties tried, as shares of the mean square of the regressors."""


def regress(z_nF: Tensor, irf_nSHO: Tensor, lags: int) -> Start:
    """The autoregression by least squares, in companion form, with the penalty that predicts a
    quarter of the draws best from the others (those draws then join in).
    """
    z, irf = z_nF.double(), irf_nSHO.double()
    fitted = int(FITTED * len(z))
    held_z, held = z[fitted:], irf[fitted:]
    impacts = moments(z[:fitted], irf[:fitted, :, 0].flatten(1))
    lagged = _lag_moments(z[:fitted], irf[:fitted], lags)
    impact_left, impact_ridge = min(
        (float((held_z @ solve(impacts, r) - held[:, :, 0].flatten(1)).square().sum()), r)
        for r in RIDGES
    )
    lag_left, lag_ridge = min((_one_step(held_z, held, solve(lagged, r), lags), r) for r in RIDGES)
    moved = float(held.square().sum())
    impacts = added(impacts, moments(held_z, held[:, :, 0].flatten(1)))
    lagged = added(lagged, _lag_moments(held_z, held, lags))
    impact = solve(impacts, impact_ridge).unflatten(1, (irf.shape[1], irf.shape[3]))
    coefficients = solve(lagged, lag_ridge).unflatten(0, (z.shape[1], lags * irf.shape[3]))
    unexplained = ((impact_left + lag_left) / moved) ** 0.5 if moved > 0 else 1.0
    return _companion(coefficients.float(), impact.float(), unexplained)


def _companion(lags: Tensor, impact: Tensor, unexplained: float) -> Start:
    """The state space of an autoregression with coefficients of its lags (F, L O, O) and of its
    impact (F, S, O): states are the observables and their lags.
    """
    features, states, observables = lags.shape
    transition, loadings = lags.new_zeros(features, states, states), torch.zeros_like(lags)
    transition[:, :, :observables] = lags
    transition[0, : states - observables, observables:] = torch.eye(
        states - observables
    )  # lagged observables move on by one lag
    loadings[0, :observables] = torch.eye(observables)
    first = impact.new_zeros(features, impact.shape[1], states)
    first[..., :observables] = impact
    return Start(transition, loadings, first, unexplained)


def _regressors(z: Tensor, irf: Tensor, lags: int) -> tuple[Tensor, Tensor]:
    """z times each lag of each observable (n S H, F L O), and what they are to give (n S H, O)."""
    horizon = irf.shape[2] - 1
    before = torch.cat([irf.new_zeros(*irf.shape[:2], lags - 1, irf.shape[3]), irf], dim=2)
    lagged = torch.cat(
        [before[:, :, lags - 1 - j : lags - 1 - j + horizon] for j in range(lags)], dim=3
    )
    return torch.einsum("nf,nshl->nshfl", z, lagged).flatten(3).flatten(0, 2), irf[
        :, :, 1:
    ].flatten(0, 2)


def _lag_moments(z: Tensor, irf: Tensor, lags: int, block: int = 128) -> list[Tensor]:
    return summed(
        _regressors(z[first : first + block], irf[first : first + block], lags)
        for first in range(0, len(z), block)
    )


def _one_step(z: Tensor, irf: Tensor, coefficients: Tensor, lags: int, block: int = 128) -> float:
    """Sum of squared errors of predicting each response from its own past."""
    total = 0.0
    for first in range(0, len(z), block):
        left, right = _regressors(z[first : first + block], irf[first : first + block], lags)
        total += float((left @ coefficients - right).square().sum())
    return total
